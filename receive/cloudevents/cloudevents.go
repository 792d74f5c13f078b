// Package cloudevents receives CloudEvents 1.0 over HTTP, and CDEvents: POST /in/cloudevents and
// /in/cloudevents/{integration}, in binary, structured and batch form, and the handshake of the webhook specification by
// OPTIONS.
//
// Not every event is an alert. CDEvents' incident.detected, reported and resolved are. Of other events, those are whose type
// or data speaks of one, and all of them once the integration has a mapper: item is then the event's data (or each of its
// items), body the event with id, source, type, subject, time and data. The others are accepted and seen among the captured
// payloads of the integration. source and id together name an event: one that comes again changes nothing.
package cloudevents

import (
	"net/http"

	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

// Kind is the integrations' kind.
const Kind = "cloudevents"

// maxBatch is how many events a batch may hold.
const maxBatch = 1000

// handshake is the Reply of OPTIONS.
type handshake struct{ origin, rate string }

// Events returns the protocol, of POST and of OPTIONS.
func Events() receive.Protocol {
	return receive.Protocol{Kind: Kind, Parse: parse, Answer: answer}
}

func parse(r *receive.Request) (*receive.Delivery, error) {
	if r.Method == http.MethodOptions {
		return &receive.Delivery{Reply: handshake{r.Header.Get("WebHook-Request-Origin"), r.Header.Get("WebHook-Request-Rate")}}, nil
	}
	events, rejected, err := Read(r.Header, r.Body)
	if err != nil {
		return nil, err
	}
	var m integration.Mapper
	if r.Integration != nil {
		m = r.Integration.Mapper
	}
	d := &receive.Delivery{Rejected: rejected}
	for i := range events {
		e := &events[i]
		alerts, err := e.Alerts(&m, r.At)
		if err != nil {
			for _, field := range receive.AsProblem(err).Errors {
				d.Rejected = append(d.Rejected, receive.Rejected{Problem: field, Raw: e.structured()})
			}
			continue
		}
		for n := range alerts {
			d.IDs = append(d.IDs, e.key(n))
		}
		d.Alerts = append(d.Alerts, alerts...)
	}
	return d, nil
}

// answer writes 202, the handshake's agreement, or the problem.
func answer(w http.ResponseWriter, _ *receive.Request, d *receive.Delivery, p *receive.Problem) {
	if p != nil {
		p.Write(w)
		return
	}
	h, ok := d.Reply.(handshake)
	if !ok {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	w.Header().Set("Allow", "POST")
	if h.origin != "" { // who does not name itself is not agreed with
		w.Header().Set("WebHook-Allowed-Origin", h.origin)
		if h.rate != "" {
			w.Header().Set("WebHook-Allowed-Rate", "*")
		}
	}
	w.WriteHeader(http.StatusOK)
}

func invalid(field, value, remedy string) error {
	return receive.Invalid(receive.FieldError{Field: field, Value: receive.Excerpt(value), Remedy: remedy})
}

// act is signal.Act by what the last word of an event's type says.
var acts = map[string]signal.Act{
	"resolved": signal.End, "closed": signal.End, "cleared": signal.End, "recovered": signal.End, "ended": signal.End, "fixed": signal.End, "ok": signal.End,
	"acknowledged": signal.Acknowledge,
	"detected":     signal.Report, "triggered": signal.Report, "created": signal.Report, "opened": signal.Report, "fired": signal.Report,
	"firing": signal.Report, "started": signal.Report, "raised": signal.Report, "reported": signal.Report, "updated": signal.Report,
}
