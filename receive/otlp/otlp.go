// Package otlp receives telemetry by the OpenTelemetry protocol, over HTTP (POST /v1/metrics, protobuf or JSON) and gRPC, so
// that SDKs and Collectors can point at Fairlead unmodified.
//
// Metrics of all kinds are taken: gauges, sums and histograms in both temporalities, exponential histograms, summaries. They
// become series as Prometheus' own OTLP receiver names them (underscores, units and _total as suffix; service.name becomes
// job, service.instance.id instance), with the attributes that name the workload as labels and all others on target_info.
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

	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/fairlead/fairlead/receive"
)

// Protocol is the kind of integration that this telemetry comes through.
const Protocol = "otlp"

// Receiver takes telemetry. It is safe for concurrent use.
type Receiver struct{ samples *receive.Samples }

// New returns a receiver.
func New(samples *receive.Samples) *Receiver {
	samples.Protocols(Protocol)
	return &Receiver{samples: samples}
}

// Metrics serves POST /v1/metrics.
func (rc *Receiver) Metrics() http.Handler { return http.HandlerFunc(rc.serveMetrics) }

func (rc *Receiver) serveMetrics(w http.ResponseWriter, r *http.Request) {
	v, problem := rc.samples.Enter(r, Protocol)
	form := asProtobuf
	if problem == nil {
		form, problem = formOf(r)
	}
	if problem == nil {
		problem = rc.takeMetrics(w, r, v, form)
	}
	if problem != nil {
		writeProblem(w, form, problem)
		rc.samples.Done(v, r, problem.Status, problem)
		return
	}
	response := pmetricotlp.NewExportResponse()
	if v.Rejected > 0 {
		response.PartialSuccess().SetRejectedDataPoints(int64(v.Rejected))
		response.PartialSuccess().SetErrorMessage(reasons(v.Errors))
	}
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
	rc.samples.Done(v, r, http.StatusOK, nil)
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

func (rc *Receiver) takeMetrics(w http.ResponseWriter, r *http.Request, v *receive.Visit, form form) *receive.Problem {
	body, release, err := rc.samples.Bodies.Read(w, r, v.Sender)
	if err != nil {
		return receive.AsProblem(err)
	}
	defer release()
	request, err := parseMetrics(body, form)
	if err != nil {
		return receive.AsProblem(err)
	}
	return rc.export(r.Context(), v, request)
}

func (rc *Receiver) export(ctx context.Context, v *receive.Visit, request pmetricotlp.ExportRequest) *receive.Problem {
	return rc.samples.Take(ctx, v, translate(ctx, request.Metrics(), v))
}

func parseMetrics(body []byte, form form) (pmetricotlp.ExportRequest, error) {
	request := pmetricotlp.NewExportRequest()
	var err error
	if form == asJSON {
		err = request.UnmarshalJSON(body)
	} else {
		err = request.UnmarshalProto(body)
	}
	if err != nil {
		return request, receive.Invalid(receive.FieldError{
			Field: "body", Value: form.String(), Remedy: fmt.Sprintf("it is no ExportMetricsServiceRequest (%v)", err),
		})
	}
	return request, nil
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
	case http.StatusRequestTimeout:
		return codes.DeadlineExceeded
	}
	return codes.Internal
}
