package replay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// kind is what a line holds, and by that where it goes.
type kind string

const (
	kindAlerts  kind = "alerts"
	kindTraces  kind = "traces"
	kindLogs    kind = "logs"
	kindMetrics kind = "metrics"
)

// path returns the endpoint that takes lines of this kind.
func (k kind) path() string {
	if k == kindAlerts {
		return "/api/v2/alerts"
	}
	return "/v1/" + string(k)
}

// errNotRecording says that a line is JSON, but of neither known form.
var errNotRecording = errors.New(
	`neither an alert line {"at","alerts":[...]} nor OTLP with "resourceSpans", "resourceLogs" or "resourceMetrics"`)

// emptyAlerts is the body that carries a time and nothing else.
var emptyAlerts = []byte("[]")

// item is one line of a recording.
type item struct {
	path   string
	line   int
	at     time.Time
	kind   kind
	body   []byte // what is posted; part of the reader's buffer
	alerts int
}

func (i *item) where() string { return i.path + ":" + strconv.Itoa(i.line) }

// envelope is the outer object of a line of any kind.
type envelope struct {
	At              *string         `json:"at"`
	Alerts          json.RawMessage `json:"alerts"`
	ResourceSpans   json.RawMessage `json:"resourceSpans"`
	ResourceLogs    json.RawMessage `json:"resourceLogs"`
	ResourceMetrics json.RawMessage `json:"resourceMetrics"`
}

// parseLine recognises what a line holds. The item's body may share memory with text.
func parseLine(text []byte) (*item, error) {
	var outer envelope
	if err := json.Unmarshal(text, &outer); err != nil {
		return nil, fmt.Errorf("read line: %w", err)
	}
	for _, otlp := range []struct {
		kind kind
		part json.RawMessage
	}{{kindTraces, outer.ResourceSpans}, {kindLogs, outer.ResourceLogs}, {kindMetrics, outer.ResourceMetrics}} {
		if isArray(otlp.part) {
			at := newestTime(text)
			if at.IsZero() {
				return nil, fmt.Errorf("read %s: no time in the line", otlp.kind)
			}
			return &item{at: at, kind: otlp.kind, body: text}, nil
		}
	}
	if !isArray(outer.Alerts) {
		return nil, errNotRecording
	}
	if outer.At == nil {
		return nil, fmt.Errorf(`%w: "at" is missing`, errNotRecording)
	}
	at, err := time.Parse(time.RFC3339Nano, *outer.At)
	if err != nil {
		return nil, fmt.Errorf(`read "at": %w`, err)
	}
	var alerts []json.RawMessage
	if err := json.Unmarshal(outer.Alerts, &alerts); err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	return &item{at: at.UTC(), kind: kindAlerts, body: outer.Alerts, alerts: len(alerts)}, nil
}

func isArray(part json.RawMessage) bool {
	trimmed := bytes.TrimLeft(part, " \t\r\n")
	return len(trimmed) > 0 && trimmed[0] == '['
}

// shifted returns the body with all its times moved by d.
func (i *item) shifted(d time.Duration) ([]byte, error) {
	if i.kind == kindAlerts {
		return shiftAlerts(i.body, d)
	}
	return shiftOTLP(i.body, d), nil
}

func shiftAlerts(body []byte, d time.Duration) ([]byte, error) {
	var alerts []map[string]json.RawMessage
	if err := json.Unmarshal(body, &alerts); err != nil {
		return nil, err
	}
	for _, alert := range alerts {
		for _, field := range []string{"startsAt", "endsAt", "updatedAt"} {
			raw, ok := alert[field]
			if !ok {
				continue
			}
			var at time.Time
			if err := json.Unmarshal(raw, &at); err != nil || at.IsZero() {
				continue // not ours to judge: the server says what is wrong with it
			}
			alert[field] = strconv.AppendQuote(nil, formatTime(at.Add(d)))
		}
	}
	return json.Marshal(alerts)
}

// nanoKey ends the name of every time of OTLP: timeUnixNano, observedTimeUnixNano, startTimeUnixNano, endTimeUnixNano.
// Inside a string value its quote would be escaped, so the bytes are searched without reading the structure.
var nanoKey = []byte(`UnixNano"`)

// nextTime finds the first time at or after from: its digits are text[begin:end]. ok is false when there is none.
func nextTime(text []byte, from int) (begin, end int, ok bool) {
	for {
		found := bytes.Index(text[from:], nanoKey)
		if found < 0 {
			return 0, 0, false
		}
		begin = from + found + len(nanoKey)
		for begin < len(text) && bytes.IndexByte([]byte(" \t:\""), text[begin]) >= 0 {
			begin++
		}
		end = begin
		for end < len(text) && text[end] >= '0' && text[end] <= '9' {
			end++
		}
		if end > begin {
			return begin, end, true
		}
		from = begin
	}
}

// newestTime returns the latest time in a line of OTLP, zero when there is none.
func newestTime(text []byte) time.Time {
	var newest int64
	for from := 0; ; {
		begin, end, ok := nextTime(text, from)
		if !ok {
			break
		}
		if nanos, err := strconv.ParseInt(string(text[begin:end]), 10, 64); err == nil {
			newest = max(newest, nanos)
		}
		from = end
	}
	if newest == 0 {
		return time.Time{}
	}
	return time.Unix(0, newest).UTC()
}

func shiftOTLP(text []byte, d time.Duration) []byte {
	shifted := make([]byte, 0, len(text)+64)
	from := 0
	for {
		begin, end, ok := nextTime(text, from)
		if !ok {
			return append(shifted, text[from:]...)
		}
		shifted = append(shifted, text[from:begin]...)
		nanos, err := strconv.ParseInt(string(text[begin:end]), 10, 64)
		if err != nil || nanos == 0 { // 0 means "not known" in OTLP and stays
			shifted = append(shifted, text[begin:end]...)
		} else {
			shifted = strconv.AppendInt(shifted, nanos+int64(d), 10)
		}
		from = end
	}
}
