// Package grafana receives what a webhook contact point of Grafana alerting sends, by POST or PUT.
//
// The body is that of an Alertmanager's webhook with more fields, and is read as such: an alert is told apart by its labels,
// its fingerprint as sent is its identity. What Grafana adds to an alert, the values that its rule saw and links to dashboard,
// panel, picture and silence, becomes annotations. A body of the user's own making (a custom payload template) goes to the
// integration's mapper.
//
// A contact point may show the integration's key (authorization header, basic authorization), or sign the body (HMAC): its
// secret is then the integration's signing key (receive.SigningKey).
package grafana

import (
	"cmp"
	"encoding/json"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/receive/alertmanager"
)

// Kind is the integrations' kind.
const Kind = "grafana"

// Headers of a signed request: the names that Grafana proposes. Both can be chosen there.
const (
	signatureHeader = "X-Grafana-Alerting-Signature"
	timestampHeader = "X-Grafana-Alerting-Timestamp"
)

// Webhook returns the protocol of the webhook contact point.
func Webhook() receive.Protocol {
	return receive.Protocol{
		Kind: Kind, Mapped: true,
		Signature: signature,
		Parse:     func(r *receive.Request) (*receive.Delivery, error) { return Parse(r.Body, r.At) },
	}
}

// signature returns what Grafana signs: the body, or, with a header for the time, the time, a colon and the body.
func signature(r *receive.Request) *receive.Signature {
	s := receive.SignatureOf(r, signatureHeader)
	if at := r.Header.Get(timestampHeader); s != nil && at != "" {
		s.SignedAt, s.Message = at, append([]byte(at+":"), r.Body...)
	}
	return s
}

// extra is what Grafana adds to an alert.
type extra struct {
	Values       map[string]any `json:"values"`
	ValueString  string         `json:"valueString"`
	SilenceURL   string         `json:"silenceURL"`
	DashboardURL string         `json:"dashboardURL"`
	PanelURL     string         `json:"panelURL"`
	ImageURL     string         `json:"imageURL"`
	OrgID        json.Number    `json:"orgId"`
}

// Parse reads what the contact point sends, received at now. The error is a *receive.Problem.
func Parse(body []byte, now time.Time) (*receive.Delivery, error) {
	return alertmanager.ParseGroup(body, now, func(raw []byte, annotations map[string]string, a *signal.Alert) error {
		var x extra
		if err := receive.DecodeJSON(raw, &x); err != nil {
			return err
		}
		for name, value := range map[string]string{
			"value_string": x.ValueString, "silence_url": x.SilenceURL, "dashboard_url": x.DashboardURL, "panel_url": x.PanelURL, "image_url": x.ImageURL,
		} {
			annotations[name] = cmp.Or(annotations[name], value)
		}
		for name, value := range x.Values {
			name = "value_" + name
			annotations[name] = cmp.Or(annotations[name], receive.Text(value))
		}
		if org := x.OrgID.String(); org != "" && org != "1" {
			annotations["grafana_org"] = cmp.Or(annotations["grafana_org"], org)
		}
		a.GeneratorURL = cmp.Or(a.GeneratorURL, x.PanelURL, x.DashboardURL)
		return nil
	})
}
