package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/fairlead/fairlead/ops/alert"
)

// Occurrence is one time at which a window is open.
type Occurrence struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Window is planned work: while it lasts, the alerts that it covers tell nobody.
type Window struct {
	alert.Window
	Open bool         `json:"open" doc:"It is open now."`
	Next []Occurrence `json:"next" doc:"The times at which it is or will be open, at most 10."`
}

// WindowEdit is what people set.
type WindowEdit struct {
	Title    string    `json:"title" maxLength:"200"`
	Matchers []string  `json:"matchers,omitempty" maxItems:"64" doc:"In Alertmanager's syntax; all must match." example:"service=cart"`
	Entities []string  `json:"entities,omitempty" maxItems:"200" doc:"Kind and name of what is worked on." example:"service:cart"`
	StartsAt time.Time `json:"startsAt"`
	EndsAt   time.Time `json:"endsAt"`
	Rule     string    `json:"rule,omitempty" maxLength:"500" doc:"A recurrence rule of RFC 5545; empty for once." example:"FREQ=WEEKLY;BYDAY=SU"`
	Zone     string    `json:"zone,omitempty" maxLength:"64" doc:"An IANA time zone; empty is UTC." example:"Europe/Berlin"`
	Comment  string    `json:"comment,omitempty" maxLength:"10000"`
}

// Calendar is all windows, those that are open next first.
type Calendar struct {
	Items []Window `json:"items"`
}

// Forgotten lists the silences that somebody should look at.
type Forgotten struct {
	Items []ForgottenSilence `json:"items"`
}

// ForgottenSilence is an active silence that is old, or mutes nothing.
type ForgottenSilence struct {
	ID         string     `json:"id"`
	Matchers   string     `json:"matchers"`
	CreatedBy  string     `json:"createdBy"`
	Comment    string     `json:"comment"`
	StartsAt   time.Time  `json:"startsAt"`
	EndsAt     time.Time  `json:"endsAt"`
	Muted      int        `json:"muted" doc:"How many firing alerts it mutes now."`
	Reason     string     `json:"reason"`
	RemindedAt *time.Time `json:"remindedAt,omitempty" doc:"When somebody was last reminded of it; absent when nobody was."`
}

type silencePath struct {
	ID string `path:"id" maxLength:"64"`
}

// EndedSilence is a silence that has ended.
type EndedSilence struct {
	ID     string    `json:"id"`
	EndsAt time.Time `json:"endsAt" doc:"When it ended: now, or before when it had already."`
}

type createWindow struct{ Body WindowEdit }

// WindowPath names a window in a path. It is exported because huma fills embedded structs only then.
type WindowPath struct {
	ID string `path:"id"`
}

type updateWindow struct {
	WindowPath
	IfMatch int64 `header:"If-Match" required:"true" doc:"The version that was edited."`
	Body    WindowEdit
}

func (a *API) maintenanceRoutes() {
	route(a, http.MethodGet, "/maintenance", "listWindows", "List the maintenance calendar", a.listWindows)
	route(a, http.MethodPost, "/maintenance", "createWindow", "Plan maintenance", a.createWindow)
	route(a, http.MethodPost, "/maintenance/preview", "previewWindow", "When a window would be open, without making it", a.previewWindow)
	route(a, http.MethodPut, "/maintenance/{id}", "updateWindow", "Change a window", a.updateWindow)
	route(a, http.MethodDelete, "/maintenance/{id}", "deleteWindow", "Delete a window", a.deleteWindow)
	route(a, http.MethodGet, "/silences/forgotten", "listForgotten", "List silences that somebody may have forgotten", a.listForgotten)
	route(a, http.MethodPost, "/silences/{id}/expire", "expireSilence", "End a silence now; one that has ended stays as it is", a.expireSilence)
}

// calendarError turns an error of the calendar into an answer.
func calendarError(err error) error {
	status := http.StatusUnprocessableEntity
	switch {
	case errors.Is(err, alert.ErrNoWindow):
		status = http.StatusNotFound
	case !errors.Is(err, alert.ErrInvalidWindow):
		return err
	}
	text := err.Error()
	for _, kind := range []error{alert.ErrNoWindow, alert.ErrInvalidWindow} {
		text = strings.TrimSuffix(text, ": "+kind.Error())
	}
	p := &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: sentence(text), ID: newID()}
	if field, remedy, ok := strings.Cut(text, ": "); ok && status == http.StatusUnprocessableEntity {
		p.Errors = []ErrorDetail{{Field: "body." + field, Remedy: remedy}}
	}
	return p
}

func (e *WindowEdit) window() *alert.Window {
	return &alert.Window{
		Title: e.Title, Matchers: e.Matchers, Entities: e.Entities, StartsAt: e.StartsAt.UTC(), EndsAt: e.EndsAt.UTC(), Rule: e.Rule, Zone: e.Zone, Comment: e.Comment,
	}
}

