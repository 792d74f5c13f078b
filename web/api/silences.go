package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/ops/alert"
)

// Silence mutes alerts for a time.
type Silence struct {
	ID        string    `json:"id"`
	State     string    `json:"state" enum:"pending,active,expired"`
	Matchers  []string  `json:"matchers" doc:"In Alertmanager's syntax; all must match." example:"[\"service=\\\"cart\\\"\"]"`
	StartsAt  time.Time `json:"startsAt"`
	EndsAt    time.Time `json:"endsAt"`
	CreatedBy string    `json:"createdBy"`
	Comment   string    `json:"comment"`
	UpdatedAt time.Time `json:"updatedAt"`
	Version   int64     `json:"version" doc:"Send it as If-Match with a change."`
	Muted     int       `json:"muted" doc:"How many firing alerts it mutes now."`
}

// SilencePage is a page of silences; next is the cursor of the following page, empty on the last.
type SilencePage struct {
	Items []Silence `json:"items"`
	Next  string    `json:"next"`
}

// SilenceEdit is what people say of a silence.
type SilenceEdit struct {
	Matchers []string  `json:"matchers" minItems:"1" maxItems:"64" doc:"In Alertmanager's syntax; all must match, and one at least must not match an empty value."`
	StartsAt time.Time `json:"startsAt,omitzero" doc:"By default now."`
	EndsAt   time.Time `json:"endsAt"`
	Comment  string    `json:"comment" minLength:"1" maxLength:"10000" doc:"Why."`
}

type listSilences struct {
	State  []string `query:"state" enum:"pending,active,expired" doc:"One or more, with commas."`
	Q      string   `query:"q" maxLength:"200" doc:"Text in matchers, comment or author."`
	Cursor string   `query:"cursor" doc:"next of the page before."`
	Limit  int      `query:"limit" minimum:"1" maximum:"1000" default:"200"`
}

type createSilence struct{ Body SilenceEdit }

// SilencePath names a silence in a path. It is exported because huma fills embedded structs only then.
type SilencePath struct {
	ID string `path:"id" maxLength:"64"`
}

type updateSilence struct {
	SilencePath
	IfMatch int64 `header:"If-Match" required:"true" doc:"The version that was edited."`
	Body    SilenceEdit
}

func (a *API) silenceRoutes() {
	route(a, http.MethodGet, "/silences", "listSilences", "List silences: active, pending, then expired ones, which are kept for five days", a.listSilences)
	route(a, http.MethodPost, "/silences", "createSilence", "Silence alerts for a time", a.createSilence)
	route(a, http.MethodGet, "/silences/{id}", "getSilence", "Get a silence", a.getSilence)
	route(a, http.MethodPut, "/silences/{id}", "updateSilence", "Change a silence; where that would rewrite history, it ends and another takes its place, as in Alertmanager", a.updateSilence)
}

func (a *API) silenceView(ctx context.Context, silences ...alert.Silence) ([]Silence, error) {
	muted, err := alert.MutedNow(ctx, a.cfg.DB.Read())
	if err != nil {
		return nil, err
	}
	now := a.cfg.Clock.Now()
	views := make([]Silence, 0, len(silences))
	for i := range silences {
		s := &silences[i]
		view := Silence{
			ID: s.ID, State: string(s.State(now)), Matchers: make([]string, len(s.Matchers)), StartsAt: s.StartsAt, EndsAt: s.EndsAt, CreatedBy: s.CreatedBy,
			Comment: s.Comment, UpdatedAt: s.UpdatedAt, Version: s.Version(), Muted: muted[s.ID],
		}
		for j := range s.Matchers {
			view.Matchers[j] = s.Matchers[j].String()
		}
		views = append(views, view)
	}
	return views, nil
}

func (a *API) listSilences(ctx context.Context, in *listSilences) (*body[SilencePage], error) {
	now, text := a.cfg.Clock.Now(), strings.ToLower(in.Q)
	all := slices.DeleteFunc(a.cfg.Windows.Silences.List(now), func(s alert.Silence) bool {
		hay := strings.ToLower(s.Matchers.String() + " " + s.Comment + " " + s.CreatedBy)
		return len(in.State) > 0 && !slices.Contains(in.State, string(s.State(now))) || !strings.Contains(hay, text)
	})
	from := 0
	if in.Cursor != "" {
		var err error
		if from, err = strconv.Atoi(in.Cursor); err != nil || from < 0 {
			return nil, invalid("query.cursor", in.Cursor, "use the value of next from the page before")
		}
	}
	some := all[min(from, len(all)):min(from+in.Limit, len(all))]
	items, err := a.silenceView(ctx, some...)
	if err != nil {
		return nil, err
	}
	page := SilencePage{Items: items}
	if from+in.Limit < len(all) {
		page.Next = strconv.Itoa(from + in.Limit)
	}
	return answer(page), nil
}

