package api

import (
	"net/http"
	"strings"
	"testing"
)

func TestMaintenanceIsPlannedEditedAndDeleted(t *testing.T) {
	s := newServer(t) // its clock stands at 2026-01-02 03:00
	const weekly = `{"title":"patch","entities":["service:cart"],"startsAt":"2026-01-02T02:30:00Z","endsAt":"2026-01-02T03:30:00Z","rule":"FREQ=WEEKLY","zone":"Europe/Berlin"}`
	var view Window
	s.do(http.MethodPost, "/maintenance/preview", weekly, 200, &view)
	if !view.Open || len(view.Next) != shownOccurrences || view.ID != "" {
		t.Errorf("the preview is %+v", view)
	}
	var calendar Calendar
	if s.do(http.MethodGet, "/maintenance", "", 200, &calendar); len(calendar.Items) != 0 {
		t.Errorf("the preview made %+v", calendar)
	}
	s.do(http.MethodPost, "/maintenance", weekly, 200, &view)
	s.do(http.MethodGet, "/maintenance", "", 200, &calendar)
	if len(calendar.Items) != 1 || calendar.Items[0].ID != view.ID || calendar.Items[0].Version != 1 {
		t.Errorf("the calendar is %+v", calendar)
	}
	edit := func(title string, want int, into any) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.URL+Prefix+"/maintenance/"+view.ID, strings.NewReader(strings.Replace(weekly, "patch", title, 1)))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("If-Match", "1")
		s.send(request, want, into)
	}
	edit("theirs", 200, nil)
	var problem struct{ Present Window }
	if edit("mine", 412, &problem); problem.Present.Title != "theirs" || problem.Present.Version != 2 || len(problem.Present.Next) == 0 {
		t.Errorf("an edit of an old version: the present one is %+v", problem.Present)
	}
	s.do(http.MethodDelete, "/maintenance/"+view.ID, "", 200, nil)
	edit("mine", 404, nil)
	s.do(http.MethodDelete, "/maintenance/"+view.ID, "", 404, nil)
	for body, want := range map[string]string{
		strings.Replace(weekly, "WEEKLY", "NEVER", 1):       "body.rule",
		strings.Replace(weekly, "Europe/Berlin", "Mars", 1): "body.zone",
		strings.Replace(weekly, "service:cart", "cart", 1):  "body.entities",
	} {
		if text := s.do(http.MethodPost, "/maintenance", body, 422, nil); !strings.Contains(text, want) {
			t.Errorf("%s: %s does not name %s", body, text, want)
		}
	}
	var forgotten Forgotten
	if s.do(http.MethodGet, "/silences/forgotten", "", 200, &forgotten); len(forgotten.Items) != 0 {
		t.Errorf("forgotten: %+v", forgotten)
	}
}
