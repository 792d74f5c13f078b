package mlflow

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fairlead/fairlead/ml/experiment"
)

// maxBody bounds a request in JSON. MLflow has no bound; its clients send far less.
const maxBody = 64 << 20

// object is a message of a request: its fields by name, read by type. The first field that cannot be read is remembered;
// what follows reads as empty.
type object struct {
	fields map[string]any
	// at is the path to the message, for errors.
	at string
	// failed is shared by all messages of a request.
	failed *error
	r      *http.Request
}

// inQuery are the values of a field that stands in the query.
type inQuery []string

// read reads a request: the query of a GET, and its body where there is no query; the body of all others, and what the path
// holds.
func read(r *http.Request) (*object, error) {
	var failed error
	in := &object{fields: map[string]any{}, failed: &failed, r: r}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		for name, values := range r.URL.Query() {
			in.fields[name] = inQuery(values)
		}
		if len(in.fields) > 0 || r.ContentLength == 0 {
			return in, nil
		}
	}
	return in, in.body()
}

// body reads the fields in the body.
func (o *object) body() error {
	r := o.r
	data, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return invalid("the body has more than %d bytes; send less at once", maxBody)
	}
	if err != nil {
		return invalid("the body ended early: %v", err)
	}
	kind := r.Header.Get("Content-Type")
	if media, _, err := mime.ParseMediaType(kind); (err != nil || media != "application/json") && r.Method == http.MethodPost {
		return invalid("Content-Type is %q; send application/json", experiment.Cut(kind))
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	if !utf8.Valid(data) {
		return invalid("the body is not UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var fields any
	if err := decoder.Decode(&fields); err != nil {
		return invalid("the body is not JSON: %v", err)
	}
	if decoder.More() {
		return invalid("the body is more than one JSON value")
	}
	object, ok := fields.(map[string]any)
	if !ok {
		return invalid("the body is not a JSON object")
	}
	maps.Copy(o.fields, object)
	return nil
}

func invalid(format string, args ...any) error {
	return experiment.Refuse(experiment.InvalidParameterValue, format, args...)
}

// err returns the first error of reading fields.
func (o *object) err() error { return *o.failed }

func (o *object) fail(format string, args ...any) {
	if *o.failed == nil {
		*o.failed = invalid(format, args...)
	}
}

// path returns a part of the path.
func (o *object) path(name string) string { return o.r.PathValue(name) }

// has reports whether a field is set; null is not.
func (o *object) has(name string) bool { return o.fields[name] != nil }

// text returns a text; "" if it is not set.
func (o *object) text(name string) string {
	switch value := o.fields[name].(type) {
	case nil:
		return ""
	case string:
		return value
	case inQuery:
		return value[0]
	default:
		o.fail("%s%s: want a text, in quotes; %s was given", o.at, name, show(value))
		return ""
	}
}

// needed returns a text that must not be empty.
func (o *object) needed(name string) string {
	text := o.text(name)
	if text == "" {
		o.fail("Missing value for required parameter '%s%s': give a text that is not empty", o.at, name)
	}
	return text
}

// whole returns a whole number, or otherwise if it is not set.
func (o *object) whole(name string, otherwise int64) int64 {
	var text string
	switch value := o.fields[name].(type) {
	case nil:
		return otherwise
	case json.Number:
		text = value.String()
	case string:
		text = value
	case inQuery:
		text = value[0]
	default:
		o.fail("%s%s: want a whole number; %s was given", o.at, name, show(value))
		return otherwise
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil {
		return n
	}
	// MLflow cuts off what is behind the point, and takes what is too large for the largest.
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || math.IsNaN(f) || strings.ContainsAny(text, "xX_"):
		o.fail("%s%s: want a whole number; %q was given", o.at, name, experiment.Cut(text))
		return otherwise
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	}
	return int64(f)
}

// number returns a number, which may be "NaN", "Infinity" or "-Infinity"; set is false if it is not set.
func (o *object) number(name string) (n float64, set bool) {
	var text string
	switch value := o.fields[name].(type) {
	case nil:
		return 0, false
	case json.Number:
		text = value.String()
	case string:
		text = value
	default:
		o.fail("%s%s: want a number; %s was given", o.at, name, show(value))
		return 0, true
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || strings.ContainsAny(text, "xX_") {
		o.fail(`%s%s: want a number, "NaN", "Infinity" or "-Infinity"; %q was given`, o.at, name, experiment.Cut(text))
	}
	return n, true
}

// flag returns a truth value; false if it is not set.
func (o *object) flag(name string) bool {
	switch value := o.fields[name].(type) {
	case nil:
		return false
	case bool:
		return value
	case inQuery:
		switch value[0] { // as JSON and as Python write it
		case "true", "True":
			return true
		case "false", "False":
			return false
		}
	}
	o.fail("%s%s: want true or false; %s was given", o.at, name, show(o.fields[name]))
	return false
}

// texts returns a list of texts.
func (o *object) texts(name string) []string {
	switch value := o.fields[name].(type) {
	case nil:
		return nil
	case inQuery:
		return value
	case []any:
		list := make([]string, len(value))
		for i, item := range value {
			text, ok := item.(string)
			if !ok {
				o.fail("%s%s[%d]: want a text, in quotes; %s was given", o.at, name, i, show(item))
			}
			list[i] = text
		}
		return list
	default:
		o.fail("%s%s: want a list of texts; %s was given", o.at, name, show(value))
		return nil
	}
}

// object returns a message within; an empty one if it is not set.
func (o *object) object(name string) *object {
	in := &object{at: o.at + name + ".", failed: o.failed, r: o.r}
	switch value := o.fields[name].(type) {
	case nil:
	case map[string]any:
		in.fields = value
	default:
		o.fail("%s%s: want an object; %s was given", o.at, name, show(value))
	}
	return in
}

// objects returns a list of messages.
func (o *object) objects(name string) []*object {
	switch value := o.fields[name].(type) {
	case nil:
		return nil
	case []any:
		list := make([]*object, len(value))
		for i, item := range value {
			fields, ok := item.(map[string]any)
			if !ok {
				o.fail("%s%s[%d]: want an object; %s was given", o.at, name, i, show(item))
			}
			list[i] = &object{fields: fields, at: o.at + name + "[" + strconv.Itoa(i) + "].", failed: o.failed, r: o.r}
		}
		return list
	default:
		o.fail("%s%s: want a list of objects; %s was given", o.at, name, show(value))
		return nil
	}
}

// texted returns a map of texts.
func (o *object) texted(name string) map[string]string {
	switch value := o.fields[name].(type) {
	case nil:
		return nil
	case map[string]any:
		texts := make(map[string]string, len(value))
		for key, item := range value {
			text, ok := item.(string)
			if !ok {
				o.fail("%s%s.%s: want a text, in quotes; %s was given", o.at, name, experiment.Cut(key), show(item))
			}
			texts[key] = text
		}
		return texts
	default:
		o.fail("%s%s: want an object of texts; %s was given", o.at, name, show(value))
		return nil
	}
}

// choice returns the place of an enumeration's name, or number, counted from first; -1 if it is not set.
func (o *object) choice(name string, first int, names ...string) int {
	if !o.has(name) {
		return -1
	}
	text := ""
	switch value := o.fields[name].(type) {
	case json.Number:
		text = value.String()
	case string:
		text = value
	case inQuery:
		text = value[0]
	}
	for i, candidate := range names {
		if text == candidate || text == strconv.Itoa(first+i) {
			return i
		}
	}
	o.fail("%s%s: %s is not known; use one of %s", o.at, name, show(o.fields[name]), strings.Join(names, ", "))
	return -1
}

// show returns a value for a message.
func show(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		return "something else"
	}
	return experiment.Cut(string(data))
}
