package trace

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/ml/artifact"
	"github.com/fairlead/fairlead/ml/experiment"
)

// maxFile is the largest file of spans that is read, in bytes.
const maxFile = 64 << 20

// spanFile is the name under which clients upload spans beside the files of a trace.
const spanFile = "traces.json"

// ErrTooLarge says that there are more spans in a file than are read.
var ErrTooLarge = fmt.Errorf("the spans are in a file of more than %d MB; download it instead", maxFile>>20)

// Span is one step of a trace, as people read it.
type Span struct {
	// ID and Parent are hexadecimal; Parent is "" for a root.
	ID, Parent string
	Name       string
	// Kind is what MLflow calls the span's type, such as CHAT_MODEL; "" for none.
	Kind string
	// Status is OK, ERROR or UNSET.
	Status, Message string
	// StartedAt and EndedAt are in nanoseconds since 1970; EndedAt is 0 if it was not told.
	StartedAt, EndedAt int64
	// Inputs, Outputs and the values of Attributes are what JSON may hold; nil for none.
	Inputs, Outputs any
	Attributes      map[string]any
	Events          []Event
}

// Event is something that happened during a span.
type Event struct {
	Name string
	// At is in nanoseconds since 1970.
	At         int64
	Attributes map[string]any
}

// Spans returns the spans of a trace in the order of their begin, wherever its client has put them: in the store, or as a
// file beside it in one of the forms of MLflow's clients. Without any there are none. ErrTooLarge for a huge file.
func (s *Store) Spans(ctx context.Context, files *artifact.Files, id string) ([]Span, error) {
	t, err := s.Trace(ctx, id, true)
	if err != nil {
		return nil, err
	}
	if len(t.Spans) > 0 {
		return readSpans(t.Spans)
	}
	folder := ""
	for _, tag := range t.Tags {
		if tag.Key == tagLocation {
			folder = experiment.PathOf(tag.Value)
		}
	}
	if folder == "" {
		return nil, nil
	}
	file, content, err := files.Open(ctx, folder+"/"+spanFile)
	if errors.Is(err, artifact.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = content.Close() }() // it was only read
	if file.Size > maxFile {
		return nil, ErrTooLarge
	}
	data, err := io.ReadAll(content)
	if err != nil {
		return nil, err
	}
	return ReadFile(data)
}

// ReadFile reads the spans of a file that a client has uploaded.
func ReadFile(data []byte) ([]Span, error) {
	var whole struct {
		Spans []json.RawMessage `json:"spans"`
	}
	if err := json.Unmarshal(data, &whole); err != nil {
		return nil, invalid("the file of spans is no JSON: %v", err)
	}
	return readSpans(whole.Spans)
}

func readSpans(bodies []json.RawMessage) ([]Span, error) {
	list := make([]Span, 0, len(bodies))
	for i, body := range bodies {
		var w writtenSpan
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.UseNumber()
		if err := decoder.Decode(&w); err != nil {
			return nil, invalid("span %d cannot be read: %v", i, err)
		}
		list = append(list, w.plain())
	}
	slices.SortStableFunc(list, func(a, b Span) int { return int(min(max(a.StartedAt-b.StartedAt, -1), 1)) })
	return list, nil
}

// writtenSpan is a span in any of the forms in which MLflow's clients write it: version 3 in OTLP's names, and version 2.
type writtenSpan struct {
	ID      string `json:"span_id"`
	Parent  string `json:"parent_span_id"`
	Name    string `json:"name"`
	Context struct {
		ID string `json:"span_id"`
	} `json:"context"`
	OldParent  string      `json:"parent_id"`
	Started    json.Number `json:"start_time_unix_nano"`
	Ended      json.Number `json:"end_time_unix_nano"`
	OldStarted json.Number `json:"start_time"`
	OldEnded   json.Number `json:"end_time"`
	Status     struct {
		Code    any    `json:"code"`
		Message string `json:"message"`
	} `json:"status"`
	OldStatus  string          `json:"status_code"`
	OldMessage string          `json:"status_message"`
	Attributes json.RawMessage `json:"attributes"`
	Events     []struct {
		Name       string          `json:"name"`
		At         json.Number     `json:"time_unix_nano"`
		OldAt      json.Number     `json:"timestamp"`
		Attributes json.RawMessage `json:"attributes"`
	} `json:"events"`
}

