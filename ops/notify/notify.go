// Package notify tells people of incidents.
//
// A Plan is a loaded alertmanager.yml: route tree, receivers, templates, time intervals and inhibit rules, read by
// Alertmanager's own packages and told by its own notifiers, so that the file works as it is. A Teller decides from stored
// incidents and alerts what is due and sends it:
//
//	plan, err := notify.Load(cfg, "http://127.0.0.1:8460", logger)
//	teller := notify.New(notify.Deps{...}, cfg, plan)
//	err = teller.Run(ctx) // tell Committed of every change of an incident
//
// # What is told
//
// Per incident: each receiver that the tree gives for one of the incident's alerts gets one notification when the incident
// is shown, one when alerts joined (batched by group_wait, at least group_interval apart), one each repeat_interval while nobody has
// acknowledged it, and one when it ends. The time that the incident was held counts as group_wait, so nobody waits twice.
// Per group: the same, but for the groups that group_by makes, over incidents, with Alertmanager's own group keys; ends of
// some alerts are told too, as Alertmanager does. Alerts that are silenced, inhibited or held are never told. Escalations
// tell further receivers of incidents that nobody acknowledged.
//
// A route that a time interval mutes tells nobody; that is recorded once. When the interval is over, what still fires is
// told, and the end of what was told before it.
//
// # What is guaranteed
//
// Before anything is sent, a delivery is stored: what is told to whom by which integration, and a key made of group,
// receiver, integration and sequence. What is told depends only on what is stored, so that a crash at any moment loses
// nothing: it is decided again, or the stored delivery is sent again under the same key, which HTTP requests and e-mails
// carry as Fairlead-Delivery (e-mails in Message-Id too). So each is sent at least once, in the order of its group.
//
// Each integration has its own queue, which is the table itself, and its own workers: one that hangs delays no other. A
// group has at most one delivery on its way to an integration; what changes meanwhile is told by the next, so that a queue
// is never longer than the groups are many. Attempts end after 15 s and are repeated with exponential back-off and jitter
// as long as the notifier says that this can help.
package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// Why says why a notification was due.
type Why string

// The reasons, in Alertmanager's order.
const (
	WhyFirst    Why = "first"
	WhyNew      Why = "new alerts"
	WhyEnded    Why = "some ended"
	WhyAllEnded Why = "resolved"
	WhyRepeat   Why = "repeat"
)

// State is how far a delivery has come.
type State string

// The states of a delivery. Muted ones were never to be sent.
const (
	Pending State = "pending"
	Sent    State = "sent"
	Failed  State = "failed"
	Muted   State = "muted"
)

// Delivery is one notification to one integration.
type Delivery struct {
	// Number counts deliveries; Key is the same each time it is sent.
	Number uint64
	Key    string
	// At is when it was decided.
	At time.Time
	// Group is the key that targets know it by, Sequence the number in that group and integration.
	Group    string
	Sequence uint64
	Receiver string
	// Integration is the kind and number, for instance "webhook[0]".
	Integration string
	// Incident is the number of the incident; of the oldest one for a group of several.
	Incident uint64
	Why      Why
	// Alerts counts the alerts in it.
	Alerts   int
	State    State
	Attempts int
	// Reason says how the last attempt ended, or by what it was muted.
	Reason string
	// TriedAt is when the last attempt ended, NextAt when the next one begins, by the wall clock; zero when there is none.
	TriedAt, NextAt time.Time

	body body
}

// body is what a delivery needs to be sent.
type body struct {
	Route      string            `json:"route,omitempty"`
	GroupBy    []string          `json:"groupBy,omitempty"`
	GroupByAll bool              `json:"groupByAll,omitempty"`
	Extra      map[string]string `json:"extra,omitempty"`
	// Alerts holds for each alert its number and the end in milliseconds, 0 while it fires.
	Alerts [][2]int64 `json:"alerts"`
	// Since is when it was ordered by the wall clock, in milliseconds.
	Since int64 `json:"since,omitempty"`
	// Firing and Resolved are what was told before, to be put back if this cannot be told.
	Firing   string `json:"firing,omitempty"`
	Resolved string `json:"resolved,omitempty"`
}

// key makes the stable key of a delivery.
func key(group, receiver, integration string, sequence uint64) string {
	h := sha256.New()
	for _, part := range []string{group, receiver, integration, strconv.FormatUint(sequence, 10)} {
		h.Write([]byte(strconv.Itoa(len(part))))
		h.Write([]byte{':'})
		h.Write([]byte(part))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
