package eval

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/ops/incident"
	"github.com/fairlead/fairlead/receive/alertmanager"
)

// ledger runs an engine over a stream and writes down what becomes of each alert.
type ledger struct {
	engine    *incident.Engine
	limits    alertmanager.Limits
	places    []place
	episodes  map[signal.Fingerprint]string // newest episode of each label set
	home      map[string]uint64             // incident of each episode
	alerts    map[uint64][]string           // episodes that are or were in each incident
	told      map[string]time.Time          // when people were told of each episode
	moved     map[string]time.Time          // when an episode that nobody was told of came from another incident
	incidents map[uint64]*standing
}

// standing is what is known of one incident.
type standing struct {
	into    uint64 // that it was merged into; 0 if none
	shownAt time.Time
}

// place is one alert of the stream, with its episode ("" when it was refused).
type place struct {
	line, pos int
	episode   string
}

func newLedger(engine *incident.Engine) *ledger {
	return &ledger{
		engine: engine, limits: alertmanager.DefaultLimits(), episodes: map[signal.Fingerprint]string{}, home: map[string]uint64{},
		alerts: map[uint64][]string{}, told: map[string]time.Time{}, moved: map[string]time.Time{}, incidents: map[uint64]*standing{},
	}
}

// line hands the alerts of one line to the engine.
func (l *ledger) line(number int, data []byte) error {
	line, err := parseLine(data)
	if err != nil {
		return err
	}
	l.advance(line.At)
	batch, err := alertmanager.Parse(line.Alerts, line.At, l.limits)
	if err != nil {
		return fmt.Errorf("alerts: %w", err)
	}
	for i := range batch.Alerts {
		batch.Alerts[i].Source = "prometheus"
	}
	for _, portion := range signal.DealAlerts(batch.Alerts) { // as the server does
		l.engine.Apply(line.At, portion.Alerts)
	}
	l.take()
	refused := map[int]bool{}
	for i := range batch.Rejected {
		refused[batch.Rejected[i].Index] = true
	}
	pos := 0
	for _, fingerprint := range batch.Fingerprints {
		for ; refused[pos]; pos++ {
			l.places = append(l.places, place{number, pos, ""})
		}
		l.places = append(l.places, place{number, pos, l.episodes[fingerprint]})
		pos++
	}
	for ; refused[pos]; pos++ {
		l.places = append(l.places, place{number, pos, ""})
	}
	return nil
}

// advance lets everything happen that waits for a time up to at, one time after the other.
func (l *ledger) advance(at time.Time) {
	for next := l.engine.NextTimer(); !next.IsZero() && !next.After(at); next = l.engine.NextTimer() {
		l.engine.Advance(next)
		l.take()
	}
}

// finish lets everything happen that still waits.
func (l *ledger) finish() {
	for next := l.engine.NextTimer(); !next.IsZero(); next = l.engine.NextTimer() {
		l.engine.Advance(next)
		l.take()
	}
}

// take writes down what changed.
func (l *ledger) take() {
	changes := l.engine.TakeChanges()
	for _, list := range [][]*alert.Episode{changes.Alerts.Fresh, changes.Alerts.Changed, changes.Alerts.Repeated} {
		for _, e := range list {
			l.episodes[e.Fingerprint] = e.ID
		}
	}
	for _, s := range changes.Steps {
		for _, id := range s.Alerts {
			if l.home[id] != 0 {
				l.moved[id] = s.At
			}
			l.home[id] = s.Incident
			l.alerts[s.Incident] = append(l.alerts[s.Incident], id)
		}
		if s.Kind == incident.StepMerge {
			l.standing(s.Other).into = s.Incident
			for _, id := range l.alerts[s.Other] {
				l.moved[id] = s.At
			}
			l.tell(s.Other, l.shown(s.Incident))
		}
	}
	for _, inc := range changes.Incidents {
		if in := l.standing(inc.Number); in.shownAt.IsZero() {
			in.shownAt = inc.ShownAt
		}
	}
	for _, inc := range changes.Incidents {
		l.tell(inc.Number, l.shown(inc.Number))
	}
}

// tell notes that people were told of all alerts of an incident, unless they were told of them before.
func (l *ledger) tell(number uint64, at time.Time) {
	if at.IsZero() {
		return
	}
	for _, id := range l.alerts[number] {
		if _, before := l.told[id]; !before && l.home[id] == number {
			l.told[id] = at
			if moved := l.moved[id]; moved.After(at) {
				l.told[id] = moved // into an incident that people had been told of before
			}
		}
	}
	l.alerts[number] = nil // what joins later is added again
}

func (l *ledger) standing(number uint64) *standing {
	if l.incidents[number] == nil {
		l.incidents[number] = &standing{}
	}
	return l.incidents[number]
}

// root returns the incident that stands for one after merges.
func (l *ledger) root(number uint64) uint64 {
	for l.standing(number).into != 0 {
		number = l.standing(number).into
	}
	return number
}

// shown returns when an incident, or the one that it was merged into, was shown; zero if never.
func (l *ledger) shown(number uint64) time.Time {
	if at := l.standing(number).shownAt; !at.IsZero() {
		return at
	}
	return l.standing(l.root(number)).shownAt
}

// row is one line of the output.
type row struct {
	Line    int     `json:"line"`
	Pos     int     `json:"pos"`
	Group   *string `json:"group"`
	PagedAt *string `json:"paged_at"`
}

func (l *ledger) write(out io.Writer) error {
	w := bufio.NewWriter(out)
	enc := json.NewEncoder(w)
	for _, p := range l.places {
		r := row{Line: p.line, Pos: p.pos}
		if home := l.home[p.episode]; home != 0 {
			root := l.root(home)
			if !l.standing(root).shownAt.IsZero() {
				id := incident.ID(root)
				at, known := l.told[p.episode]
				if !known {
					at = l.shown(home)
				}
				text := at.UTC().Format("2006-01-02T15:04:05.000Z07:00")
				r.Group, r.PagedAt = &id, &text
			}
		}
		if err := enc.Encode(r); err != nil {
			return fmt.Errorf("write the groups: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write the groups: %w", err)
	}
	return nil
}
