package alertmanager

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

// EventsKind is the kind of the integrations that an Alertmanager's event recorder writes to.
const EventsKind = "am-events"

// Event is one thing that an Alertmanager has done, as its event recorder (0.33 and newer, may change) tells it.
type Event struct {
	// At is when it happened, by the Alertmanager's clock; the time of receipt when it does not say.
	At time.Time
	// Integration is the one through which it was told, Instance the Alertmanager's host.
	Integration, Instance string
	// Kind is what happened, in the recorder's word: alert_created, alert_grouped, alert_resolved, notification, silence_created,
	// silence_updated, silence_muted_alert, inhibition_muted_alert, alertmanager_startup_event, or a newer one.
	Kind string
	// Alerts are those that it is about; for a notification, those that were told.
	Alerts []EventAlert
	// Muted are those of a notification's group that were kept back.
	Muted []EventAlert
	// Receiver, GroupKey and Notifier ("pagerduty", "webhook") say who was told; "" when nobody was.
	Receiver, GroupKey, Notifier string
	// Reason is why: first_notification, new_alerts_in_group, new_resolved_alerts, all_alerts_resolved, repeat_interval_elapsed;
	// for a muted alert, the silence's id or the names of the inhibiting rules.
	Reason string
	// FlushID counts the flushes of the group: one notification over several notifiers has one.
	FlushID uint64
	// By and Comment are those of a silence.
	By, Comment string
}

// EventAlert is an alert that an Event is about.
type EventAlert struct {
	// Hash is the Alertmanager's own hash of the labels, 0 if unknown. Muted alerts of a notification have nothing else: an
	// alert_grouped event before it has told which alert has the hash.
	Hash uint64
	// Fingerprint is that of the labels, 16 hexadecimal digits, as Alertmanager's API shows it; "" if unknown.
	Fingerprint string
	Labels      signal.Labels
	// StartsAt is when it began, zero if unknown; Resolved that it had ended.
	StartsAt time.Time
	Resolved bool
}

// Recorder takes events. It is safe for concurrent use.
type Recorder interface {
	// Record keeps the events; an error means that none was kept, and the sender is told to send them again.
	Record(ctx context.Context, events []Event) error
}

// EventRecorder returns the protocol of an Alertmanager's event recorder (event_recorder: webhook_outputs), single events and
// batches. What another tool did makes no alert: it goes to recorder.
func EventRecorder(recorder Recorder) receive.Protocol {
	return receive.Protocol{
		Kind: EventsKind,
		Parse: func(r *receive.Request) (*receive.Delivery, error) {
			events, err := ParseEvents(r.Body, r.At)
			if err != nil {
				return nil, err
			}
			sum := sha256.Sum256(r.Body) // each event has its time to the nanosecond: the same bytes are the same events
			return &receive.Delivery{ID: hex.EncodeToString(sum[:]), Reply: events}, nil
		},
		Take: func(ctx context.Context, r *receive.Request, d *receive.Delivery) error {
			events, _ := d.Reply.([]Event)
			for i := range events {
				events[i].Integration = r.Integration.Name
			}
			return recorder.Record(ctx, events)
		},
	}
}

// The recorder's messages, as protobuf JSON; names without underscores in any case.
type (
	recorded struct {
		Timestamp string                     `json:"@timestamp"`
		Instance  string                     `json:"instance"`
		Data      map[string]json.RawMessage `json:"data"`
	}
	recordedData struct {
		Alert          json.RawMessage  `json:"alert"`
		Alerts         []recordedAlert  `json:"alerts"`
		ResolvedAlerts []recordedAlert  `json:"resolvedAlerts"`
		MutedAlerts    []recordedAlert  `json:"mutedAlerts"`
		MutedAlert     *recordedAlert   `json:"mutedAlert"`
		GroupInfo      recordedGroup    `json:"groupInfo"`
		Reason         string           `json:"reason"`
		FlushID        number           `json:"flushId"`
		Integration    recordedNotifier `json:"integration"`
		Silence        *recordedSilence `json:"silence"`
		InhibitRules   []recordedRule   `json:"inhibitRules"`
	}
	recordedNotifier struct {
		Name string `json:"name"`
	}
	recordedRule struct {
		Name string `json:"name"`
	}
	recordedGroup struct {
		GroupKey     string `json:"groupKey"`
		ReceiverName string `json:"receiverName"`
	}
	recordedSilence struct {
		ID        string `json:"id"`
		CreatedBy string `json:"createdBy"`
		Comment   string `json:"comment"`
	}
	recordedAlert struct {
		Hash        number         `json:"hash"`
		Fingerprint number         `json:"fingerprint"`
		Details     *recordedAlert `json:"details"`
		Labels      struct {
			Labels []struct{ Key, Value string } `json:"labels"`
		} `json:"labels"`
		StartsAt string `json:"startsAt"`
		Resolved bool   `json:"resolved"`
	}
)

// number is a 64-bit integer, which protobuf JSON writes as text.
type number uint64

// UnmarshalJSON is json.Unmarshaler's.
func (n *number) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	value, err := strconv.ParseUint(strings.Trim(string(text), `"`), 10, 64)
	if err != nil {
		return fmt.Errorf("%s is no unsigned integer", receive.Excerpt(string(text)))
	}
	*n = number(value)
	return nil
}

