// Package oncall receives what is sent to the integrations of Grafana OnCall, so that a sender needs only another host name:
// POST /integrations/v1/{type}/{key}/, and GET or POST .../heartbeat/.
//
// The key in the path tells the integration; it is a secret and is neither kept nor logged. Types whose payload OnCall knows
// are read as what they are: alertmanager and grafana_alerting as those tools' webhooks, formatted_webhook and zabbix by OnCall's
// own fields, amazon_sns with the signature of SNS. Every other type, webhook first, goes through the integration's mapper. A
// formatted alert without alert_uid is told apart by its title. OnCall answers 200, and 403 for a wrong key; so does this.
package oncall

import (
	"cmp"
	"context"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/receive/alertmanager"
	"github.com/fairlead/fairlead/receive/cloudwatch"
	"github.com/fairlead/fairlead/receive/grafana"
	"github.com/fairlead/fairlead/receive/heartbeat"
	"github.com/fairlead/fairlead/receive/mapped"
)

// Kind is the integrations' kind.
const Kind = "oncall"

// The names of the protocols, for dead letters.
const (
	formattedName    = "oncall-formatted"
	zabbixName       = "oncall-zabbix"
	alertmanagerName = "oncall-alertmanager"
	grafanaName      = "oncall-grafana"
	snsName          = "oncall-sns"
	webhookName      = "oncall-webhook"
	heartbeatName    = "oncall-heartbeat"
)

// protocol returns what all types have in common.
func protocol(name string, parse func(r *receive.Request) (*receive.Delivery, error)) receive.Protocol {
	return receive.Protocol{
		Kind: Kind, Name: name, Secret: secretOf, Parse: parse,
		Answer: func(w http.ResponseWriter, _ *receive.Request, _ *receive.Delivery, p *receive.Problem) {
			if p != nil {
				fail(w, p)
				return
			}
			receive.WriteJSON(w, http.StatusOK, "Ok.")
		},
	}
}

func secretOf(r *receive.Request) string { return r.PathValue("key") }

// fail answers a problem; a wrong key is a 403 at OnCall.
func fail(w http.ResponseWriter, p *receive.Problem) {
	if p.Status == http.StatusUnauthorized {
		receive.WriteJSON(w, http.StatusForbidden, map[string]string{"detail": "Integration key was not found. Permission denied."})
		return
	}
	p.Write(w)
}

// Alertmanager returns the protocol of type alertmanager.
func Alertmanager() receive.Protocol {
	p := protocol(alertmanagerName, func(r *receive.Request) (*receive.Delivery, error) { return alertmanager.ParseWebhook(r.Body, r.At) })
	p.Mapped = true
	return p
}

// Grafana returns the protocol of type grafana_alerting.
func Grafana() receive.Protocol {
	p := protocol(grafanaName, func(r *receive.Request) (*receive.Delivery, error) { return grafana.Parse(r.Body, r.At) })
	p.Mapped = true
	return p
}

// Formatted returns the protocol of type formatted_webhook.
func Formatted() receive.Protocol {
	p := protocol(formattedName, func(r *receive.Request) (*receive.Delivery, error) { return ParseFormatted(r.Body, r.At, false) })
	p.Mapped = true
	return p
}

// Zabbix returns the protocol of type zabbix: formatted, by the script that OnCall's documentation gives.
func Zabbix() receive.Protocol {
	p := protocol(zabbixName, func(r *receive.Request) (*receive.Delivery, error) { return ParseFormatted(r.Body, r.At, true) })
	p.Mapped = true
	return p
}

// Webhook returns the protocol of type webhook and of every other type.
func Webhook() receive.Protocol {
	return protocol(webhookName, func(r *receive.Request) (*receive.Delivery, error) {
		var m integration.Mapper
		if r.Integration != nil {
			m = r.Integration.Mapper
		}
		return mapped.Parse(r.Body, r.Header.Get, r.At, &m)
	})
}

// SNS returns the protocol of type amazon_sns.
func SNS(v *cloudwatch.Verifier) receive.Protocol {
	p := protocol(snsName, func(r *receive.Request) (*receive.Delivery, error) {
		return cloudwatch.Parse(r.Body, r.At, r.Integration)
	})
	// The signature does not tell the integration, so the key is needed, too.
	p.Prove = func(ctx context.Context, r *receive.Request) error { return v.Verify(ctx, r.Body, r.At) }
	p.Take = func(ctx context.Context, _ *receive.Request, d *receive.Delivery) error { return v.Confirm(ctx, d) }
	return p
}

