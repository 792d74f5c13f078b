package app

import (
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/ops/notify"
	face "github.com/fairlead/fairlead/web/alertmanager"
)

// beside returns name relative to the folder of the file that holds it; an empty or absolute one as it is.
func beside(file, name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(file), name)
}

// checkNotify returns a *ConfigError for what cannot be used in the section notify, or in the alertmanager.yml it names.
func checkNotify(c *Config) error {
	err := c.Notify.Validate()
	if err == nil && c.Notify.Alertmanager != "" {
		_, err = notify.Load(c.Notify, "http://"+c.HTTP.Listen, slog.New(slog.DiscardHandler))
	}
	if err == nil {
		return nil
	}
	key, problem, found := strings.Cut(err.Error(), ": ")
	if !found || !strings.HasPrefix(key, "notify.") {
		key, problem = "notify.alertmanager", err.Error()
	}
	return &ConfigError{Key: key, Problem: problem}
}

// Warnings returns what can be used but is probably not meant, one sentence each with file and line.
func (c *Config) Warnings() []string {
	return append(c.storeWarnings(), c.notifyWarnings()...)
}

func (c *Config) notifyWarnings() []string {
	if c.Notify.Alertmanager == "" {
		return nil
	}
	plan, err := notify.Load(c.Notify, "http://"+c.HTTP.Listen, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil // Validate says so
	}
	return plan.Warnings
}

// loadPlan reads who is told of what; nil when nobody is.
func (a *App) loadPlan(cfg *Config) (*notify.Plan, error) {
	if cfg.Notify.Alertmanager == "" {
		return nil, nil //nolint:nilnil // nobody is told
	}
	plan, err := notify.Load(cfg.Notify, a.URL(), a.part("notify"))
	if err != nil {
		return nil, err
	}
	for _, warning := range plan.Warnings {
		a.logger.Warn("this is probably not meant", "problem", warning)
	}
	return plan, nil
}

// openNotify makes what tells people.
func (a *App) openNotify() error {
	plan, err := a.loadPlan(&a.cfg)
	if err != nil {
		return err
	}
	a.teller = notify.New(notify.Deps{DB: a.db, Clock: a.clock, Registry: a.registry, Logger: a.part("notify"), Observed: a.observed, Driven: a.driven()}, a.cfg.Notify, plan)
	return nil
}

// inhibitRules returns the rules of the configuration and those of the alertmanager.yml.
func inhibitRules(cfg *Config, plan *notify.Plan) []alert.InhibitRule {
	if plan == nil {
		return cfg.InhibitRules
	}
	return append(append([]alert.InhibitRule{}, cfg.InhibitRules...), plan.InhibitRules()...)
}

// ImportAlertmanager explains to out what becomes of each part of an alertmanager.yml, and returns a configuration that uses
// it, for a file in folder.
func ImportAlertmanager(file, folder string, out io.Writer) ([]byte, error) {
	im, err := notify.Explain(file)
	if err != nil {
		return nil, err
	}
	for _, line := range im.Lines {
		verb := "taken over"
		if !line.Taken {
			verb = "not taken "
		}
		fmt.Fprintf(out, "%s:%d: %s  %s\n", filepath.Base(file), line.Line, verb, line.What)
	}
	for _, warning := range im.Warnings {
		fmt.Fprintf(out, "look at this: %s\n", warning)
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("name the file: %w", err)
	}
	if relative, err := filepath.Rel(folder, path); err == nil && !strings.HasPrefix(relative, "..") {
		path = relative
	}
	text := fmt.Sprintf(`# Written by "fairlead import alertmanager"; docs/reference/config.md lists all keys.
notify:
  alertmanager: %q
  # incident: one notification for each incident and receiver; group: one for each alert group, as Alertmanager.
  per: incident
`, path)
	if im.ResolveTimeout != "" {
		text += fmt.Sprintf("receive:\n  resolve_timeout: %s\n", im.ResolveTimeout)
	}
	return []byte(text), nil
}

// routing is the plan as Alertmanager's API shows it.
func (a *App) routing() face.Routing {
	if plan := a.teller.Plan(); plan != nil {
		return plan
	}
	return nil
}
