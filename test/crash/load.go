package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// wireAlert is an alert as Prometheus posts it.
type wireAlert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    string            `json:"startsAt"`
	EndsAt      string            `json:"endsAt,omitempty"`
}

// sent is one alert that a worker may report again or end.
type sent struct {
	alert wireAlert
	key   string
}

// worker sends alerts one request after another, and owns those it began: nobody else reports or ends them, so that the
// order of its requests is the order of what the server must know.
type worker struct {
	url    string
	client *http.Client
	ledger *ledger
	random *rand.Rand
	name   string
	pause  time.Duration // between requests
	unsure bool          // a refusal leaves open what was stored
	count  int
	open   []sent
}

var services = [...]string{"checkout", "payment", "cart", "catalogue", "search", "orders", "inventory", "shipping", "user", "currency"}

var rules = [...]string{"HighErrorRate", "HighLatencyP99", "PodErrorRateHigh", "KubePodNotReady", "UpstreamTimeouts", "ConsumerLag"}

// run sends until the context ends or the server is gone.
func (w *worker) run(ctx context.Context) {
	for ; ctx.Err() == nil; _ = pause(ctx, w.pause) { // the loop looks at ctx
		alerts, keys, ends := w.batch()
		ok, busy := post(ctx, w.client, w.url, alerts)
		if busy {
			if w.unsure {
				w.ledger.note(keys, ends, false)
				w.open = slices.DeleteFunc(w.open, func(s sent) bool { return slices.Contains(keys, s.key) }) // it may not exist
			}
			_ = pause(ctx, 5*time.Millisecond) // the loop looks at ctx
			continue
		}
		w.ledger.note(keys, ends, ok)
		if !ok {
			return
		}
	}
}

// batch makes 1 to 64 alerts, each at most once: half of them new, most others reports of open ones, some ends.
func (w *worker) batch() (alerts []wireAlert, keys []string, ends map[string]bool) {
	size := []int{1, 1, 4, 16, 64}[w.random.IntN(5)]
	ends = map[string]bool{}
	used := map[string]bool{}
	now := time.Now().UTC().Format(time.RFC3339Nano)
	for range size {
		var next sent
		if again := len(w.open) > 0 && w.random.IntN(2) == 0; again {
			i := w.random.IntN(len(w.open))
			next = w.open[i]
			if used[next.key] {
				continue
			}
			if w.random.IntN(5) == 0 {
				next.alert.EndsAt = now
				ends[next.key] = true
				w.open[i] = w.open[len(w.open)-1]
				w.open = w.open[:len(w.open)-1]
			}
		} else {
			next = w.begin(now)
			w.open = append(w.open, next)
		}
		used[next.key] = true
		alerts = append(alerts, next.alert)
		keys = append(keys, next.key)
	}
	return alerts, keys, ends
}

func (w *worker) begin(now string) sent {
	w.count++
	service := services[w.random.IntN(len(services))]
	key := fmt.Sprintf("%s-%d", w.name, w.count)
	return sent{key: key, alert: wireAlert{
		Labels: map[string]string{
			"alertname": rules[w.random.IntN(len(rules))], "service": service, "pod": service + "-" + key, keyLabel: key,
			"severity": []string{"warning", "critical", "error"}[w.random.IntN(3)], "cluster": "crash",
		},
		Annotations: map[string]string{"summary": service + " is in trouble"},
		StartsAt:    now,
	}}
}

// keyLabel names an alert in the ledger.
const keyLabel = "request"

// post sends alerts and reports whether the server answered 200, or that it was busy and refused them, in which case it must not
// have stored them unless something behind it broke. Anything else, a
// broken connection first of all, leaves open whether they were stored.
func post(ctx context.Context, client *http.Client, url string, alerts []wireAlert) (accepted, busy bool) {
	body, err := json.Marshal(alerts)
	if err != nil {
		return false, false
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/v2/alerts", bytes.NewReader(body))
	if err != nil {
		return false, false
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Fairlead-Resolve-Timeout", "0")
	answer, err := client.Do(request)
	if err != nil {
		return false, false
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return false, false
	}
	busy = answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode == http.StatusServiceUnavailable
	return answer.StatusCode == http.StatusOK, busy
}

// attack lets workers send until the context ends.
func attack(ctx context.Context, workers []*worker) {
	var group sync.WaitGroup
	for _, w := range workers {
		group.Go(func() { w.run(ctx) })
	}
	group.Wait()
}
