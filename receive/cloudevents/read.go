package cloudevents

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fairlead/fairlead/receive"
)

// Event is one CloudEvent.
type Event struct {
	ID, Source, Type, Subject string
	// Time is when it happened; zero if it does not say.
	Time time.Time
	// Data is its JSON value, or a text when it is no JSON; nil for none.
	Data any
}

// key names the nth alert of the event.
func (e *Event) key(n int) string {
	key := e.Source + "\x00" + e.ID
	if n > 0 {
		key += "\x00" + strconv.Itoa(n)
	}
	return key
}

// body is the event as a mapper sees it.
func (e *Event) body() map[string]any {
	at := ""
	if !e.Time.IsZero() {
		at = e.Time.Format(time.RFC3339Nano)
	}
	return map[string]any{"id": e.ID, "source": e.Source, "type": e.Type, "subject": e.Subject, "time": at, "data": e.Data}
}

// structured is the event in structured form.
func (e *Event) structured() []byte {
	fields := map[string]any{"specversion": "1.0"}
	for name, value := range e.body() {
		if value != "" && value != nil {
			fields[name] = value
		}
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return nil // cannot happen: it was JSON before
	}
	return text
}

// wire is an event in structured form.
type wire struct {
	SpecVersion string          `json:"specversion"`
	ID          string          `json:"id"`
	Source      string          `json:"source"`
	Type        string          `json:"type"`
	Subject     string          `json:"subject"`
	Time        string          `json:"time"`
	Data        any             `json:"data"`
	Data64      json.RawMessage `json:"data_base64"`
}

// The forms in which events come.
const (
	structuredType = "application/cloudevents+json"
	batchType      = "application/cloudevents-batch+json"
)

// Read reads the events of a request, one or a batch. rejected are those of a batch that cannot be used. The error is a
// *receive.Problem: 415 when it is no CloudEvent, 400 when it is a bad one.
func Read(header http.Header, body []byte) (events []Event, rejected []receive.Rejected, err error) {
	media, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		media = ""
	}
	media = strings.ToLower(media)
	switch {
	case media == structuredType:
		return readOne(body)
	case media == batchType:
		return readBatch(body)
	case strings.HasPrefix(media, "application/cloudevents"):
		return nil, nil, unsupported(media, "send CloudEvents as JSON, or in binary form")
	case header.Get("Ce-Specversion") != "" || header.Get("Ce-Id") != "" || header.Get("Ce-Type") != "":
		return readBinary(header, media, body)
	case media == "application/json":
		// Not after the letter, but some send a structured event so, and dead letters come back so.
		var probe struct {
			SpecVersion string `json:"specversion"`
		}
		if json.Unmarshal(body, &probe) == nil && probe.SpecVersion != "" {
			return readOne(body)
		}
	}
	return nil, nil, unsupported(header.Get("Content-Type"), "send ce- headers, or Content-Type "+structuredType+" or "+batchType)
}

func unsupported(media, remedy string) error {
	return &receive.Problem{
		Status: http.StatusUnsupportedMediaType, Detail: "This is not a CloudEvent that is understood here.",
		Errors: []receive.FieldError{{Field: "Content-Type", Value: receive.Excerpt(media), Remedy: remedy}},
	}
}

func readOne(body []byte) ([]Event, []receive.Rejected, error) {
	e, err := readStructured(body)
	if err != nil {
		return nil, nil, err
	}
	return []Event{e}, nil, nil
}

func readBatch(body []byte) (events []Event, rejected []receive.Rejected, err error) {
	var list []json.RawMessage
	if err := receive.DecodeJSON(body, &list); err != nil {
		return nil, nil, err
	}
	if len(list) > maxBatch {
		return nil, nil, invalid("body", strconv.Itoa(len(list)), fmt.Sprintf("a batch may hold %d events; send smaller ones", maxBatch))
	}
	for i, raw := range list {
		e, err := readStructured(raw)
		if err != nil {
			for _, field := range receive.AsProblem(err).Errors {
				field.Field = fmt.Sprintf("[%d].%s", i, field.Field)
				rejected = append(rejected, receive.Rejected{Problem: field, Raw: raw})
			}
			continue
		}
		events = append(events, e)
	}
	return events, rejected, nil
}

