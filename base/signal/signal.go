// Package signal holds the things that arrive at Fairlead, in its own form: alerts first, later samples, log records,
// spans and changes.
//
// A receiver decodes a wire format once into these types and publishes them as a batch record (see AppendAlerts); what
// stands behind the bus never sees a wire format. All times are UTC. Values are immutable after they were built and safe
// to share between goroutines.
package signal

import "time"

// Severity orders how bad an alert says it is. Higher is worse; the zero value is Unrated.
type Severity uint8

// The severities, mildest first.
const (
	Unrated Severity = iota
	Info
	Warning
	Error
	Critical
)

var severityNames = [...]string{"none", "info", "warning", "error", "critical"}

// String returns the lower-case name: none, info, warning, error or critical.
func (s Severity) String() string { return severityNames[min(int(s), len(severityNames)-1)] }

// ParseSeverity maps the words that senders use onto a Severity. Unknown words and "" give Unrated.
func ParseSeverity(text string) Severity {
	switch text {
	case "critical", "crit", "page", "fatal", "emergency", "disaster", "P1", "p1":
		return Critical
	case "error", "err", "major", "high", "P2", "p2":
		return Error
	case "warning", "warn", "minor", "average", "medium", "P3", "p3":
		return Warning
	case "info", "information", "informational", "notice", "low", "debug", "P4", "p4", "P5", "p5":
		return Info
	}
	return Unrated
}

// Act is what a sender says about an alert.
type Act uint8

// The acts.
const (
	// Report: it fires, or it has ended (EndsAt), with all that is known of it.
	Report Act = iota
	// End: the alert with this Identity has ended. Nothing else is known; an unknown or ended one stays as it is.
	End
	// Acknowledge and Unacknowledge: Actor works, or no longer works, on the alert with this Identity.
	Acknowledge
	Unacknowledge
	// Comment: Actor says Text about the alert with this Identity.
	Comment
	acts
)

// Alert is one report that something fires or has ended: a claim by a rule or, from Fairlead's own detectors, by a model.
type Alert struct {
	// Act is what the sender says; what is said of a Report below holds for the other acts as far as they need it.
	Act Act
	// Source is the integration that sent it, for instance "prometheus".
	Source string
	// Identity is the sender's own key, verbatim; for Prometheus the fingerprint of the labels in hexadecimal.
	Identity string
	// Keyed says that Identity alone tells the alert from others of its Source; else its Labels do.
	Keyed bool
	// Labels describe what the alert is about; never empty in a Report.
	Labels Labels
	// Annotations describe it; they may change from one report to the next.
	Annotations Labels
	// GeneratorURL links to where the alert was made; "" if unknown.
	GeneratorURL string
	// StartsAt is when the sender says it began; never zero after the receiver, which fills in the time of receipt.
	StartsAt time.Time
	// EndsAt is when it ended or will count as ended; zero means "still firing, no end known".
	EndsAt time.Time
	// ResolveTimeout is how long after the last report without EndsAt the alert counts as ended; 0 means never.
	ResolveTimeout time.Duration
	// Actor is who acted at the sender, "" if it does not say; Text what was said.
	Actor, Text string
	// Notes are what the receiver changed, for the decision record, for instance that a StartsAt in the future was clamped.
	Notes []string
}

// Fingerprint tells the alert from others of its Source: by its Identity if it is Keyed, else by its Labels.
func (a *Alert) Fingerprint() Fingerprint {
	if a.Keyed {
		return Fingerprint(fnvString(offset64, a.Identity))
	}
	return a.Labels.Fingerprint()
}

// Severity returns the severity that the alert's label "severity" (or "priority") names.
func (a *Alert) Severity() Severity {
	if text := a.Labels.Get("severity"); text != "" {
		return ParseSeverity(text)
	}
	return ParseSeverity(a.Labels.Get("priority"))
}

// Name returns the alert's name: the label "alertname", else the identity.
func (a *Alert) Name() string {
	if name := a.Labels.Get("alertname"); name != "" {
		return name
	}
	return a.Identity
}
