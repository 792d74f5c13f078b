package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	remoteapi "github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/prometheus/model/labels"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"

	"github.com/fairlead/fairlead/test/need"
)

// write2 sends values by Prometheus' own client library for remote write 2.
func write2(t *testing.T, to, name string, values map[time.Time]float64) {
	t.Helper()
	client, err := remoteapi.NewAPI("http://" + to)
	if err != nil {
		t.Fatal(err)
	}
	symbols := writev2.NewSymbolTable()
	request := &writev2.Request{}
	for at, value := range values {
		request.Timeseries = append(request.Timeseries, writev2.TimeSeries{
			LabelsRefs: symbols.SymbolizeLabels(labels.FromStrings("__name__", name, "job", "client", "instance", "a:1"), nil),
			Samples:    []writev2.Sample{{Timestamp: at.UnixMilli(), Value: value}},
			Metadata:   writev2.Metadata{Type: writev2.Metadata_METRIC_TYPE_GAUGE, HelpRef: symbols.Symbolize("What waits."), UnitRef: symbols.Symbolize("")},
		})
	}
	request.Symbols = symbols.Symbols()
	stats, err := client.Write(t.Context(), remoteapi.WriteV2MessageType, request)
	if err != nil || stats.Samples != len(values) {
		t.Fatalf("remote write 2 to %s: %d of %d samples written, error %v", to, stats.Samples, len(values), err)
	}
}

// TestSamplesAreKeptInARemoteStore lets a second, real Prometheus keep the samples: what came while it was gone arrives later.
func TestSamplesAreKeptInARemoteStore(t *testing.T) {
	prometheus := need.Tool(t, "prometheus")
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	start(t, "prometheus", prometheus, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address, "--web.enable-remote-write-receiver")
	ready(t, "http://"+address+"/-/ready")
	var gone atomic.Bool
	var refused atomic.Int64
	behind := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: address})
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		switch {
		case user != "fairlead" || password != "s3cret" || r.Header.Get("X-Scope-OrgID") != "shop":
			http.Error(w, "who are you?", http.StatusUnauthorized)
		case gone.Load():
			refused.Add(1)
			http.Error(w, "gone", http.StatusServiceUnavailable)
		default:
			behind.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(front.Close)
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(dir, "fairlead.yml")
	text := fmt.Sprintf("series:\n  remote:\n    write_url: %s/api/v1/write\n    query_url: %s\n    username: fairlead\n    password_file: %s\n    tenant: shop\n", front.URL, front.URL, password)
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	fairlead := serve(t, "--config", settings)

	now := time.Now().Truncate(time.Second)
	write2(t, fairlead, "waiting", map[time.Time]float64{now.Add(-30 * time.Second): 3})
	asked := "/api/v1/query?query=" + url.QueryEscape("sum_over_time(waiting[5m])") + "&time=" + fmt.Sprint(now.Unix()+60)
	sum := func(host string) string {
		_, body := get(t.Context(), "http://"+host+asked)
		return string(body)
	}
	need.Eventually(t, 30*time.Second, "the first sample to be there", func() bool { return strings.Contains(sum(address), `"3"`) })

	gone.Store(true)
	for i := range 5 {
		write2(t, fairlead, "waiting", map[time.Time]float64{now.Add(time.Duration(i-20) * time.Second): 1})
	}
	need.Eventually(t, 30*time.Second, "the store to be found gone", func() bool { return refused.Load() > 1 })
	if status, body := get(t.Context(), "http://"+fairlead+asked); status < 500 {
		t.Errorf("while the store is gone a query answers %d %s", status, body)
	}
	gone.Store(false)
	need.Eventually(t, 30*time.Second, "what came meanwhile to be there", func() bool { return strings.Contains(sum(address), `"8"`) })
	if here, there := sum(fairlead), sum(address); here != there {
		t.Errorf("Fairlead answers %s, the store %s", here, there)
	}
	status, body := get(t.Context(), "http://"+fairlead+"/api/fairlead/v1/series/chart?selector=waiting&from="+url.QueryEscape(now.Add(-time.Minute).Format(time.RFC3339))+"&to="+url.QueryEscape(now.Add(time.Minute).Format(time.RFC3339)))
	if status != http.StatusOK || strings.Count(string(body), `"waiting"`) == 0 {
		t.Errorf("the chart of the series is %d %s", status, body)
	}
}