func readStructured(body []byte) (Event, error) {
	var w wire
	if err := receive.DecodeJSON(body, &w); err != nil {
		return Event{}, err
	}
	if len(w.Data64) > 0 && string(w.Data64) != "null" {
		var text string
		raw, err := []byte(nil), json.Unmarshal(w.Data64, &text)
		if err == nil {
			raw, err = base64.StdEncoding.DecodeString(text)
		}
		if err != nil {
			return Event{}, invalid("data_base64", string(w.Data64), "it is no base64; send what RFC 4648 says, with padding")
		}
		w.Data = plain(raw)
	}
	return w.event("")
}

// event checks the attributes. prefix stands before their names in problems.
func (w *wire) event(prefix string) (Event, error) {
	for _, a := range []struct{ name, value string }{{"specversion", w.SpecVersion}, {"id", w.ID}, {"source", w.Source}, {"type", w.Type}} {
		if a.value == "" {
			return Event{}, invalid(prefix+a.name, "", "it is missing; every CloudEvent has specversion, id, source and type")
		}
	}
	e := Event{ID: w.ID, Source: w.Source, Type: w.Type, Subject: w.Subject, Data: w.Data}
	if w.Time != "" {
		at, err := time.Parse(time.RFC3339Nano, w.Time)
		if err != nil {
			return Event{}, invalid(prefix+"time", w.Time, "it is no RFC 3339 time; send for instance 2026-01-02T15:04:05Z")
		}
		e.Time = at.UTC()
	}
	return e, nil
}

// readBinary reads an event whose attributes are headers.
func readBinary(header http.Header, media string, body []byte) ([]Event, []receive.Rejected, error) {
	var w wire
	for name, into := range map[string]*string{"specversion": &w.SpecVersion, "id": &w.ID, "source": &w.Source, "type": &w.Type, "subject": &w.Subject, "time": &w.Time} {
		value, err := decode(header.Get("Ce-" + name))
		if err != nil {
			return nil, nil, invalid("ce-"+name, header.Get("Ce-"+name), "it is not UTF-8 in percent-encoding")
		}
		*into = value
	}
	if len(body) > 0 {
		w.Data = plain(body)
		if _, text := w.Data.(string); text && (media == "application/json" || strings.HasSuffix(media, "+json")) {
			var any any
			if err := receive.DecodeJSON(body, &any); err != nil {
				return nil, nil, err
			}
		}
	}
	e, err := w.event("ce-")
	if err != nil {
		return nil, nil, err
	}
	return []Event{e}, nil, nil
}

// plain returns the JSON value of data, or its text.
func plain(data []byte) any {
	var value any
	if json.Unmarshal(data, &value) == nil {
		return value
	}
	return strings.ToValidUTF8(string(data), "\uFFFD")
}

// decode reads the value of a ce- header: a quoted string as what it quotes, then percent-encoding, once.
func decode(value string) (string, error) {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		inner := value[1 : len(value)-1]
		var text strings.Builder
		for i := 0; i < len(inner); i++ {
			if inner[i] == '\\' && i+1 < len(inner) {
				i++
			}
			text.WriteByte(inner[i])
		}
		value = text.String()
	}
	var text strings.Builder
	for i := 0; i < len(value); i++ {
		if value[i] == '%' && i+2 < len(value) {
			if b, err := strconv.ParseUint(value[i+1:i+3], 16, 8); err == nil {
				text.WriteByte(byte(b))
				i += 2
				continue
			}
		}
		text.WriteByte(value[i])
	}
	if !utf8.ValidString(text.String()) {
		return "", fmt.Errorf("%q is not UTF-8", value)
	}
	return text.String(), nil
}
