package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/ops/incident"
)

// AlertQuery asks for alerts. It is exported because huma fills embedded structs only then.
type AlertQuery struct {
	State       string    `query:"state" enum:"firing,resolved"`
	Told        string    `query:"told" enum:"yes,no" doc:"Whether anybody was told."`
	Disposition []string  `query:"disposition" enum:"told,held,silenced,inhibited,flapping,suppressed" doc:"One or more, with commas."`
	Severity    []string  `query:"severity" enum:"none,info,warning,error,critical" doc:"One or more severities, with commas."`
	Service     []string  `query:"service" maxItems:"50" doc:"One or more of what is hit, with commas: the label service, service_name or service.name, the entity's name, or the job."`
	Source      string    `query:"source" maxLength:"100" doc:"Only what came through this integration."`
	Match       []string  `query:"match,explode" maxItems:"20" doc:"A matcher of labels in Alertmanager's syntax; all must match." example:"[\"region=~\\\"eu-.*\\\"\"]"`
	Q           string    `query:"q" maxLength:"200" doc:"Text in the name, the entity, the labels or the annotations."`
	Incident    string    `query:"incident" doc:"Only the alerts of this incident and of those merged into it."`
	Since       time.Time `query:"since" doc:"Only alerts that began at or after this time."`
	Until       time.Time `query:"until" doc:"Only alerts that began before this time."`
}

type listAlerts struct {
	AlertQuery
	Cursor string `query:"cursor" doc:"next of the page before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type listIncidentAlerts struct {
	IncidentPath
	PageQuery
}

// PageQuery asks for a page of alerts.
type PageQuery struct {
	Cursor string `query:"cursor" doc:"next of the page before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"200"`
}

type alertPath struct {
	ID string `path:"id" example:"A7"`
}

func (a *API) alertRoutes() {
	route(a, http.MethodGet, "/alerts", "listAlerts", "List alerts, newest first", a.listAlerts)
	route(a, http.MethodGet, "/alerts/summary", "summariseAlerts", "Count alerts by what they say and when they began", a.summariseAlerts)
	route(a, http.MethodGet, "/alerts/{id}", "getAlert", "Get an alert", a.getAlert)
	route(a, http.MethodGet, "/alerts/{id}/decisions", "getDecision", "Why was I, or was I not, told", a.getDecision)
}

func (a *API) listAlerts(ctx context.Context, in *listAlerts) (*body[AlertPage], error) {
	q, err := in.query(ctx)
	if err != nil {
		return nil, err
	}
	q.Limit = in.Limit
	return a.alertPage(ctx, q, in.Cursor)
}

func (a *API) summariseAlerts(ctx context.Context, in *AlertQuery) (*body[AlertSummary], error) {
	q, err := in.query(ctx)
	if err != nil {
		return nil, err
	}
	s, err := alert.Summarise(ctx, a.cfg.DB.Read(), q)
	if err != nil {
		return nil, err
	}
	return answer(toAlertSummary(s)), nil
}

// query reads what is asked for; the error names what cannot be read.
func (in *AlertQuery) query(ctx context.Context) (q alert.Query, err error) {
	q = alert.Query{
		Filter:   alert.Filter{State: alert.State(in.State), Told: in.Told, Text: in.Q, Source: in.Source, Teams: access.ScopeOf(ctx).Limit()},
		Services: in.Service, Since: in.Since, Until: in.Until,
	}
	for _, d := range in.Disposition {
		q.Dispositions = append(q.Dispositions, alert.Disposition(d))
	}
	for _, s := range in.Severity {
		q.Severities = append(q.Severities, signal.ParseSeverity(s))
	}
	for _, text := range in.Match {
		m, err := matcher("query.match", text)
		if err != nil {
			return q, err
		}
		q.Matchers = append(q.Matchers, m)
	}
	if !in.Since.IsZero() && !in.Until.IsZero() && !in.Since.Before(in.Until) {
		return q, invalid("query.until", in.Until.Format(time.RFC3339), "write a time after since")
	}
	if in.Incident != "" {
		if q.Incident, err = incident.ParseID(in.Incident); err != nil {
			return q, invalid("query.incident", in.Incident, "write INC- and a number, for instance INC-12")
		}
	}
	return q, nil
}

func (a *API) listIncidentAlerts(ctx context.Context, in *listIncidentAlerts) (*body[AlertPage], error) {
	n, err := incident.ParseID(in.ID)
	if err != nil {
		return nil, invalid("path.id", in.ID, "write INC- and a number, for instance INC-12")
	}
	if _, err := incident.Find(ctx, a.cfg.DB.Read(), n); err != nil {
		return nil, err
	}
	if err := a.sees(ctx, n); err != nil {
		return nil, err
	}
	return a.alertPage(ctx, alert.Query{Filter: alert.Filter{Incident: n, Limit: in.Limit, Teams: access.ScopeOf(ctx).Limit()}}, in.Cursor)
}

func (a *API) alertPage(ctx context.Context, q alert.Query, cursor string) (*body[AlertPage], error) {
	if cursor != "" {
		before, err := strconv.ParseUint(cursor, 10, 63)
		if err != nil {
			return nil, invalid("query.cursor", cursor, "use the value of next from the page before")
		}
		q.Before = before
	}
	rows, next, err := alert.Search(ctx, a.cfg.DB.Read(), q)
	if err != nil {
		return nil, err
	}
	page := AlertPage{Items: toAlerts(rows)}
	if next != 0 {
		page.Next = strconv.FormatUint(next, 10)
	}
	return answer(page), nil
}

func (a *API) getAlert(ctx context.Context, in *alertPath) (*body[Alert], error) {
	if err := a.seesAlerts(ctx, in.ID); err != nil {
		return nil, err
	}
	r, err := alert.Find(ctx, a.cfg.DB.Read(), in.ID)
	if err != nil {
		return nil, err
	}
	return answer(toAlert(r)), nil
}

func (a *API) getDecision(ctx context.Context, in *alertPath) (*body[Decision], error) {
	if err := a.seesAlerts(ctx, in.ID); err != nil {
		return nil, err
	}
	r, err := alert.Find(ctx, a.cfg.DB.Read(), in.ID)
	if err != nil {
		return nil, err
	}
	var steps []*incident.Step
	if r.Root != 0 {
		if steps, err = incident.Timeline(ctx, a.cfg.DB.Read(), r.Root, incident.Window{Kinds: decisionSteps}); err != nil {
			return nil, err
		}
	}
	decision := toDecision(r, steps)
	if err := a.addDeliveries(ctx, &decision, r); err != nil {
		return nil, err
	}
	return answer(decision), nil
}

func toAlertSummary(s *alert.Summary) AlertSummary {
	counts := func(list []alert.Count) []ValueCount {
		out := make([]ValueCount, len(list))
		for i, c := range list {
			out[i] = ValueCount(c)
		}
		return out
	}
	return AlertSummary{
		Alerts: s.Alerts, Complete: s.Complete, From: optional(s.From), Width: s.Width.Seconds(), Buckets: append([]int{}, s.Buckets...),
		Severities: counts(s.Severities), States: counts(s.States), Dispositions: counts(s.Dispositions),
		Names: counts(s.Names), Services: counts(s.Services), Sources: counts(s.Sources),
	}
}
