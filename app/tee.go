package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/notify"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/receive/alertmanager"
)

// witness keeps what the tools that people use today have told them, for the report that compares Fairlead with them.
type witness struct {
	db  *store.DB
	now func() time.Time
}

// Record is alertmanager.Recorder's: of all events only the notifications are kept, and once a day that an alert is muted.
func (w *witness) Record(ctx context.Context, events []alertmanager.Event) error {
	var list []notify.Witnessed
	for i := range events {
		e := &events[i]
		if m, muted := mutedBy(e); muted {
			list = append(list, m)
		}
		if e.Kind != "notification" {
			continue
		}
		n := notify.Witnessed{At: e.At, Integration: e.Integration, Receiver: e.Receiver, Notifier: e.Notifier, Group: e.GroupKey, Reason: e.Reason}
		for _, a := range e.Alerts {
			n.Alerts = append(n.Alerts, notify.WitnessedAlert{Fingerprint: fingerprintOf(&a), Name: a.Labels.Get("alertname"), Resolved: a.Resolved})
		}
		n.ID = name(e.Integration, e.Instance, e.GroupKey, e.Receiver, e.Notifier, fmt.Sprint(e.FlushID), e.At.String())
		list = append(list, n)
	}
	return w.keep(ctx, list)
}

// mutedBy returns what an event says of a muted alert. It comes each time the group is flushed and from each Alertmanager of a
// cluster, so its name says what muted the alert, and the day.
func mutedBy(e *alertmanager.Event) (n notify.Witnessed, muted bool) {
	by := ""
	switch e.Kind {
	case "silence_muted_alert":
		by = strings.TrimSpace("silence " + e.Reason)
		if e.By != "" {
			by += " by " + e.By
		}
	case "inhibition_muted_alert":
		by = strings.TrimSpace("inhibition " + e.Reason)
	default:
		return n, false
	}
	n = notify.Witnessed{At: e.At, Integration: e.Integration, Receiver: e.Receiver, Group: e.GroupKey, Reason: by, Muted: true}
	parts := []string{e.Integration, e.Kind, e.Reason, e.At.UTC().Format(time.DateOnly)}
	for i := range e.Alerts {
		a := &e.Alerts[i]
		if fingerprint := fingerprintOf(a); fingerprint != "" {
			n.Alerts = append(n.Alerts, notify.WitnessedAlert{Fingerprint: fingerprint, Name: a.Labels.Get("alertname"), Resolved: a.Resolved})
			parts = append(parts, fingerprint)
		}
	}
	n.ID = name(parts...)
	return n, len(n.Alerts) > 0
}

func fingerprintOf(a *alertmanager.EventAlert) string {
	if a.Fingerprint == "" && len(a.Labels) > 0 {
		return a.Labels.Fingerprint().String()
	}
	return a.Fingerprint
}

func (w *witness) keep(ctx context.Context, list []notify.Witnessed) error {
	if len(list) == 0 {
		return nil
	}
	err := w.db.Write(ctx, func(ctx context.Context, tx store.Tx) error { return notify.SaveWitnessed(ctx, tx, w.now(), list) })
	if err != nil {
		return fmt.Errorf("%w: %w", receive.ErrUnavailable, err)
	}
	return nil
}

func name(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// toldKind is the kind of the integrations that hear from today's Alertmanager whom it has told.
const toldKind = "am-told"

// told is the protocol for an Alertmanager without event recorder: a webhook receiver beside the others, with continue: true,
// notifies Fairlead too. What it says is no alert but what somebody was told.
func told(w *witness) receive.Protocol {
	p := alertmanager.Webhook()
	parse := p.Parse
	p.Kind, p.Mapped = toldKind, false
	p.Parse = func(r *receive.Request) (*receive.Delivery, error) {
		d, err := parse(r)
		if err != nil {
			return nil, err
		}
		n := notify.Witnessed{At: r.At, Notifier: "webhook", ID: name(string(r.Body), r.At.String())}
		if said, ok := d.Reply.(alertmanager.Notification); ok {
			n.Receiver, n.Group, n.Reason = said.Receiver, said.GroupKey, said.Reason
		}
		for i := range d.Alerts {
			a := &d.Alerts[i]
			n.Alerts = append(n.Alerts, notify.WitnessedAlert{Fingerprint: a.Labels.Fingerprint().String(), Name: a.Name(), Resolved: !a.EndsAt.IsZero() && !a.EndsAt.After(r.At)})
		}
		// A repeat says the same as the notification before it, so the body names no delivery.
		return &receive.Delivery{Reply: n}, nil
	}
	p.Take = func(ctx context.Context, r *receive.Request, d *receive.Delivery) error {
		n, _ := d.Reply.(notify.Witnessed)
		n.Integration = r.Integration.Name
		n.ID = name(n.Integration, n.ID)
		return w.keep(ctx, []notify.Witnessed{n})
	}
	return p
}

// wouldTell returns whom Fairlead would tell of an alert with these labels; nobody without an alertmanager.yml.
func (a *App) wouldTell(labels signal.Labels) []string {
	if plan := a.teller.Plan(); plan != nil {
		return plan.ReceiversOf(labels)
	}
	return nil
}

// observed reports whether what comes through an integration is only watched.
func (a *App) observed(source string) bool {
	i, _, _, err := a.integrations.Find(source)
	return err == nil && i.Observe
}
