package alertmanager

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/fairlead/fairlead/ops/notify"
)

// groupLabel is the one label of a group that is an incident.
const groupLabel = "incident"

// group is an alert group with the numbers of its alerts, eight bytes each: the alerts themselves are read when it is written.
type group struct {
	receiver string
	incident string
	// route is the group of the route tree; nil for an incident.
	route   *notify.AlertGroup
	mutedBy []string
	alerts  []uint64
}

// groupHead is what an answer says of a group behind its alerts.
type groupHead struct {
	Labels      map[string]string `json:"labels"`
	Receiver    receiverRef       `json:"receiver"`
	RouteLabels map[string]string `json:"routeLabels"`
}

// groups writes the alert groups: those of the route tree when people are told by group, else the incidents.
func (h *Handler) groups(r *http.Request, out *list) error {
	query, err := parseAlertQuery(r.URL.Query())
	if err != nil || query.nothing {
		return err
	}
	now, routing := h.config.Clock.Now(), h.routing()
	byID := map[string]*group{}
	err = h.config.Source.Firing(r.Context(), func(a *Alert) error {
		if _, _, wanted := h.wanted(&query, a, now); wanted {
			for id, g := range groupsOf(routing, a, &query) {
				known := byID[id]
				if known == nil {
					known = g
					byID[id] = g
				}
				known.alerts = append(known.alerts, a.Number)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	ctx := r.Context()
	w := &groupWriter{h: h, out: out, routing: routing, query: &query, now: now}
	for _, g := range inOrder(byID) {
		if g.route != nil {
			g.mutedBy = routing.MutedGroup(g.route, now)
		}
		if len(g.mutedBy) > 0 && !query.muted {
			continue
		}
		if err := w.add(ctx, g); err != nil {
			return err
		}
	}
	return w.flush(ctx)
}

// groupsOf returns the groups of an alert whose receiver is asked for, by what tells them apart.
func groupsOf(routing Routing, a *Alert, query *alertQuery) map[string]*group {
	found := map[string]*group{}
	asked := func(receiver string) bool { return query.receiver == nil || query.receiver.MatchString(receiver) }
	byRoute := routing.GroupsOf(a.Labels)
	for i := range byRoute {
		if g := &byRoute[i]; asked(g.Receiver) {
			found[g.ID] = &group{receiver: g.Receiver, route: g}
		}
	}
	if byRoute != nil {
		return found
	}
	for _, receiver := range routing.ReceiversOf(a.Labels) {
		if !asked(receiver) {
			continue
		}
		found[receiver+"\x00"+a.Incident] = &group{receiver: receiver, incident: a.Incident}
	}
	return found
}

// inOrder sorts groups by what tells them apart.
func inOrder(byID map[string]*group) []*group {
	ids := make([]string, 0, len(byID))
	for id := range byID {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int {
		return cmp.Or(strings.Compare(byID[a].incident, byID[b].incident), strings.Compare(a, b))
	})
	sorted := make([]*group, len(ids))
	for i, id := range ids {
		sorted[i] = byID[id]
	}
	return sorted
}

// groupWriter writes groups, with one question to the source for many small ones.
type groupWriter struct {
	h       *Handler
	out     *list
	routing Routing
	query   *alertQuery
	now     time.Time

	waiting []*group
	numbers []uint64 // of the alerts of those that wait
}

// add writes a group, or lets it wait for company.
func (w *groupWriter) add(ctx context.Context, g *group) error {
	if len(w.numbers)+len(g.alerts) > pageSize {
		if err := w.flush(ctx); err != nil {
			return err
		}
	}
	if len(g.alerts) > pageSize {
		return w.write(g, func(visit func(*Alert) error) error { return w.h.config.Source.Some(ctx, g.alerts, visit) })
	}
	w.waiting, w.numbers = append(w.waiting, g), append(w.numbers, g.alerts...)
	return nil
}

// flush writes what waits.
func (w *groupWriter) flush(ctx context.Context) error {
	if len(w.waiting) == 0 {
		return nil
	}
	slices.Sort(w.numbers)
	alerts := map[uint64]*Alert{}
	err := w.h.config.Source.Some(ctx, slices.Compact(w.numbers), func(a *Alert) error {
		alerts[a.Number] = a
		return nil
	})
	if err != nil {
		return err
	}
	for _, g := range w.waiting {
		err := w.write(g, func(visit func(*Alert) error) error {
			for _, n := range g.alerts {
				if a := alerts[n]; a != nil {
					if err := visit(a); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	w.waiting, w.numbers = w.waiting[:0], w.numbers[:0]
	return nil
}

// write writes a group, unless all its alerts have ended meanwhile.
func (w *groupWriter) write(g *group, each func(visit func(*Alert) error) error) error {
	begun := false
	var first []notify.Told // what a route's labels are made for
	err := each(func(a *Alert) error {
		silencedBy, mutedBy, wanted := w.h.wanted(w.query, a, w.now)
		if !wanted {
			return nil
		}
		before := ","
		if !begun {
			begun, before = true, `{"alerts":[`
			if err := w.out.separate(); err != nil {
				return err
			}
		}
		if err := w.out.raw(before); err != nil {
			return err
		}
		if g.route != nil && len(first) < pageSize {
			first = append(first, notify.Told{Labels: a.Labels, Annotations: a.Annotations, StartsAt: a.StartsAt, GeneratorURL: a.GeneratorURL})
		}
		return w.out.encoder.Encode(show(a, silencedBy, append(slices.Clone(mutedBy), g.mutedBy...), receiversIn(w.routing, a, w.query), w.now))
	})
	if err != nil || !begun {
		return err
	}
	head := groupHead{Labels: map[string]string{}, Receiver: receiverRef{g.receiver}, RouteLabels: map[string]string{}}
	switch {
	case g.route != nil:
		head.Labels = g.route.Labels.Map()
		head.RouteLabels = w.routing.RouteLabels(g.route, first)
	case g.incident != "":
		head.Labels[groupLabel] = g.incident
	}
	text, err := json.Marshal(head)
	if err != nil {
		return err
	}
	return w.out.raw("]," + string(text[1:]))
}

// receiversIn returns the receivers of those groups of an alert that are asked for, once for each group, sorted.
func receiversIn(routing Routing, a *Alert, query *alertQuery) []string {
	var names []string
	for _, g := range groupsOf(routing, a, query) {
		names = append(names, g.receiver)
	}
	slices.Sort(names)
	return names
}
