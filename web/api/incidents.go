package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/ops/incident"
)

const (
	detailAlerts = 200
	detailSteps  = 200
)

// IncidentPath names an incident in a path. It is exported because huma fills embedded structs only then.
type IncidentPath struct {
	ID string `path:"id" example:"INC-12"`
}

type listIncidents struct {
	State    []string  `query:"state" enum:"forming,open,acknowledged,resolved,suppressed" doc:"One or more states, with commas."`
	Severity []string  `query:"severity" enum:"none,info,warning,error,critical" doc:"One or more severities, with commas."`
	Owner    []string  `query:"owner" doc:"One or more owners, with commas; - stands for nobody."`
	Q        string    `query:"q" maxLength:"200" doc:"Text in the title."`
	Since    time.Time `query:"since" doc:"Only incidents last seen at or after this time."`
	Cursor   string    `query:"cursor" doc:"next of the page before."`
	Limit    int       `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

func (a *API) incidentRoutes() {
	route(a, http.MethodGet, "/incidents", "listIncidents", "List incidents, last seen first", a.listIncidents)
	route(a, http.MethodGet, "/incidents/{id}", "getIncident", "Get an incident with alerts and timeline", a.getIncident)
	route(a, http.MethodGet, "/incidents/{id}/timeline", "listSteps", "List the steps of an incident, newest page first", a.listSteps)
	route(a, http.MethodGet, "/incidents/{id}/alerts", "listIncidentAlerts", "List the alerts of an incident", a.listIncidentAlerts)
	route(a, http.MethodPost, "/incidents/{id}/acknowledge", "acknowledgeIncident", "Say that somebody works on it", a.acknowledge)
	route(a, http.MethodPost, "/incidents/{id}/unacknowledge", "unacknowledgeIncident", "Say that nobody works on it any more", a.unacknowledge)
	route(a, http.MethodPost, "/incidents/{id}/resolve", "resolveIncident", "End it by hand", a.resolve)
	route(a, http.MethodPost, "/incidents/{id}/reopen", "reopenIncident", "Make an ended one current again", a.reopen)
	route(a, http.MethodPost, "/incidents/{id}/merge", "mergeIncidents", "Merge others into it", a.merge)
	route(a, http.MethodPost, "/incidents/{id}/split", "splitIncident", "Make a new incident of some of its alerts", a.split)
	route(a, http.MethodPost, "/incidents/{id}/assign", "assignAlerts", "Move alerts into it", a.assign)
	route(a, http.MethodPost, "/incidents/{id}/notes", "addNote", "Add a note", a.note)
	route(a, http.MethodPost, "/steps/{id}/undo", "undoStep", "Take a step back, and keep it back", a.undo)
}

func (a *API) listIncidents(ctx context.Context, in *listIncidents) (*body[IncidentPage], error) {
	f := incident.Filter{Text: in.Q, Since: in.Since, Cursor: in.Cursor, Limit: in.Limit, Teams: access.ScopeOf(ctx).Limit()}
	for _, s := range in.State {
		f.States = append(f.States, incident.State(s))
	}
	for _, s := range in.Severity {
		severity := signal.ParseSeverity(s)
		f.Severities = append(f.Severities, severity)
	}
	for _, owner := range in.Owner {
		f.Owners = append(f.Owners, strings.TrimPrefix(owner, "-"))
	}
	list, next, err := incident.List(ctx, a.cfg.DB.Read(), f)
	if errors.Is(err, incident.ErrInvalid) {
		return nil, invalid("query.cursor", in.Cursor, "use the value of next from the page before")
	}
	if err != nil {
		return nil, err
	}
	return answer(IncidentPage{Items: toIncidents(list), Next: next}), nil
}

func (a *API) getIncident(ctx context.Context, in *IncidentPath) (*body[IncidentDetail], error) {
	number, err := incident.ParseID(in.ID)
	if err != nil {
		return nil, invalid("path.id", in.ID, "write INC- and a number, for instance INC-12")
	}
	if err := a.sees(ctx, number); err != nil {
		return nil, err
	}
	inc, err := incident.Find(ctx, a.cfg.DB.Read(), number)
	if err != nil {
		return nil, err
	}
	rows, err := alert.List(ctx, a.cfg.DB.Read(), alert.Filter{Incident: inc.Number, Limit: detailAlerts})
	if err != nil {
		return nil, err
	}
	page, err := a.steps(ctx, inc.Number, 0, detailSteps)
	if err != nil {
		return nil, err
	}
	return answer(IncidentDetail{
		Incident: toIncident(inc), Alerts: toAlerts(rows), Timeline: page.Items, TimelineNext: page.Next,
		Causes: []Cause{}, Precedents: []Cause{}, Executions: []Cause{},
	}), nil
}

type listSteps struct {
	IncidentPath
	Cursor string `query:"cursor" doc:"next of the page before, or timelineNext of the incident."`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"200"`
}

