package receive

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
)

// DecodeJSON reads a JSON object or list into into. The error is a *Problem that names the field.
func DecodeJSON(body []byte, into any) error {
	err := json.Unmarshal(body, into)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &kind):
		return Invalid(FieldError{Field: cmpField(kind.Field), Value: kind.Value, Remedy: "want " + wanted(kind.Type) + ", got " + got(kind.Value)})
	case errors.As(err, &syntax):
		from := max(0, int(syntax.Offset)-40)
		return Invalid(FieldError{Field: "body", Value: Excerpt(string(body[from:min(len(body), int(syntax.Offset)+40)])), Remedy: fmt.Sprintf("not valid JSON at byte %d (%v)", syntax.Offset, syntax)})
	}
	return Invalid(FieldError{Field: "body", Value: Excerpt(string(body)), Remedy: fmt.Sprintf("not what is sent here (%v)", err)})
}

// wanted returns for people what a field of a type is read from.
func wanted(t reflect.Type) string {
	switch t.Kind() { //nolint:exhaustive // the others are numbers
	case reflect.Pointer:
		return wanted(t.Elem())
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct, reflect.Interface:
		return "an object"
	}
	return "a number"
}

// got returns for people what encoding/json calls a value.
func got(value string) string {
	name, _, _ := strings.Cut(value, " ")
	if known := map[string]string{"string": "a text", "bool": "true or false", "array": "a list", "object": "an object", "number": "a number"}[name]; known != "" {
		return known
	}
	return value
}

func cmpField(field string) string {
	if field == "" {
		return "body"
	}
	return field
}

// WriteJSON answers with a status and a JSON value.
func WriteJSON(w http.ResponseWriter, status int, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError) // cannot happen: answers hold only texts and numbers
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // the sender has gone: nobody is left to tell
}

// AnswerCount is a Protocol's Answer for senders that count any 200 as success: how many reports were accepted.
func AnswerCount(w http.ResponseWriter, _ *Request, d *Delivery, problem *Problem) {
	if problem != nil {
		problem.Write(w)
		return
	}
	WriteJSON(w, http.StatusOK, map[string]any{"status": "ok", "accepted": len(d.Alerts)})
}
