package integration

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/test/postgres"
)

// door is a Registry on a real database.
type door struct {
	*Registry
	db     *store.DB
	config store.Config
	now    time.Time
}

func newDoor(t *testing.T) *door {
	d := &door{config: postgres.Config(t), now: noon}
	d.open(t)
	t.Cleanup(func() { _ = d.db.Close() })
	return d
}

func (d *door) open(t *testing.T) {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	db, err := store.Open(t.Context(), d.config, "ops", store.Schema(), logger)
	if err != nil {
		t.Fatal(err)
	}
	d.db = db
	if d.Registry, err = NewRegistry(t.Context(), NewSQL(db), []string{"pagerduty", "datadog"}, func() time.Time { return d.now }, logger); err != nil {
		t.Fatal(err)
	}
}

func TestWhoMayComeIn(t *testing.T) {
	d := newDoor(t)
	ctx := t.Context()
	admit := func(k Knock, name string, want error) {
		t.Helper()
		i, err := d.Admit(ctx, k)
		if !errors.Is(err, want) {
			t.Errorf("%+v: got error %v, want %v", k, err, want)
		}
		if want == nil && err == nil && i.Name != name {
			t.Errorf("%+v: got into %s, want %s", k, i.Name, name)
		}
	}
	far := Knock{Kind: "datadog", Name: "prod", Secret: "guess"}
	admit(far, "", ErrNotFound)
	admit(Knock{Kind: "pagerduty", Secret: "guess"}, "", ErrKey)

	near := Knock{Kind: "datadog", Name: "prod", Loopback: true}
	admit(near, "prod", nil) // made by its first request
	admit(near, "prod", nil)
	admit(Knock{Kind: "datadog", Name: "prod"}, "", ErrKey)
	admit(Knock{Kind: "pagerduty", Name: "prod", Loopback: true}, "", ErrKind)

	secret, _, err := d.Rotate(ctx, "prod", time.Hour, "ann")
	if err != nil {
		t.Fatal(err)
	}
	admit(near, "", ErrKey) // it has a key now
	admit(Knock{Kind: "datadog", Name: "prod", Secret: secret}, "prod", nil)
	admit(Knock{Kind: "datadog", Name: "prod", Secret: secret + "x", Loopback: true}, "", ErrKey)
	second, i, err := d.Rotate(ctx, "prod", time.Hour, "ann")
	if err != nil || len(i.Keys) != 2 {
		t.Fatalf("got %v and error %v, want two keys", i, err)
	}
	admit(Knock{Kind: "datadog", Name: "prod", Secret: secret}, "prod", nil) // for an hour
	d.now = d.now.Add(2 * time.Hour)
	admit(Knock{Kind: "datadog", Name: "prod", Secret: secret}, "", ErrKey)
	admit(Knock{Kind: "datadog", Name: "prod", Secret: second}, "prod", nil)

	// Protocols whose key alone tells: the first key is taken over on this machine, another one is not.
	admit(Knock{Kind: "pagerduty", Secret: "R1", Loopback: true}, "pagerduty", nil)
	admit(Knock{Kind: "pagerduty", Secret: "R1"}, "pagerduty", nil)
	admit(Knock{Kind: "pagerduty", Secret: "R2", Loopback: true}, "", ErrKey)
	if _, err := d.Create(ctx, &Integration{Name: "team-b", Kind: "pagerduty", Keys: []Key{NewKey("R2", d.now)}}, "ann", ""); err != nil {
		t.Fatal(err)
	}
	admit(Knock{Kind: "pagerduty", Secret: "R2"}, "team-b", nil)
}

func TestIntegrationsAndCapturesOutliveARestart(t *testing.T) {
	d := newDoor(t)
	ctx := t.Context()
	if _, err := d.Create(ctx, &Integration{Name: "prod", Kind: "datadog", Mapper: Mapper{Name: "body.x"}}, "ann", "trial"); err != nil {
		t.Fatal(err)
	}
	for n := range MaxCaptures + 3 {
		d.Note("prod", Capture{At: noon, Body: fmt.Sprint(n), Status: 202, Alerts: 1}, 0)
	}
	d.Note("prod", Capture{At: noon, Body: string(make([]byte, MaxCaptured+1)), Status: 400, Outcome: "no JSON"}, 1)
	running, stop := context.WithCancel(ctx)
	stop()
	if err := d.Run(running); err != nil {
		t.Fatal(err)
	}
	if _, c, _, err := d.Find("prod"); err != nil || c.Requests != MaxCaptures+4 || c.Refused != 1 || c.Alerts != MaxCaptures+3 || c.Rejected != 1 || c.LastError != "no JSON" {
		t.Errorf("the counters are %+v, error %v", c, err)
	}
	if err := d.db.Close(); err != nil {
		t.Fatal(err)
	}
	d.open(t)
	i, _, captures, err := d.Find("prod")
	if err != nil || i.Mapper.Name != "body.x" || i.CreatedBy != "ann" {
		t.Fatalf("got %+v, error %v", i, err)
	}
	if len(captures) != MaxCaptures || !captures[0].Truncated || captures[1].Body != fmt.Sprint(MaxCaptures+2) {
		t.Errorf("got %d captures, the first truncated %t, the second %q", len(captures), captures[0].Truncated, captures[1].Body)
	}
	if _, err := audit.Verify(ctx, d.db.Read()); err != nil {
		t.Error(err)
	}
}

func TestChangesAreCheckedAndGuarded(t *testing.T) {
	d := newDoor(t)
	ctx := t.Context()
	for field, i := range map[string]*Integration{
		"name":           {Name: "Bad Name", Kind: "datadog"},
		"kind":           {Name: "x", Kind: "fax"},
		"resolveTimeout": {Name: "x", Kind: "datadog", ResolveTimeout: "soon"},
		"forward":        {Name: "x", Kind: "datadog", Forward: "ftp://x"},
		"mapper.name":    {Name: "x", Kind: "datadog", Mapper: Mapper{Name: "1 +"}},
	} {
		if _, err := d.Create(ctx, i, "ann", ""); !errors.Is(err, ErrInvalid) || err.Error()[:len(field)] != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
	made, err := d.Create(ctx, &Integration{Name: "x", Kind: "datadog"}, "ann", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Create(ctx, made, "ann", ""); !errors.Is(err, ErrConflict) {
		t.Errorf("a second one: got %v, want ErrConflict", err)
	}
	edit := func(i *Integration) error { i.ResolveTimeout = "5m"; return nil }
	if _, err := d.Update(ctx, "x", made.Version, "ann", "integration.update", edit); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Update(ctx, "x", made.Version, "bob", "integration.update", edit); !errors.Is(err, ErrConflict) {
		t.Errorf("an edit of an old version: got %v, want ErrConflict", err)
	}
	if err := d.Delete(ctx, "x", "ann", nil); err != nil {
		t.Fatal(err)
	}
	if err := d.Delete(ctx, "x", "ann", nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("a second deletion: got %v, want ErrNotFound", err)
	}
}
