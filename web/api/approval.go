package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/base/approval"
	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/ops/incident"
)

// The kinds of requests.
const (
	// DeleteIntegration deletes an integration; its payload is an IntegrationDeletion.
	DeleteIntegration = "integration.delete"
	// PurgeAlerts purges alerts and incidents; its payload is a PurgeOrder.
	PurgeAlerts = "alerts.purge"
)

// IntegrationDeletion is which integration to delete: one made later with the same name is another.
type IntegrationDeletion struct {
	Name      string    `json:"name"`
	Kind      string    `json:"kind"`
	CreatedAt time.Time `json:"createdAt"`
}

// PurgeOrder is what to purge.
type PurgeOrder struct {
	// Before is when it must have ended.
	Before   time.Time `json:"before"`
	Matchers []string  `json:"matchers"`
}

// Purge returns the order for ops/incident.
func (o *PurgeOrder) Purge() (incident.Purge, error) {
	p := incident.Purge{Before: o.Before}
	for _, text := range o.Matchers {
		m, err := alert.ParseMatcher(text)
		if err != nil {
			return p, err
		}
		p.Matchers = append(p.Matchers, m)
	}
	return p, nil
}

// Approval is what one person asks for and others decide.
type Approval struct {
	ID        string             `json:"id" example:"Pabc123"`
	Kind      string             `json:"kind" enum:"integration.delete,alerts.purge,experiments.purge,model.alias"`
	Object    string             `json:"object"`
	Summary   string             `json:"summary" doc:"What will happen."`
	Reason    string             `json:"reason" doc:"Why, in the requester's words."`
	Payload   json.RawMessage    `json:"payload" doc:"What exactly was asked for."`
	Requester string             `json:"requester"`
	Needed    int                `json:"needed" doc:"How many people must approve."`
	State     string             `json:"state" enum:"pending,approved,executed,failed,rejected,cancelled,expired"`
	CreatedAt time.Time          `json:"createdAt"`
	ExpiresAt time.Time          `json:"expiresAt"`
	EndedAt   *time.Time         `json:"endedAt,omitempty"`
	Decisions []approvalDecision `json:"decisions"`
	Done      int64              `json:"done" doc:"How much has been executed."`
	Result    string             `json:"result" doc:"What came of it."`
	MayDecide bool               `json:"mayDecide" doc:"You may approve or reject it."`
	MayCancel bool               `json:"mayCancel"`
	Solo      bool               `json:"solo" doc:"It is your own request and nobody else may decide here, so you may confirm it yourself; the audit log will say so."`
	WhyNot    string             `json:"whyNot" doc:"Why you may not decide it."`
	Version   int64              `json:"version"`
}

type approvalDecision struct {
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Approve bool      `json:"approve"`
	Reason  string    `json:"reason"`
	Solo    bool      `json:"solo"`
}

// ApprovalPage is a page of approvals; next is the cursor of the following page, empty on the last.
type ApprovalPage struct {
	Items []Approval `json:"items"`
	Next  string     `json:"next"`
}

// accepted is the answer to what another person decides: nothing was done yet.
type accepted struct {
	Status   int    `default:"202"`
	Location string `header:"Location"`
	Body     Approval
}

type listApprovals struct {
	State     []string `query:"state" enum:"pending,approved,executed,failed,rejected,cancelled,expired" doc:"One or more states, with commas."`
	Kind      string   `query:"kind" maxLength:"100"`
	Object    string   `query:"object" maxLength:"1000"`
	Requester string   `query:"requester" maxLength:"100"`
	Cursor    string   `query:"cursor" maxLength:"100" doc:"next of the page before."`
	Limit     int      `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

type decideApproval struct {
	NamedPath
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"1000"`
	}
}

type cancelApproval struct {
	NamedPath
	Body *struct {
		Reason string `json:"reason,omitempty" maxLength:"1000"`
	}
}

// PurgeQuestion says what to purge.
type PurgeQuestion struct {
	OlderThanDays int      `json:"olderThanDays" minimum:"1" maximum:"36500" doc:"Only what ended so long ago."`
	Matchers      []string `json:"matchers,omitempty" maxItems:"20" doc:"In Alertmanager's syntax: only incidents of which all alerts match all of them." example:"service=cart"`
}

type askPurge struct {
	Body struct {
		PurgeQuestion
		Reason string `json:"reason" minLength:"1" maxLength:"1000" doc:"Why, for who decides."`
	}
}

type previewPurge struct{ Body PurgeQuestion }