// ParseEvents reads one event of the recorder or a list of them, received at now. Kinds that it does not know are kept by
// name. The error is a *receive.Problem.
func ParseEvents(body []byte, now time.Time) ([]Event, error) {
	list := []json.RawMessage{body}
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] == '[' {
		if err := receive.DecodeJSON(body, &list); err != nil {
			return nil, err
		}
	}
	events := make([]Event, 0, len(list))
	for i, raw := range list {
		e, err := parseEvent(raw, now)
		if err != nil {
			fault := faultOf(err)
			if fault.Field = strings.TrimPrefix(fault.Field, "."); len(list) > 1 {
				fault.Field = strings.TrimSuffix(fmt.Sprintf("[%d].%s", i, fault.Field), ".")
			}
			return nil, receive.Invalid(receive.FieldError{Field: cmp.Or(fault.Field, "body"), Value: fault.Value, Remedy: fault.Remedy})
		}
		events = append(events, e)
	}
	return events, nil
}

func parseEvent(raw []byte, now time.Time) (Event, error) {
	var outer recorded
	if err := receive.DecodeJSON(camel(raw), &outer); err != nil {
		return Event{}, err
	}
	e := Event{At: now, Instance: outer.Instance}
	if at, ok := timeOf(outer.Timestamp); ok {
		e.At = at
	}
	var d recordedData
	for kind, data := range outer.Data {
		e.Kind = snake(kind)
		if err := receive.DecodeJSON(data, &d); err != nil {
			return Event{}, err
		}
	}
	if len(outer.Data) != 1 {
		return Event{}, invalid("data", "", "it does not hold exactly one event; send what Alertmanager's event recorder writes")
	}
	e.Receiver, e.GroupKey, e.Notifier = d.GroupInfo.ReceiverName, d.GroupInfo.GroupKey, d.Integration.Name
	e.FlushID = uint64(d.FlushID)
	e.Reason = strings.TrimPrefix(strings.ToLower(d.Reason), "notify_reason_")
	if len(d.Alert) > 0 {
		var one recordedAlert
		if err := receive.DecodeJSON(d.Alert, &one); err != nil {
			return Event{}, err
		}
		e.Alerts = append(e.Alerts, one.alert())
	}
	if d.MutedAlert != nil {
		e.Alerts = append(e.Alerts, d.MutedAlert.alert())
	}
	resolved := map[uint64]bool{}
	for i := range d.ResolvedAlerts {
		resolved[uint64(d.ResolvedAlerts[i].Hash)] = true
	}
	for i := range d.Alerts {
		a := d.Alerts[i].alert()
		a.Resolved = a.Resolved || a.Hash != 0 && resolved[a.Hash]
		e.Alerts = append(e.Alerts, a)
	}
	for i := range d.MutedAlerts {
		e.Muted = append(e.Muted, d.MutedAlerts[i].alert())
	}
	if d.Silence != nil {
		e.By, e.Comment, e.Reason = d.Silence.CreatedBy, d.Silence.Comment, cmp.Or(e.Reason, d.Silence.ID)
	}
	for i := range d.InhibitRules {
		e.Reason = strings.TrimPrefix(e.Reason+", "+cmp.Or(d.InhibitRules[i].Name, "an inhibition rule"), ", ")
	}
	return e, nil
}

// alert returns what is known of an alert: in a group it is a hash with or without details.
func (r *recordedAlert) alert() EventAlert {
	of := r
	if r.Details != nil {
		of = r.Details
	}
	labels := map[string]string{}
	for _, l := range of.Labels.Labels {
		labels[l.Key] = l.Value
	}
	a := EventAlert{Hash: uint64(r.Hash), Labels: signal.NewLabels(labels), Resolved: of.Resolved}
	if of.Fingerprint != 0 {
		a.Fingerprint = signal.Fingerprint(of.Fingerprint).String()
	} else if len(a.Labels) > 0 {
		a.Fingerprint = a.Labels.Fingerprint().String()
	}
	a.StartsAt, _ = timeOf(of.StartsAt)
	return a
}

// camel takes the underscores out of the names of a JSON value: protobuf JSON has two spellings of each name, and no names
// that users choose. What cannot be read is returned as it is.
func camel(raw []byte) []byte {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil || decoder.More() {
		return raw
	}
	text, err := json.Marshal(camelKeys(value))
	if err != nil {
		return raw
	}
	return text
}

func camelKeys(value any) any {
	switch v := value.(type) {
	case map[string]any:
		renamed := make(map[string]any, len(v))
		for name, inner := range v {
			first, rest, found := strings.Cut(name, "_")
			for found && first != "" {
				var next string
				next, rest, found = strings.Cut(rest, "_")
				if next != "" {
					first += strings.ToUpper(next[:1]) + next[1:]
				}
			}
			renamed[first] = camelKeys(inner)
		}
		return renamed
	case []any:
		for i := range v {
			v[i] = camelKeys(v[i])
		}
	}
	return value
}

// snake spells a name with underscores.
func snake(name string) string {
	var text strings.Builder
	for _, c := range name {
		if c >= 'A' && c <= 'Z' {
			text.WriteByte('_')
			c += 'a' - 'A'
		}
		text.WriteRune(c)
	}
	return text.String()
}

// keptEvents is how many events a Keeper keeps.
const keptEvents = 10000

// Keeper keeps the newest 10,000 events in memory. The zero value is empty and ready; it is a Recorder.
type Keeper struct {
	mu     sync.Mutex
	events []Event // guarded by mu; oldest first
}

// Record is Recorder's.
func (k *Keeper) Record(_ context.Context, events []Event) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.events = append(k.events, events...)
	if excess := len(k.events) - keptEvents; excess > 0 {
		k.events = slices.Delete(k.events, 0, excess)
	}
	return nil
}

// Events returns what is kept, oldest first by receipt.
func (k *Keeper) Events() []Event {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.events)
}
