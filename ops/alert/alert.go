// Package alert follows one alert from its first report to its end: identity, firing and resolved, repeats, time-outs,
// flapping, silences and inhibition.
//
// A Tracker turns reports (signal.Alert) into episodes. An episode begins when a label set fires and ends when it
// resolves or times out; when the same label set fires again soon after, the same episode goes on and the return counts
// as a flap. Each stage that changes what will be told leaves one line in the episode's decision record, which answers
// "why was I, or was I not, told". Which episodes make an incident is decided next door, in ops/incident.
//
// The package is pure: no goroutine, no clock; every call takes the time. Silences alone are safe for concurrent use,
// because people change them.
package alert

import (
	"crypto/sha256"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/entity"
	"github.com/fairlead/fairlead/base/signal"
)

// State says whether an episode fires.
type State string

// The states of an episode.
const (
	Firing   State = "firing"
	Resolved State = "resolved"
)

// Episode is one alert from firing to resolved.
type Episode struct {
	// Seq numbers episodes in the order of their first report; ID is "A" and that number.
	Seq uint64
	ID  string

	Source      string
	Identity    string
	Fingerprint signal.Fingerprint
	TemplateKey string
	Labels      signal.Labels
	Severity    signal.Severity
	// Annotations and GeneratorURL are the newest reported. A Tracker keeps them only until they were stored.
	Annotations  signal.Labels
	GeneratorURL string

	State State
	// StartsAt and EndsAt are the sender's; EndsAt is zero while firing.
	StartsAt, EndsAt time.Time
	// ReceivedAt is the time of the first report, LastReceivedAt of the newest.
	ReceivedAt, LastReceivedAt time.Time
	// ExpiresAt is when the episode counts as ended if no further report comes; zero means never.
	ExpiresAt time.Time
	// Reports counts all reports; Flaps how often it came back after it had ended.
	Reports, Flaps int
	// Flapping says that it oscillates now. Changes are held back until it is quiet.
	Flapping bool
	// SilencedBy holds the ids of the silences, InhibitedBy of the alerts that mute it now.
	SilencedBy, InhibitedBy []string
	// Incident is the number of the incident it was put into; 0 if none.
	Incident uint64
	// Why holds the evidence for that, as the incident engine encoded it; nil when what is stored is still right.
	Why []byte

	// Lines are the lines of the decision record that were not stored yet; Chain is the hash over all lines.
	Lines []Line
	Chain [sha256.Size]byte
	lines int

	Service, Instance, Host entity.Ref

	text    uint64 // hash of the newest annotations and GeneratorURL
	textNew bool   // they were not stored yet
	// labelsNew says that labels, and what follows from them, were changed by the sender and not stored yet.
	labelsNew bool
	returns   []time.Time // newest returns after an end, oldest first; only within Config.FlapWindow
	endedAt   time.Time   // server's time of the newest end
	fired     time.Time   // the sender's time of the newest firing
	timer     int         // index in the tracker's heap, -1 when not queued
	due       time.Time
	dirty     dirtiness
	// Counted is what its incident counts of it; the incident engine keeps it.
	Counted Counted

	heldEnd   bool // the end was not passed on because it flaps
	forgotten bool
}

// Muted reports whether a silence or another alert mutes the episode.
func (e *Episode) Muted() bool { return len(e.SilencedBy) > 0 || len(e.InhibitedBy) > 0 }

// Name returns the alert's name: its label "alertname", else the sender's key.
func (e *Episode) Name() string {
	if name := e.Labels.Get("alertname"); name != "" {
		return name
	}
	return e.Identity
}

// Entity returns what the episode is about, most telling first: service, instance or host; the zero Ref if it names none.
func (e *Episode) Entity() entity.Ref {
	switch {
	case !e.Service.IsZero():
		return e.Service
	case !e.Instance.IsZero():
		return e.Instance
	}
	return e.Host
}

// Counted is what an incident counts of one episode.
type Counted struct {
	// Home is the number of the incident that counts it; 0 if none does.
	Home                                  uint64
	Reports                               int
	Firing, Silenced, Inhibited, Flapping bool
}

