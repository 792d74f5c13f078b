package notify

import (
	"encoding/binary"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
)

// prints is a sorted set of label fingerprints.
type prints []uint64

func (p prints) has(fingerprint uint64) bool {
	_, found := slices.BinarySearch(p, fingerprint)
	return found
}

// within reports whether all of p are in other.
func (p prints) within(other prints) bool {
	return !slices.ContainsFunc(p, func(f uint64) bool { return !other.has(f) })
}

func (p prints) String() string {
	texts := make([]string, len(p))
	for i, f := range p {
		texts[i] = strconv.FormatUint(f, 36)
	}
	return strings.Join(texts, " ")
}

func parsePrints(text string) prints {
	var p prints
	for word := range strings.FieldsSeq(text) {
		if f, err := strconv.ParseUint(word, 36, 64); err == nil {
			p = append(p, f)
		}
	}
	slices.Sort(p)
	return p
}

// entry is what one integration was last told of a group. The zero entry was never told.
type entry struct {
	integration string
	sequence    uint64
	toldAt      time.Time
	// firing and resolved are the alerts of the last notification, or of the one on its way.
	firing, resolved prints
	// pending says that one is on its way.
	pending bool
	// muted holds the time intervals for which muting was recorded last; "" when it is not muted.
	muted  string
	memory map[string]string
}

// member is one alert in a group.
type member struct {
	seq         uint64
	fingerprint uint64
	// routes are those that led here; all of the alert's routes for an escalation.
	routes     []*Route
	incident   *view
	firing     bool
	flapping   bool
	startsAt   time.Time // the sender's
	received   time.Time
	resolvedAt time.Time // zero while firing
	// grade is the severity of an alert that its sender may make worse, 0 for others.
	grade signal.Severity
}

// grades returns one print for each severity up to the alert's: so one that became worse than was told is news, and one that
// became milder is not.
func (m *member) grades() prints {
	var list prints
	for s := signal.Severity(1); s <= m.grade; s++ {
		h := fnv.New64a()
		_, _ = h.Write(binary.BigEndian.AppendUint64([]byte{byte(s)}, m.fingerprint))
		list = append(list, h.Sum64())
	}
	return list
}

// view is what deciding needs of an incident.
type view struct {
	number       uint64
	shown        bool
	shownAt      time.Time
	acknowledged bool
	ended        bool
	endedAt      time.Time
}

// group is what one notification stands for: an incident or an alert group, and one receiver.
type group struct {
	key, receiver string
	// incident is the number for a group that stands for an incident; 0 for an alert group.
	incident uint64
	// route is the first that led here; nil for an escalation and for what the plan no longer leads to.
	route                  *Route
	wait, interval, repeat time.Duration
	escalateAfter          time.Duration // 0: not an escalation
	members                map[uint64]*member
	entries                map[string]*entry
	// again holds when alerts were seen to fire again of which an end was told, by fingerprint.
	again map[uint64]time.Time
	// next is when to look again, sure the same without repeats and the ends of time intervals; zero: when something changes.
	next, sure time.Time
}

func (g *group) id() string { return g.receiver + "\x00" + g.key }

// content is what a notification would hold for one integration.
type content struct {
	firing, resolved         prints
	firingAlerts, endedOnes  []*member
	acknowledged, ended      bool
	newestShown, oldestFresh time.Time
	// longAgo says that an alert that was not told began at its sender longer ago than group_wait when it came; oldestEnd is
	// the oldest end that was not told.
	longAgo   bool
	oldestEnd time.Time
}

// contentFor sorts the members by what entry was told of.
func (g *group) contentFor(e *entry, members []*member) content {
	c := content{acknowledged: true, ended: true}
	for _, m := range members {
		told := e.firing.has(m.fingerprint)
		firing := m.firing
		if m.flapping { // its changes are held back: it stays as it was told
			if !told {
				continue
			}
			firing = true
		}
		if firing && !m.incident.ended {
			c.firing = append(append(c.firing, m.fingerprint), m.grades()...)
			c.firingAlerts = append(c.firingAlerts, m)
			c.acknowledged = c.acknowledged && m.incident.acknowledged
			if !told {
				c.addFresh(g, e, m)
			}
			if !told && m.incident.shownAt.After(c.newestShown) {
				c.newestShown = m.incident.shownAt
			}
		} else if told || !e.toldAt.IsZero() && m.resolvedAt.After(e.toldAt) {
			c.resolved = append(c.resolved, m.fingerprint)
			c.endedOnes = append(c.endedOnes, m)
			if !e.resolved.has(m.fingerprint) {
				c.oldestEnd = sooner(c.oldestEnd, m.resolvedAt)
			}
		}
		c.ended = c.ended && m.incident.ended
	}
	slices.Sort(c.firing)
	slices.Sort(c.resolved)
	return c
}

