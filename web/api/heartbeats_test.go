package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/alert"
)

// fakeBeats keeps heartbeats in memory; app's test has the real board.
type fakeBeats struct{ list []Heartbeat }

func (f *fakeBeats) List() []Heartbeat { return slices.Clone(f.list) }

func (f *fakeBeats) find(integration, name string) (int, error) {
	i := slices.IndexFunc(f.list, func(h Heartbeat) bool { return h.Integration == integration && h.Name == name })
	if i < 0 {
		return 0, fmt.Errorf("no heartbeat: %w", store.ErrNotFound)
	}
	return i, nil
}

func (f *fakeBeats) Pause(_ context.Context, at time.Time, integration, name string, paused bool) error {
	i, err := f.find(integration, name)
	if err != nil {
		return err
	}
	f.list[i].State, f.list[i].Since = "heard", &at
	if paused {
		f.list[i].State = "paused"
	}
	return nil
}

func (f *fakeBeats) Delete(_ context.Context, _ time.Time, integration, name string) error {
	i, err := f.find(integration, name)
	if err == nil {
		f.list = slices.Delete(f.list, i, i+1)
	}
	return err
}

func TestHeartbeatsAreListedPausedAndDeleted(t *testing.T) {
	s := newServer(t)
	for i := range 5 {
		state := "heard"
		if i == 4 {
			state = "missing"
		}
		s.beats.list = append(s.beats.list, Heartbeat{Integration: "cron", Name: fmt.Sprintf("job/%d", i), State: state, Interval: "5m0s"})
	}
	var page HeartbeatPage
	var seen []string
	for cursor := ""; ; cursor = page.Next {
		page = HeartbeatPage{}
		s.do(http.MethodGet, "/heartbeats?limit=2&cursor="+cursor, "", 200, &page)
		for _, h := range page.Items {
			seen = append(seen, h.Name)
		}
		if page.Next == "" {
			break
		}
	}
	if want := []string{"job/0", "job/1", "job/2", "job/3", "job/4"}; !slices.Equal(seen, want) || page.Heard != 4 || page.Missing != 1 {
		t.Errorf("the pages hold %v, want %v; counts %+v", seen, want, page)
	}
	page = HeartbeatPage{}
	s.do(http.MethodGet, "/heartbeats?state=missing", "", 200, &page)
	if len(page.Items) != 1 || page.Items[0].Name != "job/4" || page.Next != "" {
		t.Fatalf("missing are %+v", page)
	}
	id := page.Items[0].ID
	var one Heartbeat
	if s.do(http.MethodPost, "/heartbeats/"+id+"/pause", "", 200, &one); one.State != "paused" || one.ID != id {
		t.Errorf("paused is %+v", one)
	}
	if s.do(http.MethodPost, "/heartbeats/"+id+"/resume", "", 200, &one); one.State != "heard" {
		t.Errorf("resumed is %+v", one)
	}
	s.do(http.MethodDelete, "/heartbeats/"+id, "", 200, nil)
	if text := s.do(http.MethodPost, "/heartbeats/"+id+"/pause", "", 404, nil); !strings.Contains(text, id) {
		t.Errorf("the answer does not name the heartbeat: %s", text)
	}
	if text := s.do(http.MethodGet, "/heartbeats?cursor="+id, "", 422, nil); !strings.Contains(text, "query.cursor") {
		t.Errorf("the answer does not name the cursor: %s", text)
	}
	s.do(http.MethodGet, "/heartbeats?state=asleep", "", 422, nil)
}

func TestAForgottenSilenceIsEnded(t *testing.T) {
	s := newServer(t)
	matcher, err := alert.NewMatcher(alert.MatchEqual, "service", "cart")
	if err != nil {
		t.Fatal(err)
	}
	now := s.now.Now()
	id, err := s.windows.Silences.Set(t.Context(), "ann", now, alert.Silence{Matchers: alert.Matchers{matcher}, EndsAt: now.Add(90 * 24 * time.Hour), CreatedBy: "ann", Comment: "soon"})
	if err != nil {
		t.Fatal(err)
	}
	s.pass(25 * time.Hour)
	var list Forgotten
	if s.do(http.MethodGet, "/silences/forgotten", "", 200, &list); len(list.Items) != 1 || list.Items[0].ID != id {
		t.Fatalf("forgotten are %+v", list)
	}
	var ended EndedSilence
	if s.do(http.MethodPost, "/silences/"+id+"/expire", "", 200, &ended); !ended.EndsAt.Equal(s.now.Now()) {
		t.Errorf("it ended %+v, want now", ended)
	}
	s.pass(time.Hour)
	at := ended.EndsAt
	if s.do(http.MethodPost, "/silences/"+id+"/expire", "", 200, &ended); !ended.EndsAt.Equal(at) {
		t.Errorf("ending it again moved the end to %s", ended.EndsAt)
	}
	if s.do(http.MethodGet, "/silences/forgotten", "", 200, &list); len(list.Items) != 0 {
		t.Errorf("forgotten are still %+v", list)
	}
	s.do(http.MethodPost, "/silences/nothing/expire", "", 404, nil)
}