// Count returns what an incident should count of the episode as it is now.
func (e *Episode) Count() Counted {
	return Counted{
		Home: e.Incident, Reports: e.Reports, Firing: e.State == Firing,
		Silenced: len(e.SilencedBy) > 0, Inhibited: len(e.InhibitedBy) > 0, Flapping: e.Flapping,
	}
}

// dirtiness says how much of an episode has to be stored.
type dirtiness uint8

const (
	clean dirtiness = iota
	repeated
	changed
	fresh
)

// Line is one line of a decision record.
type Line struct {
	At      time.Time `json:"at"`
	Stage   string    `json:"stage"`
	Outcome string    `json:"outcome"`
	Reason  string    `json:"reason"`
}

// The stages that leave lines, in the order an alert passes them.
const (
	StageReceive   = "receive"
	StageNormalise = "normalise"
	StageIdentity  = "identity"
	StageDedupe    = "dedupe"
	StageFlap      = "flap"
	StageSilence   = "silence"
	// StageMaintenance is the calendar of planned work.
	StageMaintenance = "maintenance"
	StageInhibit     = "inhibit"
	StageHold        = "hold"
	StageIncident    = "incident"
)

// maxLines bounds the record of one episode; an alert that changes for weeks keeps its first lines.
const maxLines = 200

// Note appends a line to the decision record; a stage outside this package calls Tracker.Touch too. Beyond 200 lines only
// a last remark is kept.
func (e *Episode) Note(at time.Time, stage, outcome, reason string) {
	if e.lines > maxLines {
		return
	}
	if e.lines == maxLines {
		outcome, reason = "record full", "Further lines are not kept; the counters go on."
	}
	line := Line{At: at, Stage: stage, Outcome: outcome, Reason: reason}
	e.Lines = append(e.Lines, line)
	e.lines++
	e.Chain = Extend(e.Chain, line)
}

// Extend returns the hash of a decision record that grows by line: SHA-256 over the hash before and the line's fields.
func Extend(chain [sha256.Size]byte, line Line) [sha256.Size]byte {
	buf := make([]byte, 0, 256)
	buf = append(buf, chain[:]...)
	buf = strconv.AppendInt(buf, line.At.UnixMilli(), 10)
	for _, text := range []string{line.Stage, line.Outcome, line.Reason} {
		buf = append(buf, 0)
		buf = append(buf, text...)
	}
	return sha256.Sum256(buf)
}

// TemplateKey returns the key under which alerts of the same kind are learned: the alert's name and those labels that do
// not name a place, with numbers, hexadecimal ids and addresses replaced by "#".
func TemplateKey(a *signal.Alert) string {
	var key strings.Builder
	key.WriteString(mask(a.Name()))
	for _, label := range a.Labels {
		if label.Name == "alertname" || placeLabels[label.Name] {
			continue
		}
		key.WriteByte(' ')
		key.WriteString(label.Name)
		key.WriteByte('=')
		key.WriteString(mask(label.Value))
	}
	return key.String()
}

// placeLabels name where an alert happened, which a template leaves out.
var placeLabels = map[string]bool{
	"instance": true, "pod": true, "host": true, "hostname": true, "node": true, "nodename": true, "container": true,
	"container_id": true, "id": true, "uid": true, "ip": true, "address": true, "endpoint": true,
	"k8s.pod.name": true, "k8s.node.name": true, "host.name": true, "service.instance.id": true,
}

// mask replaces each run of characters that contains a digit by "#", so that "api-7f9c6-x2" becomes "api-#-#".
func mask(text string) string {
	if !strings.ContainsAny(text, "0123456789") {
		return text
	}
	out := make([]byte, 0, len(text))
	for start := 0; start < len(text); {
		end := start
		digit := false
		for end < len(text) && isWord(text[end]) {
			digit = digit || (text[end] >= '0' && text[end] <= '9')
			end++
		}
		switch {
		case digit:
			out = append(out, '#')
		default:
			out = append(out, text[start:end]...)
		}
		if end < len(text) {
			out = append(out, text[end])
			end++
		}
		start = end
	}
	return string(out)
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
