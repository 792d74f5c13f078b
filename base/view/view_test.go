package view

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/test/postgres"
)

func open(t *testing.T) *Views {
	t.Helper()
	db, err := store.Open(t.Context(), postgres.Config(t), "ops", store.Schema(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return New(db, func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) })
}

func keep(t *testing.T, s *Views, v View) View {
	t.Helper()
	kept, err := s.Save(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

func names(t *testing.T, s *Views, owner, page string) (names []string) {
	t.Helper()
	views, err := s.List(t.Context(), owner, page)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range views {
		names = append(names, v.Owner+":"+v.Page+":"+v.Name+"="+v.Query)
	}
	return names
}

func TestOneSeesOnesOwnViewsAndThoseThatOthersShare(t *testing.T) {
	s := open(t)
	mine := keep(t, s, View{Owner: "ann", Page: "incidents", Name: " Mine ", Query: "state:open"})
	keep(t, s, View{Owner: "bob", Page: "incidents", Name: "Night", Query: "severity:critical", Shared: true})
	keep(t, s, View{Owner: "bob", Page: "incidents", Name: "Private", Query: "x"})
	keep(t, s, View{Owner: "ann", Page: "alerts", Name: "Mine", Query: "y"})
	again := keep(t, s, View{Owner: "ann", Page: "incidents", Name: "Mine", Query: "state:open team:a"})
	if again.ID != mine.ID {
		t.Errorf("saving it again made another view: %s and %s", mine.ID, again.ID)
	}
	want := []string{"ann:incidents:Mine=state:open team:a", "bob:incidents:Night=severity:critical"}
	if diff := cmp.Diff(want, names(t, s, "ann", "incidents")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := names(t, s, "ann", ""); len(got) != 3 {
		t.Errorf("on all pages: got %v", got)
	}
	if err := s.Delete(t.Context(), "bob", mine.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("deleting another's view gave %v", err)
	}
	if err := s.Delete(t.Context(), "ann", mine.ID); err != nil {
		t.Error(err)
	}
	if got := names(t, s, "ann", "incidents"); len(got) != 1 {
		t.Errorf("got %v after deleting", got)
	}
}

func TestAViewThatCannotBeUsedIsRefusedByField(t *testing.T) {
	s := open(t)
	for field, v := range map[string]View{
		"page":  {Page: "../etc", Name: "x"},
		"name":  {Page: "alerts", Name: "  "},
		"query": {Page: "alerts", Name: "x", Query: strings.Repeat("x", maxQuery+1)},
	} {
		if _, err := s.Save(t.Context(), v); !errors.Is(err, ErrInvalid) || !strings.HasPrefix(err.Error(), field+": ") {
			t.Errorf("%s: got %v", field, err)
		}
	}
	for i := range maxViews {
		keep(t, s, View{Owner: "ann", Page: "alerts", Name: fmt.Sprint(i)})
	}
	if _, err := s.Save(t.Context(), View{Owner: "ann", Page: "alerts", Name: "one more"}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("one too many gave %v", err)
	}
	keep(t, s, View{Owner: "ann", Page: "alerts", Name: "7", Query: "changed"})
	keep(t, s, View{Owner: "bob", Page: "alerts", Name: "'; DROP TABLE saved_views; --"})
}
