package notify

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/ops/incident"
)

// figuresOf lets a team live through a day and a night: one incident that is acknowledged and resolved, one at night that ends
// with nobody having done anything, and one that clears before anybody is told.
func figuresOf(t *testing.T, change func(q *FigureQuery)) *Figures {
	t.Helper()
	p := newPlay(t, func(*Config) {})
	from := p.clock.Now()
	p.fire("Down pay web", "Slow pay web")
	p.pass(4 * time.Minute)
	p.act(func(e *incident.Engine) error { _, err := e.Comment(1, "bob", "Looking."); return err })
	p.pass(2 * time.Minute)
	p.act(func(e *incident.Engine) error { _, err := e.Acknowledge(1, "ann", ""); return err })
	p.pass(4 * time.Minute)
	p.end("Down pay web", "Slow pay web")
	p.pass(10*time.Hour + 20*time.Minute) // now it is night
	p.fire("Late night db")
	p.pass(90 * time.Minute)
	p.end("Late night db")
	p.pass(time.Hour)
	p.severity = "warning"
	p.fire("Brief pay cache")
	p.pass(time.Minute)
	p.end("Brief pay cache")
	p.pass(2 * time.Hour)
	q := FigureQuery{From: from, To: p.clock.Now(), Zone: time.UTC, Period: Day, NightFrom: 22, NightTo: 7, People: func(receiver string) []string {
		return map[string][]string{"night": {"ann", "cleo"}}[receiver]
	}}
	if change != nil {
		change(&q)
	}
	f, err := Count(t.Context(), p.db.Read(), q)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFiguresAreThoseOfTheStory(t *testing.T) {
	f := figuresOf(t, nil)
	minutes := func(n int) Spread {
		d := time.Duration(n) * time.Minute
		return Spread{N: 1, Mean: d, Median: d, P90: d}
	}
	want := []TeamFigure{
		{Team: "night", Figure: Figure{Incidents: 1, Alerts: 1, Received: 1, Ended: 1, Idle: 1, Resolve: minutes(95), Pages: 2, NightPages: 2}},
		{Team: "pay", Figure: Figure{Incidents: 1, Alerts: 2, Received: 3, Untold: 1, Ended: 1, Acknowledge: minutes(6), Resolve: minutes(15), Pages: 1}},
	}
	if diff := cmp.Diff(want, f.Teams); diff != "" {
		t.Errorf("teams (-want +got):\n%s", diff)
	}
	// An incident ends when its alerts have been over for five minutes.
	if r, want := f.Total.Resolve, (Spread{N: 2, Mean: 55 * time.Minute, Median: 55 * time.Minute, P90: 95 * time.Minute}); r != want {
		t.Errorf("times to resolve are %+v, want 15 and 95 minutes", r)
	}
	if f.Total.Incidents != 2 || f.Total.Alerts != 3 || f.Total.Received != 4 || f.Total.Pages != 3 {
		t.Errorf("altogether %+v", f.Total)
	}
	night := time.Date(f.From.Year(), f.From.Month(), f.From.Day(), 0, 0, 0, 0, time.UTC)
	receivers := []Burden{
		{Name: "night", People: []string{"ann", "cleo"}, Pages: 2, NightPages: 2, Nights: 1, Worst: 2, WorstOn: night},
		{Name: "all", Pages: 1},
	}
	if diff := cmp.Diff(receivers, f.Receivers); diff != "" {
		t.Errorf("receivers (-want +got):\n%s", diff)
	}
	people := []Burden{
		{Name: "ann", Pages: 2, NightPages: 2, Nights: 1, Worst: 2, WorstOn: night, Acknowledged: 1, Acts: 1},
		{Name: "cleo", Pages: 2, NightPages: 2, Nights: 1, Worst: 2, WorstOn: night},
		{Name: "bob", Acts: 1},
	}
	if diff := cmp.Diff(people, f.People); diff != "" {
		t.Errorf("people (-want +got):\n%s", diff)
	}
	if len(f.Periods) != 2 || f.Periods[0].Incidents != 2 || f.Periods[0].Received != 3 || f.Periods[1].Received != 1 || f.Periods[1].Untold != 1 {
		t.Errorf("by day %+v", f.Periods)
	}
}

func TestFiguresOfATeamAreItsOwn(t *testing.T) {
	team := "pay"
	f := figuresOf(t, func(q *FigureQuery) { q.Team = &team })
	if f.Total.Incidents != 1 || f.Total.Received != 3 || f.Total.Pages != 1 || len(f.Receivers) != 1 {
		t.Errorf("of one team %+v, receivers %+v", f.Total, f.Receivers)
	}
	f = figuresOf(t, func(q *FigureQuery) { q.Teams = []string{"night"} })
	if f.Total.Incidents != 1 || f.Total.Received != 1 || len(f.Teams) != 1 || f.Teams[0].Team != "night" || len(f.People) != 2 {
		t.Errorf("for somebody of one team %+v, teams %+v, people %+v", f.Total, f.Teams, f.People)
	}
	none := ""
	if f = figuresOf(t, func(q *FigureQuery) { q.Team = &none }); f.Total.Incidents != 0 || f.Total.Received != 0 {
		t.Errorf("of no team %+v", f.Total)
	}
}

func TestPeriodsAndNightsFollowTheClocksOfTheirZone(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(text string) time.Time {
		parsed, err := time.ParseInLocation("2006-01-02 15:04", text, berlin)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	for _, test := range []struct {
		period   Period
		from, to string
		want     []string
	}{
		{Day, "2026-10-24 12:00", "2026-10-26 12:00", []string{"2026-10-24 12:00", "2026-10-25 00:00", "2026-10-26 00:00"}}, // 25 hours between
		{Week, "2026-03-18 09:00", "2026-03-31 00:00", []string{"2026-03-18 09:00", "2026-03-23 00:00", "2026-03-30 00:00"}},
		{Week, "2026-03-23 00:00", "2026-03-30 00:00", []string{"2026-03-23 00:00"}},
		{Month, "2026-01-31 10:00", "2026-03-01 00:01", []string{"2026-01-31 10:00", "2026-02-01 00:00", "2026-03-01 00:00"}},
	} {
		q := &FigureQuery{From: at(test.from), To: at(test.to), Zone: berlin, Period: test.period}
		var got []string
		for _, start := range q.starts() {
			got = append(got, start.In(berlin).Format("2006-01-02 15:04"))
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s from %s (-want +got):\n%s", test.period, test.from, diff)
		}
	}
	c := &counter{q: &FigureQuery{From: at("2026-10-24 12:00"), To: at("2026-10-26 12:00"), Zone: berlin, NightFrom: 22, NightTo: 7}}
	for text, want := range map[string]string{
		"2026-10-24 21:59": "", "2026-10-24 22:00": "2026-10-24 00:00", "2026-10-25 06:59": "2026-10-24 00:00", "2026-10-25 07:00": "",
	} {
		var got string
		if night := c.night(at(text)); !night.IsZero() {
			got = night.Format("2006-01-02 15:04")
		}
		if got != want {
			t.Errorf("the night of %s is %q, want %q", text, got, want)
		}
	}
	if n := Nights(c.q.From, c.q.To, berlin, c.q.NightFrom); n != 2 {
		t.Errorf("%d nights, want 2", n)
	}
	c.q.NightFrom, c.q.NightTo = 0, 6
	if n := Nights(c.q.From, c.q.To, berlin, c.q.NightFrom); n != 2 || c.night(at("2026-10-25 05:00")) != at("2026-10-25 00:00") || !c.night(at("2026-10-25 06:00")).IsZero() {
		t.Errorf("with nights after midnight %d of them", n)
	}
}
