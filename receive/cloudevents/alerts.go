package cloudevents

import (
	"cmp"
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/base/signal"
)

// Alerts returns what the event says of alerts, received at now; none when it speaks of something else. The error is a
// *receive.Problem.
func (e *Event) Alerts(m *integration.Mapper, now time.Time) ([]signal.Alert, error) {
	mapped := !reflect.ValueOf(*m).IsZero()
	if kind, found := strings.CutPrefix(e.Type, "dev.cdevents."); found && !mapped {
		return e.incident(kind, now)
	}
	if !mapped && !e.alerting() {
		return nil, nil
	}
	alerts, err := e.mapped(m, now)
	if err != nil {
		return nil, err
	}
	at := now
	if !e.Time.IsZero() {
		at = e.Time
	}
	stem, act := stemOf(e.Type)
	for i := range alerts {
		a := &alerts[i]
		if m.Identity == "" && a.Identity == a.Labels.Fingerprint().String() {
			a.Identity = strings.Trim(e.Source+"#"+e.Subject+"#"+stem, "#") // the data has no key of its own
		}
		if m.StartsAt == "" && a.StartsAt.Equal(now) {
			a.StartsAt = at
		}
		switch {
		case !a.EndsAt.IsZero():
			if m.EndsAt == "" && a.EndsAt.Equal(now) {
				a.EndsAt = at
			}
		case m.State == "" && a.Act == signal.Report && act == signal.End:
			a.EndsAt = at
		case m.State == "" && a.Act == signal.Report:
			a.Act = act
		}
		annotations := a.Annotations.Map()
		annotations["ce_source"], annotations["ce_type"] = e.Source, e.Type
		if e.Subject != "" {
			annotations["ce_subject"] = e.Subject
		}
		a.Annotations = signal.NewLabels(annotations)
	}
	return alerts, nil
}

// alertWords are what the type of an event says when it is about an alert.
var alertWords = regexp.MustCompile(`(?i)alert|alarm|incident|problem|outage|anomaly`)

// alerting reports whether an event is about an alert, as far as one can tell without a mapper.
func (e *Event) alerting() bool {
	if alertWords.MatchString(e.Type) {
		return true
	}
	data, ok := e.Data.(map[string]any)
	if !ok {
		return false
	}
	for name := range data {
		switch strings.ToLower(name) {
		case "severity", "alertname", "alert_name", "alert", "alert_id", "dedup_key":
			return true
		}
	}
	return false
}

// stemOf splits a type into what it is about and what its last word says of it: versions at the end do not count.
func stemOf(kind string) (stem string, act signal.Act) {
	words := strings.Split(kind, ".")
	for len(words) > 1 && isVersion(words[len(words)-1]) {
		words = words[:len(words)-1]
	}
	last := len(words) - 1
	if act, known := acts[strings.ToLower(words[last])]; known && last > 0 {
		return strings.Join(words[:last], "."), act
	}
	return strings.Join(words, "."), signal.Report
}

var version = regexp.MustCompile(`^[vV]?[0-9]+([.-][0-9A-Za-z-]+)*$`)

func isVersion(word string) bool { return version.MatchString(word) }

// mapped reads the event by a mapper: its data are the items.
func (e *Event) mapped(m *integration.Mapper, now time.Time) ([]signal.Alert, error) {
	body, err := json.Marshal(e.body())
	if err != nil {
		return nil, invalid("data", "", "it cannot be read: "+err.Error())
	}
	own := *m
	if own.Each == "" {
		switch e.Data.(type) {
		case map[string]any:
			own.Each = "[body.data]"
		case []any:
			own.Each = "body.data"
		default:
			own.Each = `[{"summary": body.data}]`
			own.Name = cmp.Or(own.Name, "body.type")
		}
	}
	alerts, err := run(&own, body, now)
	if err != nil && own.Name == "" {
		// The data names no alert, or so it seems: the type does.
		own.Name = "body.type"
		alerts, err = run(&own, body, now)
	}
	if err != nil {
		return nil, invalid("data", string(body), err.Error()+"; write a mapper on the integration's page")
	}
	return alerts, nil
}

func run(m *integration.Mapper, body []byte, now time.Time) ([]signal.Alert, error) {
	program, err := m.Compile()
	if err != nil {
		return nil, err
	}
	return program.Alerts(body, http.Header{}.Get, now)
}

// cdEvent is the data of a CDEvent.
type cdEvent struct {
	Context struct {
		Source    string `json:"source"`
		Timestamp string `json:"timestamp"`
	} `json:"context"`
	Subject struct {
		ID      string `json:"id"`
		Content struct {
			Description string    `json:"description"`
			Environment reference `json:"environment"`
			Service     reference `json:"service"`
			ArtifactID  string    `json:"artifactId"`
			TicketURI   string    `json:"ticketURI"`
		} `json:"content"`
	} `json:"subject"`
}

type reference struct {
	ID string `json:"id"`
}

// incident reads a CDEvent; those that are no incident say nothing of alerts.
func (e *Event) incident(kind string, now time.Time) ([]signal.Alert, error) {
	stem, act := stemOf(kind)
	if stem != "incident" {
		return nil, nil
	}
	var c cdEvent
	text, err := json.Marshal(e.Data)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil || c.Subject.ID == "" {
		return nil, invalid("data.subject.id", "", "it is missing; send a CDEvent, whose subject names the incident")
	}
	at := now
	if !e.Time.IsZero() {
		at = e.Time
	}
	if said, err := time.Parse(time.RFC3339Nano, c.Context.Timestamp); err == nil {
		at = said.UTC()
	}
	a := signal.Alert{Act: act, Identity: c.Subject.ID, Keyed: true, StartsAt: at}
	content := &c.Subject.Content
	if act == signal.End {
		a.EndsAt, a.Text = at, content.Description
		return []signal.Alert{a}, nil
	}
	name, _, _ := strings.Cut(strings.TrimSpace(content.Description), "\n")
	a.GeneratorURL = content.TicketURI
	a.Labels = signal.NewLabels(map[string]string{
		"alertname": cmp.Or(name, "incident "+c.Subject.ID), "severity": "critical", "environment": content.Environment.ID, "service": content.Service.ID,
	})
	a.Annotations = signal.NewLabels(map[string]string{
		"summary": content.Description, "artifact": content.ArtifactID, "ticket": content.TicketURI, "ce_type": e.Type, "ce_source": cmp.Or(c.Context.Source, e.Source),
	})
	return []signal.Alert{a}, nil
}
