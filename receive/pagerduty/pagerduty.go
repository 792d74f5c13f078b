// Package pagerduty receives what is sent to PagerDuty: Events API v2 (POST /v2/enqueue) and the older create_event, so that
// a sender needs only another host name.
//
// The routing key (older: service key) tells the integration. dedup_key (incident_key) is the alert's identity, verbatim; a
// trigger without one gets a key made of its body, so that a repeat of the same request is the same alert. acknowledge and
// resolve act on the alert of the key, and change nothing when it is unknown, as there. Change events are not read yet.
package pagerduty

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

// Kind is the integrations' kind.
const Kind = "pagerduty"

// maxKey is the longest dedup_key that PagerDuty takes.
const maxKey = 255

// reply is what Answer needs.
type reply struct{ key string }

// event is the body of Events API v2.
type event struct {
	RoutingKey  string   `json:"routing_key"`
	EventAction string   `json:"event_action"`
	DedupKey    string   `json:"dedup_key"`
	Client      string   `json:"client"`
	ClientURL   string   `json:"client_url"`
	Links       []link   `json:"links"`
	Payload     *payload `json:"payload"`
}

type link struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

type payload struct {
	Summary   string `json:"summary"`
	Source    string `json:"source"`
	Severity  string `json:"severity"`
	Timestamp string `json:"timestamp"`
	Component string `json:"component"`
	Group     string `json:"group"`
	Class     string `json:"class"`
	Details   any    `json:"custom_details"`
}

// Events returns the protocol of Events API v2, POST /v2/enqueue.
func Events() receive.Protocol {
	return receive.Protocol{
		Kind: Kind,
		Secret: func(r *receive.Request) string {
			var e struct {
				RoutingKey string `json:"routing_key"`
			}
			if json.Unmarshal(r.Body, &e) != nil || e.RoutingKey == "" {
				return r.Header.Get("X-Routing-Key")
			}
			return e.RoutingKey
		},
		Parse: func(r *receive.Request) (*receive.Delivery, error) { return Parse(r.Body, r.At) },
		Answer: func(w http.ResponseWriter, _ *receive.Request, d *receive.Delivery, p *receive.Problem) {
			answer(w, d, p, http.StatusAccepted, "dedup_key")
		},
	}
}

// Parse reads the body of POST /v2/enqueue, received at now. The error is a *receive.Problem.
func Parse(body []byte, now time.Time) (*receive.Delivery, error) {
	var e event
	if err := receive.DecodeJSON(body, &e); err != nil {
		return nil, err
	}
	if len(e.DedupKey) > maxKey {
		return nil, invalid("dedup_key", e.DedupKey, "it is longer than 255 characters; send a shorter one")
	}
	switch e.EventAction {
	case "trigger":
	case "acknowledge", "resolve":
		if e.DedupKey == "" {
			return nil, invalid("dedup_key", "", "it is missing; send the dedup_key of the trigger")
		}
		return act(e.EventAction, e.DedupKey, e.Client), nil
	default:
		return nil, invalid("event_action", e.EventAction, "send trigger, acknowledge or resolve")
	}
	switch {
	case e.Payload == nil:
		return nil, invalid("payload", "", "it is missing; a trigger needs payload.summary, payload.source and payload.severity")
	case strings.TrimSpace(e.Payload.Summary) == "":
		return nil, invalid("payload.summary", "", "it is missing or blank; say in one line what is wrong")
	case strings.TrimSpace(e.Payload.Source) == "":
		return nil, invalid("payload.source", "", "it is missing or blank; name the host or thing that is affected")
	}
	labels := map[string]string{"class": e.Payload.Class, "component": e.Payload.Component, "group": e.Payload.Group}
	switch e.Payload.Severity {
	case "critical", "error", "warning", "info":
		labels["severity"] = e.Payload.Severity
	default:
		return nil, invalid("payload.severity", e.Payload.Severity, "send critical, error, warning or info")
	}
	a := signal.Alert{Identity: cmp.Or(e.DedupKey, keyOf(body)), Keyed: true, StartsAt: now}
	if e.Payload.Timestamp != "" {
		at, err := time.Parse(time.RFC3339Nano, strings.Replace(e.Payload.Timestamp, "+0000", "Z", 1))
		if err != nil {
			a.Notes = append(a.Notes, "payload.timestamp is no ISO 8601 time; the time of receipt was taken.")
		} else {
			a.StartsAt = at.UTC()
		}
	}
	annotations := map[string]string{"summary": e.Payload.Summary, "client": e.Client}
	describe(e.Payload.Details, labels, annotations)
	if labels["alertname"] == "" {
		labels["alertname"] = cmp.Or(e.Payload.Class, e.Payload.Summary)
	}
	place(e.Payload.Source, labels)
	a.GeneratorURL = e.ClientURL
	for i, l := range e.Links {
		if i == 0 && a.GeneratorURL == "" {
			a.GeneratorURL = l.Href
		}
		annotations["link_"+cmp.Or(l.Text, "more")] = l.Href
	}
	a.Labels, a.Annotations = signal.NewLabels(labels), signal.NewLabels(annotations)
	return &receive.Delivery{Alerts: []signal.Alert{a}, Reply: reply{a.Identity}}, nil
}

// describe sorts custom details, an object or anything else.
func describe(details any, labels, annotations map[string]string) {
	switch v := details.(type) {
	case map[string]any:
		receive.Details(v, labels, annotations)
	default:
		annotations["details"] = receive.Text(v)
	}
}

// place tells where the affected thing is: PagerDuty's source is a host name, or a URL or name of any kind.
func place(source string, labels map[string]string) {
	if labels["instance"] == "" && labels["host"] == "" {
		if strings.ContainsAny(source, " /") {
			labels["source"] = source
		} else {
			labels["host"] = source
		}
	}
	if labels["service"] == "" {
		labels["service"] = labels["component"]
	}
}

func act(action, key, actor string) *receive.Delivery {
	a := signal.Alert{Act: signal.Acknowledge, Identity: key, Keyed: true, Actor: actor}
	if action == "resolve" {
		a.Act = signal.End
	}
	return &receive.Delivery{Alerts: []signal.Alert{a}, Reply: reply{key}}
}

// keyOf makes a key of a body, 32 hexadecimal digits.
func keyOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:16])
}

func invalid(field, value, remedy string) error {
	return receive.Invalid(receive.FieldError{Field: field, Value: receive.Excerpt(value), Remedy: remedy})
}

// answer writes what PagerDuty answers. A wrong key is a 400 there.
func answer(w http.ResponseWriter, d *receive.Delivery, p *receive.Problem, success int, field string) {
	if p != nil {
		if p.Status == http.StatusTooManyRequests || p.Status >= http.StatusInternalServerError || p.Status == http.StatusRequestEntityTooLarge {
			p.Write(w)
			return
		}
		status := p.Status
		if status == http.StatusUnauthorized || status == http.StatusNotFound {
			status = http.StatusBadRequest
		}
		texts := []string{p.Detail}
		if len(p.Errors) > 0 {
			texts = texts[:0]
			for _, e := range p.Errors {
				texts = append(texts, e.Field+": "+e.Remedy)
			}
		}
		receive.WriteJSON(w, status, map[string]any{"status": "invalid event", "message": "Event object is invalid", "errors": texts})
		return
	}
	key := ""
	if r, ok := d.Reply.(reply); ok {
		key = r.key
	}
	receive.WriteJSON(w, success, map[string]any{"status": "success", "message": "Event processed", field: key})
}
