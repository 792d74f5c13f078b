package opsgenie

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

const (
	// maxMessage is how many characters of a message Opsgenie keeps; it cuts the rest off.
	maxMessage = 130
	// maxAlias is how many bytes of an alias are its identity; the rest is told apart by its fingerprint.
	maxAlias = 1000
)

// alertBody is the body of POST /v2/alerts.
type alertBody struct {
	Message     string         `json:"message"`
	Alias       string         `json:"alias"`
	Description string         `json:"description"`
	Responders  []party        `json:"responders"`
	Teams       []party        `json:"teams"` // before there were responders
	VisibleTo   []party        `json:"visibleTo"`
	Actions     []string       `json:"actions"`
	Tags        []string       `json:"tags"`
	Details     map[string]any `json:"details"`
	Entity      string         `json:"entity"`
	Source      string         `json:"source"`
	Priority    string         `json:"priority"`
	User        string         `json:"user"`
	Note        string         `json:"note"`
}

// party is a user, team, escalation or schedule.
type party struct {
	Type     string `json:"type"`
	ID       string `json:"id"`
	Name     string `json:"name"`
	Username string `json:"username"`
}

// String returns the party for people, for instance "team ops".
func (p party) String() string {
	return strings.TrimSpace(p.Type + " " + cmp.Or(p.Name, p.Username, p.ID))
}

// parties returns several for people.
func parties(list []party) string {
	var texts []string
	for _, p := range list {
		if text := p.String(); text != "" {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, ", ")
}

var severities = map[string]string{"P1": "critical", "P2": "error", "P3": "warning", "P4": "info", "P5": "info"}

// Create returns the protocol of POST /v2/alerts.
func Create() receive.Protocol {
	return receive.Protocol{
		Kind: Kind, Secret: secretOf,
		Parse: func(r *receive.Request) (*receive.Delivery, error) { return ParseAlert(r.Body) },
		Answer: func(w http.ResponseWriter, r *receive.Request, d *receive.Delivery, p *receive.Problem) {
			if p != nil {
				fail(w, r, p)
				return
			}
			accept(w, r, requestID(fingerprintOf(d.Alerts[0].Identity), 1, r.At))
		},
	}
}

// ParseAlert reads the body of POST /v2/alerts. The error is a *receive.Problem.
func ParseAlert(body []byte) (*receive.Delivery, error) {
	var b alertBody
	if err := receive.DecodeJSON(body, &b); err != nil {
		return nil, err
	}
	message := strings.TrimSpace(b.Message)
	if message == "" {
		return nil, invalid("message", "", "it is missing or blank; say in one line what is wrong")
	}
	b.Priority = strings.ToUpper(b.Priority)
	if b.Priority != "" && severities[b.Priority] == "" {
		return nil, invalid("priority", b.Priority, "send P1, P2, P3, P4 or P5")
	}
	a := signal.Alert{Identity: cmp.Or(keyOf(b.Alias), bodyKey(body)), Keyed: true}
	labels := map[string]string{"entity": b.Entity}
	annotations := map[string]string{"description": b.Description}
	if short := cutMessage(message); short != message {
		annotations["message"] = message
		a.Notes = append(a.Notes, fmt.Sprintf("Its message was longer than %d characters and was cut, as Opsgenie does; the annotation message has all of it.", maxMessage))
		message = short
	}
	annotations["summary"] = message
	maps.Copy(annotations, map[string]string{
		"responders": parties(append(b.Responders, b.Teams...)), "visible_to": parties(b.VisibleTo), "actions": strings.Join(b.Actions, ", "),
		"tags": strings.Join(b.Tags, ", "), "source": b.Source,
	})
	receive.Details(b.Details, labels, annotations)
	receive.Tags(b.Tags, labels, annotations)
	if labels["alertname"] == "" {
		labels["alertname"] = message
	}
	rate(b.Priority, labels, annotations)
	if strings.HasPrefix(b.Source, "http://") || strings.HasPrefix(b.Source, "https://") {
		a.GeneratorURL = b.Source
	}
	a.Labels, a.Annotations = signal.NewLabels(labels), signal.NewLabels(annotations)
	d := &receive.Delivery{Alerts: []signal.Alert{a}}
	if note := strings.TrimSpace(b.Note); note != "" {
		d.Alerts = append(d.Alerts, signal.Alert{Act: signal.Comment, Identity: a.Identity, Keyed: true, Actor: b.User, Text: note})
	}
	return d, nil
}

// keyOf returns the identity of an alias.
func keyOf(alias string) string {
	if alias = strings.TrimSpace(alias); len(alias) <= maxAlias {
		return alias
	}
	return strings.ToValidUTF8(alias[:maxAlias-20], "") + "-" + fingerprintOf(alias).String()
}

// rate sets the severity: that of the priority, else the one among the details, else Opsgenie's default.
func rate(priority string, labels, annotations map[string]string) {
	detail := annotations["severity"]
	switch {
	case priority != "":
		labels["severity"] = severities[priority]
	case signal.ParseSeverity(strings.ToLower(detail)) != signal.Unrated:
		labels["severity"] = strings.ToLower(detail)
		delete(annotations, "severity")
	default:
		labels["severity"] = severities["P3"]
	}
	labels["priority"] = priority
}

func cutMessage(message string) string {
	if utf8.RuneCountInString(message) <= maxMessage {
		return message
	}
	return strings.TrimSpace(string([]rune(message)[:maxMessage]))
}

func invalid(field, value, remedy string) error {
	return receive.Invalid(receive.FieldError{Field: field, Value: receive.Excerpt(value), Remedy: remedy})
}
