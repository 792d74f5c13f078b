package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/incident"
)

// ErrorDetail is one field that cannot be used.
type ErrorDetail struct {
	Field  string `json:"field"`
	Value  any    `json:"value,omitempty"`
	Remedy string `json:"remedy,omitempty"`
}

// Problem is an error as RFC 9457 describes it.
type Problem struct {
	Type   string        `json:"type,omitempty"`
	Title  string        `json:"title"`
	Status int           `json:"status"`
	Detail string        `json:"detail"`
	Errors []ErrorDetail `json:"errors,omitempty"`
	// Present is what somebody else has made of what was edited.
	Present any `json:"present,omitempty" doc:"What it is now, when somebody else has changed it meanwhile."`
	// RetryAfter is in seconds; 0 leaves it out.
	RetryAfter int    `json:"retryAfter,omitempty" doc:"After how many seconds to try again."`
	ID         string `json:"id,omitempty" doc:"Give this to support: the server's log has it too."`
}

// Error returns the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus returns the HTTP status; huma asks for it.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType returns the media type of problems; huma asks for it.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// ours makes huma's errors ours. Huma keeps the function in a package variable, so it is set once.
var ours sync.Once

func useProblems() {
	ours.Do(func() {
		huma.DefaultArrayNullable = false
		huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
			p := &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: sentence(message), ID: newID()}
			if len(errs) > 0 {
				p.Detail = "The request cannot be used as it is: errors says which part and what to do."
			}
			for _, err := range errs {
				if err == nil {
					continue
				}
				var detail huma.ErrorDetailer
				if errors.As(err, &detail) {
					d := detail.ErrorDetail()
					p.Errors = append(p.Errors, ErrorDetail{Field: d.Location, Value: brief(d.Value), Remedy: d.Message})
					continue
				}
				p.Errors = append(p.Errors, ErrorDetail{Field: "body", Remedy: err.Error()})
			}
			return p
		}
	})
}

// problem maps an error of the inner packages to an answer; it is the one place that does.
func problem(ctx context.Context, logger *slog.Logger, err error) error {
	if err == nil {
		return nil
	}
	err = store.Classify(err)
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, incident.ErrNotFound), errors.Is(err, store.ErrNotFound):
		status = http.StatusNotFound
	case errors.Is(err, incident.ErrInvalid):
		status = http.StatusUnprocessableEntity
	case errors.Is(err, incident.ErrConflict), errors.Is(err, store.ErrConflict):
		status = http.StatusConflict
	case errors.Is(err, incident.ErrUnavailable), errors.Is(err, store.ErrUnavailable), ctx.Err() != nil:
		status = http.StatusServiceUnavailable
	}
	p := &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: sentence(withoutKind(err)), ID: newID()}
	if status >= http.StatusInternalServerError {
		logger.Error("a request failed", "id", p.ID, "error", err)
	}
	if status == http.StatusInternalServerError {
		p.Detail = "Something went wrong here; the log has it under this id. Nothing of this request was done."
	}
	if status == http.StatusServiceUnavailable {
		if errors.Is(err, store.ErrUnavailable) { // how the database is reached is nobody's business
			p.Detail = "The database cannot be used at the moment; /-/ready says why. Try again in some seconds."
		}
		return huma.ErrorWithHeaders(p, http.Header{"Retry-After": {"5"}})
	}
	return p
}

// withoutKind cuts the sentinel's text off the end: ": not found" says nothing that the rest does not.
func withoutKind(err error) string {
	text := err.Error()
	for _, kind := range []error{incident.ErrConflict, incident.ErrInvalid} {
		text = strings.TrimSuffix(text, ": "+kind.Error())
	}
	if rest, found := strings.CutSuffix(text, ": "+incident.ErrNotFound.Error()); found {
		text = "there is no " + rest
	}
	return text
}

func sentence(text string) string {
	if text == "" {
		return text
	}
	if c := text[0]; c >= 'a' && c <= 'z' {
		text = string(c-'a'+'A') + text[1:]
	}
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}

// brief keeps an echoed value short.
func brief(value any) any {
	if value == nil {
		return nil
	}
	text := fmt.Sprint(value)
	if len(text) > 200 {
		return text[:200] + "…"
	}
	return value
}

func newID() string { return strings.ToLower(rand.Text()[:12]) }
