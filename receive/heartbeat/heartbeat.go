// Package heartbeat notices senders that have fallen silent: who is expected to be heard and is not for longer than its
// interval makes an alert, and who is heard again ends it.
//
// A Board knows the senders. Pings come from POST or GET /in/heartbeat/{integration} (Protocol), from the heartbeats of
// other protocols, and from alerts of the name Watchdog, which a Prometheus fires for ever to show that it lives (Watch). The
// alert is called HeartbeatMissing; its Source is "heartbeat" and its Identity the heartbeat's name, with the integration in
// front when that has another name.
//
// What the Board knows is durable: a ping is stored before it is answered. Silence counts only while the server runs: the
// time in which it was stopped is added to what each sender had left, because nobody could be heard then. Time is that of
// the server's clock, so a replay on the event clock has the same alerts as the day itself.
package heartbeat

import (
	"cmp"
	"fmt"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

const (
	// Kind is the kind of integrations that are one heartbeat each.
	Kind = "heartbeat"
	// Source is the source of the alerts.
	Source = "heartbeat"
	// AlertName is their name.
	AlertName = "HeartbeatMissing"
	// WatchdogName is the name of alerts that are heartbeats.
	WatchdogName = "Watchdog"
	// DefaultInterval is how long a sender may be silent when nobody says.
	DefaultInterval = 10 * time.Minute
	// MinInterval is the least that may be said.
	MinInterval = time.Second
	// MaxInterval is the most that may be said.
	MaxInterval = 366 * 24 * time.Hour
)

// Beat is one sender that is expected to be heard. Integration and Name tell it from others.
type Beat struct {
	Integration string `json:"integration"`
	Name        string `json:"name"`
	// Interval is how long it may be silent.
	Interval time.Duration `json:"interval"`
	// LastAt is when it was heard last, zero for never; DueAt when it counts as missing, zero when nothing is expected yet.
	LastAt time.Time `json:"lastAt"`
	DueAt  time.Time `json:"dueAt"`
	// Disabled says that its silence means nothing.
	Disabled bool `json:"disabled"`
	// Missing says that its alert fires.
	Missing bool `json:"missing"`
	// Since is when it came into its State; zero if that is not known.
	Since time.Time `json:"since,omitzero"`
	// Severity is the alert's; "" is critical, because whatever would tell may be what is silent. Message and Description replace what the alert says; Tags are added to it.
	Severity    string   `json:"severity,omitempty"`
	Message     string   `json:"message,omitempty"`
	Description string   `json:"description,omitempty"`
	Tags        []string `json:"tags,omitempty"`
	// Labels are those of the Watchdog alert that is the heartbeat; nil for others.
	Labels map[string]string `json:"labels,omitempty"`
	// Source is the source under which its alert was published.
	Source string `json:"source,omitempty"`
}

// Expired reports whether it has been silent for too long at now.
func (b *Beat) Expired(now time.Time) bool {
	return !b.Disabled && !b.DueAt.IsZero() && !now.Before(b.DueAt)
}

// State says how a heartbeat stands.
type State string

// The states of a heartbeat.
const (
	// Heard: it came in time.
	Heard State = "heard"
	// Waiting: it never came, or came once and nobody knows how often it will; it is not missing yet.
	Waiting State = "waiting"
	// Silent: its alert fires.
	Silent State = "missing"
	// Paused: its silence means nothing.
	Paused State = "paused"
)

// State returns how it stands.
func (b *Beat) State() State {
	switch {
	case b.Disabled:
		return Paused
	case b.Missing:
		return Silent
	case b.LastAt.IsZero(), b.DueAt.IsZero():
		return Waiting
	}
	return Heard
}

// key is the Beat's place on the Board and in the rows.
func (b *Beat) key() string { return b.Integration + "/" + b.Name }

// identity is its alert's.
func (b *Beat) identity() string {
	if b.Integration == b.Name {
		return b.Name
	}
	return b.key()
}

// missing returns the alert that says that it is silent.
func (b *Beat) missing() signal.Alert {
	labels := map[string]string{"alertname": AlertName, "heartbeat": b.Name, "integration": b.Integration, "severity": cmp.Or(b.Severity, "critical")}
	for name, value := range b.Labels {
		if name != "alertname" && name != "severity" {
			labels[name] = value
		}
	}
	summary := fmt.Sprintf("Nothing was heard of %s for %s.", b.Name, b.Interval)
	if b.Labels != nil {
		summary = fmt.Sprintf("The Watchdog alert of %s has not come for %s: its alerts may not come either.", b.Integration, b.Interval)
	}
	annotations := map[string]string{"summary": cmp.Or(b.Message, summary), "description": b.Description}
	if !b.LastAt.IsZero() {
		annotations["last_heard_at"] = b.LastAt.Format(time.RFC3339)
	}
	receive.Tags(b.Tags, labels, annotations)
	return signal.Alert{
		Source: b.Source, Identity: b.identity(), Keyed: true, StartsAt: b.DueAt,
		Labels: signal.NewLabels(labels), Annotations: signal.NewLabels(annotations),
	}
}

// back returns the end of that alert.
func (b *Beat) back(at time.Time) signal.Alert {
	return signal.Alert{Act: signal.End, Source: b.Source, Identity: b.identity(), Keyed: true, StartsAt: at, EndsAt: at}
}
