package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/ops/incident"
)

type listAlerts struct {
	State       string `query:"state" enum:"firing,resolved"`
	Told        string `query:"told" enum:"yes,no" doc:"Whether anybody was told."`
	Disposition string `query:"disposition" enum:"told,held,silenced,inhibited,flapping,suppressed"`
	Q           string `query:"q" maxLength:"200" doc:"Text in the name or the entity."`
	Incident    string `query:"incident" doc:"Only the alerts of this incident and of those merged into it."`
	Cursor      string `query:"cursor" doc:"next of the page before."`
	Limit       int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
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
	route(a, http.MethodGet, "/alerts/{id}", "getAlert", "Get an alert", a.getAlert)
	route(a, http.MethodGet, "/alerts/{id}/decisions", "getDecision", "Why was I, or was I not, told", a.getDecision)
}

func (a *API) listAlerts(ctx context.Context, in *listAlerts) (*body[AlertPage], error) {
	f := alert.Filter{State: alert.State(in.State), Told: in.Told, Disposition: alert.Disposition(in.Disposition), Text: in.Q, Limit: in.Limit}
	if in.Incident != "" {
		n, err := incident.ParseID(in.Incident)
		if err != nil {
			return nil, invalid("query.incident", in.Incident, "write INC- and a number, for instance INC-12")
		}
		f.Incident = n
	}
	return a.alertPage(ctx, f, in.Cursor)
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
	return a.alertPage(ctx, alert.Filter{Incident: n, Limit: in.Limit}, in.Cursor)
}

func (a *API) alertPage(ctx context.Context, f alert.Filter, cursor string) (*body[AlertPage], error) {
	if cursor != "" {
		before, err := strconv.ParseUint(cursor, 10, 63)
		if err != nil {
			return nil, invalid("query.cursor", cursor, "use the value of next from the page before")
		}
		f.Before = before
	}
	limit := f.Limit
	f.Limit++
	f.Teams = access.ScopeOf(ctx).Limit()
	rows, err := alert.List(ctx, a.cfg.DB.Read(), f)
	if err != nil {
		return nil, err
	}
	page := AlertPage{}
	if len(rows) > limit {
		rows = rows[:limit]
		page.Next = strconv.FormatUint(rows[limit-1].Seq, 10)
	}
	page.Items = toAlerts(rows)
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
