// Package nagios receives notifications of Nagios and what descends from it (Naemon, Icinga, Checkmk): the macros of a
// notification by name, as a form or as JSON, sent by curl or by "fairlead notify-nagios".
//
// The names are those of the macros, with or without the prefix that tools export them under (NAGIOS_, NOTIFY_). host;service is
// an alert's identity, for a host's own check the host alone. A cycle of it is a problem id, which stays as an annotation; on
// recovery the core has set it to 0, so the last one is taken.
//
// PROBLEM fires and RECOVERY ends. ACKNOWLEDGEMENT, DOWNTIME*, FLAPPING* and CUSTOM are no alerts but say something about one:
// they acknowledge it or comment on it; those that carry a bad state make the alert known if it was lost, and the end of
// flapping in a good state ends it, because the core tells of no recovery meanwhile. SOFT states, which only event handlers
// send, are accepted and make nothing: the core has not made up its mind.
package nagios

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

// Kind is the integrations' kind.
const Kind = "nagios"

// Notification returns the protocol.
func Notification() receive.Protocol {
	return receive.Protocol{
		Kind: Kind, Mapped: true,
		Parse:  func(r *receive.Request) (*receive.Delivery, error) { return Parse(r.Body, r.At) },
		Answer: receive.AnswerCount,
	}
}

// notification is what the macros say.
type notification struct {
	macros map[string]string
	// object is HOST or SERVICE: what the macros of the check at hand begin with.
	object string
	at     time.Time
}

// Parse reads a notification, received at now: a JSON object, or else a form, whatever the content type says. The error is a
// *receive.Problem.
func Parse(body []byte, now time.Time) (*receive.Delivery, error) {
	macros, err := receive.Texts(body, "")
	if err != nil {
		return nil, err
	}
	n := notification{macros: clean(macros), object: "HOST", at: now}
	host := n.get("HOSTNAME")
	if host == "" {
		return nil, invalid("HOSTNAME", "", "it is missing; send the macros of the notification by name, as examples/nagios shows")
	}
	identity := host
	if n.get("SERVICEDESC") != "" {
		n.object, identity = "SERVICE", host+";"+n.get("SERVICEDESC")
	}
	if at, ok := seconds(n.get("TIMET")); ok && at.Before(now) {
		n.at = at
	}
	bad, good := n.state()
	if !bad && !good {
		return nil, invalid(n.object+"STATE", n.of("STATE"), "send OK, WARNING, CRITICAL or UNKNOWN for a service, UP, DOWN or UNREACHABLE for a host")
	}
	kind := strings.ToUpper(n.get("NOTIFICATIONTYPE"))
	d := &receive.Delivery{}
	if strings.EqualFold(n.of("STATETYPE"), "SOFT") && (kind == "" || kind == "PROBLEM" || kind == "RECOVERY") {
		return d, nil
	}
	report := n.alert(identity)
	act := signal.Alert{Identity: identity, Keyed: true, Actor: n.get("NOTIFICATIONAUTHOR"), Text: n.get("NOTIFICATIONCOMMENT")}
	switch kind {
	case "PROBLEM", "RECOVERY", "":
		if good || kind == "RECOVERY" {
			report.EndsAt = n.end(now)
		}
		d.Alerts = []signal.Alert{report}
		return d, nil
	case "ACKNOWLEDGEMENT":
		act.Act = signal.Acknowledge
	case "CUSTOM":
		act.Act, act.Text = signal.Comment, cmp.Or(act.Text, "A custom notification was sent.")
	default:
		said, known := sayings[kind]
		if !known {
			return nil, invalid("NOTIFICATIONTYPE", kind, "send PROBLEM, RECOVERY, ACKNOWLEDGEMENT, FLAPPINGSTART, FLAPPINGSTOP, FLAPPINGDISABLED, DOWNTIMESTART, DOWNTIMEEND, DOWNTIMECANCELLED or CUSTOM")
		}
		act.Act, act.Text = signal.Comment, strings.TrimSuffix(said+" "+act.Text, " ")
	}
	flapped := kind == "FLAPPINGSTOP" || kind == "FLAPPINGEND" || kind == "FLAPPINGDISABLED"
	if bad && !strings.HasPrefix(kind, "DOWNTIME") {
		d.Alerts = append(d.Alerts, report)
	}
	d.Alerts = append(d.Alerts, act)
	if good && flapped {
		d.Alerts = append(d.Alerts, signal.Alert{Act: signal.End, Identity: identity, Keyed: true, EndsAt: n.end(now)})
	}
	if n.get("TIMET") != "" {
		sum := sha256.Sum256(body) // with its time, the same bytes are the same notification
		d.ID = hex.EncodeToString(sum[:])
	}
	return d, nil
}

// sayings are what the types that are no alerts say. Icinga has its own words for some.
var sayings = map[string]string{
	"FLAPPINGSTART": "It is flapping; the core tells of no changes until it is steady.", "FLAPPINGSTOP": "It has stopped flapping.",
	"FLAPPINGEND": "It has stopped flapping.", "FLAPPINGDISABLED": "Its flapping is no longer watched.",
	"DOWNTIMESTART": "A planned downtime has begun.", "DOWNTIMEEND": "The planned downtime is over.",
	"DOWNTIMECANCELLED": "The planned downtime was cancelled.", "DOWNTIMEREMOVED": "The planned downtime was cancelled.",
}