func (a *API) getSilence(ctx context.Context, in *SilencePath) (*body[Silence], error) {
	s, err := a.cfg.Windows.Silences.Get(in.ID)
	if err != nil {
		return nil, a.silenceError(ctx, in.ID, err)
	}
	view, err := a.silenceView(ctx, s)
	if err != nil {
		return nil, err
	}
	return answer(view[0]), nil
}

func (a *API) createSilence(ctx context.Context, in *createSilence) (*body[Silence], error) {
	s, err := in.Body.silence(actor(ctx))
	if err != nil {
		return nil, err
	}
	if err := mutesAll(ctx, s.Matchers); err != nil {
		return nil, err
	}
	id, err := a.cfg.Windows.Silences.Set(ctx, actor(ctx), a.cfg.Clock.Now(), *s)
	if err != nil {
		return nil, a.silenceError(ctx, "", err)
	}
	return a.getSilence(ctx, &SilencePath{ID: id})
}

func (a *API) updateSilence(ctx context.Context, in *updateSilence) (*body[Silence], error) {
	old, err := a.cfg.Windows.Silences.Get(in.ID)
	if err != nil {
		return nil, a.silenceError(ctx, in.ID, err)
	}
	s, err := in.Body.silence(old.CreatedBy)
	if err != nil {
		return nil, err
	}
	for _, matchers := range []alert.Matchers{old.Matchers, s.Matchers} {
		if err := mutesAll(ctx, matchers); err != nil {
			return nil, err
		}
	}
	s.ID, s.Annotations = in.ID, old.Annotations
	if s.StartsAt.IsZero() {
		s.StartsAt = old.StartsAt
	}
	id, err := a.cfg.Windows.Silences.Edit(ctx, actor(ctx), a.cfg.Clock.Now(), *s, in.IfMatch)
	if err != nil {
		return nil, a.silenceError(ctx, in.ID, err)
	}
	return a.getSilence(ctx, &SilencePath{ID: id})
}

// matcher reads one matcher; the error names the field and says what is wrong with it.
func matcher(field, text string) (alert.Matcher, error) {
	m, err := alert.ParseMatcher(text)
	if err == nil {
		return m, nil
	}
	reason := strings.TrimPrefix(err.Error(), fmt.Sprintf("parse matcher %q: ", text))
	if strings.HasPrefix(reason, "bad matcher format") {
		reason = "it is no matcher"
	}
	return m, invalid(field, text, reason+`; write a label, = or != or =~ or !~, and a value, for instance region=~"eu-.*"`)
}

// silence reads an edit; the error names the matcher that cannot be read.
func (e *SilenceEdit) silence(by string) (*alert.Silence, error) {
	s := &alert.Silence{StartsAt: e.StartsAt, EndsAt: e.EndsAt, CreatedBy: by, Comment: e.Comment}
	for i, text := range e.Matchers {
		m, err := matcher(fmt.Sprintf("body.matchers[%d]", i), text)
		if err != nil {
			return nil, err
		}
		s.Matchers = append(s.Matchers, m)
	}
	return s, nil
}

// silenceError turns an error of the silences into an answer.
func (a *API) silenceError(ctx context.Context, id string, err error) error {
	switch {
	case errors.Is(err, alert.ErrNoSilence):
		return notFound("There is no silence " + id + ".")
	case errors.Is(err, alert.ErrSilenceChanged):
		present, err := a.getSilence(ctx, &SilencePath{ID: id})
		if err != nil {
			return err
		}
		return changedMeanwhile(present.Body)
	case errors.Is(err, alert.ErrInvalidSilence):
		text := strings.TrimPrefix(err.Error(), alert.ErrInvalidSilence.Error()+": ")
		field := "body"
		switch {
		case strings.Contains(text, "matcher"):
			field = "body.matchers"
		case strings.Contains(text, "time"):
			field = "body.endsAt"
		}
		return invalid(field, nil, text)
	}
	return err
}
