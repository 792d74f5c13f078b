package api

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/ops/notify"
)

// Analytics is how a time went for those who were on call.
type Analytics struct {
	From      time.Time         `json:"from"`
	To        time.Time         `json:"to"`
	Zone      string            `json:"zone" doc:"Where days and nights begin."`
	Nights    int               `json:"nights" doc:"How many nights began in the time."`
	Total     Figure            `json:"total"`
	Periods   []AnalyticsPeriod `json:"periods" doc:"By time; the first and the last may be cut short."`
	Teams     []AnalyticsTeam   `json:"teams" doc:"What belongs to several teams counts for each."`
	Receivers []Burden          `json:"receivers" doc:"Who was notified, most first."`
	People    []Burden          `json:"people" doc:"Who was called or acted, most first. A receiver stands for the person of that name, or for the responders of the team of that name."`
}

// Figure is one set of figures.
type Figure struct {
	Incidents    int      `json:"incidents" doc:"Incidents that left forming in the time; merged ones count once."`
	Alerts       int      `json:"alerts" doc:"Alerts in these incidents."`
	PerIncident  *float64 `json:"alertsPerIncident" doc:"alerts / incidents; null without incidents."`
	Received     int      `json:"received" doc:"Alerts that came in the time."`
	Untold       int      `json:"untold" doc:"Of these, those that nobody was told of: silenced, inhibited, flapping, or in an incident that never left forming."`
	NoiseShare   *float64 `json:"noiseShare" doc:"untold / received; null without alerts."`
	Ended        int      `json:"ended" doc:"Incidents that have ended."`
	Idle         int      `json:"idle" doc:"Of these, those that ended without anybody having done anything to them."`
	IdleShare    *float64 `json:"idleShare" doc:"idle / ended; null when none has ended."`
	Acknowledge  Spread   `json:"timeToAcknowledge" doc:"From when an incident was shown to when a person first acknowledged it, or resolved it without. Those nobody acknowledged are left out. The mean is MTTA."`
	Resolve      Spread   `json:"timeToResolve" doc:"From an incident's first alert to its end: a person resolved it, or its alerts had been over for incident.settle. The mean is MTTR."`
	Pages        int      `json:"pages" doc:"Notifications sent that something fires: first, new alerts, repeats. One for each receiver, whatever the number of its integrations. Those older than 90 days are not kept."`
	NightPages   int      `json:"nightPages" doc:"Of these, those at night."`
	PagesByNight *float64 `json:"pagesPerNight" doc:"nightPages / nights; null when no night began."`
}

// Spread describes durations, in seconds; those are null when n is 0.
type Spread struct {
	N      int      `json:"n" doc:"How many were measured."`
	Mean   *float64 `json:"mean" doc:"Seconds."`
	Median *float64 `json:"median" doc:"Seconds."`
	P90    *float64 `json:"p90" doc:"Seconds; nine of ten are not longer."`
}

// AnalyticsPeriod is the figure of a day, week or month.
type AnalyticsPeriod struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Figure Figure    `json:"figure"`
}

// AnalyticsTeam is the figure of a team.
type AnalyticsTeam struct {
	Team   string `json:"team" doc:"The alerts' label team; empty for what has none."`
	Figure Figure `json:"figure"`
}

// Burden is what somebody was called for, and did.
type Burden struct {
	Name         string   `json:"name"`
	People       []string `json:"people" doc:"Those behind a receiver; empty when nobody is known by its name."`
	Pages        int      `json:"pages"`
	NightPages   int      `json:"nightPages"`
	PerNight     *float64 `json:"pagesPerNight" doc:"nightPages / nights; null when no night began."`
	Nights       int      `json:"nights" doc:"How many nights had a page."`
	Worst        int      `json:"worstNight" doc:"The most pages in one night."`
	WorstOn      string   `json:"worstNightOn" doc:"The day on which that night began, in the zone; empty without one." example:"2026-11-24"`
	Acknowledged int      `json:"acknowledged" doc:"Incidents that a person was the first to acknowledge."`
	Acts         int      `json:"acts" doc:"What a person did to incidents."`
	NightActs    int      `json:"nightActs"`
}

type analyticsQuery struct {
	From   time.Time `query:"from" doc:"By default 28 days before to."`
	To     time.Time `query:"to" doc:"By default now."`
	Period string    `query:"period" enum:"day,week,month" default:"day"`
	Zone   string    `query:"zone" maxLength:"64" default:"UTC" doc:"An IANA time zone." example:"Europe/Berlin"`
	Night  string    `query:"night" maxLength:"5" default:"22-7" doc:"The hours at which a night begins and ends."`
	Team   string    `query:"team" maxLength:"1000" doc:"Only what belongs to this team; \"-\" what belongs to none; empty everything."`
}

func (a *API) analyticsRoutes() {
	route(a, http.MethodGet, "/analytics", "getAnalytics", "MTTA, MTTR, alerts per incident, noise and pages, by time, team and person", a.getAnalytics)
}

