package e2e

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

// answered is what a query API answers, as far as it is compared.
type answered struct {
	Status string          `json:"status"`
	Data   json.RawMessage `json:"data"`
	Error  string          `json:"error"`
}

// TestPromQLAnswersAreThoseOfPrometheus lets Debian's Prometheus scrape itself and a target and write everything here, and
// asks both the same.
func TestPromQLAnswersAreThoseOfPrometheus(t *testing.T) {
	prometheus := need.Tool(t, "prometheus")
	fairlead := serve(t)
	var scrapes atomic.Int64
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := scrapes.Add(1)
		_, _ = fmt.Fprintf(w, `# HELP shop_orders_total Orders that were taken.
# TYPE shop_orders_total counter
shop_orders_total{region="eu"} %d
shop_orders_total{region="us"} %d
# HELP shop_queue What waits.
# TYPE shop_queue gauge
shop_queue %d
# TYPE shop_latency_seconds histogram
shop_latency_seconds_bucket{le="0.1"} %d
shop_latency_seconds_bucket{le="1"} %d
shop_latency_seconds_bucket{le="+Inf"} %d
shop_latency_seconds_sum %g
shop_latency_seconds_count %d
# TYPE shop_odd gauge
shop_odd{kind="nan"} NaN
shop_odd{kind="inf"} +Inf
`, 3*n, 7*n%50, n*n%17, n, 2*n, 3*n, 1.5*float64(n), 3*n)
	}))
	t.Cleanup(target.Close)
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	text := fmt.Sprintf("global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: shop\n  static_configs: [{targets: [%q]}]\nremote_write:\n- url: http://%s/api/v1/write\n  metadata_config: {send_interval: 2s}\n",
		target.Listener.Addr().String(), fairlead)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	start(t, "prometheus", prometheus, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	ready(t, "http://"+address+"/-/ready")
	need.Eventually(t, 60*time.Second, "enough scrapes", func() bool { return scrapes.Load() > 35 })
	ask := func(host, path string, query url.Values) answered {
		_, body := get(t.Context(), "http://"+host+path+"?"+query.Encode())
		var a answered
		if err := json.Unmarshal(body, &a); err != nil {
			t.Fatalf("%s answers %s %q to %v", host, path, body, query)
		}
		return a
	}
	// No window reaches back to where a series begins: there Prometheus 2.42 and 3 extrapolate differently.
	// Between two scrapes, so that no time is aligned with a sample: what differs between Prometheus 2 and 3, whether a
	// range holds the sample at its left edge, cannot show.
	end := time.Now().Add(-3 * time.Second).Truncate(time.Second).Add(371 * time.Millisecond)
	at := strconv.FormatFloat(float64(end.UnixMilli())/1000, 'f', 3, 64)
	need.Eventually(t, 30*time.Second, "the last samples to arrive", func() bool {
		q := url.Values{"query": {"count_over_time(shop_queue[1m])"}, "time": {at}}
		return string(ask(fairlead, "/api/v1/query", q).Data) == string(ask(address, "/api/v1/query", q).Data)
	})
	for _, query := range []string{
		`shop_queue`, `up`, `rate(shop_orders_total[10s])`, `sum by (region) (increase(shop_orders_total[13s]))`, `resets(shop_orders_total[20s])`,
		`histogram_quantile(0.9, rate(shop_latency_seconds_bucket[11s]))`, `avg_over_time(shop_queue[7s])`, `quantile_over_time(0.5, shop_queue[9s])`,
		`shop_orders_total{region=~"e.*"} / on (job) group_left shop_queue`, `topk(1, shop_orders_total)`, `absent(nothing)`, `shop_odd`, `-shop_odd`,
		`max_over_time(rate(shop_orders_total[5s])[10s:2s])`, `shop_queue offset 3s`, `shop_queue @ ` + at, `label_replace(up, "x", "$1", "instance", "(.*):.*")`,
		`time()`, `"text"`, `vector(1) + 2 ^ 3`, `count({__name__=~"shop_.*"}) by (__name__)`, `sum(`, `rate(shop_queue)`, `stddev_over_time(shop_queue[10s])`,
		`predict_linear(shop_orders_total{region="eu"}[10s], 60)`, `deriv(shop_queue[10s])`, `changes(shop_queue[10s])`, `clamp_max(shop_queue, 5)`, `sort_desc(shop_orders_total)`,
	} {
		compare(t, query, ask(address, "/api/v1/query", url.Values{"query": {query}, "time": {at}}), ask(fairlead, "/api/v1/query", url.Values{"query": {query}, "time": {at}}))
		begin := strconv.FormatFloat(float64(end.Add(-9*time.Second).UnixMilli())/1000, 'f', 3, 64)
		over := url.Values{"query": {query}, "start": {begin}, "end": {at}, "step": {"3"}}
		compare(t, query+" over a range", ask(address, "/api/v1/query_range", over), ask(fairlead, "/api/v1/query_range", over))
	}
	for _, path := range []string{"/api/v1/labels", "/api/v1/label/region/values", "/api/v1/label/__name__/values", "/api/v1/label/job/values"} {
		compare(t, path, ask(address, path, nil), ask(fairlead, path, nil))
	}
	for _, match := range []string{`shop_orders_total`, `{__name__=~"shop_.*"}`, `{job="none"}`} {
		q := url.Values{"match[]": {match}}
		compare(t, "series "+match, ask(address, "/api/v1/series", q), ask(fairlead, "/api/v1/series", q))
		compare(t, "labels of "+match, ask(address, "/api/v1/labels", q), ask(fairlead, "/api/v1/labels", q))
	}
	need.Eventually(t, 30*time.Second, "the metadata to arrive", func() bool {
		q := url.Values{"metric": {"shop_orders_total"}}
		return string(ask(fairlead, "/api/v1/metadata", q).Data) == string(ask(address, "/api/v1/metadata", q).Data)
	})
}

