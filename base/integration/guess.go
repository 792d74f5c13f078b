package integration

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// guesses are the names under which tools write what an alert needs, most telling first.
var guesses = map[string][]string{
	"identity": {"dedup_key", "dedupkey", "alert_key", "alertkey", "alias", "fingerprint", "alert_id", "alertid", "incident_id", "incidentid", "event_id", "eventid", "key", "uid", "id"},
	"name":     {"alertname", "alert_name", "rulename", "rule_name", "check", "check_name", "monitor", "monitor_name", "title", "name", "subject", "event", "summary", "message", "text"},
	"severity": {"severity", "priority", "level", "urgency", "criticality"},
	"state":    {"state", "status", "alert_state", "alertstate", "event_action", "eventtype", "event_type", "action"},
	"summary":  {"summary", "description", "message", "text", "details", "title"},
	"link":     {"link", "url", "href", "html_url", "web_url", "alert_url", "generatorurl"},
	"startsAt": {"startsat", "starts_at", "started_at", "start_time", "timestamp", "time", "created_at", "date"},
	"endsAt":   {"endsat", "ends_at", "ended_at", "end_time", "resolved_at", "timestamp", "time"},
}

// guessedLabels are the labels that tell where an alert is, and the names under which tools write them.
var guessedLabels = map[string][]string{
	"service":     {"service", "service_name", "application", "app", "component"},
	"host":        {"host", "hostname", "host_name", "server", "node"},
	"instance":    {"instance", "resource", "target"},
	"environment": {"environment", "env"},
	"namespace":   {"namespace"},
	"cluster":     {"cluster"},
}

// envelopes are the names under which tools wrap what they are about.
var envelopes = []string{"alert", "event", "incident", "data", "payload", "labels", "attributes", "monitor", "commonlabels"}

// guess returns the text under the first of names that item, or one of the envelopes in it, has.
func guess(item any, names []string) string {
	object, ok := item.(map[string]any)
	if !ok {
		return ""
	}
	fields := make(map[string]any, len(object))
	for name, value := range object {
		fields[strings.ToLower(name)] = value
	}
	for _, name := range names {
		switch value := fields[name].(type) {
		case string, bool, int, float64:
			if text := textOf(value); text != "" {
				return text
			}
		case map[string]any: // such as {"service": {"name": "cart"}}
			for _, inner := range []string{"name", "id"} {
				if text, ok := value[inner].(string); ok && text != "" {
					return text
				}
			}
		}
	}
	for _, envelope := range envelopes {
		if inner, ok := fields[envelope].(map[string]any); ok {
			if text := guess(inner, names); text != "" {
				return text
			}
		}
	}
	return ""
}

// stateOf returns firing, resolved or acknowledged for a word that means it, "" for another. No word means firing.
func stateOf(text string) string {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "", "firing", "fire", "alerting", "alert", "alarm", "trigger", "triggered", "open", "opened", "active", "problem", "down",
		"critical", "crit", "warning", "warn", "error", "failed", "failure", "fail", "bad", "create", "created", "new", "true", "1", "unhealthy", "started", "unknown", "no data", "nodata":
		return "firing"
	case "resolved", "resolve", "ok", "okay", "closed", "close", "recovered", "recovery", "up", "normal", "clear", "cleared", "good", "success",
		"succeeded", "false", "0", "healthy", "ended", "inactive", "done", "fixed":
		return "resolved"
	case "acknowledged", "acknowledge", "ack", "acked":
		return "acknowledged"
	}
	return ""
}

// severityOf returns a word that signal.ParseSeverity knows.
func severityOf(text string) string { return strings.ToLower(strings.TrimSpace(text)) }

// timeOf reads a time: RFC 3339, or seconds, milliseconds or nanoseconds since 1970. "" is now.
func timeOf(field, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return now, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04:05 -0700", time.RFC1123Z, time.RFC1123} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || n < 0 || n > 1e20:
		return time.Time{}, fmt.Errorf("mapper.%s: %q is no time: give RFC 3339, or seconds since 1970", field, text)
	case n < 1e11:
		return time.UnixMilli(int64(n * 1000)).UTC(), nil
	case n < 1e14:
		return time.UnixMilli(int64(n)).UTC(), nil
	}
	return time.Unix(0, int64(n)).UTC(), nil
}
