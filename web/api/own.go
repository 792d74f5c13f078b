package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/base/view"
	"github.com/fairlead/fairlead/ops/incident"
)

// Mention says that one was named in what somebody wrote on an incident.
type Mention struct {
	Step     string     `json:"step" example:"S7"`
	Incident string     `json:"incident" example:"INC-12"`
	At       time.Time  `json:"at"`
	Actor    string     `json:"actor"`
	Text     string     `json:"text"`
	SeenAt   *time.Time `json:"seenAt,omitempty"`
}

// Mentions lists where one was named, newest first.
type Mentions struct {
	Items []Mention `json:"items"`
}

// SavedView is a filter of a list that somebody has named.
type SavedView struct {
	ID        string    `json:"id"`
	Owner     string    `json:"owner"`
	Page      string    `json:"page" example:"incidents"`
	Name      string    `json:"name"`
	Query     string    `json:"query" doc:"The filter's text, as it stands in the page's address."`
	Shared    bool      `json:"shared" doc:"All see it."`
	UpdatedAt time.Time `json:"updatedAt"`
}

// SavedViews lists one's own views and those that others share.
type SavedViews struct {
	Items []SavedView `json:"items"`
}

type ownBody struct {
	IncidentPath
	Body struct {
		Owner string `json:"owner" maxLength:"64" doc:"Who is to own it; empty gives it back." example:"ann"`
		Note  string `json:"note,omitempty" maxLength:"10000"`
	}
}

type mentionsQuery struct {
	Unseen bool `query:"unseen" doc:"Only those not seen yet."`
	Limit  int  `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

type seenBody struct {
	Body struct {
		Steps []string `json:"steps,omitempty" maxItems:"500" doc:"The steps whose mention was seen; none means all."`
	}
}

type viewsQuery struct {
	Page string `query:"page" maxLength:"40" doc:"Only views of this list."`
}

type viewBody struct {
	Body struct {
		Page   string `json:"page" maxLength:"40"`
		Name   string `json:"name" maxLength:"200"`
		Query  string `json:"query" maxLength:"4000"`
		Shared bool   `json:"shared,omitempty"`
	}
}

// ViewPath names a view in a path. It is exported because huma fills embedded structs only then.
type ViewPath struct {
	ID string `path:"id" maxLength:"40"`
}

func (a *API) ownRoutes() {
	route(a, http.MethodPost, "/incidents/{id}/own", "ownIncident", "Give it to somebody, or take it", a.own)
	route(a, http.MethodGet, "/me/mentions", "listMentions", "List where one was named, newest first", a.listMentions)
	route(a, http.MethodPost, "/me/mentions/seen", "seeMentions", "Say that one has seen them", a.seeMentions)
	route(a, http.MethodGet, "/me/views", "listViews", "List one's own saved views and those that others share", a.listViews)
	route(a, http.MethodPut, "/me/views", "saveView", "Save a view under its page and name", a.saveView)
	route(a, http.MethodDelete, "/me/views/{id}", "deleteView", "Delete one of one's own views", a.deleteView)
}

func (a *API) own(ctx context.Context, in *ownBody) (*body[ActionResult], error) {
	owner := strings.TrimSpace(in.Body.Owner)
	if owner != "" && a.cfg.People != nil && owner != who(ctx).User {
		if _, err := a.cfg.People.User(ctx, owner); err != nil {
			if errors.Is(err, store.ErrNotFound) {
				return nil, invalid("body.owner", owner, "name somebody who can log in; GET /people lists them")
			}
			return nil, err
		}
	}
	return a.act(ctx, in.ID, nil, nil, func(e *incident.Engine, number uint64) (*incident.Step, error) {
		return e.Own(number, owner, actor(ctx), in.Body.Note)
	})
}

func (a *API) listMentions(ctx context.Context, in *mentionsQuery) (*body[Mentions], error) {
	list, err := incident.Mentions(ctx, a.cfg.DB.Read(), who(ctx).User, in.Unseen, in.Limit)
	if err != nil {
		return nil, err
	}
	out := Mentions{Items: []Mention{}}
	for _, m := range list {
		if a.sees(ctx, m.Incident) != nil {
			continue // moved out of sight since
		}
		s := incident.Step{Number: m.Step}
		out.Items = append(out.Items, Mention{Step: s.ID(), Incident: incident.ID(m.Incident), At: m.At, Actor: m.Actor, Text: m.Text, SeenAt: optional(m.SeenAt)})
	}
	return answer(out), nil
}

func (a *API) seeMentions(ctx context.Context, in *seenBody) (*body[none], error) {
	var numbers []uint64
	for _, id := range in.Body.Steps {
		number, err := incident.ParseStepID(id)
		if err != nil {
			return nil, invalid("body.steps", id, "write S and a number, for instance S7")
		}
		numbers = append(numbers, number)
	}
	err := a.cfg.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		return incident.SeeMentions(ctx, tx, who(ctx).User, numbers, a.cfg.Clock.Now())
	})
	if err != nil {
		return nil, err
	}
	return answer(none{}), nil
}

func (a *API) views() *view.Views { return view.New(a.cfg.DB, a.cfg.Clock.Now) }

func (a *API) listViews(ctx context.Context, in *viewsQuery) (*body[SavedViews], error) {
	list, err := a.views().List(ctx, who(ctx).User, in.Page)
	if err != nil {
		return nil, err
	}
	out := SavedViews{Items: []SavedView{}}
	for _, v := range list {
		out.Items = append(out.Items, SavedView(v))
	}
	return answer(out), nil
}

func (a *API) saveView(ctx context.Context, in *viewBody) (*body[SavedView], error) {
	v, err := a.views().Save(ctx, view.View{Owner: who(ctx).User, Page: in.Body.Page, Name: in.Body.Name, Query: in.Body.Query, Shared: in.Body.Shared})
	if errors.Is(err, view.ErrInvalid) {
		field, remedy, _ := strings.Cut(strings.TrimSuffix(err.Error(), ": "+view.ErrInvalid.Error()), ": ")
		return nil, invalid("body."+field, nil, remedy)
	}
	if err != nil {
		return nil, err
	}
	return answer(SavedView(v)), nil
}

func (a *API) deleteView(ctx context.Context, in *ViewPath) (*body[none], error) {
	if err := a.views().Delete(ctx, who(ctx).User, in.ID); err != nil {
		return nil, err
	}
	return answer(none{}), nil
}
