package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/incident"
	"github.com/fairlead/fairlead/ops/topology"
)

type none struct{}

type edgesBody struct {
	Body topology.Inventory
}

type pageQuery struct {
	Cursor string `query:"cursor" doc:"next of the page before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

type letterPath struct {
	ID string `path:"id"`
}

func (a *API) systemRoutes() {
	route(a, http.MethodGet, "/map", "getMap", "The map as it is now", a.getMap)
	route(a, http.MethodPut, "/map/edges", "putEdges", "Replace the edges of the map", a.putEdges)
	route(a, http.MethodGet, "/dead-letters", "listDeadLetters", "List what was refused, newest first", a.listDeadLetters)
	route(a, http.MethodPost, "/dead-letters/{id}/replay", "replayDeadLetter", "Offer it again", a.replay)
	route(a, http.MethodGet, "/clock", "getClock", "The server's clock", a.getClock)
	route(a, http.MethodGet, "/stats", "getStats", "Counts of everything", a.getStats)
}

func (a *API) getMap(_ context.Context, _ *none) (*body[MapView], error) {
	view := MapView{Nodes: []MapNode{}, Edges: []MapEdge{}}
	for _, name := range a.cfg.Map.Nodes() {
		view.Nodes = append(view.Nodes, MapNode{ID: name})
	}
	inv := a.cfg.Map.Inventory()
	for i := range inv.Edges {
		e := &inv.Edges[i]
		kind := e.Kind
		if kind == "" {
			kind = "call"
		}
		view.Edges = append(view.Edges, MapEdge{From: e.From, To: e.To, Kind: kind, Confidence: e.Confidence()})
	}
	return answer(view), nil
}

func (a *API) putEdges(ctx context.Context, in *edgesBody) (*struct{}, error) {
	if err := in.Body.Validate(); err != nil {
		field, problem, _ := strings.Cut(err.Error(), ": ")
		return nil, invalid("body."+field, nil, problem)
	}
	err := a.cfg.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := topology.Save(ctx, tx, in.Body); err != nil {
			return err
		}
		_, err := audit.Append(ctx, tx, audit.Leaf{At: a.cfg.Clock.Now(), Actor: actor(ctx), Action: "map.edges", Object: "map"})
		return err
	})
	if err != nil {
		return nil, err
	}
	a.cfg.Map.Set(in.Body)
	return nil, nil //nolint:nilnil // 204
}

func (a *API) listDeadLetters(ctx context.Context, in *pageQuery) (*body[DeadLetterPage], error) {
	letters, next, err := store.DeadLetters(ctx, a.cfg.DB.Read(), in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	page := DeadLetterPage{Items: []DeadLetter{}, Next: next}
	for i := range letters {
		l := &letters[i]
		page.Items = append(page.Items, DeadLetter{
			ID: l.ID, At: l.At, Receiver: l.Receiver, Reason: l.Reason, Payload: string(l.Payload), Truncated: l.Truncated, ReplayedAt: optional(l.ReplayedAt),
		})
	}
	return answer(page), nil
}

func (a *API) replay(ctx context.Context, in *letterPath) (*body[ReplayResult], error) {
	letter, err := store.FindDeadLetter(ctx, a.cfg.DB.Read(), in.ID)
	if err != nil {
		return nil, err
	}
	if letter.Truncated {
		return answer(ReplayResult{Result: "refused", Reason: "It was too long to be kept whole, so it cannot be offered again."}), nil
	}
	accepted, reason, err := a.cfg.Replay(ctx, letter)
	if err != nil {
		return nil, err
	}
	if !accepted {
		return answer(ReplayResult{Result: "refused", Reason: reason}), nil
	}
	now := a.cfg.Clock.Now()
	err = a.cfg.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := store.MarkReplayed(ctx, tx, in.ID, now); err != nil {
			return err
		}
		_, err := audit.Append(ctx, tx, audit.Leaf{At: now, Actor: actor(ctx), Action: "deadletter.replay", Object: in.ID})
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer(ReplayResult{Result: "accepted", Reason: ""}), nil
}

func (a *API) getClock(ctx context.Context, _ *none) (*body[Clock], error) {
	view := Clock{Mode: "wall", Now: a.cfg.Clock.Now()}
	if _, driven := a.cfg.Clock.(*clock.Event); driven {
		view.Mode = "event"
		if err := a.cfg.Settled(ctx); err != nil {
			return nil, err
		}
	}
	next, err := a.cfg.Desk.NextTimer(ctx)
	if err != nil {
		return nil, err
	}
	if view.Mode == "event" && a.cfg.Telling != nil {
		if telling := a.cfg.Telling(); next.IsZero() || !telling.IsZero() && telling.Before(next) {
			next = telling
		}
	}
	view.NextTimer = optional(next)
	return answer(view), nil
}

func (a *API) getStats(ctx context.Context, _ *none) (*body[Stats], error) {
	counts, err := incident.Count(ctx, a.cfg.DB.Read(), access.ScopeOf(ctx).Limit())
	if err != nil {
		return nil, err
	}
	letters, err := store.CountDeadLetters(ctx, a.cfg.DB.Read())
	if err != nil {
		return nil, err
	}
	desk := a.cfg.Desk.Stats()
	return answer(Stats{
		Alerts: AlertStats{
			Received: desk.Received, Distinct: desk.Alerts, Firing: desk.Firing, Told: counts.Told, HeldBack: counts.HeldBack,
			Silenced: counts.Silenced, Inhibited: counts.Inhibited, Flapping: counts.Flapping,
		},
		Incidents: IncidentStats{
			Forming: counts.States[incident.Forming], Open: counts.States[incident.Open], Acknowledged: counts.States[incident.Acknowledged],
			Resolved: counts.States[incident.Resolved], Suppressed: counts.States[incident.Suppressed],
		},
		DeadLetters: letters,
	}), nil
}