// PurgePreview is what a purge would remove for good.
type PurgePreview struct {
	Before    time.Time  `json:"before"`
	Incidents int        `json:"incidents" doc:"With those merged into them counting as one."`
	Alerts    int        `json:"alerts" doc:"In these incidents. Ended alerts that never came into one are removed too."`
	Oldest    *time.Time `json:"oldest,omitempty" doc:"When the first of them ended."`
	Newest    *time.Time `json:"newest,omitempty"`
}

func (a *API) approvalRoutes() {
	route(a, http.MethodGet, "/approvals", "listApprovals", "List what people ask others for, newest first", a.listApprovals)
	route(a, http.MethodGet, "/approvals/{id}", "getApproval", "Get an approval", a.getApproval)
	route(a, http.MethodPost, "/approvals/{id}/approve", "approve", "Approve it; it is then executed", a.approve)
	route(a, http.MethodPost, "/approvals/{id}/reject", "reject", "Reject it", a.reject)
	route(a, http.MethodPost, "/approvals/{id}/cancel", "cancelApproval", "Take one's own request back", a.cancelApproval)
	route(a, http.MethodPost, "/purges/preview", "previewPurge", "What a purge would remove", a.previewPurge)
	route(a, http.MethodPost, "/purges", "askPurge", "Ask to remove old incidents and alerts for good; another person approves", a.askPurge)
}

// approvalError turns an error of base/approval into an answer.
func approvalError(err error) error {
	var bad *approval.InvalidError
	status := 0
	switch {
	case err == nil:
		return nil
	case errors.As(err, &bad):
		return invalid("body."+bad.Field, nil, bad.Remedy)
	case errors.Is(err, approval.ErrNotFound):
		return filled(&Problem{Status: http.StatusNotFound, Detail: "There is no such approval."})
	case errors.Is(err, approval.ErrOwn), errors.Is(err, approval.ErrForbidden):
		status = http.StatusForbidden
	case errors.Is(err, approval.ErrConflict):
		status = http.StatusConflict
	case errors.Is(err, approval.ErrFull):
		status = http.StatusInsufficientStorage
	default:
		return err
	}
	text := err.Error()
	for _, kind := range []error{approval.ErrConflict, approval.ErrOwn, approval.ErrForbidden, approval.ErrFull} {
		text = strings.TrimSuffix(text, ": "+kind.Error())
	}
	return filled(&Problem{Status: status, Detail: sentence(text)})
}

func (a *API) toApproval(ctx context.Context, r *approval.Request) (Approval, error) {
	view := Approval{
		ID: r.ID, Kind: r.Kind, Object: r.Object, Summary: r.Summary, Reason: r.Reason, Payload: r.Payload, Requester: r.Requester, Needed: r.Needed,
		State: string(r.State), CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt, EndedAt: optional(r.EndedAt), Decisions: []approvalDecision{},
		Done: r.Done, Result: r.Result, Version: r.Version,
	}
	for _, d := range r.Decisions {
		view.Decisions = append(view.Decisions, approvalDecision(d))
	}
	id := who(ctx)
	may, solo, why, err := a.cfg.Approvals.May(ctx, r, id.User)
	if err != nil {
		return view, err
	}
	view.MayDecide, view.Solo, view.WhyNot = may, solo, why
	if may && !slices.ContainsFunc([]access.Role{access.Approver, access.Admin}, id.Has) {
		view.MayDecide, view.Solo, view.WhyNot = false, false, "It needs the role approver or admin."
	}
	view.MayCancel = r.State == approval.Pending && (r.Requester == id.User || id.Has(access.Admin))
	return view, nil
}

// ask makes a request and answers with it.
func (a *API) ask(ctx context.Context, q approval.Question) (*accepted, error) {
	q.By, q.Actor = who(ctx).User, actor(ctx)
	if strings.TrimSpace(q.Reason) == "" {
		q.Reason = "No reason was given."
	}
	r, err := a.cfg.Approvals.Ask(ctx, q)
	if err != nil {
		p := approvalError(err)
		if own, ok := p.(*Problem); ok && errors.Is(err, approval.ErrConflict) { //nolint:errorlint // made above
			own.Present = r
		}
		return nil, p
	}
	view, err := a.toApproval(ctx, &r)
	if err != nil {
		return nil, err
	}
	return &accepted{Status: http.StatusAccepted, Location: Prefix + "/approvals/" + r.ID, Body: view}, nil
}