// end returns the last moment of the notification's second: an alert that began within it ends after it began.
func (n *notification) end(now time.Time) time.Time {
	if at := n.at.Add(time.Second - 1); at.Before(now) {
		return at
	}
	return now
}

func (n *notification) get(name string) string { return n.macros[name] }

// of returns the macro of the object at hand: STATE is SERVICESTATE or HOSTSTATE.
func (n *notification) of(name string) string { return n.macros[n.object+name] }

// state reports whether the object is in a bad or a good state; neither when it says nothing that is known.
func (n *notification) state() (bad, good bool) {
	switch strings.ToUpper(n.of("STATE")) {
	case "OK", "UP":
		return false, true
	case "WARNING", "CRITICAL", "UNKNOWN", "DOWN", "UNREACHABLE":
		return true, false
	}
	return false, false
}

// severity returns the severity of the state; of a good one, that of the state before.
func (n *notification) severity() string {
	for _, state := range []string{n.of("STATE"), n.macros["LAST"+n.object+"STATE"]} {
		switch strings.ToUpper(state) {
		case "CRITICAL", "DOWN":
			return "critical"
		case "UNREACHABLE":
			return "error"
		case "WARNING", "UNKNOWN":
			return "warning"
		}
	}
	return ""
}

// alert returns the report of the notification, as if it fires.
func (n *notification) alert(identity string) signal.Alert {
	name := n.get("SERVICEDESC")
	if n.object == "HOST" {
		if name = "Host down"; strings.EqualFold(n.of("STATE"), "UNREACHABLE") {
			name = "Host unreachable"
		}
	}
	labels := map[string]string{"alertname": name, "severity": n.severity(), "host": n.get("HOSTNAME")}
	problem := n.of("PROBLEMID")
	if problem == "" || problem == "0" {
		problem = n.macros["LAST"+n.object+"PROBLEMID"]
	}
	notes := cmp.Or(n.of("NOTESURL"), n.get("HOSTNOTESURL"))
	annotations := map[string]string{
		"summary": n.of("OUTPUT"), "description": unescape(n.macros["LONG"+n.object+"OUTPUT"]), "runbook_url": notes, "nagios_problem_id": problem,
		"nagios_state": n.of("STATE"), "nagios_host_alias": n.get("HOSTALIAS"), "nagios_host_address": n.get("HOSTADDRESS"), "nagios_perfdata": n.of("PERFDATA"),
		"nagios_host_groups": n.get("HOSTGROUPNAMES"), "nagios_service_groups": n.get("SERVICEGROUPNAMES"), "nagios_attempt": n.of("ATTEMPT"),
		"nagios_host_state": n.get("HOSTSTATE"),
	}
	// Custom variables of host and service are exported as _HOST<NAME> and _SERVICE<NAME>.
	for _, prefix := range []string{"_SERVICE", "_HOST"} {
		details := map[string]any{}
		for macro, text := range n.macros {
			if variable, found := strings.CutPrefix(macro, prefix); found && variable != "" {
				details[strings.ToLower(variable)] = text
			}
		}
		receive.Details(details, labels, annotations)
	}
	a := signal.Alert{
		Identity: identity, Keyed: true, StartsAt: n.at, GeneratorURL: cmp.Or(n.of("ACTIONURL"), n.get("HOSTACTIONURL"), notes),
		Labels: signal.NewLabels(labels), Annotations: signal.NewLabels(annotations),
	}
	if at, ok := seconds(n.macros["LAST"+n.object+"STATECHANGE"]); ok && at.Before(n.at) {
		a.StartsAt = at
	}
	return a
}

var macro = regexp.MustCompile(`^\$[A-Za-z0-9_.:]+\$$`)

// clean brings names to those of the macros, and takes out the macros that the core did not know.
func clean(texts map[string]string) map[string]string {
	macros := make(map[string]string, len(texts))
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		text := strings.TrimSpace(texts[name])
		name = strings.ToUpper(strings.Trim(name, "$"))
		for _, prefix := range []string{"NAGIOS_", "NOTIFY_", "ICINGA_"} {
			name = strings.TrimPrefix(name, prefix)
		}
		if !macro.MatchString(text) {
			macros[name] = cmp.Or(text, macros[name])
		}
	}
	return macros
}

// unescape undoes what the core does to the line breaks of long outputs.
func unescape(text string) string { return strings.ReplaceAll(text, `\n`, "\n") }

// seconds reads seconds since 1970; ok is false when there is no such time.
func seconds(text string) (at time.Time, ok bool) {
	whole, _, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n <= 0 || n > 1<<40 {
		return time.Time{}, false
	}
	return time.Unix(n, 0).UTC(), true
}

func invalid(field, value, remedy string) error {
	return receive.Invalid(receive.FieldError{Field: field, Value: receive.Excerpt(value), Remedy: remedy})
}
