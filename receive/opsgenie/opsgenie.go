// Package opsgenie receives what is sent to Opsgenie's Alert and Heartbeat API, version 2, so that a client needs only another
// host name.
//
// The GenieKey tells the integration. An alert's alias is its identity, verbatim; an alert without one gets a key made of its
// body, so that a repeat of the same request is the same alert. Closing and deleting end the alert; acknowledgements and
// notes go to its incident. Message, description, priority, tags, details and responders can be changed: that is a report of the
// same alert as it is from then on, with a comment that says who changed what; a change that came before changes nothing. Whatever
// else Opsgenie can do with an alert (snooze, assign, escalate, its own actions) is written there as a comment, so that nothing is
// lost. All is answered 202, and what became of it is told under /v2/alerts/requests/{requestId}, as there.
//
// Identifiers are made, not stored: an alert's id holds the fingerprint of its key, a request's id that of the alert it is
// about, the act and the time. So both stay the same over restarts, and an alert that fires again has the id that it had. The
// tiny id is the number that Fairlead gave it, and a new one each time it begins anew.
//
// Attachments are not taken.
package opsgenie

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

// Kind is the integrations' kind.
const Kind = "opsgenie"

// ErrNotFound says that a Lookup knows no such alert.
var ErrNotFound = errors.New("no such alert")

// Lookup finds alerts that came through an integration. It is safe for concurrent use.
type Lookup interface {
	// ByKey returns the newest alert whose identity has a fingerprint, after everything that was accepted before the call
	// was applied; ErrNotFound if there is none.
	ByKey(ctx context.Context, integration string, f signal.Fingerprint) (*Alert, error)
	// ByNumber returns the alert of a number; ErrNotFound if there is none or it came through another integration.
	ByNumber(ctx context.Context, integration string, number uint64) (*Alert, error)
	// Newest calls visit for alerts, newest first, until it returns false or a bound of the Lookup's is reached.
	Newest(ctx context.Context, integration string, visit func(a *Alert) bool) error
}

// Alert is what a Lookup knows of an alert.
type Alert struct {
	// Number is Fairlead's own.
	Number       uint64
	Identity     string
	Labels       signal.Labels
	Annotations  signal.Labels
	GeneratorURL string
	Severity     signal.Severity
	Firing       bool
	Acknowledged bool
	// Reports counts all reports.
	Reports int
	// CreatedAt is when it was first, UpdatedAt when last reported, EndedAt when it ended; zero while it fires.
	CreatedAt, UpdatedAt, EndedAt time.Time
	// Lines are its record, oldest first.
	Lines []Line
}

// Line is one line of an alert's record.
type Line struct {
	At time.Time
	// Comment says that somebody said Text at the sender; else it is what Fairlead did.
	Comment bool
	Text    string
}

// secretOf returns the key that a request shows: GenieKey, basic authorization (also without a colon, as Opsgenie has it),
// or the query's apiKey.
func secretOf(r *receive.Request) string {
	scheme, key, found := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	key = strings.TrimSpace(key)
	switch {
	case !found:
		return r.URL.Query().Get("apiKey")
	case !strings.EqualFold(scheme, "basic"):
		return key
	}
	plain, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		return key
	}
	user, password, _ := strings.Cut(string(plain), ":")
	if password == "" {
		return user
	}
	return password
}
