// Package trace keeps what applications with language models did: traces with their spans, and what was said of them.
// They come over MLflow's API or as OTLP with the header x-mlflow-experiment-id, and belong to an experiment.
//
//	traces := trace.Open(db, experiments)
//	info, err := traces.Start(ctx, trace.Info{ID: "tr-...", Experiment: 3, State: trace.OK})
//	err = traces.AddSpans(ctx, 3, spans)
//
// The same trace may come in pieces and in any order: its start, its spans in several requests, its root last. Each piece
// updates it. Spans of ordinary telemetry, without an experiment, do not come here.
package trace

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/experiment"
)

// State is how a trace stands.
type State string

// The states.
const (
	Unspecified State = "STATE_UNSPECIFIED"
	OK          State = "OK"
	Error       State = "ERROR"
	InProgress  State = "IN_PROGRESS"
)

// States returns the states in MLflow's order: the first has number 0.
func States() []State { return []State{Unspecified, OK, Error, InProgress} }

// Tags and metadata of MLflow that mean something here.
const (
	tagName        = "mlflow.traceName"
	tagLocation    = "mlflow.artifactLocation"
	tagSpans       = "mlflow.trace.spansLocation"
	metaFinalized  = "mlflow.trace.infoFinalized"
	metaRun        = "mlflow.sourceRun"
	metaSession    = "mlflow.trace.session"
	metaUser       = "mlflow.trace.user"
	metaTokens     = "mlflow.trace.tokenUsage" //nolint:gosec // no credential
	inTheStore     = "TRACKING_STORE"
	maxTagKey      = 250
	maxTagValue    = 8000
	maxPreview     = 10_000
	attributeTrace = "mlflow.traceRequestId"
)

// Info is what is known of a trace besides its spans.
type Info struct {
	// ID is "tr-" and 32 hexadecimal digits, or without "tr-" from clients before 3.0.
	ID         string
	Experiment int64
	// StartedAt is in milliseconds since 1970, Took in milliseconds; Took is nil until it is known.
	StartedAt int64
	Took      *int64
	State     State
	// Client is what the client calls client_request_id.
	Client            string
	Request, Response string
	// Root is the name of the first span without a parent, of those in the store; "" for none.
	Root           string
	Tags, Metadata []experiment.Tag
	Assessments    []json.RawMessage
}

// Trace is a trace with its spans, as MLflow's clients read them, in the order of their begin.
type Trace struct {
	Info
	Spans []json.RawMessage
}

// Store keeps traces in the database ml. It is safe for concurrent use.
type Store struct {
	db          *store.DB
	experiments *experiment.Store
}

// Open returns the traces in a database.
func Open(db *store.DB, experiments *experiment.Store) *Store {
	return &Store{db: db, experiments: experiments}
}

func now() int64 { return time.Now().UnixMilli() }

// newID returns random hexadecimal digits behind a prefix.
func newID(prefix string) string {
	var id [16]byte
	rand.Read(id[:]) //nolint:errcheck,gosec // it never fails
	return prefix + hex.EncodeToString(id[:])
}

func invalid(format string, args ...any) error {
	return experiment.Refuse(experiment.InvalidParameterValue, format, args...)
}

func badRequest(format string, args ...any) error {
	return experiment.Refuse(experiment.BadRequest, format, args...)
}
