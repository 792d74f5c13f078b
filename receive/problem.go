package receive

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// FieldError says what is wrong with one field, and what to do about it.
type FieldError struct {
	// Field is the path of the field, for instance "[3].labels.foo", or the name of a header.
	Field string `json:"field"`
	// Value is what was sent, cut to a readable length.
	Value string `json:"value"`
	// Remedy says what is wrong and what to send instead.
	Remedy string `json:"remedy"`
}

// Problem is an answer other than success, as RFC 9457 describes it. It is an error, so that parsing can return it.
type Problem struct {
	// Status is the HTTP status.
	Status int
	// Detail is one or two sentences for a person.
	Detail string
	// Errors lists the fields that are wrong, at most MaxErrors.
	Errors []FieldError
	// RetryAfter is after how long the sender may try again; 0 leaves the header out.
	RetryAfter time.Duration

	cause error
}

// MaxErrors is how many field errors one answer lists.
const MaxErrors = 100

// Error returns the detail.
func (p *Problem) Error() string { return p.Detail }

// Unwrap returns the error that caused the problem, if one is known.
func (p *Problem) Unwrap() error { return p.cause }

// Invalid returns the 400 for a request of which nothing could be used because of one field.
func Invalid(field FieldError) *Problem {
	return &Problem{Status: http.StatusBadRequest, Detail: field.Field + ": " + field.Remedy + ".", Errors: []FieldError{field}}
}

// Write answers with the problem as application/problem+json.
func (p *Problem) Write(w http.ResponseWriter) {
	type body struct {
		Type   string       `json:"type"`
		Title  string       `json:"title"`
		Status int          `json:"status"`
		Detail string       `json:"detail"`
		Errors []FieldError `json:"errors,omitempty"`
	}
	text, err := json.Marshal(body{
		Type: "about:blank", Title: http.StatusText(p.Status), Status: p.Status, Detail: p.Detail,
		Errors: p.Errors[:min(len(p.Errors), MaxErrors)],
	})
	if err != nil {
		http.Error(w, p.Detail, p.Status) // cannot happen: the body holds only texts
		return
	}
	header := w.Header()
	header.Set("Content-Type", "application/problem+json")
	header.Set("Cache-Control", "no-store")
	if p.RetryAfter > 0 {
		header.Set("Retry-After", strconv.FormatInt(max(1, int64(p.RetryAfter/time.Second)), 10))
	}
	if p.Status == http.StatusUnsupportedMediaType {
		header.Set("Accept-Encoding", "gzip, identity")
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(text, '\n')) // the sender has gone: nobody is left to tell
}

// maxExcerpt is how many bytes of a value are quoted in an answer.
const maxExcerpt = 80

// Excerpt cuts a value that is quoted in an answer to a readable length, at a rune's boundary, and makes it valid UTF-8.
func Excerpt(text string) string {
	if len(text) <= maxExcerpt {
		return strings.ToValidUTF8(text, "\uFFFD")
	}
	cut := maxExcerpt
	for cut > maxExcerpt-utf8.UTFMax && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return strings.ToValidUTF8(text[:cut], "\uFFFD") + "... (" + strconv.Itoa(len(text)) + " bytes)"
}

// AsProblem returns the Problem in err's chain, or a 500 that says what err says.
func AsProblem(err error) *Problem {
	if problem, ok := errors.AsType[*Problem](err); ok {
		return problem
	}
	return &Problem{Status: http.StatusInternalServerError, Detail: "The request could not be handled: " + err.Error() + ".", cause: err}
}
