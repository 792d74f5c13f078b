package notify

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/ops/incident"
)

// Verdict compares what Fairlead would have told of an incident with what today's tool told.
type Verdict string

// The verdicts.
const (
	// Same: both told, Fairlead not later than Question.Late after the tool.
	Same Verdict = "same"
	// Later: both told, Fairlead later than that.
	Later Verdict = "later"
	// Missed: only the tool told.
	Missed Verdict = "missed"
	// Extra: only Fairlead would have told.
	Extra Verdict = "extra"
)

// Question says what a report is about.
type Question struct {
	// From and To bound it; at most MaxReport.
	From, To time.Time
	// Integration is the one through which the tool's notifications came; "" for all.
	Integration string
	// Late is how much later than the tool Fairlead may tell.
	Late time.Duration
	// Receivers returns whom Fairlead would tell of an alert with these labels; nil knows nobody by name.
	Receivers func(labels signal.Labels) []string
}

// MaxReport is the longest time that a report covers.
const MaxReport = 31 * 24 * time.Hour

// Compared is one incident, or what the tool told of alerts that are in none.
type Compared struct {
	// Incident is its id, "" when Fairlead has none; Title its title, or the names of the alerts.
	Incident, Title string
	Severity        signal.Severity
	Verdict         Verdict
	// ToldAt is when the tool first told of one of its alerts, ShownAt when Fairlead told, or would have; zero if never.
	ToldAt, ShownAt time.Time
	// Notifications is how many the tool sent of it, repeats and escalations included.
	Notifications int
	// Alerts is how many of its alerts the tool told of.
	Alerts int
	// Told and Receivers are whom the tool told, and Fairlead would have.
	Told, Receivers []string
	// Why says why Fairlead would not have told, or why the tool did not, if it is known.
	Why string
}

// Report is what Fairlead would have told, against what the tool did.
type Report struct {
	From, To time.Time
	// Notifications is how many the tool sent of firing alerts, Resolved how many of none; ByReceiver counts the first by whom.
	Notifications, Resolved int
	ByReceiver              map[string]int
	// Muted is how many different alerts the tool muted, however often it looked at them.
	Muted int
	// Pages is how often Fairlead would have told: once for each incident.
	Pages int
	// Avoided is how many of the notifications Fairlead would have spared: those of incidents that it told of too, less one
	// for each of these. What it missed is not spared.
	Avoided int
	// Counts by verdict.
	Counts map[Verdict]int
	// Incidents are sorted: missed, later, extra, same; each by time.
	Incidents []*Compared
}

// Compare reads what was witnessed and what Fairlead did in a time. It reads the alerts of that time once.
func Compare(ctx context.Context, db store.Querier, q Question) (*Report, error) {
	witnessed, err := LoadWitnessed(ctx, db, q.Integration, q.From, q.To)
	if err != nil {
		return nil, err
	}
	r := &Report{From: q.From, To: q.To, ByReceiver: map[string]int{}, Counts: map[Verdict]int{}}
	known, err := alertsOf(ctx, db, witnessed, q)
	if err != nil {
		return nil, err
	}
	shown, err := shownIn(ctx, db, q)
	if err != nil {
		return nil, err
	}
	byKey := map[string]*Compared{}
	at := func(key string) *Compared {
		c := byKey[key]
		if c == nil {
			c = &Compared{}
			byKey[key] = c
		}
		return c
	}
	counted := map[string]map[string]bool{} // alerts by key
	mutes := muted{byKey: map[string]string{}, alerts: map[string]bool{}}
	var about []map[string]bool // the keys of each notification
	for i := range witnessed {
		w := &witnessed[i]
		if w.Muted {
			mutes.add(w, known)
			continue
		}
		if !w.Firing() {
			r.Resolved++
			continue
		}
		r.Notifications++
		r.ByReceiver[w.Receiver]++
		touched := map[string]bool{}
		for _, a := range w.Alerts {
			if a.Resolved {
				continue
			}
			key, title := "alert "+a.Name, a.Name
			if row := known.find(a.Fingerprint, w.At); row != nil {
				key, title = incident.ID(row.Incident), ""
			}
			c := at(key)
			c.Title = cmp.Or(c.Title, title)
			if c.ToldAt.IsZero() || w.At.Before(c.ToldAt) {
				c.ToldAt = w.At
			}
			if counted[key] == nil {
				counted[key] = map[string]bool{}
			}
			counted[key][a.Fingerprint] = true
			if !touched[key] {
				touched[key] = true
				c.Notifications++
				c.Told = add(c.Told, w.Receiver)
			}
		}
		about = append(about, touched)
	}
	for key, alerts := range counted {
		byKey[key].Alerts = len(alerts)
	}
	for _, number := range shown {
		at(incident.ID(number))
	}
	if err := describe(ctx, db, byKey, known, &q); err != nil {
		return nil, err
	}
	r.sum(byKey, &q)
	mutes.explain(r, byKey)
	r.Avoided = avoided(byKey, about)
	return r, nil
}

