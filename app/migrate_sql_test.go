package app

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/test/postgres"
	"github.com/fairlead/fairlead/web/api"
)

// cutAfter cancels a copy when it has been told of n tables.
type cutAfter struct {
	n      int
	cancel func()
}

func (c *cutAfter) Write(line []byte) (int, error) {
	if c.n--; c.n == 0 {
		c.cancel()
	}
	return len(line), nil
}

func TestRowsMoveToPostgreSQLWholeAndOnce(t *testing.T) {
	cfg := testConfig(t)
	cfg.Store.URL = "" // whatever engine the others run on
	logger := slog.New(slog.DiscardHandler)
	move := func(ctx context.Context, cfg *Config, progress io.Writer) string {
		if err := MigrateToPostgres(ctx, cfg, progress, logger); err != nil {
			return err.Error()
		}
		return ""
	}
	refused := func(what, got string, want ...string) {
		t.Helper()
		for _, part := range want {
			if !strings.Contains(got, part) {
				t.Errorf("%s: %q, want %q in it", what, got, part)
			}
		}
	}
	starts := func(cfg Config) string {
		cfg.HTTP.Listen = "127.0.0.1:0"
		a, err := New(t.Context(), cfg, Options{Logger: logger})
		if err != nil {
			return err.Error()
		}
		a.close(t.Context())
		return ""
	}
	there := cfg
	there.Store.URL = postgres.Database(t)

	var root []string
	var before, after AuditReport
	var incidents, moved api.IncidentPage
	t.Run("a team works", func(t *testing.T) {
		c := startClosed(t, cfg)
		root = busy(c)
		c.as(root, http.MethodGet, "/incidents", "", 200, &incidents)
		before = c.verify()
		c.logs("moved")
		refused("beside a running server", move(t.Context(), &there, io.Discard), "a server runs", cfg.Data.Dir, "stop it")
	})
	refused("without a target", move(t.Context(), &cfg, io.Discard), "store.url", "FAIRLEAD_STORE_URL")
	refused("a start on PostgreSQL alone", starts(there), "migrate sqlite-to-postgres")

	ctx, cancel := context.WithCancel(t.Context())
	refused("a copy that is cut", move(ctx, &there, &cutAfter{6, cancel}), "as it was", "again")
	refused("a start on half a copy", starts(there), "not finished", "again")
	if got := starts(cfg); got != "" {
		t.Errorf("after a copy that was cut, the file does not start: %s", got)
	}

	var progress bytes.Buffer
	if got := move(t.Context(), &there, &progress); got != "" {
		t.Fatalf("the copy: %s", got)
	}
	refused("the progress", progress.String(), "audit_leaves", "alerts", "the audit log is whole")
	refused("a start on the file", starts(cfg), "copied to", "store.url")
	refused("a second copy", move(t.Context(), &there, io.Discard), "copied to", "already")

	t.Run("the team goes on", func(t *testing.T) {
		c := startClosed(t, there)
		c.as(root, http.MethodGet, "/incidents", "", 200, &moved) // the session goes on
		if len(moved.Items) != len(incidents.Items) || moved.Items[0].ID != incidents.Items[0].ID || moved.Items[0].Title != incidents.Items[0].Title {
			t.Errorf("incidents are %+v, were %+v", moved.Items, incidents.Items)
		}
		if runs := c.logged("moved"); runs != 1 {
			t.Errorf("%d runs were moved, want 1", runs)
		}
		if after = c.verify(); len(after.Problems) > 0 || after.Size < before.Size {
			t.Errorf("the audit log: %+v, was %+v", after, before)
		}
		c.as(root, http.MethodPost, "/incidents/"+moved.Items[0].ID+"/notes", `{"text":"on the other engine"}`, 200, nil)
	})

	other := testConfig(t)
	other.Store.URL = ""
	if got := starts(other); got != "" {
		t.Fatal(got)
	}
	other.Store.URL = there.Store.URL
	refused("a copy onto others' rows", move(t.Context(), &other, io.Discard), "holds rows from "+cfg.Data.Dir, "empty")
}
