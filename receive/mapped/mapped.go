// Package mapped receives JSON of any shape. The integration's mapper says how it becomes alerts; without one, the names that
// most tools use are looked for (see base/integration.Mapper).
//
// A request shows the integration's key, or signs its body: X-Signature or X-Hub-Signature-256 is then the HMAC-SHA256 of the
// body by the integration's signing key (receive.SigningKey). The answer is 202 and says what was understood, so that a mapper
// can be tried from the sender's side:
//
//	{"accepted":1,"alerts":[{"identity":"17","name":"Disk full","state":"firing"}]}
package mapped

import (
	"net/http"
	"time"

	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

// Kind is the integrations' kind.
const Kind = "json"

// Understood is what the answer says about one alert.
type Understood struct {
	Identity string `json:"identity"`
	Name     string `json:"name"`
	// State is firing, resolved or acknowledged.
	State string `json:"state"`
}

// JSON returns the protocol.
func JSON() receive.Protocol {
	return receive.Protocol{
		Kind: Kind,
		Signature: func(r *receive.Request) *receive.Signature {
			return receive.SignatureOf(r, "X-Hub-Signature-256", "X-Signature")
		},
		Parse: func(r *receive.Request) (*receive.Delivery, error) {
			var m integration.Mapper
			if r.Integration != nil {
				m = r.Integration.Mapper
			}
			return Parse(r.Body, r.Header.Get, r.At, &m)
		},
		Answer: answer,
	}
}

// Parse reads a payload by a mapper, received at now. The error is a *receive.Problem.
func Parse(body []byte, header func(name string) string, now time.Time, m *integration.Mapper) (*receive.Delivery, error) {
	program, err := m.Compile()
	if err != nil {
		return nil, invalid("mapper", "", integration.Reason(err))
	}
	var any any
	if err := receive.DecodeJSON(body, &any); err != nil {
		return nil, err
	}
	alerts, err := program.Alerts(body, header, now)
	if err != nil {
		return nil, invalid("body", string(body), err.Error()+"; try a mapper on this payload on the integration's page")
	}
	reply := make([]Understood, len(alerts))
	for i := range alerts {
		reply[i] = Understood{Identity: alerts[i].Identity, Name: alerts[i].Name(), State: stateOf(&alerts[i])}
	}
	return &receive.Delivery{Alerts: alerts, Reply: reply}, nil
}

func stateOf(a *signal.Alert) string {
	switch {
	case a.Act == signal.Acknowledge:
		return "acknowledged"
	case a.Act == signal.End, !a.EndsAt.IsZero():
		return "resolved"
	}
	return "firing"
}

func answer(w http.ResponseWriter, _ *receive.Request, d *receive.Delivery, p *receive.Problem) {
	if p != nil {
		p.Write(w)
		return
	}
	understood, _ := d.Reply.([]Understood)
	receive.WriteJSON(w, http.StatusAccepted, map[string]any{"accepted": len(d.Alerts), "alerts": understood})
}

func invalid(field, value, remedy string) error {
	return receive.Invalid(receive.FieldError{Field: field, Value: receive.Excerpt(value), Remedy: remedy})
}