func (a *API) listSteps(ctx context.Context, in *listSteps) (*body[StepPage], error) {
	number, err := incident.ParseID(in.ID)
	if err != nil {
		return nil, invalid("path.id", in.ID, "write INC- and a number, for instance INC-12")
	}
	before := uint64(0)
	if in.Cursor != "" {
		if before, err = incident.ParseStepID(in.Cursor); err != nil {
			return nil, invalid("query.cursor", in.Cursor, "use the value of next from the page before")
		}
	}
	if _, err := incident.Find(ctx, a.cfg.DB.Read(), number); err != nil {
		return nil, err
	}
	if err := a.sees(ctx, number); err != nil {
		return nil, err
	}
	page, err := a.steps(ctx, number, before, in.Limit)
	if err != nil {
		return nil, err
	}
	return answer(page), nil
}

// steps returns the newest steps before a number (0: of all), oldest first.
func (a *API) steps(ctx context.Context, number, before uint64, limit int) (StepPage, error) {
	steps, err := incident.Timeline(ctx, a.cfg.DB.Read(), number, incident.Window{Before: before, Limit: limit + 1})
	if err != nil {
		return StepPage{}, err
	}
	page := StepPage{}
	if len(steps) > limit {
		steps = steps[1:]
		page.Next = steps[0].ID()
	}
	page.Items = toSteps(steps)
	return page, nil
}

// changed reads an incident back after a step.
func (a *API) changed(ctx context.Context, s *incident.Step, number, other uint64) (*body[ActionResult], error) {
	inc, err := incident.Find(ctx, a.cfg.DB.Read(), number)
	if err != nil {
		return nil, err
	}
	result := ActionResult{Incident: toIncident(inc), Step: toStep(s)}
	if other != 0 {
		second, err := incident.Find(ctx, a.cfg.DB.Read(), other)
		if err != nil {
			return nil, err
		}
		view := toIncident(second)
		result.Other = &view
	}
	return answer(result), nil
}

// act lets work take one step on an incident.
func (a *API) act(ctx context.Context, id string, others []uint64, alerts []string, work func(e *incident.Engine, number uint64) (*incident.Step, error)) (*body[ActionResult], error) {
	number, err := incident.ParseID(id)
	if err != nil {
		return nil, invalid("path.id", id, "write INC- and a number, for instance INC-12")
	}
	if err := errors.Join(a.sees(ctx, append(slices.Clone(others), number)...), a.seesAlerts(ctx, alerts...)); err != nil {
		return nil, err
	}
	var s *incident.Step
	err = a.cfg.Desk.Do(ctx, a.cfg.Clock.Now(), append(others, number), alerts, func(e *incident.Engine) error {
		s, err = work(e, number)
		return err
	})
	if err != nil {
		return nil, err
	}
	return a.changed(ctx, s, s.Incident, s.Other)
}

type noteBody struct {
	IncidentPath
	Body *struct { // a pointer, so that no body is needed
		Note string `json:"note,omitempty" maxLength:"10000"`
	}
}

func (b *noteBody) note() string {
	if b.Body == nil {
		return ""
	}
	return b.Body.Note
}

func (a *API) acknowledge(ctx context.Context, in *noteBody) (*body[ActionResult], error) {
	return a.act(ctx, in.ID, nil, nil, func(e *incident.Engine, number uint64) (*incident.Step, error) {
		return e.Acknowledge(number, actor(ctx), in.note())
	})
}