const shownOccurrences = 10

func (a *API) view(w *alert.Window) (Window, error) {
	now := a.cfg.Clock.Now()
	view := Window{Window: *w, Next: []Occurrence{}}
	occurrences, err := w.Next(now, shownOccurrences)
	if err != nil {
		return view, err
	}
	for _, o := range occurrences {
		view.Next = append(view.Next, Occurrence(o))
		view.Open = view.Open || !now.Before(o.Start) && now.Before(o.End)
	}
	if view.Matchers == nil {
		view.Matchers = []string{}
	}
	if view.Entities == nil {
		view.Entities = []string{}
	}
	return view, nil
}

func (a *API) listWindows(context.Context, *none) (*body[Calendar], error) {
	calendar := Calendar{Items: []Window{}}
	for _, w := range a.cfg.Windows.Calendar(a.cfg.Clock.Now()) {
		view, err := a.view(w)
		if err != nil {
			return nil, calendarError(err)
		}
		calendar.Items = append(calendar.Items, view)
	}
	return answer(calendar), nil
}

func (a *API) createWindow(ctx context.Context, in *createWindow) (*body[Window], error) {
	if err := mutes(ctx, in.Body.Matchers); err != nil {
		return nil, err
	}
	return a.putWindow(ctx, in.Body.window())
}

func (a *API) updateWindow(ctx context.Context, in *updateWindow) (*body[Window], error) {
	if err := a.mutesWindow(ctx, in.ID); err != nil {
		return nil, err
	}
	if err := mutes(ctx, in.Body.Matchers); err != nil {
		return nil, err
	}
	w := in.Body.window()
	w.ID, w.Version = in.ID, in.IfMatch
	return a.putWindow(ctx, w)
}

func (a *API) putWindow(ctx context.Context, w *alert.Window) (*body[Window], error) {
	made, err := a.cfg.Windows.Put(ctx, w, actor(ctx), a.cfg.Clock.Now())
	if errors.Is(err, alert.ErrWindowConflict) {
		now := a.window(w.ID)
		if now == nil {
			return nil, notFound("Somebody has deleted " + w.Title + " meanwhile.")
		}
		present, err := a.view(now)
		if err != nil {
			return nil, err
		}
		return nil, changedMeanwhile(present)
	}
	if err != nil {
		return nil, calendarError(err)
	}
	view, err := a.view(made)
	if err != nil {
		return nil, calendarError(err)
	}
	return answer(view), nil
}

func (a *API) previewWindow(_ context.Context, in *createWindow) (*body[Window], error) {
	view, err := a.view(in.Body.window())
	if err != nil {
		return nil, calendarError(err)
	}
	return answer(view), nil
}

func (a *API) deleteWindow(ctx context.Context, in *WindowPath) (*body[none], error) {
	if err := a.mutesWindow(ctx, in.ID); err != nil {
		return nil, err
	}
	if err := a.cfg.Windows.Delete(ctx, in.ID, actor(ctx), a.cfg.Clock.Now()); err != nil {
		return nil, calendarError(err)
	}
	return answer(none{}), nil
}

func (a *API) listForgotten(ctx context.Context, _ *none) (*body[Forgotten], error) {
	found, err := alert.ForgottenSilences(ctx, a.cfg.DB.Read(), a.cfg.Windows.Silences, a.cfg.Clock.Now())
	if err != nil {
		return nil, err
	}
	reminded := map[string]time.Time{}
	if a.cfg.Reminded != nil {
		if reminded, err = a.cfg.Reminded(ctx); err != nil {
			return nil, err
		}
	}
	list := Forgotten{Items: []ForgottenSilence{}}
	for _, f := range found {
		s := f.Silence
		list.Items = append(list.Items, ForgottenSilence{
			ID: s.ID, Matchers: s.Matchers.String(), CreatedBy: s.CreatedBy, Comment: s.Comment, StartsAt: s.StartsAt, EndsAt: s.EndsAt, Muted: f.Muted, Reason: f.Reason,
			RemindedAt: optional(reminded[s.ID]),
		})
	}
	return answer(list), nil
}

func (a *API) expireSilence(ctx context.Context, in *silencePath) (*body[EndedSilence], error) {
	if s, err := a.cfg.Windows.Silences.Get(in.ID); err == nil {
		if err := mutesAll(ctx, s.Matchers); err != nil {
			return nil, err
		}
	}
	err := a.cfg.Windows.Silences.Expire(ctx, actor(ctx), a.cfg.Clock.Now(), in.ID)
	if errors.Is(err, alert.ErrNoSilence) {
		return nil, notFound("There is no silence " + in.ID + ".")
	}
	if err != nil {
		return nil, err
	}
	ended, err := a.cfg.Windows.Silences.Get(in.ID)
	if err != nil {
		return nil, err
	}
	return answer(EndedSilence{ID: in.ID, EndsAt: ended.EndsAt}), nil
}
