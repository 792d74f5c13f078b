package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

// sampleSenders is how many send samples at a time.
const sampleSenders = 8

// sampleLoad sends samples by OTLP to whatever server runs, and remembers what was acknowledged. Each sample is told by its value.
type sampleLoad struct {
	url  atomic.Pointer[string]
	next atomic.Int64
	base int64 // milliseconds

	mu    sync.Mutex
	acked map[int64]bool // guarded by mu
}

func (l *sampleLoad) run(ctx context.Context, sender int) {
	client := &http.Client{Timeout: 5 * time.Second}
	for ctx.Err() == nil {
		n := l.next.Add(1)
		body := fmt.Sprintf(`{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"s%d"}}]},"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[{"timeUnixNano":"%d000000","asDouble":%d}]}}]}]}]}`,
			sender, l.base+7*n, n)
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, *l.url.Load()+"/v1/metrics", strings.NewReader(body))
		if err != nil {
			return
		}
		r.Header.Set("Content-Type", "application/json")
		answer, err := client.Do(r)
		if err != nil {
			_ = pause(ctx, 10*time.Millisecond)
			continue
		}
		_, err = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		if err == nil && answer.StatusCode == http.StatusOK {
			l.mu.Lock()
			l.acked[n] = true
			l.mu.Unlock()
		}
	}
}

// stored returns all samples of the load that the server has, and how many came twice.
func (l *sampleLoad) stored(ctx context.Context) (map[int64]bool, int, error) {
	query := url.Values{"query": {"m[55m]"}, "time": {strconv.FormatInt(time.Now().Unix()+600, 10)}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, *l.url.Load()+"/api/v1/query?"+query.Encode(), http.NoBody)
	if err != nil {
		return nil, 0, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	var got struct {
		Data struct {
			Result []struct{ Values [][2]any }
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil {
		return nil, 0, err
	}
	have, twice := map[int64]bool{}, 0
	for _, series := range got.Data.Result {
		for _, pair := range series.Values {
			text, _ := pair[1].(string)
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return nil, 0, err
			}
			if have[n] {
				twice++
			}
			have[n] = true
		}
	}
	return have, twice, nil
}

// startReady starts a server, tells its address to whoever sends, and waits until it is ready.
func startReady(t *testing.T, binary, dir string, url *atomic.Pointer[string]) *process {
	t.Helper()
	p, err := start(t.Context(), binary, dir, environment())
	if err != nil {
		t.Fatal(err)
	}
	url.Store(&p.url)
	need.Eventually(t, 20*time.Second, "the server to be ready", func() bool {
		answer, err := http.Get(p.url + "/-/ready")
		if err != nil {
			return false
		}
		_ = answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	return p
}

// TestNoAcknowledgedSampleIsLostWhenTheServerIsKilled kills the server again and again while samples come.
func TestNoAcknowledgedSampleIsLostWhenTheServerIsKilled(t *testing.T) {
	binary, dir := need.Binary(t), filepath.Join(t.TempDir(), "data")
	random := rand.New(rand.NewPCG(fresh(t), 1))
	load := &sampleLoad{base: time.Now().Add(-20 * time.Minute).UnixMilli(), acked: map[int64]bool{}}
	run := func() *process {
		return startReady(t, binary, dir, &load.url)
	}
	server := run()
	ctx, stop := context.WithCancel(t.Context())
	var senders sync.WaitGroup
	for i := range sampleSenders {
		senders.Go(func() { load.run(ctx, i) })
	}
	var slowest time.Duration
	for range *kills {
		if err := pause(ctx, time.Duration(200+random.IntN(900))*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if err := server.kill(); err != nil {
			t.Fatal(err)
		}
		server = run()
		slowest = max(slowest, time.Since(server.started))
	}
	stop()
	senders.Wait()
	defer func() { _ = server.kill() }()
	if len(load.acked) < 100**kills {
		t.Errorf("only %d samples were acknowledged: that is no load", len(load.acked))
	}
	lost := 0
	deadline := time.Now().Add(20 * time.Second)
	for {
		have, twice, err := load.stored(t.Context())
		lost = 0
		for n := range load.acked {
			if !have[n] {
				lost++
			}
		}
		if twice > 0 {
			t.Fatalf("%d samples are stored twice", twice)
		}
		if lost == 0 && err == nil || time.Now().After(deadline) {
			break
		}
		if err := pause(t.Context(), 100*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d kills, %d samples acknowledged, %d lost, ready again after %s at most", *kills, len(load.acked), lost, slowest.Round(time.Millisecond))
	if lost > 0 {
		t.Errorf("%d of %d acknowledged samples are lost", lost, len(load.acked))
	}
}
