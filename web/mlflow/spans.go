package mlflow

import (
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"mime"
	"net/http"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/experiment"
)

// ExperimentHeader says that spans belong to an experiment.
const ExperimentHeader = "X-Mlflow-Experiment-Id"

// maxSpans bounds a request of spans, as it is sent and as it is decompressed.
const maxSpans = 64 << 20

// Spans serves POST /v1/traces for requests that name an experiment.
func (f *Face) Spans(w http.ResponseWriter, r *http.Request) {
	id, err := experiment.ParseExperimentID(r.Header.Get(ExperimentHeader))
	if err == nil && access.From(r.Context()).Limited() {
		err = f.allowed(r.Context(), []access.Thing{experimentThing(id)}, access.MayEdit)
	}
	var request ptraceotlp.ExportRequest
	if err == nil {
		request, err = readSpans(r)
	}
	if err == nil {
		err = f.Traces.AddSpans(r.Context(), id, request.Traces())
	}
	if err != nil {
		f.detail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	w.WriteHeader(http.StatusOK) // with an empty ExportTraceServiceResponse
}

// readSpans reads the body.
func readSpans(r *http.Request) (ptraceotlp.ExportRequest, error) {
	request := ptraceotlp.NewExportRequest()
	var body io.Reader = http.MaxBytesReader(nil, r.Body, maxSpans)
	var err error
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip":
		body, err = gzip.NewReader(body)
	case "deflate":
		body, err = zlib.NewReader(body)
	default:
		return request, invalid("Content-Encoding %q is not known; use gzip, deflate or none", experiment.Cut(encoding))
	}
	if err != nil {
		return request, invalid("the body cannot be decompressed: %v", err)
	}
	data, err := io.ReadAll(io.LimitReader(body, maxSpans+1))
	if err != nil {
		return request, invalid("the body cannot be read: %v", err)
	}
	if len(data) > maxSpans {
		return request, invalid("the body has more than %d bytes; send less at once", maxSpans)
	}
	if len(data) == 0 {
		return request, invalid("the body is empty")
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err == nil && media == "application/x-protobuf":
		err = request.UnmarshalProto(data)
	case err == nil && media == "application/json":
		err = request.UnmarshalJSON(data)
	default:
		return request, invalid("Content-Type is %q; send application/x-protobuf or application/json", experiment.Cut(r.Header.Get("Content-Type")))
	}
	if err != nil {
		return request, invalid("the body is no ExportTraceServiceRequest: %v", err)
	}
	return request, nil
}

// detail answers with an error in the form of this path.
func (f *Face) detail(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusBadRequest
	text := err.Error()
	var refusal *experiment.Error
	switch {
	case errors.As(err, &refusal):
		if known, ok := statuses[refusal.Code]; ok {
			status = known
		}
	case errors.Is(err, store.ErrUnavailable):
		status, text = http.StatusServiceUnavailable, "The database does not take anything at the moment, and nothing was stored; try again."
		w.Header().Set("Retry-After", "5")
		f.Logger.Error("spans could not be stored", "error", err)
	default:
		status, text = http.StatusInternalServerError, "Something went wrong here; the log has it."
		f.Logger.Error("spans could not be stored", "route", r.Pattern, "error", err)
	}
	write(w, status, struct {
		Detail string `json:"detail"`
	}{text})
}
