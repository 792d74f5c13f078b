package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
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

func TestAPrometheusWhoseWatchdogNoLongerComesIsMissed(t *testing.T) {
	cfg := testConfig(t)
	cfg.Clock = "event"
	r := start(t, cfg, Options{})
	defer r.stop()
	for _, sent := range [][2]string{{"12:00:00", "Watchdog"}, {"12:01:00", "Watchdog"}, {"12:12:00", "Other"}} {
		body := `[{"labels":{"alertname":"` + sent[1] + `","cluster":"eu-1"}}]`
		if status, answer := r.request(http.MethodPost, "/api/v2/alerts", body, "Fairlead-Event-Time", "2026-03-04T"+sent[0]+"Z"); status != http.StatusOK {
			t.Fatalf("got %d %s", status, answer)
		}
	}
	r.until("the alert fires", func() bool { return slices.Contains(r.alerts(), "heartbeat HeartbeatMissing firing") })
}

func TestOpsgeniesIdentifiersOutliveARestart(t *testing.T) {
	cfg := testConfig(t)
	r := start(t, cfg, Options{})
	genie := []string{"Authorization", "GenieKey k-1"}
	var accepted struct{ RequestID string }
	status, body := r.request(http.MethodPost, "/v2/alerts", `{"message":"Disk full","alias":"disk/7","priority":"P1"}`, genie...)
	if err := json.Unmarshal([]byte(body), &accepted); status != http.StatusAccepted || err != nil {
		t.Fatalf("got %d %s", status, body)
	}
	r.stop()
	r = start(t, cfg, Options{})
	defer r.stop()
	read := func(path string, into any) {
		t.Helper()
		status, body := r.request(http.MethodGet, path, "", genie...)
		if err := json.Unmarshal([]byte(body), into); status != http.StatusOK || err != nil {
			t.Fatalf("%s: got %d %s", path, status, body)
		}
	}
	var request struct {
		Data struct {
			IsSuccess      bool
			AlertID, Alias string
		}
	}
	read("/v2/alerts/requests/"+accepted.RequestID, &request)
	if !request.Data.IsSuccess || request.Data.Alias != "disk/7" {
		t.Fatalf("got %+v", request)
	}
	var alert struct {
		Data struct{ ID, TinyID, Alias, Status string }
	}
	read("/v2/alerts/"+request.Data.AlertID, &alert)
	first := alert
	for _, path := range []string{"/v2/alerts/disk%2F7?identifierType=alias", "/v2/alerts/" + first.Data.TinyID + "?identifierType=tiny"} {
		if read(path, &alert); alert != first || alert.Data.Alias != "disk/7" {
			t.Errorf("%s: got %+v, want %+v", path, alert, first)
		}
	}
	if status, body := r.request(http.MethodPost, "/v2/alerts/"+first.Data.ID+"/close", `{}`, genie...); status != http.StatusAccepted {
		t.Fatalf("close: got %d %s", status, body)
	}
	if read("/v2/alerts/"+first.Data.ID, &alert); alert.Data.Status != "closed" {
		t.Errorf("got %+v, want it closed", alert)
	}
	var count struct{ Data struct{ Count int } }
	if read("/v2/alerts/count?query=status:closed", &count); count.Data.Count != 1 {
		t.Errorf("got %+v", count)
	}
}

func TestHeartbeatsAreListedAndPausedOnThePage(t *testing.T) {
	cfg := testConfig(t)
	cfg.Clock = "event"
	r := start(t, cfg, Options{})
	defer r.stop()
	at := func(clock, method, path string) {
		t.Helper()
		if status, body := r.request(method, path, "", "Fairlead-Event-Time", "2026-03-04T"+clock+"Z"); status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, status, body)
		}
	}
	type beat struct{ ID, Name, Integration, Interval, State, Since, LastSeenAt, DueAt string }
	list := func() (page struct {
		Items          []beat
		Heard, Missing int
	},
	) {
		t.Helper()
		r.get("/api/fairlead/v1/heartbeats", &page)
		return page
	}
	at("12:00:00", http.MethodPost, "/in/heartbeat/backup?interval=5m")
	at("12:01:00", http.MethodPost, "/in/heartbeat/backup")
	page := list()
	want := beat{page.Items[0].ID, "backup", "backup", "5m0s", "heard", "2026-03-04T12:00:00Z", "2026-03-04T12:01:00Z", "2026-03-04T12:06:00Z"}
	if len(page.Items) != 1 || page.Items[0] != want {
		t.Fatalf("got %+v, want %+v", page.Items, want)
	}
	at("12:10:00", http.MethodPost, "/in/heartbeat/other")
	if page = list(); page.Missing != 1 || page.Items[0].State != "missing" || page.Items[0].Since != "2026-03-04T12:10:00Z" {
		t.Errorf("got %+v, want backup missing", page)
	}
	path := "/api/fairlead/v1/heartbeats/" + want.ID
	if status, body := r.request(http.MethodPost, path+"/pause", ""); status != http.StatusOK {
		t.Fatalf("pause: %d %s", status, body)
	}
	r.until("the alert has ended", func() bool {
		got := r.alerts()
		return len(got) == 1 && got[0] == "heartbeat HeartbeatMissing resolved"
	})
	if status, body := r.request(http.MethodDelete, path, ""); status != http.StatusOK {
		t.Fatalf("delete: %d %s", status, body)
	}
	if page = list(); len(page.Items) != 1 || page.Items[0].Name != "other" {
		t.Errorf("got %+v, want other alone", page.Items)
	}
}
