package notify

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead/fairlead/base/store"
)

type metrics struct {
	deliveries *prometheus.CounterVec
	attempts   *prometheus.CounterVec
	seconds    *prometheus.HistogramVec
}

func newMetrics(registry prometheus.Registerer, db *store.DB) *metrics {
	m := &metrics{
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fairlead_notify_deliveries_total", Help: "Deliveries by the state they came to: each is pending or muted first, then sent or failed.",
		}, []string{"state"}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fairlead_notify_attempts_total", Help: "Attempts to send, by kind of integration and whether the target took it.",
		}, []string{"integration", "result"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "fairlead_notify_attempt_seconds", Help: "How long attempts to send took, by kind of integration.", Buckets: prometheus.ExponentialBuckets(0.005, 4, 7),
		}, []string{"integration"}),
	}
	for _, state := range []State{Pending, Sent, Failed, Muted} {
		m.deliveries.WithLabelValues(string(state))
	}
	m.attempts.WithLabelValues("webhook", "taken")
	m.seconds.WithLabelValues("webhook")
	pending := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "fairlead_notify_pending", Help: "Deliveries that wait to be sent, or to be tried again.",
	}, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		n, _, err := Waiting(ctx, db.Read())
		if err != nil {
			return 0
		}
		return float64(n)
	})
	registry.MustRegister(m.deliveries, m.attempts, m.seconds, pending)
	return m
}
