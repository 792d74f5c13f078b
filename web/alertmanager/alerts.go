package alertmanager

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/fairlead/fairlead/ops/alert"
)

const (
	// receiverName is the one receiver without an alertmanager.yml.
	receiverName = "default"
	// assumedEnd is when an alert that never times out is said to end.
	assumedEnd = 5 * time.Minute
)

// gettableAlert is one alert in answers.
type gettableAlert struct {
	Annotations  map[string]string `json:"annotations"`
	EndsAt       string            `json:"endsAt"`
	Fingerprint  string            `json:"fingerprint"`
	Receivers    []receiverRef     `json:"receivers"`
	StartsAt     string            `json:"startsAt"`
	Status       alertStatus       `json:"status"`
	UpdatedAt    string            `json:"updatedAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
	Labels       map[string]string `json:"labels"`
}

type receiverRef struct {
	Name string `json:"name"`
}

type alertStatus struct {
	InhibitedBy []string `json:"inhibitedBy"`
	MutedBy     []string `json:"mutedBy"`
	SilencedBy  []string `json:"silencedBy"`
	State       string   `json:"state"`
}

// alerts writes the alerts one by one, the newest first: what it takes of memory does not grow with their number.
func (h *Handler) alerts(r *http.Request, out *list) error {
	return h.each(r, func(_ *Alert, shown gettableAlert) error { return out.add(shown) })
}

// alertQuery is what a request asks for.
type alertQuery struct {
	matchers                    alert.Matchers
	active, silenced, inhibited bool
	muted                       bool           // groups that a time interval mutes
	receiver                    *regexp.Regexp // nil: all
	nothing                     bool           // no receiver was asked for
}

// each calls visit for every firing alert that the request asks for.
func (h *Handler) each(r *http.Request, visit func(*Alert, gettableAlert) error) error {
	query, err := parseAlertQuery(r.URL.Query())
	if err != nil || query.nothing {
		return err
	}
	now, routing := h.config.Clock.Now(), h.routing()
	return h.config.Source.Firing(r.Context(), func(a *Alert) error {
		silencedBy, mutedBy, wanted := h.wanted(&query, a, now)
		if !wanted {
			return nil
		}
		receivers := routing.ReceiversOf(a.Labels)
		if query.receiver != nil && !slices.ContainsFunc(receivers, query.receiver.MatchString) {
			return nil
		}
		return visit(a, show(a, silencedBy, mutedBy, receivers, now))
	})
}

// wanted reports whether a request asks for an alert, whatever its receivers, and what mutes it: silences and windows.
func (h *Handler) wanted(query *alertQuery, a *Alert, now time.Time) (silencedBy, mutedBy []string, wanted bool) {
	if !query.matchers.Matches(a.Labels) {
		return nil, nil, false
	}
	silencedBy, mutedBy = alert.SplitMutes(h.config.Silences.Match(a.Labels, now))
	muted := len(silencedBy) > 0 || len(mutedBy) > 0 || len(a.InhibitedBy) > 0
	return silencedBy, mutedBy, (query.active || muted) && (query.silenced || len(silencedBy) == 0) && (query.inhibited || len(a.InhibitedBy) == 0)
}

func parseAlertQuery(params url.Values) (alertQuery, error) {
	query := alertQuery{active: flag(params, "active"), silenced: flag(params, "silenced"), inhibited: flag(params, "inhibited"), muted: flag(params, "muted")}
	var err error
	if query.matchers, err = parseFilter(params["filter"]); err != nil {
		return query, badRequest("%v", err)
	}
	if text := params.Get("receiver"); text != "" {
		if query.receiver, err = regexp.Compile("^(?:" + text + ")$"); err != nil {
			return query, badRequest("failed to parse receiver param: %v", err)
		}
	}
	receiverMatchers, err := parseFilter(params["receiver_matchers"])
	if err != nil {
		return query, badRequest("failed to parse receiver_matchers param: %v", err)
	}
	query.nothing = !receiverMatchers.Matches(nil)
	return query, nil
}

func parseFilter(texts []string) (alert.Matchers, error) {
	matchers := make(alert.Matchers, 0, len(texts))
	for _, text := range texts {
		m, err := alert.ParseMatcher(text)
		if err != nil {
			return nil, err
		}
		matchers = append(matchers, m)
	}
	return matchers, nil
}

// flag reads a parameter that is true unless it says otherwise.
func flag(params url.Values, name string) bool {
	switch strings.ToLower(params.Get(name)) {
	case "", "true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled":
		return true
	}
	return false
}

func show(a *Alert, silencedBy, mutedBy, receivers []string, now time.Time) gettableAlert {
	shown := gettableAlert{
		Annotations: a.Annotations.Map(), Labels: a.Labels.Map(), GeneratorURL: a.GeneratorURL, Fingerprint: a.Fingerprint.String(),
		StartsAt: stamp(a.StartsAt), UpdatedAt: stamp(a.UpdatedAt), EndsAt: stamp(a.EndsAt), Receivers: make([]receiverRef, len(receivers)),
		Status: alertStatus{InhibitedBy: a.InhibitedBy, SilencedBy: silencedBy, MutedBy: append([]string{}, mutedBy...), State: "active"},
	}
	for i, name := range receivers {
		shown.Receivers[i].Name = name
	}
	if a.EndsAt.IsZero() {
		shown.EndsAt = stamp(now.Add(assumedEnd))
	}
	if len(silencedBy) > 0 || len(mutedBy) > 0 || len(a.InhibitedBy) > 0 {
		shown.Status.State = "suppressed"
	}
	if silencedBy == nil {
		shown.Status.SilencedBy = []string{}
	}
	if a.InhibitedBy == nil {
		shown.Status.InhibitedBy = []string{}
	}
	return shown
}

// maxBody bounds what a client may post.
const maxBody = 1 << 20

// noBody is what Alertmanager answers for a silence that does not exist.
func noBody() error { return &statusError{status: http.StatusNotFound} }
