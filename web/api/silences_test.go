package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestSilencesAreMadeChangedAndListed(t *testing.T) {
	s := newServer(t)
	now := s.now.Now()
	at := func(d time.Duration) string { return now.Add(d).Format(time.RFC3339) }
	var made Silence
	s.do("POST", "/silences", fmt.Sprintf(`{"matchers":["service=\"cart\""],"endsAt":%q,"comment":"planned work"}`, at(time.Hour)), http.StatusOK, &made)
	if made.State != "active" || made.Matchers[0] != `service="cart"` || made.Version == 0 || made.CreatedBy == "" {
		t.Fatalf("made %+v", made)
	}
	s.now.Advance(now.Add(time.Second))
	var page SilencePage
	s.do("GET", "/silences", "", http.StatusOK, &page)
	if len(page.Items) != 1 || page.Items[0].ID != made.ID {
		t.Errorf("listed %+v", page.Items)
	}
	edit := func(version int64, body string, want int, into any) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.URL+Prefix+"/silences/"+made.ID, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("If-Match", fmt.Sprint(version))
		s.send(request, want, into)
	}
	longer := fmt.Sprintf(`{"matchers":["service=\"cart\""],"endsAt":%q,"comment":"it takes longer"}`, at(2*time.Hour))
	var changed Silence
	edit(made.Version, longer, http.StatusOK, &changed)
	if changed.ID != made.ID || changed.Comment != "it takes longer" || !changed.EndsAt.Equal(now.Add(2*time.Hour)) {
		t.Errorf("changed to %+v", changed)
	}
	var problem struct{ Present Silence }
	edit(made.Version, longer, http.StatusPreconditionFailed, &problem)
	if problem.Present.Comment != "it takes longer" || problem.Present.Version != changed.Version {
		t.Errorf("the present version is %+v", problem.Present)
	}
	// Another matcher would rewrite what was: the old one ends.
	var other Silence
	edit(changed.Version, fmt.Sprintf(`{"matchers":["service=\"pay\""],"endsAt":%q,"comment":"the other one"}`, at(2*time.Hour)), http.StatusOK, &other)
	if other.ID == made.ID {
		t.Error("the silence was changed in place although its matchers are others")
	}
	s.do("GET", "/silences?state=active&q=OTHER", "", http.StatusOK, &page)
	if len(page.Items) != 1 || page.Items[0].ID != other.ID {
		t.Errorf("active ones with the text: %+v", page.Items)
	}
	s.do("GET", "/silences?limit=1", "", http.StatusOK, &page)
	next := page.Next
	s.do("GET", "/silences?limit=1&cursor="+next, "", http.StatusOK, &page)
	if next == "" || len(page.Items) != 1 || page.Items[0].State != "expired" || page.Next != "" {
		t.Errorf("the second page is %+v", page)
	}
}

func TestSilencesThatCannotBeAreRefusedByField(t *testing.T) {
	s := newServer(t)
	end := s.now.Now().Add(time.Hour).Format(time.RFC3339)
	for body, field := range map[string]string{
		fmt.Sprintf(`{"matchers":["service"],"endsAt":%q,"comment":"x"}`, end):                        "body.matchers[0]",
		fmt.Sprintf(`{"matchers":["service=~\".*\""],"endsAt":%q,"comment":"x"}`, end):                "body.matchers",
		fmt.Sprintf(`{"matchers":[],"endsAt":%q,"comment":"x"}`, end):                                 "body.matchers",
		fmt.Sprintf(`{"matchers":["a=b"],"endsAt":%q,"comment":""}`, end):                             "body.comment",
		`{"matchers":["a=b"],"endsAt":"2020-01-01T00:00:00Z","comment":"x"}`:                          "body.endsAt",
		fmt.Sprintf(`{"matchers":["a=b"],"startsAt":%q,"endsAt":%q,"comment":"backwards"}`, end, end): "body.endsAt",
	} {
		if text := s.do("POST", "/silences", body, http.StatusUnprocessableEntity, nil); !strings.Contains(text, `"`+field+`"`) {
			t.Errorf("%s: %s does not name %s", body, text, field)
		}
	}
	s.do("GET", "/silences/none", "", http.StatusNotFound, nil)
	s.do("GET", "/silences?cursor=x", "", http.StatusUnprocessableEntity, nil)
}

func TestFiguresOfABadTimeAreRefused(t *testing.T) {
	s := newServer(t)
	for _, query := range []string{"night=7", "night=7-7", "night=24-3", "zone=Mars/Base", "zone=Local", "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from=2024-01-02T00:00:00Z", "period=year"} {
		s.do("GET", "/analytics?"+query, "", http.StatusUnprocessableEntity, nil)
	}
	var a Analytics
	s.do("GET", "/analytics", "", http.StatusOK, &a)
	if len(a.Periods) != 29 || a.Total.NoiseShare != nil || a.Nights != 28 {
		t.Errorf("of an empty time: %d periods, %+v", len(a.Periods), a)
	}
}
