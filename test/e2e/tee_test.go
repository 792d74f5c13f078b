package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

var teeFor = flag.Duration("tee", 12*time.Second, "how long the stream of the tee's test lasts")

// counter stands between an Alertmanager and Fairlead and counts independently what is told.
type counter struct {
	onward http.Handler

	mu       sync.Mutex
	firing   map[string]int // notifications of firing alerts by receiver
	resolved int
	alerts   map[string]bool // names of services in them
}

// ServeHTTP takes a notification.
func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Receiver string
		Alerts   []struct {
			Status string
			Labels map[string]string
		}
	}
	raw, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(raw, &body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() {
		r.Body = io.NopCloser(bytes.NewReader(raw))
		c.onward.ServeHTTP(w, r)
	}()
	fires := false
	for _, a := range body.Alerts {
		if a.Status == "firing" {
			fires = true
			c.alerts[a.Labels["service"]] = true
		}
	}
	if fires {
		c.firing[body.Receiver]++
	} else {
		c.resolved++
	}
}

// onwards returns a handler that passes requests on.
func onwards(t *testing.T, to string) http.Handler {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	// Without X-Forwarded-For, with which a request would not count as made on this machine.
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
}

// TestTheTeeReportsWhatAnIndependentCountSays sends a generated stream to the built binary, which passes it on to Debian's
// Alertmanager; that tells Fairlead through a counter of the test. The bytes that are passed on are compared with
// those that were sent, the report with the counter.
func TestTheTeeReportsWhatAnIndependentCountSays(t *testing.T) {
	tool := need.Tool(t, "prometheus-alertmanager")
	fairlead := serve(t)
	count := &counter{onward: onwards(t, "http://"+fairlead), firing: map[string]int{}, alerts: map[string]bool{}}
	independent := httptest.NewServer(count)
	defer independent.Close()
	alertmanager := startAlertmanager(t, tool, fmt.Sprintf(`route:
  receiver: team
  group_by: [service]
  group_wait: 500ms
  group_interval: 2s
  repeat_interval: 4s
receivers:
- name: team
  webhook_configs: [{url: "%s/in/am-told/today", send_resolved: true}]
`, independent.URL))

	// A proxy between the two keeps what is passed on.
	var mu sync.Mutex
	passed := map[[sha256.Size]byte]int{}
	onward := onwards(t, "http://"+alertmanager)
	between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		mu.Lock()
		passed[sha256.Sum256(append([]byte(r.Method+r.URL.RequestURI()+r.Header.Get("X-Sender")), body...))]++
		mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		onward.ServeHTTP(w, r)
	}))
	defer between.Close()
	if status := post(t, "http://"+fairlead+"/api/fairlead/v1/integrations", `{"name":"prometheus","kind":"prometheus","key":"`+"k-0123456789"+`","forward":"`+between.URL+`"}`); status != http.StatusOK {
		t.Fatalf("make the integration: %d", status)
	}

	sent := stream(t, "http://"+fairlead, *teeFor)
	mu.Lock()
	for sum, n := range sent {
		if passed[sum] != n {
			t.Errorf("a request was sent %d times and passed on %d times as it is", n, passed[sum])
		}
	}
	if len(passed) != len(sent) {
		t.Errorf("%d different requests were passed on, %d were sent", len(passed), len(sent))
	}
	mu.Unlock()

	var report struct {
		Notifications, Resolved, Pages, Avoided, Missed, Later, Same, Extra int
		ByReceiver                                                          map[string]int
		Incidents                                                           []struct{ Verdict, Title, Why string }
	}
	var last string
	defer func() {
		if t.Failed() {
			t.Log(last)
		}
	}()
	need.Eventually(t, 60*time.Second, "the report to say what the counter says", func() bool {
		status, body := get(t.Context(), "http://"+fairlead+"/api/fairlead/v1/tee/report")
		if status != http.StatusOK {
			t.Fatalf("the report: %d %s", status, body)
		}
		if err := json.Unmarshal(body, &report); err != nil {
			t.Fatal(err)
		}
		count.mu.Lock()
		defer count.mu.Unlock()
		last = fmt.Sprintf("the counter: %v %d, the report: %s", count.firing, count.resolved, body)
		return report.Notifications == count.firing["team"] && report.Resolved == count.resolved && report.ByReceiver["team"] == count.firing["team"]
	})
	count.mu.Lock()
	t.Logf("the tool sent %d notifications of %d services, and %d ends; Fairlead tells %d times: %+v", report.Notifications, len(count.alerts), report.Resolved, report.Pages, report)
	count.mu.Unlock()
	if report.Notifications == 0 || report.Missed+report.Later+report.Same+report.Extra != len(report.Incidents) || report.Avoided > report.Notifications || report.Missed == 0 && report.Extra == 0 && report.Avoided != report.Notifications-report.Pages {
		t.Errorf("the report does not add up: %+v", report)
	}
	for _, c := range report.Incidents {
		if c.Verdict == "missed" && c.Why == "" {
			t.Errorf("it does not say why %q was missed", c.Title)
		}
	}
}

// stream sends alerts of several services, as a Prometheus would, and returns what it sent, by sum.
func stream(t *testing.T, fairlead string, length time.Duration) map[[sha256.Size]byte]int {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	sent := map[[sha256.Size]byte]int{}
	firing := map[string]time.Time{}
	end := time.Now().Add(length)
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	for now := time.Now(); now.Before(end); now = <-ticker.C {
		service := fmt.Sprintf("service-%d", random.IntN(8))
		if _, fires := firing[service]; !fires {
			firing[service] = now
		}
		var alerts []string
		for name, since := range firing {
			ends := now.Add(4 * time.Minute)
			if now.Sub(since) > 6*time.Second && random.IntN(6) == 0 {
				ends = now
			}
			for n := range 3 {
				alerts = append(alerts, fmt.Sprintf(`{"labels":{"alertname":"Errors%d","service":%q,"severity":"critical"},"startsAt":%q,"endsAt":%q}`,
					n, name, since.UTC().Format(time.RFC3339Nano), ends.UTC().Format(time.RFC3339Nano)))
			}
			if ends.Equal(now) {
				delete(firing, name)
			}
		}
		body := "[" + strings.Join(alerts, ",") + "]"
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, fairlead+"/api/v2/alerts", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer k-0123456789")
		r.Header.Set("X-Sender", "prometheus-1")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("got %d", answer.StatusCode)
		}
		sent[sha256.Sum256([]byte("POST/api/v2/alertsprometheus-1"+body))]++
	}
	return sent
}