func (a *API) getAnalytics(ctx context.Context, in *analyticsQuery) (*body[Analytics], error) {
	q, err := in.parse(a.cfg.Clock.Now())
	if err != nil {
		return nil, err
	}
	q.Teams = access.ScopeOf(ctx).Limit()
	if a.cfg.People != nil {
		users, err := a.cfg.People.Users(ctx)
		if err != nil {
			return nil, err
		}
		q.People = func(receiver string) []string { return behind(users, receiver) }
	}
	f, err := notify.Count(ctx, a.cfg.DB.Read(), *q)
	if err != nil {
		return nil, err
	}
	view := Analytics{
		From: f.From.UTC(), To: f.To.UTC(), Zone: q.Zone.String(), Nights: f.Nights, Total: figure(&f.Total, f.Nights),
		Periods: []AnalyticsPeriod{}, Teams: []AnalyticsTeam{}, Receivers: burdens(f.Receivers, f.Nights), People: burdens(f.People, f.Nights),
	}
	for i := range f.Periods {
		p := &f.Periods[i]
		view.Periods = append(view.Periods, AnalyticsPeriod{From: p.From.UTC(), To: p.To.UTC(), Figure: figure(&p.Figure, notify.Nights(p.From, p.To, q.Zone, q.NightFrom))})
	}
	for i := range f.Teams {
		view.Teams = append(view.Teams, AnalyticsTeam{Team: f.Teams[i].Team, Figure: figure(&f.Teams[i].Figure, f.Nights)})
	}
	return answer(view), nil
}

// behind returns the people that a receiver stands for: the person of its name, or the responders of the team of its name.
func behind(users []access.User, receiver string) (names []string) {
	for i := range users {
		u := &users[i]
		if u.Disabled {
			continue
		}
		if u.Name == receiver {
			return []string{u.Name}
		}
		for _, g := range u.Grants {
			if g.Role == access.Responder && slices.Contains(g.Teams, receiver) && !slices.Contains(names, u.Name) {
				names = append(names, u.Name)
			}
		}
	}
	return names
}

func (in *analyticsQuery) parse(now time.Time) (*notify.FigureQuery, error) {
	q := &notify.FigureQuery{From: in.From, To: in.To, Period: notify.Period(in.Period)}
	if q.To.IsZero() {
		q.To = now
	}
	if q.From.IsZero() {
		q.From = q.To.Add(-28 * 24 * time.Hour)
	}
	switch length := q.To.Sub(q.From); {
	case length <= 0:
		return nil, invalid("query.to", in.To, "it must lie behind from")
	case length > notify.MaxFigures:
		return nil, invalid("query.from", in.From, "ask for at most 366 days")
	}
	var err error
	if q.Zone, err = time.LoadLocation(in.Zone); err != nil || in.Zone == "Local" {
		return nil, invalid("query.zone", in.Zone, "write an IANA time zone, for instance Europe/Berlin")
	}
	from, to, _ := strings.Cut(in.Night, "-")
	var err2 error
	q.NightFrom, err = strconv.Atoi(from)
	q.NightTo, err2 = strconv.Atoi(to)
	if err != nil || err2 != nil || min(q.NightFrom, q.NightTo) < 0 || max(q.NightFrom, q.NightTo) > 23 || q.NightFrom == q.NightTo {
		return nil, invalid("query.night", in.Night, "write two different hours from 0 to 23, for instance 22-7")
	}
	switch in.Team {
	case "":
	case "-":
		q.Team = new(string)
	default:
		q.Team = &in.Team
	}
	return q, nil
}

func figure(f *notify.Figure, nights int) Figure {
	return Figure{
		Incidents: f.Incidents, Alerts: f.Alerts, PerIncident: ratio(f.Alerts, f.Incidents), Received: f.Received, Untold: f.Untold, NoiseShare: ratio(f.Untold, f.Received),
		Ended: f.Ended, Idle: f.Idle, IdleShare: ratio(f.Idle, f.Ended), Acknowledge: spread(f.Acknowledge), Resolve: spread(f.Resolve),
		Pages: f.Pages, NightPages: f.NightPages, PagesByNight: ratio(f.NightPages, nights),
	}
}

func spread(s notify.Spread) Spread {
	if s.N == 0 {
		return Spread{}
	}
	seconds := func(d time.Duration) *float64 {
		value := math.Round(d.Seconds()*1000) / 1000
		return &value
	}
	return Spread{N: s.N, Mean: seconds(s.Mean), Median: seconds(s.Median), P90: seconds(s.P90)}
}

// ratio returns part / whole; nil when there is no whole.
func ratio(part, whole int) *float64 {
	if whole == 0 {
		return nil
	}
	value := float64(part) / float64(whole)
	return &value
}

func burdens(list []notify.Burden, nights int) []Burden {
	view := make([]Burden, 0, len(list))
	for i := range list {
		b := &list[i]
		worst := ""
		if b.Worst > 0 {
			worst = b.WorstOn.Format(time.DateOnly)
		}
		view = append(view, Burden{
			Name: b.Name, People: some(b.People), Pages: b.Pages, NightPages: b.NightPages, PerNight: ratio(b.NightPages, nights), Nights: b.Nights,
			Worst: b.Worst, WorstOn: worst, Acknowledged: b.Acknowledged, Acts: b.Acts, NightActs: b.NightActs,
		})
	}
	return view
}
