package app

import (
	"net/http"

	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/receive/alertmanager"
)

// alertmanagerRoutes puts Alertmanager's API on mux.
func (a *App) alertmanagerRoutes(mux *http.ServeMux) {
	mux.Handle("POST /api/v2/alerts", alertmanager.New(alertmanager.Config{
		Publisher:      a.ingest,
		Clock:          a.clock,
		Bodies:         receive.NewBodies(receive.DefaultLimits(), receive.NewBudget(0)),
		Caps:           receive.NewCaps(receive.CapsConfig{PerSender: a.cfg.Receive.MaxFingerprintsPerSender}),
		ResolveTimeout: a.live.timeout,
		Registry:       a.registry,
		Logger:         a.part("receive"),
	}))
}
