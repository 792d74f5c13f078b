package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/ops/incident"
)

// sees returns an error, as if it did not exist, for the first incident that the request may not see.
func (a *API) sees(ctx context.Context, numbers ...uint64) error {
	scope := access.ScopeOf(ctx)
	if scope.All {
		return nil
	}
	seen, err := incident.Seen(ctx, a.cfg.DB.Read(), numbers, scope.Limit())
	if err != nil {
		return err
	}
	for _, n := range numbers {
		if n != 0 && !seen[n] {
			return fmt.Errorf("incident %s: %w", incident.ID(n), store.ErrNotFound)
		}
	}
	return nil
}

// seesAlerts is sees for alerts.
func (a *API) seesAlerts(ctx context.Context, ids ...string) error {
	scope := access.ScopeOf(ctx)
	if scope.All || len(ids) == 0 {
		return nil
	}
	unseen, err := alert.Unseen(ctx, a.cfg.DB.Read(), ids, scope.Limit())
	if err != nil {
		return err
	}
	if unseen > 0 {
		return fmt.Errorf("alert %s: %w", strings.Join(ids[:min(3, len(ids))], ", "), store.ErrNotFound)
	}
	return nil
}

// mutes returns an error when people whose role is limited to teams would mute what others own: their matchers must name one
// of their teams.
func mutes(ctx context.Context, matchers []string) error {
	scope := access.ScopeOf(ctx)
	if scope.All {
		return nil
	}
	var ms alert.Matchers
	for _, text := range matchers {
		if m, err := alert.ParseMatcher(text); err == nil {
			ms = append(ms, m)
		}
	}
	if team := ms.TeamOf(); team != "" && slices.Contains(scope.Teams, team) {
		return nil
	}
	return filled(&Problem{
		Status: http.StatusForbidden, Detail: "Your role is limited to teams, so what is muted must belong to one of them.",
		Errors: []ErrorDetail{{Field: "body.matchers", Value: brief(strings.Join(matchers, ", ")), Remedy: fmt.Sprintf("add team=%q", strings.Join(scope.Teams, `" or team="`))}},
	})
}

// mutesAll is mutes for matchers that were parsed.
func mutesAll(ctx context.Context, ms alert.Matchers) error {
	texts := make([]string, len(ms))
	for i := range ms {
		texts[i] = ms[i].String()
	}
	return mutes(ctx, texts)
}

// mutesWindow is mutes for a window that is there; one that is not is nobody's.
func (a *API) mutesWindow(ctx context.Context, id string) error {
	if access.ScopeOf(ctx).All {
		return nil
	}
	if w := a.window(id); w != nil {
		return mutes(ctx, w.Matchers)
	}
	return nil
}

// window returns a window as it is now, nil when there is none.
func (a *API) window(id string) *alert.Window {
	for _, w := range a.cfg.Windows.Calendar(a.cfg.Clock.Now()) {
		if w.ID == id {
			return w
		}
	}
	return nil
}

// visible keeps of some events those that a request may see: incidents and steps of its teams, and what tells nothing. Counts
// of everything are for people without limits.
func (a *API) visible(ctx context.Context, events []event) ([]event, error) {
	scope := access.ScopeOf(ctx)
	if scope.All {
		return events, nil
	}
	var numbers []uint64
	for i := range events {
		if events[i].incident != 0 {
			numbers = append(numbers, events[i].incident)
		}
	}
	seen, err := incident.Seen(ctx, a.cfg.DB.Read(), numbers, scope.Limit())
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(events, func(e event) bool {
		return e.incident != 0 && !seen[e.incident] || e.name == "stats"
	}), nil
}
