package notify

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/alert"
)

// MaxFigures is the longest time that Count covers.
const MaxFigures = 366 * 24 * time.Hour

// FigureQuery says what Figures are about.
type FigureQuery struct {
	// From and To bound the time: incidents that were shown in it, alerts that came in it, pages and acts in it.
	From, To time.Time
	// Zone is where days, weeks, months and nights begin.
	Zone *time.Location
	// Period is how long a period lasts.
	Period Period
	// NightFrom and NightTo are the hours at which a night begins and ends, 0 to 23.
	NightFrom, NightTo int
	// Team selects what belongs to a team, "" what belongs to none; nil everything.
	Team *string
	// Teams selects what people of these teams see; nil what everybody together sees.
	Teams []string
	// People returns who is behind a receiver, by name; nil or none means that nobody is known.
	People func(receiver string) []string
}

// Period is how long a period of Figures lasts.
type Period string

// The periods. A week begins on a Monday.
const (
	Day   Period = "day"
	Week  Period = "week"
	Month Period = "month"
)

// Figure is how a time went for those who were on call.
type Figure struct {
	// Incidents is how many were shown in the time, Alerts how many alerts are in them.
	Incidents, Alerts int
	// Received is how many alerts came in the time; Untold how many of them nobody was told of.
	Received, Untold int
	// Ended is how many of the incidents have ended; Idle how many of these did so without anybody having done anything.
	Ended, Idle int
	// Acknowledge is the time from when an incident was shown to when a person first acknowledged it, or resolved it without;
	// Resolve from its first alert to its end, which is when a person resolved it or when its alerts had been over for incident.settle.
	Acknowledge, Resolve Spread
	// Pages is how many notifications that something fires were sent, whatever the number of integrations of a receiver;
	// NightPages how many of them at night.
	Pages, NightPages int
}

// Spread describes some durations; all are zero when N is.
type Spread struct {
	N                 int
	Mean, Median, P90 time.Duration
}

// PeriodFigure is the figure of a period.
type PeriodFigure struct {
	From, To time.Time
	Figure
}

// TeamFigure is the figure of a team; Team is "" for what belongs to none. What belongs to several counts for each.
type TeamFigure struct {
	Team string
	Figure
}

// Burden is what somebody was called for: a receiver or a person.
type Burden struct {
	Name string
	// People are those behind a receiver.
	People []string
	// Pages, and how many of them at night; Nights is how many nights had one, Worst how many the worst night had, which
	// began on the day WorstOn.
	Pages, NightPages, Nights, Worst int
	WorstOn                          time.Time
	// Acknowledged is how many incidents a person was the first to acknowledge; Acts what they did to incidents, NightActs
	// how much of it at night.
	Acknowledged, Acts, NightActs int
}

// Figures is how a time went for those who were on call: altogether, by period, by team, by receiver and by person.
type Figures struct {
	From, To time.Time
	// Nights is how many nights began in the time.
	Nights    int
	Total     Figure
	Periods   []PeriodFigure
	Teams     []TeamFigure
	Receivers []Burden
	People    []Burden
}

// Count reads the figures of a time.
func Count(ctx context.Context, db store.Querier, q FigureQuery) (*Figures, error) {
	c := &counter{q: &q}
	var err error
	if c.shown, err = loadShown(ctx, db, &q); err != nil {
		return nil, err
	}
	if c.received, err = alert.CountReceived(ctx, db, q.From, q.To, q.Teams); err != nil {
		return nil, err
	}
	if c.acts, err = loadActs(ctx, db, &q); err != nil {
		return nil, err
	}
	if c.pages, err = loadPages(ctx, db, &q); err != nil {
		return nil, err
	}
	if c.parts, err = alert.CountParts(ctx, db, c.incidents()); err != nil {
		return nil, err
	}
	return c.count(), nil
}

// counter holds what was read, and sums it up.
type counter struct {
	q        *FigureQuery
	shown    []*shownIncident
	parts    []alert.Part
	received []alert.Received
	acts     []act
	pages    []page

	teamsOf map[uint64][]string // of each incident
}

// incidents returns the numbers of all incidents that were read.
func (c *counter) incidents() []uint64 {
	numbers := map[uint64]bool{}
	for _, inc := range c.shown {
		numbers[inc.number] = true
	}
	for i := range c.acts {
		numbers[c.acts[i].incident] = true
	}
	for i := range c.pages {
		numbers[c.pages[i].incident] = true
	}
	return slices.Sorted(maps.Keys(numbers))
}

