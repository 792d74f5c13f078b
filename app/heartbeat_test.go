package app

import (
	"fmt"
	"net/http"
	"testing"
)

// alerts returns what is stored, as "name identity state".
func (r *running) alerts() []string {
	r.t.Helper()
	var page struct {
		Items []struct{ Name, Source, State, Identity string }
	}
	r.get("/api/fairlead/v1/alerts", &page)
	var list []string
	for _, a := range page.Items {
		list = append(list, fmt.Sprintf("%s %s %s", a.Source, a.Name, a.State))
	}
	return list
}

func TestAHeartbeatFiresAndEndsOnTheEventClock(t *testing.T) {
	cfg := testConfig(t)
	cfg.Clock = "event"
	r := start(t, cfg, Options{})
	at := func(clock, method, path string) {
		t.Helper()
		if status, body := r.request(method, path, "", "Fairlead-Event-Time", "2026-03-04T"+clock+"Z"); status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, status, body)
		}
	}
	at("12:00:00", http.MethodGet, "/in/heartbeat/backup?interval=5m")
	at("12:04:00", http.MethodPost, "/in/heartbeat/other")
	if got := r.alerts(); len(got) != 0 {
		t.Errorf("got %v, want none yet", got)
	}
	r.stop()
	r = start(t, cfg, Options{})
	defer r.stop()
	at("12:05:00", http.MethodPost, "/in/heartbeat/other")
	r.until("the alert fires", func() bool {
		got := r.alerts()
		return len(got) == 1 && got[0] == "heartbeat HeartbeatMissing firing"
	})
	at("12:06:00", http.MethodPost, "/in/heartbeat/backup")
	r.until("the alert has ended", func() bool {
		got := r.alerts()
		return len(got) == 1 && got[0] == "heartbeat HeartbeatMissing resolved"
	})
}

func TestAPageElsewherePingsNothing(t *testing.T) {
	r := start(t, testConfig(t), Options{})
	defer r.stop()
	if status, _ := r.request(http.MethodGet, "/in/heartbeat/backup", "", "Sec-Fetch-Site", "cross-site"); status != http.StatusForbidden {
		t.Errorf("got %d, want 403", status)
	}
	if status, _ := r.request(http.MethodGet, "/in/heartbeat/backup?interval=soon", ""); status != http.StatusBadRequest {
		t.Errorf("a bad interval: got %d, want 400", status)
	}
}