func (a *API) unacknowledge(ctx context.Context, in *noteBody) (*body[ActionResult], error) {
	return a.act(ctx, in.ID, nil, nil, func(e *incident.Engine, number uint64) (*incident.Step, error) {
		return e.Unacknowledge(number, actor(ctx), in.note())
	})
}

type reasonBody struct {
	IncidentPath
	Body *struct {
		Reason string `json:"reason,omitempty" maxLength:"10000"`
	}
}

func (b *reasonBody) reason() string {
	if b.Body == nil {
		return ""
	}
	return b.Body.Reason
}

func (a *API) resolve(ctx context.Context, in *reasonBody) (*body[ActionResult], error) {
	return a.act(ctx, in.ID, nil, nil, func(e *incident.Engine, number uint64) (*incident.Step, error) {
		return e.Resolve(number, actor(ctx), in.reason())
	})
}

func (a *API) reopen(ctx context.Context, in *noteBody) (*body[ActionResult], error) {
	return a.act(ctx, in.ID, nil, nil, func(e *incident.Engine, number uint64) (*incident.Step, error) {
		return e.Reopen(number, actor(ctx), in.note())
	})
}

type mergeBody struct {
	IncidentPath
	Body struct {
		From []string `json:"from" minItems:"1" maxItems:"100" doc:"The incidents to merge into this one."`
	}
}

func (a *API) merge(ctx context.Context, in *mergeBody) (*body[ActionResult], error) {
	from := make([]uint64, len(in.Body.From))
	for i, id := range in.Body.From {
		n, err := incident.ParseID(id)
		if err != nil {
			return nil, invalid("body.from", id, "write INC- and a number, for instance INC-12")
		}
		from[i] = n
	}
	return a.act(ctx, in.ID, from, nil, func(e *incident.Engine, number uint64) (*incident.Step, error) {
		steps, err := e.Merge(number, from, actor(ctx))
		if err != nil {
			return nil, err
		}
		return steps[len(steps)-1], nil
	})
}

type alertsBody struct {
	IncidentPath
	Body struct {
		Alerts []string `json:"alerts" minItems:"1" maxItems:"10000" doc:"Ids of alerts."`
	}
}

func (a *API) split(ctx context.Context, in *alertsBody) (*body[ActionResult], error) {
	return a.act(ctx, in.ID, nil, in.Body.Alerts, func(e *incident.Engine, number uint64) (*incident.Step, error) {
		return e.Split(number, in.Body.Alerts, actor(ctx))
	})
}

func (a *API) assign(ctx context.Context, in *alertsBody) (*body[ActionResult], error) {
	return a.act(ctx, in.ID, nil, in.Body.Alerts, func(e *incident.Engine, number uint64) (*incident.Step, error) {
		return e.Assign(number, in.Body.Alerts, actor(ctx))
	})
}

type textBody struct {
	IncidentPath
	Body struct {
		Text string `json:"text" minLength:"1" maxLength:"10000"`
	}
}

func (a *API) note(ctx context.Context, in *textBody) (*body[ActionResult], error) {
	return a.act(ctx, in.ID, nil, nil, func(e *incident.Engine, number uint64) (*incident.Step, error) {
		return e.Comment(number, actor(ctx), in.Body.Text)
	})
}

type stepPath struct {
	ID string `path:"id" example:"S34"`
}

func (a *API) undo(ctx context.Context, in *stepPath) (*body[ActionResult], error) {
	number, err := incident.ParseStepID(in.ID)
	if err != nil {
		return nil, invalid("path.id", in.ID, "write S and a number, for instance S34")
	}
	if !access.ScopeOf(ctx).All {
		s, err := incident.FindStep(ctx, a.cfg.DB.Read(), number)
		if err == nil {
			err = a.sees(ctx, s.Incident, s.Other)
		}
		if err != nil {
			return nil, err
		}
	}
	s, record, err := a.cfg.Desk.Undo(ctx, a.cfg.Clock.Now(), number, actor(ctx))
	if err != nil {
		return nil, err
	}
	return a.changed(ctx, record, s.Incident, s.Other)
}