// tally collects one Figure.
type tally struct {
	Figure
	acknowledge, resolve []time.Duration
}

func (t *tally) done() Figure {
	t.Acknowledge, t.Resolve = spread(t.acknowledge), spread(t.resolve)
	return t.Figure
}

// count sums up. Each thing that is counted goes to the total, to its period and to its teams.
func (c *counter) count() *Figures {
	f := &Figures{From: c.q.From, To: c.q.To, Nights: Nights(c.q.From, c.q.To, c.q.Zone, c.q.NightFrom)}
	total, starts := &tally{}, c.q.starts()
	periods, teams := make([]tally, len(starts)), map[string]*tally{}
	each := func(at time.Time, of []string, add func(t *tally)) {
		add(total)
		i, exact := slices.BinarySearchFunc(starts, at, time.Time.Compare)
		if !exact {
			i--
		}
		add(&periods[max(0, i)])
		for _, team := range of {
			if teams[team] == nil {
				teams[team] = &tally{}
			}
			add(teams[team])
		}
	}
	c.sumParts()
	for _, inc := range c.shown {
		if of := c.teamsOf[inc.number]; c.wanted(of) {
			each(inc.shownAt, c.listed(of), inc.add)
		}
	}
	for i := range c.received {
		r := &c.received[i]
		if of := []string{r.Team}; c.wanted(of) {
			each(r.At, c.listed(of), func(t *tally) { t.Received, t.Untold = t.Received+r.Alerts, t.Untold+r.Untold })
		}
	}
	burdens := newBurdens()
	for i := range c.pages {
		p := &c.pages[i]
		if of := c.teamsOf[p.incident]; c.wanted(of) {
			night := c.night(p.at)
			each(p.at, c.listed(of), func(t *tally) {
				t.Pages++
				if !night.IsZero() {
					t.NightPages++
				}
			})
			burdens.page(c.q, p.receiver, night)
		}
	}
	for i := range c.acts {
		if a := &c.acts[i]; c.wanted(c.teamsOf[a.incident]) && !a.at.Before(c.q.From) && a.at.Before(c.q.To) {
			burdens.act(a, !c.night(a.at).IsZero())
		}
	}
	f.Total = total.done()
	for i, from := range starts {
		to := c.q.To
		if i+1 < len(starts) {
			to = starts[i+1]
		}
		f.Periods = append(f.Periods, PeriodFigure{From: from, To: to, Figure: periods[i].done()})
	}
	for team, t := range teams {
		f.Teams = append(f.Teams, TeamFigure{Team: team, Figure: t.done()})
	}
	slices.SortFunc(f.Teams, func(a, b TeamFigure) int {
		return cmp.Or(cmp.Compare(b.Incidents, a.Incidents), cmp.Compare(a.Team, b.Team))
	})
	f.Receivers, f.People = burdens.sorted()
	return f
}

// sumParts gives each incident its teams and its number of alerts, and says who did something to it first.
func (c *counter) sumParts() {
	c.teamsOf = map[uint64][]string{}
	alerts := map[uint64]int{}
	for _, p := range c.parts {
		c.teamsOf[p.Incident] = append(c.teamsOf[p.Incident], p.Team)
		alerts[p.Incident] += p.Alerts
	}
	for root, list := range c.teamsOf {
		if len(list) > 1 && list[0] == "" {
			c.teamsOf[root] = list[1:] // alerts without a team belong to those of the others
		}
	}
	byRoot := map[uint64]*shownIncident{}
	for _, inc := range c.shown {
		inc.alerts = alerts[inc.number]
		byRoot[inc.number] = inc
	}
	for i := range c.acts {
		a := &c.acts[i]
		inc := byRoot[a.incident]
		if inc == nil {
			continue
		}
		if !inc.ended() || !a.at.After(inc.endedAt) {
			inc.touched = true
		}
		if a.acknowledges() && inc.firstAt.IsZero() {
			inc.firstAt, a.first = a.at, true
		}
	}
}

// wanted reports whether what belongs to some teams is asked for.
func (c *counter) wanted(teams []string) bool {
	if c.q.Team == nil {
		return true
	}
	return slices.Contains(teams, *c.q.Team) || len(teams) == 0 && *c.q.Team == ""
}

// listed returns the teams that are shown to whoever asks: of an incident that several teams see, each sees its own.
func (c *counter) listed(teams []string) []string {
	if c.q.Teams == nil {
		return teams
	}
	return slices.DeleteFunc(slices.Clone(teams), func(team string) bool { return team != "" && !slices.Contains(c.q.Teams, team) })
}
