package notify

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

// TestWhatIsOnlyObservedTellsNobody sends one alert through an integration that observes, then one through another: people are
// told of the second alone, and of the first from the moment on when observing ends.
func TestWhatIsOnlyObservedTellsNobody(t *testing.T) {
	s := newServer(t, files())
	const key = "k-0123456789"
	if status, body := s.ask(http.MethodPost, "/api/fairlead/v1/integrations", `{"name":"watched","kind":"prometheus","key":"`+key+`","observe":true}`); status != http.StatusOK {
		t.Fatalf("make the integration: %d %s", status, body)
	}
	watched := func() {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/in/prometheus/watched/api/v2/alerts",
			strings.NewReader(`[{"labels":{"alertname":"Quiet","service":"watched","severity":"critical"}}]`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+key)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("the watched alert: got %d", answer.StatusCode)
		}
	}
	watched()
	need.Eventually(t, 20*time.Second, "the watched incident to be shown", func() bool {
		_, body := s.ask(http.MethodGet, "/api/fairlead/v1/incidents?state=open", "")
		return strings.Contains(string(body), "watched")
	})
	s.fire("alertname=Loud service=other")
	need.Eventually(t, 20*time.Second, "the webhook to be told of the other alert", func() bool { return s.targets.told("/hook/all", "other") })
	if s.targets.told("/hook/all", "watched") || s.targets.told("/hook/boss", "watched") {
		t.Error("people were told of what is only observed")
	}
	if status, body := s.ask(http.MethodPut, "/api/fairlead/v1/integrations/watched", `{}`); status != http.StatusOK {
		t.Fatalf("stop observing: %d %s", status, body)
	}
	watched()
	need.Eventually(t, 20*time.Second, "the webhook to be told of the watched alert", func() bool { return s.targets.told("/hook/all", "watched") })
}