// Heartbeat returns the protocol of .../heartbeat/: an integration has one. ?interval=5m says how long it may be silent and is
// remembered, by default ten minutes.
func Heartbeat(board *heartbeat.Board) receive.Protocol {
	p := protocol(heartbeatName, func(r *receive.Request) (*receive.Delivery, error) {
		interval, err := heartbeat.Interval(r.URL.Query().Get("interval"))
		return &receive.Delivery{Reply: interval}, err
	})
	p.Take = func(ctx context.Context, r *receive.Request, d *receive.Delivery) error {
		interval, ok := d.Reply.(time.Duration)
		if !ok {
			return nil
		}
		_, err := board.Ping(ctx, r.At, r.Integration.Name, r.Integration.Name, interval, 0)
		return heartbeat.Problem(err)
	}
	p.Answer = func(w http.ResponseWriter, r *receive.Request, _ *receive.Delivery, p *receive.Problem) {
		switch {
		case p != nil:
			fail(w, p)
		case r.Method == http.MethodGet:
			receive.WriteJSON(w, http.StatusOK, ":)")
		}
	}
	return p
}

// formatted is the body of a formatted webhook.
type formatted struct {
	UID     any    `json:"alert_uid"`
	Title   string `json:"title"`
	Message string `json:"message"`
	State   string `json:"state"`
	Link    string `json:"link_to_upstream_details"`
	Image   string `json:"image_url"`
}

var fields = []string{"alert_uid", "title", "message", "state", "link_to_upstream_details", "image_url"}

// prefix is what Zabbix puts before a problem's name: it differs between a problem and its end.
var prefix = regexp.MustCompile(`^(?:Problem|Resolved|Recovery|OK|Updated problem)(?: in [0-9a-z ]+)?:\s+`)

// ParseFormatted reads the body of a formatted webhook, received at now. zabbix takes Zabbix's prefixes off the title. State
// ok, in any case, ends the alert; OnCall takes every other as firing. The error is a *receive.Problem.
func ParseFormatted(body []byte, now time.Time, zabbix bool) (*receive.Delivery, error) {
	var f formatted
	var all map[string]any
	if err := receive.DecodeJSON(body, &f); err != nil {
		return nil, err
	}
	if err := receive.DecodeJSON(body, &all); err != nil {
		return nil, err
	}
	title := strings.TrimSpace(f.Title)
	if zabbix {
		title = prefix.ReplaceAllString(title, "")
	}
	first, _, _ := strings.Cut(strings.TrimSpace(f.Message), "\n")
	name := cmp.Or(title, first)
	if name == "" {
		return nil, receive.Invalid(receive.FieldError{Field: "title", Remedy: "title and message are missing or blank; say in one line what is wrong, or write a mapper for a payload of your own"})
	}
	a := signal.Alert{Identity: cmp.Or(strings.TrimSpace(receive.Text(f.UID)), name), Keyed: true, StartsAt: now}
	if strings.EqualFold(strings.TrimSpace(f.State), "ok") {
		a.Act, a.EndsAt, a.Text = signal.End, now, f.Message
		return &receive.Delivery{Alerts: []signal.Alert{a}}, nil
	}
	labels := map[string]string{}
	annotations := map[string]string{"summary": cmp.Or(strings.TrimSpace(f.Title), first), "description": f.Message, "image": f.Image}
	for _, known := range fields {
		delete(all, known)
	}
	receive.Details(all, labels, annotations)
	if labels["alertname"] == "" {
		labels["alertname"] = name
	}
	labels["severity"] = "critical" // OnCall pages for everything
	if grade := strings.ToLower(cmp.Or(annotations["severity"], annotations["priority"])); signal.ParseSeverity(grade) != signal.Unrated {
		labels["severity"] = grade
	}
	delete(annotations, "severity")
	a.Labels, a.Annotations, a.GeneratorURL = signal.NewLabels(labels), signal.NewLabels(annotations), f.Link
	return &receive.Delivery{Alerts: []signal.Alert{a}}, nil
}
