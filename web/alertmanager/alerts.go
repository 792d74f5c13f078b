package alertmanager

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/ops/alert"
)

const (
	// receiverName is the one receiver without an alertmanager.yml.
	receiverName = "default"
	// groupLabel is the one label of a group.
	groupLabel = "incident"
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

type alertGroup struct {
	Alerts      []gettableAlert   `json:"alerts"`
	Labels      map[string]string `json:"labels"`
	Receiver    receiverRef       `json:"receiver"`
	RouteLabels map[string]string `json:"routeLabels"`
}

func (h *Handler) alerts(r *http.Request) (any, error) {
	found := []gettableAlert{}
	err := h.each(r, func(_ *Alert, shown gettableAlert) { found = append(found, shown) })
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, byFingerprint)
	return found, nil
}

func (h *Handler) groups(r *http.Request) (any, error) {
	byIncident := make(map[string]*alertGroup)
	// A muted group is one whose alerts are all muted by the calendar, which is yet to come; so none is, and "muted" is ignored.
	err := h.each(r, func(a *Alert, shown gettableAlert) {
		for _, receiver := range shown.Receivers {
			id := receiver.Name + "\x00" + a.Incident
			group := byIncident[id]
			if group == nil {
				group = &alertGroup{Labels: map[string]string{}, Receiver: receiver, RouteLabels: map[string]string{}}
				if a.Incident != "" {
					group.Labels[groupLabel] = a.Incident
				}
				byIncident[id] = group
			}
			group.Alerts = append(group.Alerts, shown)
		}
	})
	if err != nil {
		return nil, err
	}
	groups := make([]*alertGroup, 0, len(byIncident))
	for _, group := range byIncident {
		slices.SortFunc(group.Alerts, byFingerprint)
		groups = append(groups, group)
	}
	slices.SortFunc(groups, func(a, b *alertGroup) int {
		return cmp.Or(strings.Compare(a.Labels[groupLabel], b.Labels[groupLabel]), strings.Compare(a.Receiver.Name, b.Receiver.Name))
	})
	return groups, nil
}

func byFingerprint(a, b gettableAlert) int { return strings.Compare(a.Fingerprint, b.Fingerprint) }

// alertQuery is what a request asks for.
type alertQuery struct {
	matchers                    alert.Matchers
	active, silenced, inhibited bool
	receiver                    *regexp.Regexp // nil: all
	nothing                     bool           // no receiver was asked for
}

// each calls visit for every firing alert that the request asks for.
func (h *Handler) each(r *http.Request, visit func(*Alert, gettableAlert)) error {
	query, err := parseAlertQuery(r.URL.Query())
	if err != nil || query.nothing {
		return err
	}
	now, routing := h.config.Clock.Now(), h.routing()
	return h.config.Source.Firing(r.Context(), func(a *Alert) error {
		if !query.matchers.Matches(a.Labels) {
			return nil
		}
		silencedBy, mutedBy := alert.SplitMutes(h.config.Silences.Match(a.Labels, now))
		muted := len(silencedBy) > 0 || len(mutedBy) > 0 || len(a.InhibitedBy) > 0
		if !query.active && !muted || !query.silenced && len(silencedBy) > 0 || !query.inhibited && len(a.InhibitedBy) > 0 {
			return nil
		}
		receivers := routing.ReceiversOf(a.Labels)
		if query.receiver != nil && !slices.ContainsFunc(receivers, query.receiver.MatchString) {
			return nil
		}
		visit(a, show(a, silencedBy, mutedBy, receivers, now))
		return nil
	})
}

func parseAlertQuery(params url.Values) (alertQuery, error) {
	query := alertQuery{active: flag(params, "active"), silenced: flag(params, "silenced"), inhibited: flag(params, "inhibited")}
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

// Rows is the Source over the database.
type Rows struct {
	db Database
}

// Database lists stored alerts; ops/alert's List over the database is one.
type Database func(ctx context.Context, filter alert.Filter) ([]*alert.Row, error)

// NewRows returns a Source that lists alerts through list.
func NewRows(list Database) *Rows { return &Rows{db: list} }

// pageSize is how many alerts are read at once.
const pageSize = 1000

// Firing reads the firing alerts page by page, newest first. An alert that mutes another and ended meanwhile is named by its id.
func (s *Rows) Firing(ctx context.Context, visit func(*Alert) error) error {
	fingerprints := make(map[string]signal.Fingerprint)
	var muted []*Alert
	for filter := (alert.Filter{State: alert.Firing, Limit: pageSize}); ; {
		page, err := s.db(ctx, filter)
		if err != nil {
			return err
		}
		for _, row := range page {
			fingerprints[row.ID] = row.Fingerprint
			a := fromRow(row)
			if len(a.InhibitedBy) > 0 {
				muted = append(muted, a) // what mutes it may be on a later page
				continue
			}
			if err := visit(a); err != nil {
				return err
			}
		}
		if len(page) < pageSize {
			break
		}
		filter.Before = page[len(page)-1].Seq
	}
	for _, a := range muted {
		for i, id := range a.InhibitedBy {
			if fingerprint, known := fingerprints[id]; known {
				a.InhibitedBy[i] = fingerprint.String()
			}
		}
		if err := visit(a); err != nil {
			return err
		}
	}
	return nil
}

func fromRow(row *alert.Row) *Alert {
	a := &Alert{
		ID: row.ID, Fingerprint: row.Fingerprint, Labels: row.Labels, Annotations: row.Annotations, GeneratorURL: row.GeneratorURL,
		StartsAt: row.StartsAt, UpdatedAt: row.LastReceivedAt, EndsAt: row.ExpiresAt, InhibitedBy: slices.Clone(row.InhibitedBy),
	}
	if row.Root != 0 {
		a.Incident = incidentID(row.Root)
	}
	return a
}

// maxBody bounds what a client may post.
const maxBody = 1 << 20

// noBody is what Alertmanager answers for a silence that does not exist.
func noBody() error { return &statusError{status: http.StatusNotFound} }