// addFresh takes a firing alert into account that was not told.
func (c *content) addFresh(g *group, e *entry, m *member) {
	since := m.received
	if again := g.again[m.fingerprint]; !again.IsZero() && !again.Before(e.toldAt) {
		since = again
	} else {
		c.longAgo = c.longAgo || m.startsAt.Add(g.wait).Before(since)
	}
	c.oldestFresh = sooner(c.oldestFresh, since)
}

// perIncident reports whether the group stands for an incident.
func (g *group) perIncident() bool { return g.incident != 0 }

// flush returns when Alertmanager would look at an alert group for what happened at a time: the first multiple of
// group_interval after what was last told that is not before it.
func (g *group) flush(e *entry, at time.Time) time.Time {
	next := e.toldAt.Add(g.interval)
	if late := at.Sub(next); late > 0 && g.interval > 0 {
		next = next.Add((late + g.interval - 1) / g.interval * g.interval)
	}
	return next
}

// decide returns why an integration is to be told, and from when on; "" when there is nothing to tell until something
// changes. It follows Alertmanager, also in its times for alert groups: the hold of incidents says nothing there. An
// incident's notification says that it ended only when the incident has.
func (g *group) decide(e *entry, sendResolved bool, c *content) (why Why, due time.Time) {
	if e.pending {
		return "", due
	}
	switch {
	case len(c.firing) == 0 && len(e.firing) == 0:
		return "", due
	case !c.firing.within(e.firing):
		return g.decideFiring(e, c)
	case len(c.firing) == 0 && g.perIncident() && !c.ended:
		return "", due
	case len(c.firing) == 0 && g.perIncident():
		return WhyAllEnded, e.toldAt // nothing joins an incident that has ended: there is nothing to wait for
	case len(c.firing) == 0:
		return WhyAllEnded, g.flush(e, c.oldestEnd)
	case !g.perIncident() && sendResolved && !c.resolved.within(e.resolved):
		return WhyEnded, g.flush(e, c.oldestEnd)
	case c.acknowledged:
		return "", due
	case !g.perIncident():
		return WhyRepeat, g.flush(e, e.toldAt.Add(g.repeat))
	}
	return WhyRepeat, e.toldAt.Add(g.repeat)
}

// decideFiring is decide for alerts that were not told.
func (g *group) decideFiring(e *entry, c *content) (Why, time.Time) {
	if g.escalateAfter > 0 && len(e.firing) == 0 {
		if c.acknowledged {
			return "", time.Time{}
		}
		return WhyFirst, c.newestShown.Add(g.escalateAfter)
	}
	switch {
	case g.perIncident():
	case len(e.firing) > 0:
		return WhyNew, g.flush(e, c.oldestFresh)
	case c.longAgo:
		return WhyFirst, c.oldestFresh
	default:
		return WhyFirst, c.oldestFresh.Add(g.wait)
	}
	due := later(c.newestShown, c.oldestFresh.Add(g.wait))
	if !e.toldAt.IsZero() {
		due = later(due, e.toldAt.Add(g.interval))
	}
	if len(e.firing) == 0 {
		return WhyFirst, due
	}
	return WhyNew, due
}

// mutedBy splits the members into those that a time interval lets through, and names the intervals that mute others.
func (g *group) mutedBy(p *Plan, now time.Time) (audible []*member, intervals []string) {
	known := map[*Route][]string{}
	for _, m := range g.members {
		quiet := len(m.routes) > 0
		for _, r := range m.routes {
			by, asked := known[r]
			if !asked {
				by = p.MutedBy(r, now)
				known[r] = by
			}
			if len(by) == 0 {
				quiet = false
				continue
			}
			for _, name := range by {
				if !slices.Contains(intervals, name) {
					intervals = append(intervals, name)
				}
			}
		}
		if !quiet {
			audible = append(audible, m)
		}
	}
	slices.Sort(intervals)
	slices.SortFunc(audible, bySeq)
	return audible, intervals
}

func bySeq(a, b *member) int {
	switch {
	case a.seq < b.seq:
		return -1
	case a.seq > b.seq:
		return 1
	}
	return 0
}

func (g *group) all() []*member {
	members := make([]*member, 0, len(g.members))
	for _, m := range g.members {
		members = append(members, m)
	}
	slices.SortFunc(members, bySeq)
	return members
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// sooner returns the earlier of two times of which zero means never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
