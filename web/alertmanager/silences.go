package alertmanager

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/ops/alert"
)

// gettableSilence is one silence in answers.
type gettableSilence struct {
	ID          string            `json:"id"`
	Status      silenceStatus     `json:"status"`
	UpdatedAt   string            `json:"updatedAt"`
	Annotations map[string]string `json:"annotations"`
	Comment     string            `json:"comment"`
	CreatedBy   string            `json:"createdBy"`
	EndsAt      string            `json:"endsAt"`
	Matchers    []matcher         `json:"matchers"`
	StartsAt    string            `json:"startsAt"`
}

type silenceStatus struct {
	State alert.SilenceState `json:"state"`
}

type matcher struct {
	IsEqual bool   `json:"isEqual"`
	IsRegex bool   `json:"isRegex"`
	Name    string `json:"name"`
	Value   string `json:"value"`
}

// postableSilence is what a client posts. Pointers tell what is missing.
type postableSilence struct {
	ID          string            `json:"id"`
	Annotations map[string]string `json:"annotations"`
	Comment     *string           `json:"comment"`
	CreatedBy   *string           `json:"createdBy"`
	StartsAt    *time.Time        `json:"startsAt"`
	EndsAt      *time.Time        `json:"endsAt"`
	Matchers    []postableMatcher `json:"matchers"`
}

type postableMatcher struct {
	IsEqual *bool   `json:"isEqual"` // true when missing
	IsRegex bool    `json:"isRegex"`
	Name    *string `json:"name"`
	Value   *string `json:"value"`
}

func incidentID(number uint64) string { return "INC-" + strconv.FormatUint(number, 10) }

func (h *Handler) silences(r *http.Request) (any, error) {
	params := r.URL.Query()
	filter, err := parseFilter(params["filter"])
	if err != nil {
		return nil, badRequest("%v", err)
	}
	wanted := map[alert.SilenceState]bool{
		alert.SilenceActive: flag(params, "active"), alert.SilencePending: flag(params, "pending"), alert.SilenceExpired: flag(params, "expired"),
	}
	now := h.config.Clock.Now()
	found := []gettableSilence{}
	for _, silence := range h.config.Silences.List(now) {
		if wanted[silence.State(now)] && holds(silence.Matchers, filter) {
			found = append(found, showSilence(&silence, now))
		}
	}
	return found, nil
}

// holds reports whether each matcher of filter is one of matchers: a filter of silences compares what they say, not what
// they would match.
func holds(matchers, filter alert.Matchers) bool {
	for i := range filter {
		found := false
		for j := range matchers {
			found = found || filter[i:i+1].Equal(matchers[j:j+1])
		}
		if !found {
			return false
		}
	}
	return true
}

func (h *Handler) silence(r *http.Request) (any, error) {
	silence, err := h.config.Silences.Get(r.PathValue("id"))
	if errors.Is(err, alert.ErrNoSilence) {
		return nil, noBody()
	}
	if err != nil {
		return nil, err
	}
	return showSilence(&silence, h.config.Clock.Now()), nil
}

func (h *Handler) deleteSilence(r *http.Request) (any, error) {
	if s, err := h.config.Silences.Get(r.PathValue("id")); err == nil {
		if err := mayMute(r, s.Matchers); err != nil {
			return nil, err
		}
	}
	err := h.config.Silences.Expire(r.Context(), h.config.Actor(r), h.config.Clock.Now(), r.PathValue("id"))
	if errors.Is(err, alert.ErrNoSilence) {
		return nil, noBody()
	}
	return nil, err
}

func (h *Handler) postSilence(r *http.Request) (any, error) {
	var body postableSilence
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return nil, &statusError{http.StatusRequestEntityTooLarge, "a silence may have at most 1 MiB"}
		}
		return nil, badRequest("parsing silence body failed: %v", err)
	}
	for _, field := range []struct {
		name    string
		missing bool
	}{
		{"comment", body.Comment == nil},
		{"createdBy", body.CreatedBy == nil},
		{"startsAt", body.StartsAt == nil},
		{"endsAt", body.EndsAt == nil},
		{"matchers", len(body.Matchers) == 0},
	} {
		if field.missing {
			return nil, badRequest("%s in body is required", field.name)
		}
	}
	silence := alert.Silence{
		ID: body.ID, StartsAt: *body.StartsAt, EndsAt: *body.EndsAt, Comment: *body.Comment, CreatedBy: *body.CreatedBy, Annotations: body.Annotations,
	}
	for i := range body.Matchers {
		m, err := body.Matchers[i].matcher()
		if err != nil {
			return nil, badRequest("invalid silence: invalid label matcher %d: %v", i, err)
		}
		silence.Matchers = append(silence.Matchers, m)
	}
	if id := access.From(r.Context()); id != nil && (id.Via == access.ByToken || id.Via == access.BySession) {
		silence.CreatedBy = id.Actor() // who is logged in, not who they say they are
	}
	if err := mayMute(r, silence.Matchers); err != nil {
		return nil, err
	}
	if silence.ID != "" {
		if old, err := h.config.Silences.Get(silence.ID); err == nil {
			if err := mayMute(r, old.Matchers); err != nil {
				return nil, err
			}
		}
	}
	id, err := h.config.Silences.Set(r.Context(), h.config.Actor(r), h.config.Clock.Now(), silence)
	if err != nil {
		return nil, err
	}
	return map[string]string{"silenceID": id}, nil
}

// mayMute returns an error when somebody whose role is limited to teams would change what others own.
func mayMute(r *http.Request, matchers alert.Matchers) error {
	scope := access.ScopeOf(r.Context())
	if scope.All || slices.Contains(scope.Teams, matchers.TeamOf()) {
		return nil
	}
	return &statusError{http.StatusForbidden, fmt.Sprintf("your role is limited to teams: a silence needs a matcher such as team=%q", strings.Join(scope.Teams, `" or team="`))}
}

func (m *postableMatcher) matcher() (alert.Matcher, error) {
	if m.Name == nil || m.Value == nil {
		return alert.Matcher{}, errors.New("name and value are required")
	}
	kind := alert.MatchEqual
	switch equal := m.IsEqual == nil || *m.IsEqual; {
	case equal && m.IsRegex:
		kind = alert.MatchRegexp
	case !equal && m.IsRegex:
		kind = alert.MatchNotRegexp
	case !equal:
		kind = alert.MatchNotEqual
	}
	return alert.NewMatcher(kind, *m.Name, *m.Value)
}

func showSilence(s *alert.Silence, now time.Time) gettableSilence {
	shown := gettableSilence{
		ID: s.ID, Status: silenceStatus{s.State(now)}, UpdatedAt: stamp(s.UpdatedAt), Annotations: s.Annotations, Comment: s.Comment,
		CreatedBy: s.CreatedBy, StartsAt: stamp(s.StartsAt), EndsAt: stamp(s.EndsAt), Matchers: make([]matcher, len(s.Matchers)),
	}
	if shown.Annotations == nil {
		shown.Annotations = map[string]string{}
	}
	for i := range s.Matchers {
		m := &s.Matchers[i]
		shown.Matchers[i] = matcher{
			IsEqual: m.Type == alert.MatchEqual || m.Type == alert.MatchRegexp, IsRegex: m.Type == alert.MatchRegexp || m.Type == alert.MatchNotRegexp,
			Name: m.Name, Value: m.Value,
		}
	}
	return shown
}
