// Package otlp receives telemetry by the OpenTelemetry protocol, over HTTP (POST /v1/metrics, /v1/logs, /v1/traces, protobuf
// or JSON) and gRPC, so that SDKs and Collectors can point at Fairlead unmodified.
//
// Metrics of all kinds are taken: gauges, sums and histograms in both temporalities, exponential histograms, summaries. They
// become series as Prometheus' own OTLP receiver names them (underscores, units and _total as suffix; service.name becomes
// job, service.instance.id instance), with the attributes that name the workload as labels and all others on target_info.
// Log records and spans keep their attributes as they are, as text.
//
// What is good in a request is kept and written before it is answered; what is not is told as partial success, with its
// number and the first reasons, and counted by reason.
//
// https://opentelemetry.io/docs/specs/otlp/
package otlp

import (
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/fairlead/fairlead/receive"
)

// Protocol is the kind of integration that this telemetry comes through.
const Protocol = "otlp"

// Receiver takes telemetry. It is safe for concurrent use.
type Receiver struct{ intake *receive.Intake }

// New returns a receiver.
func New(intake *receive.Intake) *Receiver {
	intake.Count(Protocol, receive.KindSamples, receive.KindLogs, receive.KindSpans)
	return &Receiver{intake: intake}
}

// message is a request of OTLP.
type message interface {
	UnmarshalProto(data []byte) error
	UnmarshalJSON(data []byte) error
}

// answer is a response of OTLP.
type answer interface {
	MarshalProto() ([]byte, error)
	MarshalJSON() ([]byte, error)
}

// service is one of OTLP's three.
type service struct {
	kind receive.Kind
	// parse reads a request and returns what takes it.
	parse func(body []byte, form form) (take func(ctx context.Context, v *receive.Visit) *receive.Problem, err error)
	// response says how many items were refused, and why.
	response func(rejected int64, reasons string) answer
}

// serviceOf makes a service of what is particular to one.
func serviceOf[Request any, Answer answer](
	kind receive.Kind, parse func([]byte, form) (Request, error),
	take func(context.Context, *receive.Visit, Request) *receive.Problem, response func(int64, string) Answer,
) service {
	return service{
		kind: kind,
		parse: func(body []byte, form form) (func(context.Context, *receive.Visit) *receive.Problem, error) {
			request, err := parse(body, form)
			return func(ctx context.Context, v *receive.Visit) *receive.Problem { return take(ctx, v, request) }, err
		},
		response: func(rejected int64, reasons string) answer { return response(rejected, reasons) },
	}
}

// Metrics serves POST /v1/metrics.
func (rc *Receiver) Metrics() http.Handler {
	return rc.handler(serviceOf(receive.KindSamples, parseMetrics, rc.takeMetrics, metricsResponse))
}

// Logs serves POST /v1/logs.
func (rc *Receiver) Logs() http.Handler {
	return rc.handler(serviceOf(receive.KindLogs, parseLogs, rc.takeLogs, logsResponse))
}

// Traces serves POST /v1/traces.
func (rc *Receiver) Traces() http.Handler {
	return rc.handler(serviceOf(receive.KindSpans, parseTraces, rc.takeTraces, tracesResponse))
}

func (rc *Receiver) handler(of service) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { rc.serve(w, r, of) })
}

func (rc *Receiver) serve(w http.ResponseWriter, r *http.Request, of service) {
	v, problem := rc.intake.Enter(r, Protocol, of.kind)
	form := asProtobuf
	if problem == nil {
		form, problem = formOf(r)
	}
	if problem == nil && of.kind == receive.KindSpans {
		problem = forExperiment(r)
	}
	if problem == nil {
		problem = rc.take(w, r, v, form, of)
	}
	if problem != nil {
		if problem.Status == http.StatusUnprocessableEntity {
			problem.Write(w) // MLflow's clients read JSON
		} else {
			writeProblem(w, form, problem)
		}
		rc.intake.Done(v, r, problem.Status, problem)
		return
	}
	response := of.response(int64(v.Rejected), reasons(v.Errors))
	marshal := response.MarshalProto
	if form == asJSON {
		marshal = response.MarshalJSON
	}
	body, err := marshal()
	if err != nil {
		body = nil // an empty answer is one too
	}
	w.Header().Set("Content-Type", form.media())
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body) // the sender has gone: nobody is left to tell
	rc.intake.Done(v, r, http.StatusOK, nil)
}