func (a *API) listApprovals(ctx context.Context, in *listApprovals) (*body[ApprovalPage], error) {
	f := approval.Filter{Kind: in.Kind, Object: in.Object, Requester: in.Requester, Limit: in.Limit + 1}
	for _, state := range in.State {
		f.States = append(f.States, approval.State(state))
	}
	if in.Cursor != "" {
		var err error
		if f.Before, err = strconv.ParseInt(in.Cursor, 10, 64); err != nil || f.Before < 1 {
			return nil, invalid("query.cursor", in.Cursor, "use the value of next from the page before")
		}
	}
	found, err := a.cfg.Approvals.List(ctx, f)
	if err != nil {
		return nil, err
	}
	page := ApprovalPage{Items: []Approval{}}
	if len(found) > in.Limit {
		found = found[:in.Limit]
		page.Next = strconv.FormatInt(found[in.Limit-1].Number, 10)
	}
	for i := range found {
		view, err := a.toApproval(ctx, &found[i])
		if err != nil {
			return nil, err
		}
		page.Items = append(page.Items, view)
	}
	return answer(page), nil
}

func (a *API) oneApproval(ctx context.Context, r approval.Request, err error) (*tagged[Approval], error) {
	if err != nil {
		return nil, approvalError(err)
	}
	view, err := a.toApproval(ctx, &r)
	if err != nil {
		return nil, err
	}
	return withTag(r.Version, view), nil
}

func (a *API) getApproval(ctx context.Context, in *NamedPath) (*tagged[Approval], error) {
	r, err := a.cfg.Approvals.Find(ctx, in.ID)
	return a.oneApproval(ctx, r, err)
}

func (a *API) decide(ctx context.Context, in *decideApproval, approve bool) (*tagged[Approval], error) {
	r, err := a.cfg.Approvals.Decide(ctx, in.ID, approval.Verdict{By: who(ctx).User, Actor: actor(ctx), Approve: approve, Reason: in.Body.Reason})
	return a.oneApproval(ctx, r, err)
}

func (a *API) approve(ctx context.Context, in *decideApproval) (*tagged[Approval], error) {
	return a.decide(ctx, in, true)
}

func (a *API) reject(ctx context.Context, in *decideApproval) (*tagged[Approval], error) {
	return a.decide(ctx, in, false)
}

func (a *API) cancelApproval(ctx context.Context, in *cancelApproval) (*tagged[Approval], error) {
	reason := ""
	if in.Body != nil {
		reason = in.Body.Reason
	}
	id := who(ctx)
	r, err := a.cfg.Approvals.Cancel(ctx, in.ID, id.User, actor(ctx), reason, id.Has(access.Admin))
	return a.oneApproval(ctx, r, err)
}

// order checks a question and makes it absolute, so that who approves approves the same as was asked for.
func (a *API) order(q *PurgeQuestion) (PurgeOrder, incident.Purge, error) {
	o := PurgeOrder{Before: a.cfg.Clock.Now().AddDate(0, 0, -q.OlderThanDays), Matchers: append([]string{}, q.Matchers...)}
	p, err := o.Purge()
	if err != nil {
		return o, p, invalid("body.matchers", strings.Join(q.Matchers, ", "), err.Error())
	}
	return o, p, nil
}

func (a *API) previewPurge(ctx context.Context, in *previewPurge) (*body[PurgePreview], error) {
	o, p, err := a.order(&in.Body)
	if err != nil {
		return nil, err
	}
	count, err := incident.CountPurge(ctx, a.cfg.DB.Read(), p)
	if err != nil {
		return nil, err
	}
	return answer(PurgePreview{Before: o.Before, Incidents: count.Incidents, Alerts: count.Alerts, Oldest: optional(count.Oldest), Newest: optional(count.Newest)}), nil
}

func (a *API) askPurge(ctx context.Context, in *askPurge) (*accepted, error) {
	o, p, err := a.order(&in.Body.PurgeQuestion)
	if err != nil {
		return nil, err
	}
	count, err := incident.CountPurge(ctx, a.cfg.DB.Read(), p)
	if err != nil {
		return nil, err
	}
	summary := "Remove for good " + strconv.Itoa(count.Incidents) + " incidents with " + strconv.Itoa(count.Alerts) + " alerts that ended before " + o.Before.Format(time.RFC3339)
	if len(o.Matchers) > 0 {
		summary += " and match " + strings.Join(o.Matchers, ", ")
	}
	return a.ask(ctx, approval.Question{
		Kind: PurgeAlerts, Object: strings.Join(o.Matchers, ", "), Summary: summary + ", and ended alerts that are in none.", Reason: in.Body.Reason, Payload: o,
	})
}
