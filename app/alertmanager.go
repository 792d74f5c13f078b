package app

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

// TEMPORARY until receive/alertmanager lands.
func (a *App) alertmanagerRoutes(mux *http.ServeMux) error {
	mux.HandleFunc("POST /api/v2/alerts", func(w http.ResponseWriter, r *http.Request) {
		var in []struct {
			Labels, Annotations map[string]string
			StartsAt, EndsAt    time.Time
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), 400)
			return
		}
		at, err := receive.Time(r, a.clock)
		if err != nil {
			http.Error(w, err.Error(), 400)
			return
		}
		to, _ := receive.ResolveTimeout(r, a.live.timeout())
		var alerts []signal.Alert
		for _, x := range in {
			if x.StartsAt.IsZero() {
				x.StartsAt = at
			}
			l := signal.NewLabels(x.Labels)
			alerts = append(alerts, signal.Alert{Source: "prometheus", Identity: l.Fingerprint().String(), Labels: l, Annotations: signal.NewLabels(x.Annotations), StartsAt: x.StartsAt, EndsAt: x.EndsAt, ResolveTimeout: to})
		}
		if err := a.ingest.PublishAlerts(r.Context(), at, alerts); err != nil {
			receive.PublishProblem(err).Write(w)
		}
	})
	return nil
}
