package app

import (
	"context"
	"net/http"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/receive/alertmanager"
	face "github.com/fairlead/fairlead/web/alertmanager"
)

// alertmanagerRoutes puts Alertmanager's API on mux: the writing of alerts and the reading of everything.
func (a *App) alertmanagerRoutes(mux *routes) {
	writer := alertmanager.New(alertmanager.Config{
		Publisher:      a.ingest,
		Clock:          a.clock,
		Bodies:         receive.NewBodies(receive.DefaultLimits(), receive.NewBudget(0)),
		Caps:           receive.NewCaps(receive.CapsConfig{PerSender: a.cfg.Receive.MaxFingerprintsPerSender}),
		ResolveTimeout: a.live.timeout,
		Gate:           a.gate,
		Registry:       a.registry,
		Logger:         a.part("receive"),
	})
	mux.Handle("POST /api/v2/alerts", writer)
	// With path_prefix: /in/prometheus/NAME each Prometheus has an integration of its own.
	mux.Handle("POST /in/prometheus/{integration}/api/v2/alerts", writer)
	list := func(ctx context.Context, filter alert.Filter) ([]*alert.Row, error) {
		filter.Teams = access.ScopeOf(ctx).Limit()
		return alert.List(ctx, a.db.Read(), filter)
	}
	face.New(face.Config{
		Source: face.NewRows(list), Silences: a.silences, Clock: a.clock, InhibitRules: a.live.rules,
		Version: a.opts.Version, Started: a.started, Logger: a.part("alertmanager"), Routing: a.routing,
		Actor: func(r *http.Request) string { return access.Actor(r.Context()) },
	}).Routes(mux)
}
