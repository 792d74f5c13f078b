package api

import (
	"context"
	"net/http"
	"time"

	"github.com/fairlead/fairlead/ops/notify"
)

// TeeReport is what Fairlead would have told, against what the tool that people use today did.
type TeeReport struct {
	From          time.Time       `json:"from"`
	To            time.Time       `json:"to"`
	Notifications int             `json:"notifications" doc:"How many the tool sent of firing alerts."`
	Resolved      int             `json:"resolved" doc:"How many it sent of ended alerts alone."`
	ByReceiver    map[string]int  `json:"byReceiver" doc:"The notifications by who was told."`
	Muted         int             `json:"muted,omitempty" doc:"How many different alerts the tool muted, as its event recorder says; each counts once, however often the tool looked at it."`
	Pages         int             `json:"pages" doc:"How often Fairlead told or would have: once for each incident."`
	Avoided       int             `json:"avoided" doc:"The notifications of incidents that Fairlead told of too, less one for each of these."`
	Same          int             `json:"same"`
	Later         int             `json:"later"`
	Missed        int             `json:"missed"`
	Extra         int             `json:"extra"`
	Incidents     []TeeComparison `json:"incidents" doc:"Missed, later, extra, same; each by time."`
	Integrations  []TeeDoor       `json:"integrations" doc:"Those that pass requests on, or tell what the tool did."`
}

// TeeComparison is one incident.
type TeeComparison struct {
	Incident      string     `json:"incident,omitempty"`
	Title         string     `json:"title"`
	Severity      string     `json:"severity"`
	Verdict       string     `json:"verdict" enum:"same,later,missed,extra"`
	ToldAt        *time.Time `json:"toldAt,omitempty" doc:"When the tool first told."`
	ShownAt       *time.Time `json:"shownAt,omitempty" doc:"When Fairlead told, or would have."`
	Notifications int        `json:"notifications"`
	Alerts        int        `json:"alerts"`
	Told          []string   `json:"told" doc:"Whom the tool told."`
	Receivers     []string   `json:"receivers" doc:"Whom Fairlead would have told."`
	Why           string     `json:"why" doc:"Why Fairlead would not have told, or why the tool did not, if it is known."`
}

// TeeDoor is an integration of a trial.
type TeeDoor struct {
	Name    string     `json:"name"`
	Kind    string     `json:"kind"`
	Forward string     `json:"forward"`
	Observe bool       `json:"observe"`
	LastAt  *time.Time `json:"lastAt,omitempty"`
}

type teeQuery struct {
	From        time.Time `query:"from" doc:"By default a week before to."`
	To          time.Time `query:"to" doc:"By default now."`
	Integration string    `query:"integration" doc:"The one through which the tool's notifications came; empty for all."`
	Late        string    `query:"late" default:"60s" doc:"How much later than the tool Fairlead may tell."`
}

func (a *API) teeRoutes() {
	route(a, http.MethodGet, "/tee/report", "getTeeReport", "What Fairlead would have told, against what today's tool did", a.getTeeReport)
}

func (a *API) getTeeReport(ctx context.Context, in *teeQuery) (*body[TeeReport], error) {
	q := notify.Question{From: in.From, To: in.To, Integration: in.Integration, Receivers: a.cfg.Receivers}
	if q.To.IsZero() {
		q.To = a.cfg.Clock.Now()
	}
	if q.From.IsZero() {
		q.From = q.To.Add(-7 * 24 * time.Hour)
	}
	switch length := q.To.Sub(q.From); {
	case length <= 0:
		return nil, invalid("query.to", in.To, "it must lie behind from")
	case length > notify.MaxReport:
		return nil, invalid("query.from", in.From, "a report covers at most 31 days")
	}
	var err error
	if q.Late, err = time.ParseDuration(in.Late); err != nil || q.Late < 0 {
		return nil, invalid("query.late", in.Late, "not a duration; write for instance 60s")
	}
	r, err := notify.Compare(ctx, a.cfg.DB.Read(), q)
	if err != nil {
		return nil, err
	}
	view := TeeReport{
		From: r.From, To: r.To, Notifications: r.Notifications, Resolved: r.Resolved, ByReceiver: r.ByReceiver, Muted: r.Muted, Pages: r.Pages, Avoided: r.Avoided,
		Same: r.Counts[notify.Same], Later: r.Counts[notify.Later], Missed: r.Counts[notify.Missed], Extra: r.Counts[notify.Extra],
		Incidents: []TeeComparison{}, Integrations: []TeeDoor{},
	}
	for _, c := range r.Incidents {
		view.Incidents = append(view.Incidents, TeeComparison{
			Incident: c.Incident, Title: c.Title, Severity: c.Severity.String(), Verdict: string(c.Verdict), ToldAt: optional(c.ToldAt), ShownAt: optional(c.ShownAt),
			Notifications: c.Notifications, Alerts: c.Alerts, Told: some(c.Told), Receivers: some(c.Receivers), Why: c.Why,
		})
	}
	for _, i := range a.cfg.Integrations.List() {
		if i.Forward != "" || i.Observe || i.Kind == "am-events" || i.Kind == "am-told" {
			_, counters, _, err := a.cfg.Integrations.Find(i.Name)
			if err == nil {
				view.Integrations = append(view.Integrations, TeeDoor{Name: i.Name, Kind: i.Kind, Forward: i.Forward, Observe: i.Observe, LastAt: optional(counters.LastAt)})
			}
		}
	}
	return answer(view), nil
}

func some(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
