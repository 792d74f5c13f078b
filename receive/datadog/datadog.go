// Package datadog receives what a webhook of Datadog's monitors sends with the payload that we ship
// (examples/datadog/payload.json).
//
// One alert is one cycle of a monitor for one group: $ALERT_CYCLE_KEY is its identity, verbatim. Where that is missing, it is the
// monitor's id and the scope. The transition says what happened: Triggered, Warn and No Data (and their repeats) fire, Recovered
// ends. A renotification is a repeat. Datadog leaves a variable that has no value empty, or as it stands in the payload; both
// mean that it is missing. An event that no monitor made, such as a comment that names the webhook, fires for an hour. A payload
// of the user's own making goes to the integration's mapper.
//
// Datadog sends again after an answer of 5xx, not after 4xx.
package datadog

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

// Kind is the integrations' kind.
const Kind = "datadog"

// oneOff is how long an event that is not a monitor's counts as firing: nothing will say that it has ended.
const oneOff = time.Hour

// Webhook returns the protocol.
func Webhook() receive.Protocol {
	return receive.Protocol{
		Kind: Kind, Mapped: true,
		Parse: func(r *receive.Request) (*receive.Delivery, error) { return Parse(r.Body, r.At) },
	}
}

// Parse reads the payload, received at now. The error is a *receive.Problem.
func Parse(body []byte, now time.Time) (*receive.Delivery, error) {
	e, err := receive.Texts(body, "application/json")
	if err != nil {
		return nil, err
	}
	clean(e)
	if e["cycle_key"] == "" && e["alert_id"] == "" {
		if e["transition"] == "" && e["title"] != "" {
			return event(e, now), nil
		}
		return nil, invalid("cycle_key", "", "it is missing, and alert_id too; use the payload of examples/datadog/payload.json")
	}
	a := alert(e, now)
	severity := severityOf(e)
	switch strings.TrimPrefix(strings.ToLower(e["transition"]), "re-") {
	case "triggered", "renotify", "alert":
	case "warn", "no data":
		if severity != "info" {
			severity = "warning"
		}
	case "recovered":
		a.EndsAt = a.StartsAt
	default:
		return nil, invalid("transition", e["transition"], "send $ALERT_TRANSITION: Triggered, Warn, No Data or Recovered, with or without Re- before it")
	}
	labels := a.Labels.Map()
	labels["severity"] = severity
	a.Labels, a.Identity = signal.NewLabels(labels), cmp.Or(e["cycle_key"], e["alert_id"]+"/"+e["scope"])
	return &receive.Delivery{Alerts: []signal.Alert{a}}, nil
}

// event returns the alert of an event that no monitor made, such as a comment that names the webhook.
func event(e map[string]string, now time.Time) *receive.Delivery {
	a := alert(e, now)
	labels := a.Labels.Map()
	labels["severity"] = "info"
	switch e["type"] {
	case "error", "warning":
		labels["severity"] = e["type"]
	case "success":
		a.EndsAt = a.StartsAt
	}
	a.Labels, a.Identity, a.ResolveTimeout = signal.NewLabels(labels), cmp.Or(e["aggreg_key"], e["title"]), oneOff
	a.Notes = append(a.Notes, "It is an event and no monitor's alert: nothing will say that it has ended.")
	return &receive.Delivery{Alerts: []signal.Alert{a}}
}

// alert returns what all reports have; identity, severity and end are left to the caller.
func alert(e map[string]string, now time.Time) signal.Alert {
	labels := map[string]string{"priority": e["priority"], "monitor_id": e["alert_id"]}
	annotations := map[string]string{"summary": e["title"], "description": e["body"]}
	for _, name := range []string{"query", "metric", "snapshot", "scope", "aggreg_key", "org_id", "transition"} {
		annotations["datadog_"+name] = e[name]
	}
	labels["alertname"] = cmp.Or(nameOf(e["title"]), "Datadog monitor "+cmp.Or(e["alert_id"], e["cycle_key"]))
	receive.Tags(list(e["scope"]), labels, annotations)
	receive.Tags(list(e["tags"]), labels, annotations)
	labels["host"] = cmp.Or(labels["host"], e["hostname"])
	a := signal.Alert{Keyed: true, GeneratorURL: e["link"], StartsAt: now, Labels: signal.NewLabels(labels), Annotations: signal.NewLabels(annotations)}
	if milliseconds, err := strconv.ParseInt(e["date"], 10, 64); err == nil && milliseconds > 0 {
		a.StartsAt = time.UnixMilli(milliseconds).UTC()
	} else if e["date"] != "" {
		a.Notes = append(a.Notes, "date is not in milliseconds since 1970; the time of receipt was taken.")
	}
	return a
}

var variable = regexp.MustCompile(`^\$[A-Z_]+$`)

// clean takes out the variables that Datadog had no value for.
func clean(e map[string]string) {
	for name, text := range e {
		text = strings.TrimSpace(text)
		if variable.MatchString(text) || text == "null" || text == "N/A" {
			text = ""
		}
		e[name] = text
	}
}

// severityOf returns the severity of the monitor's priority; without one its alerts are critical, as Datadog calls the
// threshold, unless the type says that nothing is wrong.
func severityOf(e map[string]string) string {
	switch strings.ToUpper(e["priority"]) {
	case "P1":
		return "critical"
	case "P2":
		return "error"
	case "P3":
		return "warning"
	case "P4", "P5":
		return "info"
	}
	switch e["type"] {
	case "info":
		return "info"
	case "warning":
		return "warning"
	}
	return "critical"
}

// mark is what Datadog puts before a monitor's name: [P1] [Triggered on {host:web-1}].
var mark = regexp.MustCompile(`^\[(?:P[1-5]|(?i:(?:re-)?(?:triggered|warn|no data)|recovered|renotify|alert|test)[^\]]*)\]\s*`)

// nameOf returns the monitor's name in a title.
func nameOf(title string) string {
	for {
		name := mark.ReplaceAllString(title, "")
		if name == title {
			return strings.TrimSpace(name)
		}
		title = name
	}
}

// list splits a list of tags.
func list(text string) []string {
	if text == "" || text == "*" {
		return nil
	}
	return strings.Split(text, ",")
}

func invalid(field, value, remedy string) error {
	return receive.Invalid(receive.FieldError{Field: field, Value: receive.Excerpt(value), Remedy: remedy})
}