// compare reports how two answers differ, apart from the order of lists and the last digits of numbers.
func compare(t *testing.T, what string, want, got answered) {
	t.Helper()
	if want.Status != got.Status {
		t.Errorf("%s: Prometheus answers %s %s, Fairlead %s %s", what, want.Status, want.Error, got.Status, got.Error)
		return
	}
	var x, y any
	if want.Status == "success" {
		if err := json.Unmarshal(want.Data, &x); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(got.Data, &y); err != nil {
			t.Fatal(err)
		}
	}
	if !alike(x, y) {
		t.Errorf("%s: Prometheus answers %s, Fairlead %s", what, want.Data, got.Data)
	}
}

// alike compares decoded JSON.
func alike(x, y any) bool {
	switch a := x.(type) {
	case map[string]any:
		b, ok := y.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for key := range a {
			if !alike(a[key], b[key]) {
				return false
			}
		}
		return true
	case []any:
		b, ok := y.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		byText := func(list []any) []any {
			if len(list) == 2 {
				if _, pair := list[0].(float64); pair {
					return list // a time and a value
				}
			}
			list = slices.Clone(list)
			slices.SortFunc(list, func(p, q any) int { return strings.Compare(name(p), name(q)) })
			return list
		}
		a, b = byText(a), byText(b)
		for i := range a {
			if !alike(a[i], b[i]) {
				return false
			}
		}
		return true
	case string:
		b, ok := y.(string)
		if !ok {
			return false
		}
		p, errP := strconv.ParseFloat(a, 64)
		q, errQ := strconv.ParseFloat(b, 64)
		if errP == nil && errQ == nil {
			return p == q || math.IsNaN(p) && math.IsNaN(q) || math.Abs(p-q) <= 1e-12*math.Max(math.Abs(p), math.Abs(q))
		}
		return a == b
	}
	return x == y
}

// name is what an entry of a list is sorted by: its labels, not its values.
func name(v any) string {
	if m, ok := v.(map[string]any); ok && m["metric"] != nil {
		v = m["metric"]
	}
	text, _ := json.Marshal(v) // it came from JSON
	return string(text)
}
