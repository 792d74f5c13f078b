package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/alert"
)

// MaintenanceConfig says how planned work is looked after.
type MaintenanceConfig struct {
	// Remind is how often somebody is told of a silence that seems to be forgotten, by an alert ForgottenSilence of severity
	// info; 0s never, else at least 24h.
	Remind time.Duration `yaml:"remind"`
}

const (
	remindedKey = "silence.reminded:"
	remindEvery = 10 * time.Minute
	// remindFor is how long the alert fires: longer than an alert that is not critical may be held, shorter than a usual
	// repeat_interval.
	remindFor = 3 * time.Hour
)

// checkMaintenance reports the first key below maintenance that cannot be used.
func checkMaintenance(c *Config) error {
	if r := c.Maintenance.Remind; r != 0 && r < 24*time.Hour {
		return &ConfigError{Key: "maintenance.remind", Problem: fmt.Sprintf("%s is too often; write at least 24h, or 0s for never", r)}
	}
	return nil
}

// remind looks now and then for forgotten silences. On the event clock nobody is reminded: those silences were the past's.
func (a *App) remind(ctx context.Context) error {
	if a.cfg.Maintenance.Remind == 0 || a.driven() {
		<-ctx.Done()
		return nil
	}
	ticker := time.NewTicker(remindEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if err := a.remindOnce(ctx, a.clock.Now()); err != nil && ctx.Err() == nil {
				a.part("maintenance").Warn("nobody could be reminded of forgotten silences; trying again", "error", err)
			}
		}
	}
}

// remindOnce publishes an alert for each forgotten silence of which nobody was reminded for so long. When it was published and
// not noted it is published again: the same alert.
func (a *App) remindOnce(ctx context.Context, now time.Time) error {
	forgotten, err := alert.ForgottenSilences(ctx, a.db.Read(), a.silences.Silences, now)
	if err != nil {
		return err
	}
	reminded, err := a.reminded(ctx)
	if err != nil {
		return err
	}
	for i := range forgotten {
		s := forgotten[i].Silence
		if last := reminded[s.ID]; !last.IsZero() && now.Sub(last) < a.cfg.Maintenance.Remind {
			continue
		}
		if err := a.ingest.send(ctx, now, []signal.Alert{a.reminder(&forgotten[i], now)}); err != nil {
			return fmt.Errorf("remind of silence %s: %w", s.ID, err)
		}
		err := a.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			return store.SaveState(ctx, tx, remindedKey+s.ID, []byte(now.Format(time.RFC3339)))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *App) reminder(f *alert.ForgottenSilence, now time.Time) signal.Alert {
	s := f.Silence
	return signal.Alert{
		Source: "fairlead", Identity: "silence/" + s.ID, Keyed: true, StartsAt: now, ResolveTimeout: remindFor,
		Labels: signal.NewLabels(map[string]string{"alertname": "ForgottenSilence", "severity": "info", "silence": s.ID}),
		Annotations: signal.NewLabels(map[string]string{
			"summary":     "A silence of " + s.CreatedBy + " seems to be forgotten. " + f.Reason,
			"description": s.Matchers.String() + " until " + s.EndsAt.Format(time.RFC3339) + ": " + s.Comment,
		}),
		GeneratorURL: strings.TrimSuffix(a.URL(), "/") + "/maintenance",
	}
}

// reminded returns when somebody was last reminded of silences, by id.
func (a *App) reminded(ctx context.Context) (map[string]time.Time, error) {
	values, err := store.ListState(ctx, a.db.Read(), remindedKey)
	if err != nil {
		return nil, err
	}
	at := map[string]time.Time{}
	for key, value := range values {
		t, err := time.Parse(time.RFC3339, string(value))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", key, err)
		}
		at[strings.TrimPrefix(key, remindedKey)] = t
	}
	return at, nil
}
