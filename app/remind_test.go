package app

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"
)

func TestSomebodyIsRemindedOfAForgottenSilenceOnceAWeek(t *testing.T) {
	r := start(t, testConfig(t), Options{})
	defer r.stop()
	now := time.Now().UTC()
	body := fmt.Sprintf(`{"matchers":[{"name":"alertname","value":"Noise","isEqual":true,"isRegex":false}],"startsAt":%q,"endsAt":%q,"createdBy":"ann","comment":"for the move"}`,
		now.Format(time.RFC3339Nano), now.AddDate(0, 1, 0).Format(time.RFC3339Nano))
	if status, answer := r.request(http.MethodPost, "/api/v2/silences", body); status != http.StatusOK {
		t.Fatalf("%d %s", status, answer)
	}
	remind := func(days float64) {
		t.Helper()
		if err := r.remindOnce(t.Context(), now.Add(time.Duration(days*24)*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	remind(0.5)
	if got := r.alerts(); len(got) != 0 {
		t.Errorf("after half a day: got %v", got)
	}
	remind(1.5)
	r.until("the alert fires", func() bool { return slices.Contains(r.alerts(), "fairlead ForgottenSilence firing") })
	remind(2)
	remind(7.5)
	var page struct {
		Items []struct {
			Reports     int
			Annotations map[string]string
		}
	}
	r.get("/api/fairlead/v1/alerts", &page)
	if len(page.Items) != 1 || page.Items[0].Reports != 1 || page.Items[0].Annotations["description"] == "" {
		t.Errorf("within a week: got %+v", page.Items)
	}
	var list struct {
		Items []struct{ RemindedAt *time.Time }
	}
	remind(9)
	reminded, err := r.reminded(t.Context())
	if err != nil || len(reminded) != 1 {
		t.Fatalf("reminded %v, %v", reminded, err)
	}
	for _, at := range reminded {
		if got := at.Sub(now).Round(time.Hour); got != 9*24*time.Hour {
			t.Errorf("reminded after %s, want nine days", got)
		}
	}
	r.get("/api/fairlead/v1/silences/forgotten", &list)
	if len(list.Items) != 0 {
		t.Errorf("today it is not forgotten: %+v", list.Items)
	}
}

func TestReminderSettingsAreChecked(t *testing.T) {
	cfg := testConfig(t)
	cfg.Maintenance.Remind = time.Hour
	if err := cfg.Validate(); err == nil {
		t.Error("an hour was taken")
	}
}
