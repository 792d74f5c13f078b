package incident

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/ops/anomaly"
)

// Silences answers which silences mute an alert. *alert.Silences is one.
type Silences interface {
	// Match returns the ids of the active silences that match labels.
	Match(labels signal.Labels, now time.Time) []string
	// NextChange returns when a silence begins or ends next after now; zero when none does.
	NextChange(now time.Time) time.Time
	// Version changes whenever people changed a silence.
	Version() uint64
}

// Inhibitor answers which firing alerts inhibit another. *alert.Inhibitor is one.
type Inhibitor interface {
	// Fire and Resolve tell of every alert that begins and ends to fire. They return the ids of the alerts for which the
	// answer of Inhibited may have changed.
	Fire(id string, labels signal.Labels) []string
	Resolve(id string) []string
	// Inhibited returns the ids of the alerts that inhibit one with these labels.
	Inhibited(labels signal.Labels) []string
}

// Engine turns reports into incidents. See the package comment. It is not safe for concurrent use.
type Engine struct {
	cfg       Config
	now       time.Time
	tracker   *alert.Tracker
	grouping  *Grouping
	silences  Silences
	inhibitor Inhibitor

	silencesSeen uint64
	silencesDue  time.Time

	incidents    map[uint64]*Incident
	byGroup      map[GroupID]*Incident
	nextIncident uint64
	nextStep     uint64

	changed  []*Incident
	steps    []*Step
	undone   []*Step
	assigned map[assignKey]*Step // assign steps of this instant, so that a storm makes few steps
	ended    []*Incident         // ended incidents, oldest first, to be forgotten
	received uint64
	aside    []Move // what the Grouping did by itself after a person's step; see byHand
}

type assignKey struct{ into, from uint64 }

// NewEngine returns an Engine without alerts. topo, silences and inhibitor may be nil: then nothing is known of the map,
// and nothing is muted.
func NewEngine(cfg Config, topo Topology, silences Silences, inhibitor Inhibitor) *Engine {
	return &Engine{
		cfg: cfg, tracker: alert.NewTracker(cfg.Alert, 1), grouping: NewGrouping(cfg.Grouping, topo),
		silences: silences, inhibitor: inhibitor,
		incidents: map[uint64]*Incident{}, byGroup: map[GroupID]*Incident{}, nextIncident: 1, nextStep: 1,
		assigned: map[assignKey]*Step{},
	}
}

// Now returns the engine's time: the newest it was given.
func (e *Engine) Now() time.Time { return e.now }

// Apply takes the reports of one batch, received at a time; a time before Now counts as Now. It does first what waited
// for a time up to then.
func (e *Engine) Apply(at time.Time, reports []signal.Alert) {
	e.Advance(at)
	for i := range reports {
		e.received++
		if reports[i].Act == signal.Report {
			e.handle(e.tracker.Report(e.now, &reports[i]))
		} else {
			e.act(&reports[i])
		}
	}
	e.remute()
}

// Advance does what waited for a time up to now, in the order of those times.
func (e *Engine) Advance(now time.Time) {
	for e.AdvanceSome(now, math.MaxInt) {
		continue
	}
}

// AdvanceSome is Advance that stops after n alerts: it reports whether more waits. Until all is done, Now is the time of
// what was done last.
func (e *Engine) AdvanceSome(now time.Time, n int) (more bool) {
	e.settle()
	for ; ; n-- {
		due := e.nextTimer()
		if due.IsZero() || due.After(now) {
			break
		}
		if n <= 0 {
			return true
		}
		e.advance(due)
		if event, any := e.tracker.Advance(e.now); any {
			e.handle(event)
		}
		e.take(e.grouping.Advance(e.now))
		e.remute()
	}
	e.advance(now)
	e.remute()
	e.forget()
	return false
}

func (e *Engine) advance(now time.Time) {
	if now.After(e.now) {
		e.now = now
		clear(e.assigned)
	}
}

func (e *Engine) nextTimer() time.Time {
	next := e.tracker.NextTimer()
	return sooner(sooner(next, e.grouping.NextTimer()), e.silencesDue)
}

// NextTimer returns the earliest time at which something that people see waits; zero when nothing does.
func (e *Engine) NextTimer() time.Time {
	return sooner(sooner(e.tracker.NextDecision(), e.grouping.NextTimer()), e.silencesDue)
}

