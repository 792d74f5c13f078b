package notify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/textproto"
	"reflect"
	"regexp"
	"slices"
	"sync/atomic"
	"time"

	amalert "github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/config/receiver"
	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/nflog/nflogpb"
	amnotify "github.com/prometheus/alertmanager/notify"
	commoncfg "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"

	"github.com/fairlead/fairlead/base/signal"
)

// DeliveryHeader carries the stable key of a delivery in HTTP requests and e-mails, so that a target can drop a duplicate.
const DeliveryHeader = "Fairlead-Delivery"

// Message is what one integration is told.
type Message struct {
	// Key is the same each time the message is sent.
	Key                   string
	Receiver, Integration string
	// GroupKey makes notifications one at targets that know such a thing, for instance PagerDuty's dedup_key.
	GroupKey string
	// Route is the id of the route that led here; "" for an escalation.
	Route string
	// GroupBy are the labels of which those that all alerts share become group labels; GroupByAll means all. Extra is added.
	GroupBy    []string
	GroupByAll bool
	Extra      map[string]string
	Why        Why
	At         time.Time
	Alerts     []Told
	// Memory is what the integration wanted to remember of the group's last message, for instance the thread at Slack.
	Memory map[string]string
	// Hanging counts the attempts that did not end with their context; nil counts nothing.
	Hanging *atomic.Int32
}

// Told is an alert in a message.
type Told struct {
	Seq                 uint64
	Labels, Annotations signal.Labels
	GeneratorURL        string
	StartsAt            time.Time
	// EndsAt is zero while it fires.
	EndsAt time.Time
}

// Outcome is how sending ended.
type Outcome struct {
	// Err is nil when the target took the message; else Retry says whether trying again can help.
	Err    error
	Retry  bool
	Memory map[string]string
}

// ErrGone says that the receiver or the integration is no longer configured.
var ErrGone = errors.New("it is no longer configured")

var amReasons = map[Why]amnotify.NotifyReason{
	WhyFirst: amnotify.ReasonFirstNotification, WhyNew: amnotify.ReasonNewAlertsInGroup, WhyEnded: amnotify.ReasonNewResolvedAlerts,
	WhyAllEnded: amnotify.ReasonAllAlertsResolved, WhyRepeat: amnotify.ReasonRepeatIntervalElapsed,
}

// Send tells an integration. It returns when the target has answered or ctx has ended; a notifier that does not heed ctx is
// left behind then.
func (p *Plan) Send(ctx context.Context, m *Message) Outcome {
	integration, err := p.build(m)
	if err != nil {
		return Outcome{Err: err}
	}
	alerts := make([]*amalert.Alert, len(m.Alerts))
	for i := range m.Alerts {
		alerts[i] = toAlert(&m.Alerts[i], m.At)
	}
	slices.SortStableFunc(alerts, func(a, b *amalert.Alert) int {
		switch order := (amalert.AlertSlice{a, b}); {
		case order.Less(0, 1):
			return -1
		case order.Less(1, 0):
			return 1
		}
		return 0
	})
	memory := nflog.NewStore(toEntry(m.Memory))
	ctx = p.context(ctx, m, alerts, memory)
	type result struct {
		retry bool
		err   error
	}
	done := make(chan result, 1)
	go func() {
		retry, err := integration.Notify(ctx, alerts...)
		done <- result{retry, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return Outcome{Err: withoutSecrets(r.err), Retry: r.retry}
		}
		return Outcome{Memory: fromStore(memory)}
	case <-ctx.Done():
		if m.Hanging != nil {
			m.Hanging.Add(1)
			go func() {
				<-done
				m.Hanging.Add(-1)
			}()
		}
		return Outcome{Err: fmt.Errorf("no answer: %w", context.Cause(ctx)), Retry: true}
	}
}

// context holds what notifiers look for in it.
func (p *Plan) context(ctx context.Context, m *Message, alerts []*amalert.Alert, memory *nflog.Store) context.Context {
	labels := commonLabels(m)
	ctx = amnotify.WithGroupKey(ctx, m.GroupKey)
	ctx = amnotify.WithGroupLabels(ctx, labels)
	ctx = amnotify.WithReceiverName(ctx, m.Receiver)
	ctx = amnotify.WithNow(ctx, m.At)
	ctx = amnotify.WithNotificationReason(ctx, amReasons[m.Why])
	ctx = amnotify.WithNflogStore(ctx, memory)
	route := p.byID[m.Route]
	if route == nil {
		return amnotify.WithRepeatInterval(ctx, time.Hour)
	}
	ctx = amnotify.WithRouteID(amnotify.WithRepeatInterval(ctx, route.RepeatInterval), route.ID)
	rendered := p.routeLabels(route, labels, amReasons[m.Why], alerts)
	return amnotify.WithRouteLabels(ctx, rendered)
}

// routeLabels renders the labels of a route for some alerts.
func (p *Plan) routeLabels(route *Route, group model.LabelSet, why amnotify.NotifyReason, alerts []*amalert.Alert) model.LabelSet {
	rendered := model.LabelSet{}
	if len(route.labels) == 0 {
		return rendered
	}
	render := p.templates.RouteLabelRenderer(p.templates.Data(route.Receiver, group, route.labels, why.String(), alerts...))
	for name := range route.labels {
		if value, err := render(string(name)); err == nil {
			rendered[name] = model.LabelValue(value)
		} else {
			p.logger.Warn("a route's label cannot be rendered", "label", name, "error", err)
		}
	}
	return rendered
}

