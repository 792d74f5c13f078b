package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/ops/incident"
	"github.com/fairlead/fairlead/receive"
)

// live is the part of the configuration that a reload changes without a restart.
type live struct {
	mu             sync.RWMutex
	resolveTimeout time.Duration       // guarded by mu
	inhibitRules   []alert.InhibitRule // guarded by mu
}

func (l *live) set(cfg *Config) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.resolveTimeout, l.inhibitRules = cfg.Receive.ResolveTimeout, cfg.InhibitRules
}

func (l *live) timeout() time.Duration {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.resolveTimeout
}

func (l *live) rules() []alert.InhibitRule {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.inhibitRules
}

// Reload reads the configuration again and takes over inhibit_rules, receive.resolve_timeout and notify at once; other keys take
// effect at the next start, which the log says. A configuration that cannot be used changes nothing: the error says why.
func (a *App) Reload(ctx context.Context) error {
	if a.opts.Reload == nil {
		return errors.New("this Fairlead was started without a configuration that could be read again")
	}
	a.reloading.Lock()
	defer a.reloading.Unlock()
	cfg, err := a.opts.Reload()
	if err != nil {
		return err
	}
	plan, err := a.loadPlan(&cfg)
	if err != nil {
		return err
	}
	if err := a.desk.SetInhibitor(ctx, a.clock.Now(), inhibitors(inhibitRules(&cfg, plan))); err != nil {
		return fmt.Errorf("take over inhibit_rules: %w", err)
	}
	a.teller.SetPlan(cfg.Notify, plan)
	a.live.set(&cfg)
	old, fresh := Keys(&a.cfg), Keys(&cfg)
	for i := range old {
		if old[i].Value() != fresh[i].Value() && old[i].Path != "receive.resolve_timeout" && !strings.HasPrefix(old[i].Path, "notify.") {
			a.logger.Warn("a changed key takes effect at the next start", "key", old[i].Path, "running", old[i].Value(), "configured", fresh[i].Value())
		}
	}
	a.logger.Info("configuration reloaded")
	return nil
}

// serveReload is POST /-/reload.
func (a *App) serveReload(w http.ResponseWriter, r *http.Request) {
	if err := a.Reload(r.Context()); err != nil {
		a.logger.Error("the configuration was not reloaded; the running one stays", "error", err)
		p := receive.Problem{Status: http.StatusBadRequest, Detail: "The configuration was not reloaded; the running one stays. " + err.Error()}
		p.Write(w)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// inhibitors returns what makes an inhibitor of rules that were validated before.
func inhibitors(rules []alert.InhibitRule) func() incident.Inhibitor {
	return func() incident.Inhibitor {
		inhibitor, err := alert.NewInhibitor(rules)
		if err != nil {
			panic(err) // Config.Validate has built it already
		}
		return inhibitor
	}
}
