package alert

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/test/postgres"
)

func calendar(t *testing.T) (*Windows, *store.DB) {
	t.Helper()
	db, err := store.Open(t.Context(), postgres.Config(t), "ops", store.Schema(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return openCalendar(t, db), db
}

func openCalendar(t *testing.T, db *store.DB) *Windows {
	t.Helper()
	silences, err := NewSilences(t.Context(), NewSilenceRows(db))
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWindows(t.Context(), NewWindowRows(db), silences)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func instant(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

var cart = signal.NewLabels(map[string]string{"alertname": "Down", "service": "cart", "team": "shop"})

func TestARecurringWindowIsOpenWhenItsRuleSaysInItsZone(t *testing.T) {
	w, db := calendar(t)
	ctx := context.WithoutCancel(t.Context())
	// Sundays at 2 in Berlin: 1 in UTC in winter, 0 in summer.
	made, err := w.Put(ctx, &Window{
		Title: "patch day", Entities: []string{"service:cart"}, Matchers: []string{`team="shop"`},
		StartsAt: instant("2026-01-04T01:00:00Z"), EndsAt: instant("2026-01-04T03:00:00Z"), Rule: "FREQ=WEEKLY;BYDAY=SU", Zone: "Europe/Berlin",
	}, "ann", instant("2026-01-01T00:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	for at, open := range map[string]bool{
		"2026-01-04T00:59:59Z": false, "2026-01-04T01:00:00Z": true, "2026-01-04T02:59:59Z": true, "2026-01-04T03:00:00Z": false,
		"2026-01-11T01:30:00Z": true, "2026-07-05T00:30:00Z": true, "2026-07-05T02:30:00Z": false, "2026-01-05T01:30:00Z": false,
	} {
		got := w.Match(cart, instant(at))
		if (len(got) == 1 && got[0] == "maintenance:"+made.ID) != open {
			t.Errorf("%s: got %v, want open %t", at, got, open)
		}
	}
	inside := instant("2026-01-04T02:00:00Z")
	for name, labels := range map[string]map[string]string{
		"another entity": {"alertname": "Down", "service": "pay", "team": "shop"}, "another team": {"alertname": "Down", "service": "cart", "team": "x"},
	} {
		if got := w.Match(signal.NewLabels(labels), inside); got != nil {
			t.Errorf("%s: got %v", name, got)
		}
	}
	for at, want := range map[string]string{
		"2026-01-01T00:00:00Z": "2026-01-04T01:00:00Z", "2026-01-04T01:00:00Z": "2026-01-04T03:00:00Z", "2026-01-04T03:00:00Z": "2026-01-11T01:00:00Z",
		"2026-03-23T00:00:00Z": "2026-03-29T01:00:00Z", "2026-04-01T00:00:00Z": "2026-04-05T00:00:00Z",
	} {
		if got := w.NextChange(instant(at)); !got.Equal(instant(want)) {
			t.Errorf("behind %s it changes at %s, want %s", at, got, want)
		}
	}
	again := openCalendar(t, db)
	if got := again.Calendar(inside); len(got) != 1 || got[0].Title != "patch day" || got[0].CreatedBy != "ann" {
		t.Errorf("after a restart: %+v", got)
	}
	if got := again.Match(cart, inside); len(got) != 1 {
		t.Errorf("after a restart it mutes %v", got)
	}
	if _, err := audit.Verify(ctx, db.Read()); err != nil {
		t.Error(err)
	}
}

func TestAWindowIsEditedWithItsVersionAndDeleted(t *testing.T) {
	w, _ := calendar(t)
	ctx, now := t.Context(), instant("2026-01-01T00:00:00Z")
	once := Window{Title: "move", Matchers: []string{"service=cart"}, StartsAt: now, EndsAt: now.Add(time.Hour)}
	made, err := w.Put(ctx, &once, "ann", now)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.Match(cart, now.Add(time.Minute)); len(got) != 1 {
		t.Errorf("it mutes %v", got)
	}
	if got := w.NextChange(now.Add(2 * time.Hour)); !got.IsZero() {
		t.Errorf("after its end something changes at %s", got)
	}
	version := w.Version()
	edit := *made
	edit.EndsAt = now.Add(30 * time.Second)
	if _, err := w.Put(ctx, &edit, "bob", now); err != nil {
		t.Fatal(err)
	}
	if w.Version() == version {
		t.Error("nobody is told of the change")
	}
	if got := w.Match(cart, now.Add(time.Minute)); got != nil {
		t.Errorf("after it was shortened it mutes %v", got)
	}
	if _, err := w.Put(ctx, &edit, "bob", now); !errors.Is(err, ErrWindowConflict) {
		t.Errorf("an edit of an old version: got %v", err)
	}
	if err := w.Delete(ctx, made.ID, "ann", now); err != nil {
		t.Fatal(err)
	}
	if err := w.Delete(ctx, made.ID, "ann", now); !errors.Is(err, ErrNoWindow) {
		t.Errorf("a second deletion: got %v", err)
	}
}

func TestABadWindowNamesItsField(t *testing.T) {
	w, _ := calendar(t)
	now := instant("2026-01-01T00:00:00Z")
	for field, edit := range map[string]func(*Window){
		"title":    func(w *Window) { w.Title = " " },
		"matchers": func(w *Window) { w.Matchers = []string{"service~"} },
		"entities": func(w *Window) { w.Entities = []string{"cart"} },
		"startsAt": func(w *Window) { w.StartsAt = time.Time{}; w.EndsAt = time.Time{}.Add(time.Hour) },
		"endsAt":   func(w *Window) { w.EndsAt = now.Add(-time.Hour) },
		"rule":     func(w *Window) { w.Rule = "FREQ=SOMETIMES" },
		"zone":     func(w *Window) { w.Zone = "Mars/Base" },
	} {
		bad := Window{Title: "x", Matchers: []string{"a=b"}, StartsAt: now, EndsAt: now.Add(time.Hour)}
		edit(&bad)
		if _, err := w.Put(t.Context(), &bad, "ann", now); !errors.Is(err, ErrInvalidWindow) || !strings.HasPrefix(err.Error(), field+": ") {
			t.Errorf("%s: got %v", field, err)
		}
	}
	every := Window{Title: "x", Matchers: []string{"a=b"}, StartsAt: now, EndsAt: now.Add(time.Second), Rule: "FREQ=SECONDLY"}
	if _, err := w.Put(t.Context(), &every, "ann", now); !errors.Is(err, ErrInvalidWindow) {
		t.Errorf("every second: got %v", err)
	}
	everything := Window{Title: "x", StartsAt: now, EndsAt: now.Add(time.Hour)}
	if _, err := w.Put(t.Context(), &everything, "ann", now); !errors.Is(err, ErrInvalidWindow) {
		t.Errorf("a window over everything: got %v", err)
	}
}

func TestOccurrencesAreListed(t *testing.T) {
	w := Window{Title: "x", Matchers: []string{"a=b"}, StartsAt: instant("2026-01-01T10:00:00Z"), EndsAt: instant("2026-01-01T11:00:00Z"), Rule: "FREQ=DAILY;COUNT=3"}
	var got []string
	list, err := w.Next(instant("2026-01-02T10:30:00Z"), 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list {
		got = append(got, o.Start.Format("02 15:04")+"-"+o.End.Format("15:04"))
	}
	if want := []string{"02 10:00-11:00", "03 10:00-11:00"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestForgottenSilencesAreFound(t *testing.T) {
	w, db := calendar(t)
	ctx, begin := t.Context(), instant("2026-01-01T00:00:00Z")
	m, err := ParseMatchers("service=gone")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Set(ctx, "ann", begin, Silence{Matchers: m, StartsAt: begin, EndsAt: begin.Add(30 * 24 * time.Hour), CreatedBy: "ann", Comment: "x"}); err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration]int{time.Hour: 0, 25 * time.Hour: 1, 31 * 24 * time.Hour: 0} {
		found, err := ForgottenSilences(ctx, db.Read(), w.Silences, begin.Add(after))
		if err != nil || len(found) != want {
			t.Errorf("after %s: got %v, error %v, want %d", after, found, err, want)
		}
	}
}
