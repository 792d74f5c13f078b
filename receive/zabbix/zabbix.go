// Package zabbix receives what the media type that we ship (examples/zabbix/media_fairlead.yaml) sends of Zabbix's events.
//
// One alert is one trigger on one host: trigger_id/host is its identity. A cycle of it is an event, whose id stays as an annotation.
// An event without a trigger (an internal one, or a service's) is an alert of its own by its event_id. event_value 1 fires and
// 0 ends; an update (event_update_status 1) says what somebody did: acknowledged, unacknowledged, and what was written. Each
// update carries the state of the problem too, so one whose alert was lost makes it known again.
//
// Macros that Zabbix could not resolve ({EVENT.X}, *UNKNOWN*) are missing. The answer is 200 with JSON; for anything else the
// media type reports an error and Zabbix tries again, as often as the media type says.
package zabbix

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

// Kind is the integrations' kind.
const Kind = "zabbix"

// Webhook returns the protocol of the media type.
func Webhook() receive.Protocol {
	return receive.Protocol{
		Kind: Kind, Mapped: true,
		Parse:  func(r *receive.Request) (*receive.Delivery, error) { return Parse(r.Body, r.At) },
		Answer: receive.AnswerCount,
	}
}

// Parse reads what the media type sends, received at now. The error is a *receive.Problem.
func Parse(body []byte, now time.Time) (*receive.Delivery, error) {
	e, err := receive.Texts(body, "application/json")
	if err != nil {
		return nil, err
	}
	clean(e)
	if e["event_id"] == "" && e["trigger_id"] == "" {
		return nil, invalid("event_id", "", "it is missing, and trigger_id too; use the media type of examples/zabbix/media_fairlead.yaml")
	}
	if e["event_name"] == "" {
		return nil, invalid("event_name", "", "it is missing; send {EVENT.NAME}")
	}
	update := e["event_update_status"] == "1"
	a := alert(e, now)
	d := &receive.Delivery{}
	switch {
	case e["event_value"] == "1", e["event_value"] == "" && e["event_status"] == "PROBLEM":
	case e["event_value"] == "0", e["event_value"] == "" && (e["event_status"] == "RESOLVED" || e["event_status"] == "OK"):
		a.EndsAt = now
		// The last moment of that second: an alert that began within it ends after it began.
		if at, ok := seconds(e["recovered_at"]); ok && at.Add(time.Second-1).Before(now) {
			a.EndsAt = at.Add(time.Second - 1)
		}
	default:
		return nil, invalid("event_value", cmp.Or(e["event_value"], e["event_status"]), "send {EVENT.VALUE}, 1 for a problem or 0 for its end")
	}
	d.Alerts = []signal.Alert{a}
	if update {
		sum := sha256.Sum256(body) // the time of the update is in it
		d.ID = hex.EncodeToString(sum[:])
		d.Alerts = append(d.Alerts, acts(e, a.Identity)...)
	}
	return d, nil
}

// alert returns the report of the event's problem, as if it fires.
func alert(e map[string]string, now time.Time) signal.Alert {
	a := signal.Alert{Keyed: true, StartsAt: now, GeneratorURL: e["url"], Identity: e["trigger_id"] + "/" + e["host"]}
	if e["trigger_id"] == "" {
		a.Identity = e["event_id"]
	}
	if at, ok := seconds(e["started_at"]); ok {
		a.StartsAt = at
	}
	labels := map[string]string{"alertname": e["event_name"], "severity": severityOf(e), "host": e["host"]}
	annotations := map[string]string{"description": e["trigger_description"]}
	for _, name := range []string{"event_id", "trigger_id", "event_opdata", "event_severity", "host_ip", "host_name", "host_groups", "event_recovery_id", "event_ack_status"} {
		annotations["zabbix_"+name] = e[name]
	}
	var tags []struct{ Tag, Value string }
	if e["event_tags"] != "" && json.Unmarshal([]byte(e["event_tags"]), &tags) != nil {
		a.Notes = append(a.Notes, "event_tags is not what {EVENT.TAGSJSON} gives; they were left out.")
	}
	details := map[string]any{}
	for _, tag := range tags {
		if before, found := details[tag.Tag].(string); found {
			tag.Value = before + ", " + tag.Value // a tag may have several values
		}
		details[tag.Tag] = cmp.Or(tag.Value, "true")
	}
	receive.Details(details, labels, annotations)
	a.Labels, a.Annotations = signal.NewLabels(labels), signal.NewLabels(annotations)
	return a
}

// acts returns what an update says that somebody did: event_update_action is a list in words.
func acts(e map[string]string, identity string) []signal.Alert {
	base := signal.Alert{Identity: identity, Keyed: true, Actor: e["user"], Text: e["event_update_message"]}
	var done []signal.Alert
	var rest []string
	for action := range strings.SplitSeq(e["event_update_action"], ",") {
		switch action = strings.TrimSpace(action); action {
		case "acknowledged":
			base.Act = signal.Acknowledge
			done = append(done, base)
		case "unacknowledged":
			base.Act = signal.Unacknowledge
			done = append(done, base)
		case "", "commented":
		default: // closed, suppressed, changed severity from High to Disaster, changed rank ...
			rest = append(rest, action)
		}
	}
	text := strings.Join(rest, ", ")
	if len(done) == 0 && base.Text != "" || text != "" {
		if len(done) == 0 && base.Text != "" {
			text = strings.TrimPrefix(text+": "+base.Text, ": ")
		}
		base.Act, base.Text = signal.Comment, text
		done = append(done, base)
	}
	return done
}

var unresolved = regexp.MustCompile(`^(?:\{[A-Z][A-Z0-9._]*\}|\*UNKNOWN\*)$`)

// clean takes out the macros that Zabbix had no value for.
func clean(e map[string]string) {
	for name, text := range e {
		if text = strings.TrimSpace(text); unresolved.MatchString(text) {
			text = ""
		}
		e[name] = text
	}
}

// severities are Zabbix's by number; their names can be changed there.
var severities = [...]string{"none", "info", "warning", "warning", "error", "critical"}

// severityOf returns the severity by number, or by its usual name.
func severityOf(e map[string]string) string {
	if n, err := strconv.Atoi(e["event_nseverity"]); err == nil && n >= 0 && n < len(severities) {
		return severities[n]
	}
	switch strings.ToLower(e["event_severity"]) {
	case "disaster":
		return "critical"
	case "high":
		return "error"
	case "average", "warning":
		return "warning"
	case "information":
		return "info"
	}
	return "none"
}

// seconds reads seconds since 1970; ok is false when there is no such time.
func seconds(text string) (at time.Time, ok bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 || n > 1<<40 {
		return time.Time{}, false
	}
	return time.Unix(n, 0).UTC(), true
}

func invalid(field, value, remedy string) error {
	return receive.Invalid(receive.FieldError{Field: field, Value: receive.Excerpt(value), Remedy: remedy})
}