// commonLabels returns the group labels: of GroupBy those that all alerts share.
func commonLabels(m *Message) model.LabelSet {
	set := model.LabelSet{}
	if len(m.Alerts) > 0 {
		for _, l := range m.Alerts[0].Labels {
			if m.GroupByAll || slices.Contains(m.GroupBy, l.Name) {
				set[model.LabelName(l.Name)] = model.LabelValue(l.Value)
			}
		}
		for i := range m.Alerts {
			maps.DeleteFunc(set, func(name model.LabelName, value model.LabelValue) bool {
				return m.Alerts[i].Labels.Get(string(name)) != string(value)
			})
		}
	}
	for name, value := range m.Extra {
		set[model.LabelName(name)] = model.LabelValue(value)
	}
	return set
}

func toAlert(t *Told, at time.Time) *amalert.Alert {
	a := &amalert.Alert{
		Alert: model.Alert{
			Labels: labelSet(t.Labels), Annotations: labelSet(t.Annotations), StartsAt: t.StartsAt, EndsAt: t.EndsAt, GeneratorURL: t.GeneratorURL,
		},
		UpdatedAt: at,
	}
	if now := time.Now(); a.EndsAt.After(now) {
		a.EndsAt = now // notifiers compare with the wall clock
	}
	return a
}

// build makes a fresh integration that puts the message's key into what it sends. Connections are not kept: messages are rare.
func (p *Plan) build(m *Message) (*amnotify.Integration, error) {
	for i := range p.config.Receivers {
		if p.config.Receivers[i].Name != m.Receiver {
			continue
		}
		marked := withKey(&p.config.Receivers[i], m.Key)
		built, err := receiver.BuildReceiverIntegrations(marked, p.templates, p.logger, commoncfg.WithKeepAlivesDisabled())
		if err != nil {
			return nil, fmt.Errorf("build it: %w", err)
		}
		for j := range built {
			if built[j].String() == m.Integration {
				return &built[j], nil
			}
		}
	}
	return nil, ErrGone
}

// withKey copies a receiver's configuration so that all it sends carries the key. The 18 kinds share no interface, only the
// names of fields.
func withKey(r *config.Receiver, key string) config.Receiver {
	marked := *r
	for _, list := range reflect.ValueOf(&marked).Elem().Fields() {
		if list.Kind() != reflect.Slice {
			continue
		}
		copied := reflect.MakeSlice(list.Type(), list.Len(), list.Len())
		for j := range list.Len() {
			entry := reflect.New(list.Type().Elem().Elem())
			entry.Elem().Set(list.Index(j).Elem())
			mark(entry.Elem(), key)
			copied.Index(j).Set(entry)
		}
		list.Set(copied)
	}
	return marked
}

func mark(entry reflect.Value, key string) {
	if field := entry.FieldByName("HTTPConfig"); field.IsValid() && !field.IsNil() {
		if shared, ok := reflect.TypeAssert[*commoncfg.HTTPClientConfig](field); ok {
			own := *shared
			headers := map[string]commoncfg.Header{}
			if shared.HTTPHeaders != nil {
				maps.Copy(headers, shared.HTTPHeaders.Headers)
			}
			headers[DeliveryHeader] = commoncfg.Header{Values: []string{key}}
			own.HTTPHeaders = &commoncfg.Headers{Headers: headers}
			field.Set(reflect.ValueOf(&own))
		}
	}
	if field := entry.FieldByName("Headers"); field.IsValid() {
		if shared, ok := reflect.TypeAssert[map[string]string](field); ok {
			own := map[string]string{"Message-Id": "<" + key + "@fairlead>"}
			for name, value := range shared {
				own[textproto.CanonicalMIMEHeaderKey(name)] = value
			}
			own[DeliveryHeader] = key
			field.Set(reflect.ValueOf(own))
		}
	}
}

var address = regexp.MustCompile(`(\w+://)[^\s"'<>]+`)

// withoutSecrets takes paths and queries of addresses out of an error: many hold a token.
func withoutSecrets(err error) error {
	text := address.ReplaceAllStringFunc(err.Error(), func(found string) string {
		m := hostOnly.FindString(found)
		if m == "" || m == found {
			return found
		}
		return m + "/…"
	})
	return errors.New(text)
}

var hostOnly = regexp.MustCompile(`^\w+://[^/\s?@]+`)

// memoryKeys are what the notifiers of Alertmanager 0.34 remember: the store itself cannot be listed.
var memoryKeys = []string{"threadTs", "channelId"}

func toEntry(memory map[string]string) *nflogpb.Entry {
	entry := &nflogpb.Entry{ReceiverData: map[string]*nflogpb.ReceiverDataValue{}}
	for key, value := range memory {
		entry.ReceiverData[key] = &nflogpb.ReceiverDataValue{Value: &nflogpb.ReceiverDataValue_StrVal{StrVal: value}}
	}
	return entry
}

func fromStore(store *nflog.Store) map[string]string {
	memory := map[string]string{}
	for _, key := range memoryKeys {
		if value, known := store.GetStr(key); known {
			memory[key] = value
		}
	}
	return memory
}