func (w *writtenSpan) plain() Span {
	s := Span{
		ID: spanID(or(w.ID, w.Context.ID)), Parent: spanID(or(w.Parent, w.OldParent)), Name: w.Name, Message: or(w.Status.Message, w.OldMessage),
		StartedAt: nanoseconds(or(w.Started, w.OldStarted)), EndedAt: nanoseconds(or(w.Ended, w.OldEnded)), Attributes: plainAttributes(w.Attributes),
	}
	code, _ := w.Status.Code.(string)
	s.Status = strings.TrimPrefix(or(code, w.OldStatus), "STATUS_CODE_")
	if s.Status != "OK" && s.Status != "ERROR" {
		s.Status = "UNSET"
	}
	take := func(key string) any {
		value := s.Attributes[key]
		delete(s.Attributes, key)
		return value
	}
	s.Inputs, s.Outputs = take("mlflow.spanInputs"), take("mlflow.spanOutputs")
	s.Kind, _ = take("mlflow.spanType").(string)
	if s.Kind == "UNKNOWN" {
		s.Kind = ""
	}
	delete(s.Attributes, attributeTrace)
	for _, e := range w.Events {
		s.Events = append(s.Events, Event{Name: e.Name, At: nanoseconds(or(e.At, e.OldAt)), Attributes: plainAttributes(e.Attributes)})
	}
	return s
}

func or[T ~string](first, second T) T {
	if first != "" {
		return first
	}
	return second
}

// spanID returns an id in hexadecimal: clients write it so, with 0x before it, or in base64.
func spanID(text string) string {
	if digits, found := strings.CutPrefix(text, "0x"); found {
		return digits
	}
	const hexadecimal = 16
	if len(text) == hexadecimal {
		return text
	}
	if data, err := base64.StdEncoding.DecodeString(text); err == nil {
		return hex.EncodeToString(data)
	}
	return text
}

// nanoseconds reads a time; version 2 writes those of events in microseconds.
func nanoseconds(n json.Number) int64 {
	at, err := n.Int64()
	if err != nil {
		return 0
	}
	const least = int64(1e17) // in 1973; as microseconds, in the year 5138
	if at > 0 && at < least {
		at *= 1000
	}
	return at
}

// plainAttributes reads attributes: an object whose texts may be JSON, or OTLP's list.
func plainAttributes(raw json.RawMessage) map[string]any {
	plain := map[string]any{}
	var list []struct {
		Key   string         `json:"key"`
		Value map[string]any `json:"value"`
	}
	if decode(raw, &list) == nil {
		for _, a := range list {
			plain[a.Key] = plainValue(a.Value)
		}
		return plain
	}
	var object map[string]any
	if decode(raw, &object) != nil {
		return plain // nothing that can be shown
	}
	for key, value := range object {
		if text, ok := value.(string); ok {
			var inner any
			if decode([]byte(text), &inner) == nil {
				value = inner
			}
		}
		plain[key] = value
	}
	return plain
}

// decode reads all of data as one JSON text with exact numbers.
func decode(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more follows")
	}
	return nil
}

// plainValue reads one of OTLP's values.
func plainValue(v map[string]any) any {
	for kind, value := range v {
		inner, _ := value.(map[string]any)
		values, _ := inner["values"].([]any)
		switch kind {
		case "array_value":
			list := make([]any, 0, len(values))
			for _, item := range values {
				one, _ := item.(map[string]any)
				list = append(list, plainValue(one))
			}
			return list
		case "kvlist_value":
			object := map[string]any{}
			for _, item := range values {
				pair, _ := item.(map[string]any)
				key, _ := pair["key"].(string)
				one, _ := pair["value"].(map[string]any)
				object[key] = plainValue(one)
			}
			return object
		default:
			return value
		}
	}
	return nil
}