func (rc *Receiver) take(w http.ResponseWriter, r *http.Request, v *receive.Visit, form form, of service) *receive.Problem {
	body, release, err := rc.intake.Bodies.Read(w, r, v.Sender)
	if err != nil {
		return receive.AsProblem(err)
	}
	defer release()
	take, err := of.parse(body, form)
	if err != nil {
		return receive.AsProblem(err)
	}
	return take(r.Context(), v)
}

// reasons says what was wrong, in one text.
func reasons(errors []receive.FieldError) string {
	var text strings.Builder
	for i, e := range errors {
		if i == 3 {
			fmt.Fprintf(&text, "; and %d more", len(errors)-i)
			break
		}
		if i > 0 {
			text.WriteString("; ")
		}
		fmt.Fprintf(&text, "%s: %q: %s", e.Field, e.Value, e.Remedy)
	}
	return text.String()
}

// parse reads a request of a name.
func parse(body []byte, form form, name string, request message) error {
	unmarshal := request.UnmarshalProto
	if form == asJSON {
		unmarshal = request.UnmarshalJSON
	}
	if err := unmarshal(body); err != nil {
		return receive.Invalid(receive.FieldError{
			Field: "body", Value: form.String(), Remedy: fmt.Sprintf("it is no %s (%v)", name, err),
		})
	}
	return nil
}

// form is how a message is written.
type form int

const (
	asProtobuf form = iota
	asJSON
)

// String returns protobuf or JSON.
func (f form) String() string {
	if f == asJSON {
		return "JSON"
	}
	return "protobuf"
}

func (f form) media() string {
	if f == asJSON {
		return "application/json"
	}
	return "application/x-protobuf"
}

// formOf reads how a request is written.
func formOf(r *http.Request) (form, *receive.Problem) {
	text := r.Header.Get("Content-Type")
	media, _, err := mime.ParseMediaType(text)
	switch {
	case err == nil && (media == "application/x-protobuf" || media == "application/protobuf"):
		return asProtobuf, nil
	case err == nil && media == "application/json":
		return asJSON, nil
	}
	return asProtobuf, &receive.Problem{
		Status: http.StatusUnsupportedMediaType, Detail: "OTLP over HTTP is protobuf or JSON.",
		Errors: []receive.FieldError{{Field: "Content-Type", Value: receive.Excerpt(text), Remedy: "send application/x-protobuf or application/json"}},
	}
}

// writeProblem answers as OTLP says: with a google.rpc.Status in the form of the request.
func writeProblem(w http.ResponseWriter, form form, problem *receive.Problem) {
	text := problem.Detail
	if len(problem.Errors) > 0 {
		text += " " + reasons(problem.Errors) + "."
	}
	header := w.Header()
	if problem.RetryAfter > 0 {
		header.Set("Retry-After", fmt.Sprint(max(1, int(problem.RetryAfter.Seconds()))))
	}
	code := int32(codeOf(problem.Status)) //nolint:gosec // one of 17
	var body []byte
	if form == asJSON {
		body, _ = json.Marshal(map[string]any{"code": code, "message": text}) // a number and a text
	} else {
		body, _ = proto.Marshal(&status.Status{Code: code, Message: strings.ToValidUTF8(text, "\uFFFD")}) // valid by construction
	}
	header.Set("Content-Type", form.media())
	w.WriteHeader(problem.Status)
	_, _ = w.Write(body) // the sender has gone: nobody is left to tell
}

// codeOf maps an HTTP status to gRPC's code.
func codeOf(code int) codes.Code {
	switch code {
	case http.StatusBadRequest, http.StatusUnsupportedMediaType, http.StatusRequestEntityTooLarge:
		return codes.InvalidArgument
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusNotFound:
		return codes.NotFound
	case http.StatusTooManyRequests:
		return codes.ResourceExhausted
	case http.StatusServiceUnavailable:
		return codes.Unavailable
	case http.StatusNotImplemented:
		return codes.Unimplemented
	case http.StatusRequestTimeout:
		return codes.DeadlineExceeded
	}
	return codes.Internal
}
