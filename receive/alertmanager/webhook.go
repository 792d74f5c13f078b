package alertmanager

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

// WebhookKind is the kind of the integrations that an Alertmanager notifies.
const WebhookKind = "alertmanager"

// Notification is what a webhook's body says besides its alerts. It is a Delivery's Reply.
type Notification struct {
	// Receiver is the name of the Alertmanager's receiver, GroupKey the group's key there, verbatim.
	Receiver, GroupKey string
	// Status is firing or resolved, Reason why it was sent ("" before Alertmanager 0.32).
	Status, Reason string
	// ExternalURL is the Alertmanager's own address.
	ExternalURL string
	// Truncated is how many alerts of the group the Alertmanager left out.
	Truncated int
}

// group is the body of a webhook. Grafana sends the same with more fields.
type group struct {
	GroupKey          string            `json:"groupKey"`
	TruncatedAlerts   int               `json:"truncatedAlerts"`
	Status            string            `json:"status"`
	Receiver          string            `json:"receiver"`
	CommonAnnotations map[string]string `json:"commonAnnotations"`
	ExternalURL       string            `json:"externalURL"`
	Reason            string            `json:"notification_reason"`
	Alerts            []json.RawMessage `json:"alerts"`
}

// member is one alert of a group.
type member struct {
	Status       string            `json:"status"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     string            `json:"startsAt"`
	EndsAt       string            `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
	Fingerprint  string            `json:"fingerprint"`
}

// maxGroup is how many alerts one notification may hold.
const maxGroup = 1 << 16

// Webhook returns the protocol of what an Alertmanager's webhook receiver sends. A payload of the user's own making
// (webhook_configs: payload) is left to the integration's mapper.
func Webhook() receive.Protocol {
	return receive.Protocol{
		Kind: WebhookKind, Mapped: true,
		Parse: func(r *receive.Request) (*receive.Delivery, error) { return ParseWebhook(r.Body, r.At) },
	}
}

// ParseWebhook reads what an Alertmanager's webhook receiver sends, received at now. An alert is told apart by its labels; its
// identity is the fingerprint as sent. The error is a *receive.Problem.
func ParseWebhook(body []byte, now time.Time) (*receive.Delivery, error) {
	return ParseGroup(body, now, nil)
}

// ParseGroup is ParseWebhook for senders that add fields of their own to each alert: more, unless it is nil, reads them from
// the alert's JSON into its annotations. They stand in no label, because labels tell alerts apart.
func ParseGroup(body []byte, now time.Time, more func(raw []byte, annotations map[string]string, a *signal.Alert) error) (*receive.Delivery, error) {
	var g group
	if err := receive.DecodeJSON(body, &g); err != nil {
		return nil, err
	}
	switch {
	case len(g.Alerts) == 0:
		return nil, invalid("alerts", "", "it is missing or empty; send what Alertmanager sends by default, or write a mapper for a payload of your own")
	case len(g.Alerts) > maxGroup:
		return nil, invalid("alerts", fmt.Sprint(len(g.Alerts)), fmt.Sprintf("it holds more than %d alerts; set max_alerts at the sender", maxGroup))
	}
	n := Notification{
		Receiver: g.Receiver, GroupKey: g.GroupKey, Status: g.Status, Reason: g.Reason, ExternalURL: g.ExternalURL, Truncated: max(0, g.TruncatedAlerts),
	}
	d := &receive.Delivery{Reply: n}
	for i, raw := range g.Alerts {
		a, fault := g.alert(raw, now, more)
		if fault != nil {
			fault.Field = fmt.Sprintf("alerts[%d]%s", i, fault.Field)
			d.Rejected = append(d.Rejected, receive.Rejected{Problem: *fault, Raw: g.alone(raw)})
			continue
		}
		d.Alerts = append(d.Alerts, a)
	}
	if len(d.Alerts) == 0 {
		// Nothing in it is what Alertmanager sends: it may be a payload of the user's own making.
		return nil, receive.Invalid(d.Rejected[0].Problem)
	}
	return d, nil
}

// alert reads one alert of the group.
func (g *group) alert(raw []byte, now time.Time, more func([]byte, map[string]string, *signal.Alert) error) (signal.Alert, *receive.FieldError) {
	var m member
	if err := receive.DecodeJSON(raw, &m); err != nil {
		return signal.Alert{}, faultOf(err)
	}
	labels := signal.NewLabels(m.Labels)
	if len(labels) == 0 {
		return signal.Alert{}, &receive.FieldError{Field: ".labels", Remedy: "it is missing or empty; an alert is told apart by its labels, at least alertname"}
	}
	a := signal.Alert{Labels: labels, Identity: cmp.Or(m.Fingerprint, labels.Fingerprint().String()), GeneratorURL: cmp.Or(m.GeneratorURL, g.ExternalURL)}
	switch cmp.Or(m.Status, g.Status) {
	case "firing", "":
	case "resolved":
		a.EndsAt = now
		if at, ok := timeOf(m.EndsAt); ok {
			a.EndsAt = at
		}
	default:
		return signal.Alert{}, &receive.FieldError{Field: ".status", Value: receive.Excerpt(cmp.Or(m.Status, g.Status)), Remedy: "send firing or resolved"}
	}
	a.StartsAt = now
	if at, ok := timeOf(m.StartsAt); ok {
		a.StartsAt = at
	} else if m.StartsAt != "" {
		a.Notes = append(a.Notes, "startsAt is no time; the time of receipt was taken.")
	}
	annotations := map[string]string{}
	maps.Copy(annotations, g.CommonAnnotations)
	maps.Copy(annotations, m.Annotations)
	for name, value := range map[string]string{"alertmanager_receiver": g.Receiver, "alertmanager_group_key": g.GroupKey, "alertmanager_url": g.ExternalURL} {
		annotations[name] = cmp.Or(annotations[name], value)
	}
	if g.TruncatedAlerts > 0 {
		a.Notes = append(a.Notes, fmt.Sprintf("The sender left %d more alerts of its group out (max_alerts).", g.TruncatedAlerts))
	}
	if more != nil {
		if err := more(raw, annotations, &a); err != nil {
			return signal.Alert{}, faultOf(err)
		}
	}
	a.Annotations = signal.NewLabels(annotations)
	return a, nil
}

// alone returns a body with one alert of the group.
func (g *group) alone(raw []byte) []byte {
	single := *g
	single.Alerts = []json.RawMessage{raw}
	body, err := json.Marshal(single)
	if err != nil {
		return raw // cannot happen: it was JSON before
	}
	return body
}

// timeOf reads a time; ok is false when there is none, or the zero time that stands for none.
func timeOf(text string) (at time.Time, ok bool) {
	at, err := time.Parse(time.RFC3339Nano, text)
	return at.UTC(), err == nil && at.Year() > 1
}

// faultOf returns what is wrong with a part of the body.
func faultOf(err error) *receive.FieldError {
	problem := receive.AsProblem(err)
	if len(problem.Errors) == 0 {
		return &receive.FieldError{Remedy: problem.Detail}
	}
	fault := problem.Errors[0]
	if fault.Field = "." + fault.Field; fault.Field == ".body" {
		fault.Field = ""
	}
	return &fault
}

func invalid(field, value, remedy string) error {
	return receive.Invalid(receive.FieldError{Field: field, Value: receive.Excerpt(value), Remedy: remedy})
}