func sooner(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// handle passes one event of an alert on to the later stages.
func (e *Engine) handle(event alert.Event) {
	a := event.Episode
	if event.Was != nil {
		e.relabelled(a, event.Was)
	}
	switch event.Kind {
	case alert.Fired, alert.Returned:
		var hit []string
		if e.inhibitor != nil {
			hit = e.inhibitor.Fire(a.ID, a.Labels)
		}
		e.mute(a)
		e.take(e.grouping.Fire(e.now, e.member(a)))
		e.remuteThese(hit)
	case alert.Ended:
		e.take(e.grouping.Resolve(e.now, a.ID))
		if e.inhibitor != nil {
			e.remuteThese(e.inhibitor.Resolve(a.ID))
		}
	case alert.Nothing, alert.Calmed, alert.Forgotten:
	}
	e.recount(a)
}

// relabelled brings what is known of an alert's labels up to date after its sender changed them: what mutes it and what it
// mutes, how urgent its group is, what its incident is called. Where it was put stays: that follows from how it began.
func (e *Engine) relabelled(a *alert.Episode, was *alert.Was) {
	if inc := e.incidents[a.Incident]; inc != nil {
		inc.Own.count(&inc.Own.Entities, was.Entity.String(), -1)
		inc.Own.count(&inc.Own.Names, was.Name, -1)
		inc.Own.tallyNames(a, 1)
		if root := e.Root(a.Incident); root != nil && a.Severity > was.Severity {
			e.step(root, StepNote, engineActor, fmt.Sprintf("%s (%s) became %s at its sender; it was %s.", a.Name(), a.ID, a.Severity, was.Severity), nil)
		}
		inc.Own.Worst = max(inc.Own.Worst, a.Severity)
		e.touch(inc)
	}
	if a.State != alert.Firing {
		return
	}
	var hit []string
	if e.inhibitor != nil {
		hit = append(e.inhibitor.Resolve(a.ID), e.inhibitor.Fire(a.ID, a.Labels)...)
	}
	e.remuteOne(a)
	e.take(e.grouping.Grade(e.now, a.ID, a.Severity))
	e.remuteThese(hit)
}

func (e *Engine) member(a *alert.Episode) Member {
	return Member{
		ID: a.ID, Fingerprint: a.Fingerprint, Name: a.Name(), TemplateKey: a.TemplateKey, Labels: a.Labels, Severity: a.Severity, Weighed: a.Source == anomaly.Source,
		Service: a.Service, Instance: a.Instance, Host: a.Host, StartsAt: a.StartsAt, Muted: a.Muted(), Flapping: a.Flapping,
	}
}

// mute looks up what silences or inhibits an alert, and reports whether its being muted changed.
func (e *Engine) mute(a *alert.Episode) bool {
	before := a.Muted()
	var silencedBy, inhibitedBy []string
	if e.silences != nil {
		silencedBy = e.silences.Match(a.Labels, e.now)
	}
	if e.inhibitor != nil && a.State == alert.Firing {
		inhibitedBy = e.inhibitor.Inhibited(a.Labels)
	}
	wasSilenced, wasPlanned := alert.SplitMutes(a.SilencedBy)
	silenced, planned := alert.SplitMutes(silencedBy)
	e.noteMute(a, alert.StageSilence, "silenced", "silence", wasSilenced, silenced)
	e.noteMute(a, alert.StageMaintenance, "in maintenance", "maintenance window", wasPlanned, planned)
	e.noteMute(a, alert.StageInhibit, "inhibited", "alert", a.InhibitedBy, inhibitedBy)
	a.SilencedBy, a.InhibitedBy = silencedBy, inhibitedBy
	return a.Muted() != before
}

func (e *Engine) noteMute(a *alert.Episode, stage, outcome, by string, before, after []string) {
	switch {
	case len(before) == 0 && len(after) == 0, strings.Join(before, ",") == strings.Join(after, ","):
		return
	case len(after) == 0:
		a.Note(e.now, stage, "no longer "+outcome, "Nothing mutes it any more.")
	default:
		a.Note(e.now, stage, outcome, "Muted by "+by+" "+strings.Join(after[:min(5, len(after))], ", ")+".")
	}
	e.tracker.Touch(a)
}

// remute looks again at every firing alert when silences have changed.
func (e *Engine) remute() {
	if e.silences == nil {
		return
	}
	version := e.silences.Version()
	due := !e.silencesDue.IsZero() && !e.silencesDue.After(e.now)
	if version == e.silencesSeen && !due {
		return
	}
	e.silencesSeen = version
	for _, a := range e.firing() {
		e.remuteOne(a)
	}
	e.silencesDue = e.silences.NextChange(e.now)
}

// SetInhibitor replaces the rules of inhibition and looks again at every firing alert.
func (e *Engine) SetInhibitor(inhibitor Inhibitor) {
	e.inhibitor = inhibitor
	firing := e.firing()
	for _, a := range firing {
		inhibitor.Fire(a.ID, a.Labels)
	}
	for _, a := range firing {
		e.remuteOne(a)
	}
}

// firing returns the alerts that fire, oldest first.
func (e *Engine) firing() []*alert.Episode {
	var firing []*alert.Episode
	e.tracker.Each(func(a *alert.Episode) {
		if a.State == alert.Firing {
			firing = append(firing, a)
		}
	})
	sortEpisodes(firing)
	return firing
}

func (e *Engine) remuteThese(ids []string) {
	for _, id := range ids {
		if a := e.tracker.Episode(id); a != nil && a.State == alert.Firing {
			e.remuteOne(a)
		}
	}
}

func (e *Engine) remuteOne(a *alert.Episode) {
	if e.mute(a) {
		e.take(e.grouping.Mute(e.now, a.ID, a.Muted()))
	}
	e.recount(a)
}

// recount brings the tally of an alert's incident up to date with what the alert is now.
func (e *Engine) recount(a *alert.Episode) {
	before, after := a.Counted, a.Count()
	if before == after {
		return
	}
	a.Counted = after
	if before.Home != after.Home {
		if old := e.incidents[before.Home]; old != nil {
			old.Own.tally(before, -1)
			old.Own.tallyNames(a, -1)
			e.touch(old)
		}
		before = alert.Counted{}
	}
	inc := e.incidents[after.Home]
	if inc == nil {
		return
	}
	if before.Home == 0 {
		inc.Own.tallyNames(a, 1)
		inc.Own.Worst = max(inc.Own.Worst, a.Severity)
		inc.Own.Spark.Add(a.ReceivedAt, 1)
	} else {
		inc.Own.tally(before, -1)
	}
	inc.Own.tally(after, 1)
	inc.LastSeenAt = latest(inc.LastSeenAt, a.LastReceivedAt)
	e.touch(inc)
}

// tally adds (n = 1) or takes away (n = -1) one alert.
func (t *Tally) tally(c alert.Counted, n int) {
	t.Alerts += n
	t.Reports += n * c.Reports
	t.Firing += n * one(c.Firing)
	t.Silenced += n * one(c.Silenced)
	t.Inhibited += n * one(c.Inhibited)
	t.Flapping += n * one(c.Flapping)
}

func (t *Tally) tallyNames(a *alert.Episode, n int) {
	t.count(&t.Entities, a.Entity().String(), n)
	t.count(&t.Names, a.Name(), n)
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// touch marks an incident, and those it was merged into, as changed.
func (e *Engine) touch(inc *Incident) {
	for inc != nil {
		if !inc.dirty {
			inc.dirty = true
			e.changed = append(e.changed, inc)
		}
		inc = e.incidents[inc.MergedInto]
	}
}

// Root returns the incident that stands for this number after merges; nil when it is not in memory.
func (e *Engine) Root(number uint64) *Incident {
	inc := e.incidents[number]
	for inc != nil && inc.MergedInto != 0 && e.incidents[inc.MergedInto] != nil {
		inc = e.incidents[inc.MergedInto]
	}
	return inc
}

// step appends a step about inc and returns it, so that the caller can add to it.
func (e *Engine) step(inc *Incident, kind StepKind, actor, text string, terms []Term) *Step {
	s := &Step{Number: e.nextStep, At: e.now, Incident: inc.Number, Kind: kind, Actor: actor, Text: text, Terms: terms, Before: inc.State}
	e.nextStep++
	e.steps = append(e.steps, s)
	e.touch(inc)
	return s
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + one + "s"
}
