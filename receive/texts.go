package receive

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/url"
)

// maxTexts is how many fields Texts reads.
const maxTexts = 1000

// Texts reads a body of named texts: a flat JSON object, whose values may be of any kind (see Text), or a form. The content
// type decides, and where it names neither, the body's first character does. The error is a *Problem.
func Texts(body []byte, contentType string) (map[string]string, error) {
	kind, _, _ := mime.ParseMediaType(contentType) //nolint:errcheck // senders write all sorts of things there
	trimmed := bytes.TrimSpace(body)
	if object := len(trimmed) > 0 && trimmed[0] == '{'; !object && (kind == "application/x-www-form-urlencoded" || kind == "") {
		return formTexts(trimmed)
	}
	var values map[string]json.RawMessage
	if err := DecodeJSON(body, &values); err != nil {
		return nil, err
	}
	if len(values) > maxTexts {
		return nil, tooMany(len(values))
	}
	texts := make(map[string]string, len(values))
	for name, raw := range values {
		texts[name] = rawText(raw)
	}
	return texts, nil
}

// rawText is Text for a value that was not decoded: numbers stay as they are written.
func rawText(raw json.RawMessage) string {
	var text string
	switch {
	case string(raw) == "null":
		return ""
	case len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &text) == nil:
		return text
	}
	var compact bytes.Buffer
	if json.Compact(&compact, raw) != nil {
		return string(raw) // cannot happen: it was read before
	}
	return compact.String()
}

func formTexts(body []byte) (map[string]string, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, Invalid(FieldError{Field: "body", Value: Excerpt(string(body)), Remedy: fmt.Sprintf("neither a JSON object nor a form (%v)", err)})
	}
	if len(form) > maxTexts {
		return nil, tooMany(len(form))
	}
	texts := make(map[string]string, len(form))
	for name, values := range form {
		texts[name] = values[0]
	}
	return texts, nil
}

func tooMany(n int) error {
	return Invalid(FieldError{Field: "body", Value: fmt.Sprintf("%d fields", n), Remedy: fmt.Sprintf("at most %d are read", maxTexts)})
}
