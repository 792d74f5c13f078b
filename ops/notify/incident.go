package notify

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/ops/incident"
)

// maxAlerts bounds how many alerts of one incident are read; the newest are taken.
const maxAlerts = 100_000

func incidentID(number uint64) string { return incident.ID(number) }

// readIncident puts a stored incident's alerts into groups, and returns the ids of all groups that this touches.
func (t *Teller) readIncident(ctx context.Context, number uint64) ([]string, error) {
	parts, err := loadParts(ctx, t.deps.DB.Read(), number)
	if err != nil {
		return nil, err
	}
	var touched []string
	for _, part := range append(parts, number) {
		touched = append(touched, t.takeOut(part)...)
	}
	inc, err := incident.Find(ctx, t.deps.DB.Read(), number)
	if errors.Is(err, store.ErrNotFound) {
		return touched, nil
	}
	if err != nil {
		return nil, err
	}
	left, err := loadLeftovers(ctx, t.deps.DB.Read(), number)
	if err != nil {
		return nil, err
	}
	shown := inc.State == incident.Open || inc.State == incident.Acknowledged || inc.State == incident.Resolved
	v := &view{
		number: inc.Number, shown: shown, shownAt: inc.ShownAt, acknowledged: inc.State == incident.Acknowledged, ended: !inc.Current(), endedAt: inc.EndedAt,
	}
	telling := shown || t.config.Per == PerGroup // groups do not wait for the incident
	if !telling && len(left) == 0 && !v.ended {
		return touched, nil
	}
	rows, err := alert.List(ctx, t.deps.DB.Read(), alert.Filter{Incident: number, Limit: maxAlerts})
	if err != nil {
		return nil, err
	}
	newest := newestOf(rows)
	if telling {
		for _, row := range newest {
			if row.Muted() || t.deps.Observed != nil && t.deps.Observed(row.Source) {
				continue
			}
			if err := t.putIn(ctx, v, row); err != nil {
				return nil, err
			}
		}
	}
	if err := t.putBackTold(ctx, v, left, newest); err != nil {
		return nil, err
	}
	for id := range t.ofIncident[number] {
		if !slices.Contains(touched, id) {
			touched = append(touched, id)
		}
	}
	return touched, nil
}

// newestOf returns the newest episode of each label set, newest first.
func newestOf(rows []*alert.Row) []*alert.Row {
	seen := make(map[signal.Fingerprint]bool, len(rows))
	var newest []*alert.Row
	for _, row := range rows {
		if !seen[row.Fingerprint] {
			seen[row.Fingerprint] = true
			newest = append(newest, row)
		}
	}
	return newest
}

// takeOut takes an incident's alerts out of all groups, and returns the groups' ids.
func (t *Teller) takeOut(number uint64) []string {
	var touched []string
	for id := range t.ofIncident[number] {
		g := t.groups[id]
		if g == nil {
			continue
		}
		touched = append(touched, id)
		for fingerprint, m := range g.members {
			if m.incident.number == number {
				delete(g.members, fingerprint)
			}
		}
	}
	delete(t.ofIncident, number)
	return touched
}

// putIn puts an alert into the groups that the plan gives.
func (t *Teller) putIn(ctx context.Context, v *view, row *alert.Row) error {
	routes := t.running.Match(row.Labels)
	for _, r := range routes {
		g, err := t.groupOf(ctx, v, r, row.Labels)
		if err != nil {
			return err
		}
		t.join(g, v, row, r)
	}
	for _, e := range t.config.Escalation {
		if !v.shown {
			break
		}
		if slices.ContainsFunc(routes, func(r *Route) bool { return r.Receiver == e.Receiver }) {
			continue // it is told anyway
		}
		g, err := t.openGroup(ctx, &group{
			key: t.incidentKey(v.number), receiver: e.Receiver, incident: v.number, escalateAfter: e.After,
			wait: routes[0].GroupWait, interval: routes[0].GroupInterval, repeat: routes[0].RepeatInterval,
		})
		if err != nil {
			return err
		}
		t.join(g, v, row, routes...)
	}
	return nil
}

// incidentKey names an incident everywhere and for good.
func (t *Teller) incidentKey(number uint64) string {
	return "fairlead/" + t.installation + "/" + incidentID(number)
}

