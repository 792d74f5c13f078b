package app

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead/fairlead/base/bus"
)

// register adds the app's metrics and readiness checks.
func (a *App) register() {
	gauge := func(name, help string, value func() float64) {
		a.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	counter := func(name, help string, value func() float64) {
		a.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value))
	}
	stream := func() bus.Stats {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		stats, err := a.bus.Stats(ctx, bus.SignalStream)
		if err != nil {
			return bus.Stats{}
		}
		return stats
	}
	counter("fairlead_alert_reports_total", "Reports of alerts that were applied since the start, repeats included.", func() float64 { return float64(a.desk.Stats().Received) })
	counter("fairlead_alert_stored_total", "Alerts ever stored.", func() float64 { return float64(a.desk.Stats().Alerts) })
	gauge("fairlead_alert_firing", "Alerts that fire now.", func() float64 { return float64(a.desk.Stats().Firing) })
	gauge("fairlead_alert_known", "Alerts in memory.", func() float64 { return float64(a.desk.Stats().Known) })
	gauge("fairlead_bus_messages", "Messages in the stream, those included that wait to be tidied away.", func() float64 { return float64(stream().Messages) })
	gauge("fairlead_bus_bytes", "Bytes in the stream.", func() float64 { return float64(stream().Bytes) })
	gauge("fairlead_bus_lag_messages", "Messages that were accepted and not yet applied.", func() float64 {
		last, position := stream().Last, a.desk.Position()
		if last <= position {
			return 0
		}
		return float64(last - position)
	})
	gauge("fairlead_bus_lag_seconds", "How long the oldest alert that was accepted and not yet applied has waited.", func() float64 { return a.pulse.lag(time.Now()).Seconds() })
	counter("fairlead_store_writes_total", "Changes committed to the database.", func() float64 { return float64(a.db.Stats().Writes) })
	counter("fairlead_store_failures_total", "Changes that could not be committed.", func() float64 { return float64(a.db.Stats().Failures) })
	counter("fairlead_store_commits_total", "Transactions: several changes share one.", func() float64 { return float64(a.db.Stats().Groups) })
	a.health.Register("database", a.db.Ping)
	a.health.Register("incidents", func(context.Context) error {
		if err := a.desk.Stats().Err; err != nil {
			return errors.Join(errors.New("what was accepted cannot be stored"), err)
		}
		return nil
	})
	a.health.Register("bus", func(ctx context.Context) error {
		_, err := a.bus.Last(ctx, bus.SignalStream)
		return err
	})
}
