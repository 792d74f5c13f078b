// Package cloudwatch receives CloudWatch alarms, EventBridge's alarm events and other messages that Amazon SNS delivers to
// POST /in/sns/{integration}.
//
// The signature of SNS says who sends, so no key is needed. A Verifier checks it: the certificate comes from a host of SNS and no
// other, over https and without redirects, and its chain ends in a root that the system trusts. The first delivery pins
// its topic: those of other topics are refused, however well they are signed. A subscription is confirmed only after all
// that, by a URL on such a host and for the same topic.
//
// An alarm's ARN is its identity, verbatim. ALARM fires, OK ends, INSUFFICIENT_DATA fires as a warning: it comes only to
// whoever asked for it. A message of another shape goes through the integration's mapper; what is no JSON reaches it as
// {"subject", "message", "topic", "timestamp"}. A delivery that comes again, which the MessageId tells, changes nothing, and
// one that is older than a day is refused.
package cloudwatch

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/receive/mapped"
)

// Kind is the integrations' kind.
const Kind = "sns"

// The types of what SNS delivers.
const (
	notification = "Notification"
	subscription = "SubscriptionConfirmation"
	unsubscribed = "UnsubscribeConfirmation"
)

// envelope is what SNS wraps a message into.
type envelope struct {
	Type             string  `json:"Type"`
	MessageID        string  `json:"MessageId"`
	Token            string  `json:"Token"`
	TopicARN         string  `json:"TopicArn"`
	Subject          *string `json:"Subject"`
	Message          string  `json:"Message"`
	Timestamp        string  `json:"Timestamp"`
	SignatureVersion string  `json:"SignatureVersion"`
	Signature        string  `json:"Signature"`
	SigningCertURL   string  `json:"SigningCertURL"`
	SubscribeURL     string  `json:"SubscribeURL"`
}

// Confirmation is the Reply of a delivery that asks whether a subscription is wanted.
type Confirmation struct{ url string }

// SNS returns the protocol.
func SNS(v *Verifier) receive.Protocol {
	return receive.Protocol{
		Kind:   Kind,
		Verify: func(ctx context.Context, r *receive.Request) error { return v.Verify(ctx, r.Body, r.At) },
		Parse:  func(r *receive.Request) (*receive.Delivery, error) { return Parse(r.Body, r.At, r.Integration) },
		Take:   func(ctx context.Context, _ *receive.Request, d *receive.Delivery) error { return v.Confirm(ctx, d) },
	}
}

// Parse reads a delivery whose signature is good, received at now. door has the mapper; nil has none. The error is a
// *receive.Problem.
func Parse(body []byte, now time.Time, door *integration.Integration) (*receive.Delivery, error) {
	e, err := open(body)
	if err != nil {
		return nil, err
	}
	d := &receive.Delivery{ID: e.MessageID, Pin: e.TopicARN}
	switch e.Type {
	case subscription:
		d.Reply = Confirmation{e.SubscribeURL}
		return d, nil
	case unsubscribed:
		return d, nil
	}
	d.Alerts, err = e.alerts(now, door)
	return d, err
}

// open reads the envelope.
func open(body []byte) (*envelope, error) {
	var e envelope
	if err := receive.DecodeJSON(body, &e); err != nil {
		return nil, err
	}
	switch {
	case e.Type != notification && e.Type != subscription && e.Type != unsubscribed:
		return nil, invalid("Type", e.Type, "send what Amazon SNS delivers, without raw message delivery: Notification, SubscriptionConfirmation or UnsubscribeConfirmation")
	case e.MessageID == "":
		return nil, invalid("MessageId", "", "it is missing; send what Amazon SNS delivers")
	case !strings.HasPrefix(e.TopicARN, "arn:"):
		return nil, invalid("TopicArn", e.TopicARN, "it is no ARN; send what Amazon SNS delivers")
	}
	return &e, nil
}

// alerts reads the message of a notification.
func (e *envelope) alerts(now time.Time, door *integration.Integration) ([]signal.Alert, error) {
	raw := []byte(e.Message)
	var probe struct {
		AlarmName  string `json:"AlarmName"`
		State      string `json:"NewStateValue"`
		DetailType string `json:"detail-type"`
	}
	isJSON := json.Unmarshal(raw, &probe) == nil
	switch {
	case isJSON && probe.AlarmName != "" && probe.State != "":
		var a alarm
		if err := receive.DecodeJSON(raw, &a); err != nil {
			return nil, inMessage(err)
		}
		return a.alerts(now)
	case isJSON && probe.DetailType == "CloudWatch Alarm State Change":
		var b bridged
		if err := receive.DecodeJSON(raw, &b); err != nil {
			return nil, inMessage(err)
		}
		return b.alarm().alerts(now)
	}
	var m integration.Mapper
	if door != nil {
		m = door.Mapper
	}
	if !isJSON && !json.Valid(raw) {
		subject := ""
		if e.Subject != nil {
			subject = *e.Subject
		}
		if subject == "" {
			subject, _, _ = strings.Cut(strings.TrimSpace(e.Message), "\n")
		}
		var err error
		if raw, err = json.Marshal(map[string]string{"subject": subject, "message": e.Message, "topic": e.TopicARN, "timestamp": e.Timestamp}); err != nil {
			return nil, invalid("Message", e.Message, "it cannot be read")
		}
	}
	d, err := mapped.Parse(raw, http.Header{}.Get, now, &m)
	if err != nil {
		return nil, inMessage(err)
	}
	return d.Alerts, nil
}

// inMessage says that a problem is one of the message.
func inMessage(err error) error {
	problem := *receive.AsProblem(err)
	problem.Detail = "Message: " + problem.Detail
	fields := make([]receive.FieldError, len(problem.Errors))
	for i, f := range problem.Errors {
		f.Field = strings.TrimSuffix("Message."+f.Field, ".body")
		fields[i] = f
	}
	problem.Errors = fields
	return &problem
}

func invalid(field, value, remedy string) error {
	return receive.Invalid(receive.FieldError{Field: field, Value: receive.Excerpt(value), Remedy: remedy})
}

func forbidden(field, value, remedy string) error {
	return &receive.Problem{
		Status: http.StatusForbidden, Detail: fmt.Sprintf("This is not what Amazon SNS signed: %s: %s.", field, remedy),
		Errors: []receive.FieldError{{Field: field, Value: receive.Excerpt(value), Remedy: remedy}},
	}
}
