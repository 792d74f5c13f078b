package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/ops/incident"
	"github.com/fairlead/fairlead/ops/notify"
)

// Delivery is one notification to one integration of a receiver.
type Delivery struct {
	ID            string     `json:"id" example:"N12"`
	At            time.Time  `json:"at" doc:"When it was decided."`
	Key           string     `json:"key" doc:"The same each time it is sent; HTTP requests and e-mails carry it as Fairlead-Delivery."`
	Receiver      string     `json:"receiver"`
	Integration   string     `json:"integration" example:"webhook[0]"`
	Incident      string     `json:"incident" doc:"The incident; the oldest one of a group over several; empty if none."`
	Why           string     `json:"why" enum:"first,new alerts,some ended,resolved,repeat"`
	AlertCount    int        `json:"alertCount"`
	State         string     `json:"state" enum:"pending,sent,failed,muted"`
	Attempts      int        `json:"attempts"`
	Reason        string     `json:"reason" doc:"How the last attempt failed, or what muted it; empty when it was sent."`
	TriedAt       *time.Time `json:"triedAt,omitempty" doc:"When the last attempt ended."`
	NextAttemptAt *time.Time `json:"nextAttemptAt,omitempty"`
}

// DeliveryPage is a page of deliveries; next is the cursor of the following page, empty on the last.
type DeliveryPage struct {
	Items []Delivery `json:"items"`
	Next  string     `json:"next"`
}

type listDeliveries struct {
	State    string `query:"state" enum:"pending,sent,failed,muted"`
	Receiver string `query:"receiver" maxLength:"1000"`
	Incident string `query:"incident" doc:"Only those that told of this incident or of its alerts."`
	Cursor   string `query:"cursor" doc:"next of the page before."`
	Limit    int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

func (a *API) notifyRoutes() {
	route(a, http.MethodGet, "/deliveries", "listDeliveries", "List who was, is or was not to be told, newest first", a.listDeliveries)
}

func (a *API) listDeliveries(ctx context.Context, in *listDeliveries) (*body[DeliveryPage], error) {
	f := notify.Filter{State: notify.State(in.State), Receiver: in.Receiver, Limit: in.Limit + 1}
	var err error
	if in.Incident != "" {
		if f.Incident, err = incident.ParseID(in.Incident); err != nil {
			return nil, invalid("query.incident", in.Incident, "write INC- and a number, for instance INC-12")
		}
	}
	if scope := access.ScopeOf(ctx); !scope.All && f.Incident == 0 {
		return nil, invalid("query.incident", "", "your role is limited to teams, and all deliveries are those of everybody: name an incident that you see")
	}
	if f.Incident != 0 {
		if err := a.sees(ctx, f.Incident); err != nil {
			return nil, err
		}
	}
	if in.Cursor != "" {
		if f.Before, err = strconv.ParseUint(in.Cursor, 10, 63); err != nil {
			return nil, invalid("query.cursor", in.Cursor, "use the value of next from the page before")
		}
	}
	found, err := notify.List(ctx, a.cfg.DB.Read(), f)
	if err != nil {
		return nil, err
	}
	page := DeliveryPage{Items: []Delivery{}}
	if len(found) > in.Limit {
		found = found[:in.Limit]
		page.Next = strconv.FormatUint(found[in.Limit-1].Number, 10)
	}
	for _, d := range found {
		page.Items = append(page.Items, Delivery{
			ID: d.ID(), At: d.At, Key: d.Key, Receiver: d.Receiver, Integration: d.Integration, Incident: incident.ID(d.Incident), Why: string(d.Why),
			AlertCount: d.Alerts, State: string(d.State), Attempts: d.Attempts, Reason: d.Reason, TriedAt: optional(d.TriedAt), NextAttemptAt: optional(d.NextAt),
		})
	}
	return answer(page), nil
}

// addDeliveries puts a line for each delivery into a decision: who was told of the alert by what, or why not.
func (a *API) addDeliveries(ctx context.Context, d *Decision, r *alert.Row) error {
	deliveries, err := notify.OfAlert(ctx, a.cfg.DB.Read(), r.Seq)
	if err != nil {
		return err
	}
	for _, n := range deliveries {
		line := DecisionLine{At: n.At, Stage: "notify", Outcome: "told", Reason: fmt.Sprintf("Told %s by %s (%s).", n.Receiver, n.Integration, n.ID())}
		switch n.State {
		case notify.Sent:
		case notify.Pending:
			line.Outcome, line.Reason = "pending", fmt.Sprintf("%s is yet to be told by %s (%s). %s", n.Receiver, n.Integration, n.ID(), n.Reason)
		case notify.Failed:
			line.Outcome, line.Reason = "failed", fmt.Sprintf("%s was not told by %s (%s). %s", n.Receiver, n.Integration, n.ID(), n.Reason)
		case notify.Muted:
			line.Outcome, line.Reason = "muted", fmt.Sprintf("%s was not told by %s (%s). %s", n.Receiver, n.Integration, n.ID(), n.Reason)
		}
		d.Lines = insertLine(d.Lines, line)
	}
	return nil
}
