package badinput_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

// replay offers a dead letter again.
func (s *server) replay(t *testing.T, id string) (result, reason string) {
	t.Helper()
	got := s.send(t, http.DefaultClient, http.MethodPost, "/api/fairlead/v1/dead-letters/"+id+"/replay", strings.NewReader("{}"))
	var outcome struct{ Result, Reason string }
	if got.status != http.StatusOK {
		t.Fatalf("replay %s: got %d %s", id, got.status, got.body)
	}
	if err := json.Unmarshal([]byte(got.body), &outcome); err != nil {
		t.Fatalf("replay %s: %v: %s", id, err, got.body)
	}
	return outcome.Result, outcome.Reason
}

func TestDeadLettersAreListedAndReplayed(t *testing.T) {
	s := serve(t, t.TempDir(), nil, "--clock", "event")
	at := func(clock string) string { return "Fairlead-Event-Time: " + clock }
	// An alert that begins in an hour is refused now, beside one whose label can never be accepted.
	got := s.send(t, http.DefaultClient, http.MethodPost, "/api/v2/alerts", strings.NewReader(`[
		{"labels":{"alertname":"Good"}},
		{"labels":{"alertname":"Early"},"startsAt":"2026-03-02T04:00:00Z"},
		{"labels":{"alertname":"Never","a\u0001b":"x"}}]`), at("2026-03-02T03:00:00Z"))
	if got.status != http.StatusBadRequest {
		t.Fatalf("got %d %s, want 400", got.status, got.body)
	}
	letters := s.letters(t)
	if len(letters) != 2 {
		t.Fatalf("got %d dead letters, want 2: %+v", len(letters), letters)
	}
	var early, never letter
	for _, l := range letters {
		if strings.Contains(l.Payload, "Early") {
			early = l
		} else {
			never = l
		}
	}
	if !strings.Contains(early.Reason, "startsAt") || !strings.Contains(never.Reason, "labels") {
		t.Errorf("got the reasons %q and %q, want startsAt and labels named", early.Reason, never.Reason)
	}

	if result, reason := s.replay(t, never.ID); result != "refused" || reason == "" {
		t.Errorf("replay of what can never be accepted: got %q, %q, want it refused with a reason", result, reason)
	}
	if result, reason := s.replay(t, early.ID); result != "refused" || !strings.Contains(reason, "startsAt") {
		t.Errorf("replay too early: got %q, %q, want it refused because of startsAt", result, reason)
	}
	// An hour later it is fine.
	s.send(t, http.DefaultClient, http.MethodPost, "/api/v2/alerts", strings.NewReader("[]"), at("2026-03-02T04:00:00Z"))
	if result, reason := s.replay(t, early.ID); result != "accepted" {
		t.Errorf("replay in time: got %q, %q, want it accepted", result, reason)
	}
	need.Eventually(t, 10*time.Second, "the replayed alert", func() bool { return len(s.names(t, "Early")) == 1 })
	if letters := s.letters(t); len(letters) != 2 {
		t.Errorf("got %d dead letters after replaying, want the same 2", len(letters))
	}

	got = s.send(t, http.DefaultClient, http.MethodPost, "/api/fairlead/v1/dead-letters/Dunknown/replay", strings.NewReader("{}"))
	if got.status != http.StatusNotFound {
		t.Errorf("replay of an unknown letter: got %d %s, want 404", got.status, got.body)
	}
}