// muted is what the tool muted.
type muted struct {
	byKey  map[string]string // by incident, what muted one of its alerts first
	alerts map[string]bool   // fingerprints
}

// add takes what the tool muted into account: it says so each time it looks at the alert, and that counts once.
func (m *muted) add(w *Witnessed, known seenAlerts) {
	for _, a := range w.Alerts {
		m.alerts[a.Fingerprint] = true
		if row := known.find(a.Fingerprint, w.At); row != nil {
			if key := incident.ID(row.Incident); m.byKey[key] == "" {
				m.byKey[key] = cmp.Or(w.Reason, "its own rules")
			}
		}
	}
}

// explain counts them, and says of the incidents that only Fairlead told of what muted them at the tool.
func (m *muted) explain(r *Report, byKey map[string]*Compared) {
	r.Muted = len(m.alerts)
	for key, by := range m.byKey {
		if c := byKey[key]; c != nil && c.Verdict == Extra {
			c.Why = "The tool muted it: " + by + "."
		}
	}
}

// avoided counts the notifications about incidents that Fairlead told of too, less one for each of these.
func avoided(byKey map[string]*Compared, about []map[string]bool) int {
	spared := 0
	for _, keys := range about {
		for key := range keys {
			if !byKey[key].ShownAt.IsZero() {
				spared++
				break
			}
		}
	}
	for _, c := range byKey {
		if c.Verdict == Same || c.Verdict == Later {
			spared--
		}
	}
	return max(0, spared)
}

// sum judges the incidents and puts them in order.
func (r *Report) sum(byKey map[string]*Compared, q *Question) {
	for _, c := range byKey {
		switch {
		case c.ShownAt.IsZero():
			c.Verdict = Missed
		case c.ToldAt.IsZero():
			c.Verdict = Extra
		case c.ShownAt.Sub(c.ToldAt) > q.Late:
			c.Verdict = Later
		default:
			c.Verdict = Same
		}
		if !c.ShownAt.IsZero() {
			r.Pages++
		}
		r.Counts[c.Verdict]++
		r.Incidents = append(r.Incidents, c)
	}
	order := map[Verdict]int{Missed: 0, Later: 1, Extra: 2, Same: 3}
	slices.SortFunc(r.Incidents, func(a, b *Compared) int {
		first := func(c *Compared) time.Time {
			if c.ToldAt.IsZero() {
				return c.ShownAt
			}
			return c.ToldAt
		}
		return cmp.Or(cmp.Compare(order[a.Verdict], order[b.Verdict]), first(a).Compare(first(b)), cmp.Compare(a.Title, b.Title))
	})
}

func add(list []string, text string) []string {
	if i, found := slices.BinarySearch(list, text); !found {
		return slices.Insert(list, i, text)
	}
	return list
}

