package pagerduty

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

// legacyEvent is the body of the older API.
type legacyEvent struct {
	EventType   string `json:"event_type"`
	IncidentKey string `json:"incident_key"`
	Description string `json:"description"`
	Details     any    `json:"details"`
	Client      string `json:"client"`
	ClientURL   string `json:"client_url"`
}

// Legacy returns the protocol of POST /generic/2010-04-15/create_event.json.
func Legacy() receive.Protocol {
	return receive.Protocol{
		Kind: Kind, Name: "pagerduty-create-event",
		Secret: func(r *receive.Request) string {
			var e struct {
				ServiceKey string `json:"service_key"`
			}
			_ = json.Unmarshal(r.Body, &e) // Parse says what is wrong with it
			return e.ServiceKey
		},
		Parse: func(r *receive.Request) (*receive.Delivery, error) { return ParseLegacy(r.Body, r.At) },
		Answer: func(w http.ResponseWriter, _ *receive.Request, d *receive.Delivery, p *receive.Problem) {
			answer(w, d, p, http.StatusOK, "incident_key")
		},
	}
}

// ParseLegacy reads the body of create_event.json, received at now. The error is a *receive.Problem.
func ParseLegacy(body []byte, now time.Time) (*receive.Delivery, error) {
	var e legacyEvent
	if err := receive.DecodeJSON(body, &e); err != nil {
		return nil, err
	}
	switch e.EventType {
	case "trigger":
	case "acknowledge", "resolve":
		if e.IncidentKey == "" {
			return nil, invalid("incident_key", "", "it is missing; send the incident_key of the trigger")
		}
		return act(e.EventType, e.IncidentKey, e.Client), nil
	default:
		return nil, invalid("event_type", e.EventType, "send trigger, acknowledge or resolve")
	}
	if strings.TrimSpace(e.Description) == "" {
		return nil, invalid("description", "", "it is missing or blank; say in one line what is wrong")
	}
	labels, annotations := map[string]string{}, map[string]string{"summary": e.Description, "client": e.Client}
	describe(e.Details, labels, annotations)
	if labels["severity"] = annotations["severity"]; labels["severity"] == "" {
		labels["severity"] = "critical" // the older API pages for everything
	}
	delete(annotations, "severity")
	labels["alertname"] = cmp.Or(labels["alertname"], e.Description)
	a := signal.Alert{
		Identity: cmp.Or(e.IncidentKey, keyOf(body)), Keyed: true, StartsAt: now, GeneratorURL: e.ClientURL,
		Labels: signal.NewLabels(labels), Annotations: signal.NewLabels(annotations),
	}
	return &receive.Delivery{Alerts: []signal.Alert{a}, Reply: reply{a.Identity}}, nil
}