// groupOf returns the group that an alert belongs to by a route.
func (t *Teller) groupOf(ctx context.Context, v *view, r *Route, labels signal.Labels) (*group, error) {
	wanted := &group{receiver: r.Receiver, route: r, wait: r.GroupWait, interval: r.GroupInterval, repeat: r.RepeatInterval}
	if t.config.Per == PerGroup {
		wanted.key = r.groupKey(r.groupLabels(labels))
		return t.openGroup(ctx, wanted)
	}
	wanted.key, wanted.incident = t.incidentKey(v.number), v.number
	g, err := t.openGroup(ctx, wanted)
	if err != nil {
		return nil, err
	}
	// Several routes may lead to one receiver: the most eager times of them hold, and the first one's labels.
	g.wait, g.interval, g.repeat = min(g.wait, r.GroupWait), min(g.interval, r.GroupInterval), min(g.repeat, r.RepeatInterval)
	if g.route == nil || r.Order < g.route.Order {
		g.route = r
	}
	g.escalateAfter = 0
	return g, nil
}

// openGroup returns the group with the wanted one's id, which it becomes if there is none.
func (t *Teller) openGroup(ctx context.Context, wanted *group) (*group, error) {
	id := wanted.id()
	if g := t.groups[id]; g != nil {
		return g, nil
	}
	entries, err := loadEntries(ctx, t.deps.DB.Read(), wanted.key, wanted.receiver)
	if err != nil {
		return nil, err
	}
	wanted.entries, wanted.members, wanted.again = entries, map[uint64]*member{}, map[uint64]time.Time{}
	t.groups[id] = wanted
	return wanted, nil
}

func (t *Teller) join(g *group, v *view, row *alert.Row, routes ...*Route) {
	fingerprint := uint64(row.Fingerprint)
	m := g.members[fingerprint]
	if m == nil || m.seq < row.Seq {
		m = &member{
			seq: row.Seq, fingerprint: fingerprint, incident: v, firing: row.State == alert.Firing, flapping: row.Flapping && g.perIncident(),
			startsAt: row.StartsAt, received: row.ReceivedAt,
		}
		if row.Identity != row.Fingerprint.String() { // its sender names it by a key, so its labels may change
			m.grade = row.Severity
		}
		if !m.firing {
			m.resolvedAt = later(row.EndsAt, row.LastReceivedAt)
			delete(g.again, fingerprint)
		} else if !g.perIncident() && g.again[fingerprint].IsZero() && !g.told(fingerprint) && g.toldSince(m.received) {
			g.again[fingerprint] = t.at
		}
		if v.ended && (m.resolvedAt.IsZero() || v.endedAt.Before(m.resolvedAt)) {
			m.resolvedAt = v.endedAt
		}
		g.members[fingerprint] = m
	}
	for _, r := range routes {
		if !slices.Contains(m.routes, r) {
			m.routes = append(m.routes, r)
		}
	}
	if t.ofIncident[v.number] == nil {
		t.ofIncident[v.number] = map[string]bool{}
	}
	t.ofIncident[v.number][g.id()] = true
}

// putBackTold sees to it that the end of an incident is told to all who were told that it began: also under the number of
// one that was merged into it meanwhile, to a receiver to which the plan no longer leads, or of alerts that are muted now.
func (t *Teller) putBackTold(ctx context.Context, v *view, left []leftover, rows []*alert.Row) error {
	for _, l := range left {
		if len(t.running.Integrations(l.receiver)) == 0 {
			continue
		}
		g := t.groups[(&group{key: l.group, receiver: l.receiver}).id()]
		current := g != nil && l.incident == v.number
		if current && !v.ended {
			continue
		}
		g, err := t.openGroup(ctx, &group{key: l.group, receiver: l.receiver, incident: l.incident})
		if err != nil {
			return err
		}
		told := v
		if !current { // nothing but its end is told
			quiet := *v
			quiet.acknowledged = true
			told = &quiet
		}
		for _, row := range rows {
			if g.told(uint64(row.Fingerprint)) {
				t.join(g, told, row)
			}
		}
	}
	return nil
}
