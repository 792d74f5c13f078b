package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestLoadSendsHalfOfItsAlertsAgain(t *testing.T) {
	for _, batch := range []int{1, 64} {
		t.Run(fmt.Sprintf("batches of %d", batch), func(t *testing.T) {
			var mu sync.Mutex
			pods := map[string]int{}
			total, posts := 0, 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				posts++
				if posts == 3 {
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				var alerts []struct{ Labels map[string]string }
				if err := json.NewDecoder(r.Body).Decode(&alerts); err != nil {
					t.Errorf("body: %v", err)
				}
				for _, a := range alerts {
					pods[a.Labels["pod"]]++
					total++
				}
			}))
			defer server.Close()
			l := load{
				address: strings.TrimPrefix(server.URL, "http://"), name: "x", batch: batch, connections: 2, repeats: true,
				duration: time.Minute, limit: 1280,
			}
			out, err := l.run()
			if err != nil {
				t.Fatal(err)
			}
			if out.alerts != total || out.refused != 1 || len(out.latencies) != out.requests-1 {
				t.Errorf("outcome = %d alerts, %d refused, %d latencies of %d requests; the server took %d alerts", out.alerts,
					out.refused, len(out.latencies), out.requests, total)
			}
			if share := float64(len(pods)) / float64(total); share < .45 || share > .55 {
				t.Errorf("%d of %d alerts were new, want half", len(pods), total)
			}
		})
	}
}

func TestPacedLoadHoldsItsRate(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	l := load{
		address: strings.TrimPrefix(server.URL, "http://"), batch: 10, connections: 2, duration: 500 * time.Millisecond, rate: 1000,
	}
	out, err := l.run()
	if err != nil {
		t.Fatal(err)
	}
	if out.alerts > 540 {
		t.Errorf("%d alerts in half a second, want 500", out.alerts)
	}
}
