package sim

import (
	"os"
	"slices"
	"strings"
)

// How the shop's Prometheus works, in shop seconds: rules are evaluated every 15 s, a firing alert is sent again after a
// minute and counts as over when four of these were missed, a resolved one is repeated for 15 minutes.
const (
	evaluateEvery = 15.0
	resendAfter   = 60.0
	validFor      = 4 * resendAfter
	repeatOver    = 15 * 60.0
	batchSize     = 64
)

// activation is one alert from the moment its condition holds, as Prometheus keeps it.
type activation struct {
	rule     *rule
	series   *series
	activeAt float64
	firedAt  float64
	overAt   float64
	sentAt   float64
	state    activationState
	real     bool // the fault is behind it
	kind     string
	sends    int
	held     uint64 // evaluation in which the condition held last
}

type activationState int

const (
	pending activationState = iota
	firing
	over
)

// evaluator is a small Prometheus: it watches the series of a world and says what to send.
type evaluator struct {
	groups []*group
	count  uint64
}

type group struct {
	name   string
	offset float64
	rules  []*watch
}

// watch is one rule with its alerts, in the order in which they began.
type watch struct {
	rule     rule
	active   []*activation
	bySeries map[*series]*activation
}

func newEvaluator(seed dice) *evaluator {
	e := &evaluator{}
	byName := map[string]*group{}
	for _, r := range rules() {
		g := byName[r.group]
		if g == nil {
			g = &group{name: r.group, offset: tick * float64(seed.pick(3, id(r.group), id("offset")))}
			byName[r.group] = g
			e.groups = append(e.groups, g)
		}
		g.rules = append(g.rules, &watch{rule: r, bySeries: map[*series]*activation{}})
	}
	return e
}

// due returns the groups whose turn it is now.
func (e *evaluator) due(now float64) []*group {
	var due []*group
	for _, g := range e.groups {
		turns := (now - g.offset) / evaluateEvery
		if turns >= 0 && turns == float64(int64(turns)) {
			due = append(due, g)
		}
	}
	return due
}

// evaluate brings the alerts of a group up to date and returns those that are to be sent now.
func (e *evaluator) evaluate(w *world, g *group) []*activation {
	e.count++
	var send []*activation
	for _, watched := range g.rules {
		e.look(w, watched)
		watched.active = slices.DeleteFunc(watched.active, func(a *activation) bool {
			keep := a.settle(w.now, a.held == e.count)
			if !keep && watched.bySeries[a.series] == a {
				delete(watched.bySeries, a.series)
			}
			return !keep
		})
		for _, a := range watched.active {
			if a.due(w.now) {
				send = append(send, a)
			}
		}
	}
	return send
}

// look finds the series for which the rule's condition holds.
func (e *evaluator) look(w *world, watched *watch) {
	r := &watched.rule
	for _, s := range w.book.series[r.metric] {
		if s.only != "" && s.only != r.name {
			continue
		}
		natural := s.value > r.limit*s.scale
		if r.below {
			natural = s.value < r.limit*s.scale
		}
		if !natural && w.now >= s.boost {
			continue
		}
		a := watched.bySeries[s]
		if a == nil || a.state == over {
			watched.forget(a)
			a = &activation{rule: r, series: s, activeAt: w.now, kind: kindOf(r, natural)}
			if r.metric == standing { // it began long ago
				a.activeAt = -3600 * w.dice.between(2, 90, id(r.name), uint64(len(s.labels)))
			}
			watched.active = append(watched.active, a)
			watched.bySeries[s] = a
		}
		if !natural {
			a.kind = kindOf(r, false) // a blip keeps it up, whatever began it
		}
		a.held = e.count
		a.real = a.real || (natural && w.fault.kind != noFault && w.now > w.fault.at && r.metric < standing)
	}
}

// forget drops an alert that is over, because the same one begins anew: its end was sent, or nobody waits for it.
func (watched *watch) forget(a *activation) {
	if i := slices.Index(watched.active, a); i >= 0 {
		watched.active = slices.Delete(watched.active, i, i+1)
	}
}

// kindOf names noise as the truth of a recording does; alerts of the fault are told apart later.
func kindOf(r *rule, natural bool) string {
	switch {
	case r.metric == flapping:
		return "flap"
	case r.metric == standing:
		return "noise"
	case natural:
		return "noise"
	}
	return "transient"
}

// settle takes the alert one evaluation further and reports whether it is still of interest.
func (a *activation) settle(now float64, holds bool) bool {
	if holds {
		if a.state == pending && now-a.activeAt >= a.rule.hold {
			a.state, a.firedAt = firing, now
			if a.activeAt < 0 {
				a.firedAt = a.activeAt
			}
		}
		return true
	}
	switch a.state {
	case pending:
		return false
	case firing:
		a.state, a.overAt = over, now
		return true
	case over:
	}
	return now-a.overAt < repeatOver
}

// due reports whether the alert is to be sent, as Prometheus decides.
func (a *activation) due(now float64) bool {
	if a.state == pending {
		return false
	}
	if a.sends == 0 || (a.state == over && a.overAt > a.sentAt) {
		return true
	}
	return a.sentAt+resendAfter < now
}

// labels returns the alert's labels: those of the series, the severity and the name.
func (a *activation) labels() []label {
	labels := slices.Concat(a.series.labels, []label{{"alertname", a.rule.name}, {"severity", a.rule.severity}})
	slices.SortFunc(labels, func(x, y label) int { return strings.Compare(x.name, y.name) })
	return labels
}

// summary returns the rule's text for this alert.
func (a *activation) summary() string {
	return os.Expand(a.rule.summary, func(name string) string {
		if name == "value" {
			return format(a.series.value)
		}
		return valueOf(a.series.labels, name)
	})
}