// seenAlerts holds the alerts that a tool told of, by fingerprint, oldest first.
type seenAlerts map[string][]alert.Sighting

// ahead is how much later than a tool's notification of it an alert may have come here.
const ahead = 5 * time.Minute

// find returns the newest alert of a fingerprint that came before a notification, or soon after; nil if none did.
func (s seenAlerts) find(fingerprint string, told time.Time) *alert.Sighting {
	list := s[fingerprint]
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].Incident != 0 && !list[i].ReceivedAt.After(told.Add(ahead)) {
			return &list[i]
		}
	}
	return nil
}

// alertsOf reads the alerts that were told of.
func alertsOf(ctx context.Context, db store.Querier, witnessed []Witnessed, q Question) (seenAlerts, error) {
	wanted := map[string]bool{}
	for i := range witnessed {
		for _, a := range witnessed[i].Alerts {
			wanted[a.Fingerprint] = true
		}
	}
	seen := seenAlerts{}
	if len(wanted) == 0 {
		return seen, nil
	}
	err := alert.Sightings(ctx, db, q.From.Add(-MaxReport), q.To.Add(ahead), wanted, func(s *alert.Sighting) {
		seen[s.Fingerprint] = append(seen[s.Fingerprint], *s)
	})
	return seen, err
}

// shownIn returns the numbers of the incidents that people were told of, or would have been, in a time.
func shownIn(ctx context.Context, db store.Querier, q Question) ([]uint64, error) {
	var numbers []int64
	err := db.NewRaw("SELECT number FROM incidents WHERE merged_into = 0 AND shown_at >= ? AND shown_at < ? ORDER BY number", store.Millis(q.From), store.Millis(q.To)).Scan(ctx, &numbers)
	if err != nil {
		return nil, fmt.Errorf("read the incidents of a time: %w", store.Classify(err))
	}
	list := make([]uint64, len(numbers))
	for i, n := range numbers {
		list[i] = uint64(n) //nolint:gosec // numbers are positive
	}
	return list, nil
}

// describe fills in what the incidents are, and whom Fairlead would tell of them.
func describe(ctx context.Context, db store.Querier, byKey map[string]*Compared, known seenAlerts, q *Question) error {
	var numbers []uint64
	for key := range byKey {
		if number, err := incident.ParseID(key); err == nil {
			numbers = append(numbers, number)
		}
	}
	for len(numbers) > 0 {
		part := numbers[:min(len(numbers), 500)]
		numbers = numbers[len(part):]
		list, err := incident.FindAll(ctx, db, part)
		if err != nil {
			return err
		}
		for _, inc := range list {
			c := byKey[inc.ID()]
			c.Incident, c.Title, c.Severity, c.ShownAt = inc.ID(), inc.Title, inc.Severity, inc.ShownAt
			if c.ShownAt.IsZero() {
				c.Why = "It is " + string(inc.State) + ": " + whyNot(inc)
			}
		}
	}
	for key, c := range byKey {
		if c.Incident == "" {
			c.Why = "No such alert came here."
			if number, err := incident.ParseID(key); err == nil {
				c.Title = incident.ID(number)
			}
		}
	}
	if q.Receivers == nil {
		return nil
	}
	for _, list := range known {
		for i := range list {
			if c := byKey[incident.ID(list[i].Incident)]; c != nil && !c.ShownAt.IsZero() {
				for _, receiver := range q.Receivers(list[i].Labels) {
					c.Receivers = add(c.Receivers, receiver)
				}
			}
		}
	}
	return nil
}

func whyNot(inc *incident.Incident) string {
	switch t := &inc.Total; {
	case t.Silenced > 0:
		return "its alerts were silenced."
	case t.Inhibited > 0:
		return "its alerts were inhibited."
	case inc.State == incident.Suppressed:
		return "it cleared before anybody had to be told."
	}
	return "it still waits to see whether it clears by itself."
}
