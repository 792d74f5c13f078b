package trace

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/experiment"
)

// Imported is a trace that was made elsewhere.
type Imported struct {
	Info
	// Spans are in any of the forms in which MLflow's clients write them.
	Spans []json.RawMessage
	// Said are its assessments, under the ids that they had.
	Said []Assessment
	// Runs are those that it belongs to, besides the one in its metadata.
	Runs []string
}

// Has reports whether a trace is here with at least so many spans and assessments.
func (s *Store) Has(ctx context.Context, id string, spans, said int) (bool, error) {
	var told, hasSpans, hasSaid int
	err := s.db.Read().QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM traces WHERE id = ? AND told = 1), (SELECT COUNT(*) FROM trace_spans WHERE trace = ?), (SELECT COUNT(*) FROM assessments WHERE trace = ?)`, id, id, id).
		Scan(&told, &hasSpans, &hasSaid)
	return told == 1 && hasSpans >= spans && hasSaid >= said, store.Classify(err)
}

// Import stores a trace under the id that it had. It can be done again after it was interrupted.
func (s *Store) Import(ctx context.Context, t *Imported) error {
	ours := func(tag experiment.Tag) bool { return tag.Key == tagLocation || tag.Key == tagSpans } // these say where things are here
	t.Tags = slices.DeleteFunc(slices.Clone(t.Tags), ours)
	if len(t.Spans) > 0 {
		spans, err := readSpans(t.Spans)
		if err != nil {
			return err
		}
		otlp, err := toOTLP(t.ID, spans)
		if err != nil {
			return err
		}
		if err := s.AddSpans(ctx, t.Experiment, otlp); err != nil {
			return err
		}
	}
	if _, err := s.Start(ctx, t.Info); err != nil {
		return err
	}
	for _, run := range t.Runs {
		if err := s.Link(ctx, run, []string{t.ID}); err != nil {
			return err
		}
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		for _, a := range t.Said {
			a.Trace = t.ID
			if _, err := findAssessment(ctx, tx, t.ID, a.ID); err == nil {
				continue
			}
			if err := insertAssessment(ctx, tx, a); err != nil {
				return fmt.Errorf("assessment %s: %w", a.ID, err)
			}
		}
		return nil
	})
}

// toOTLP writes spans as they would have come by OTLP.
func toOTLP(id string, spans []Span) (ptrace.Traces, error) {
	traces := ptrace.NewTraces()
	into := traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	var traceID pcommon.TraceID
	if digits, err := hex.DecodeString(strings.TrimPrefix(id, "tr-")); err != nil || copy(traceID[:], digits) != len(traceID) || len(digits) != len(traceID) {
		return traces, invalid("the id of the trace %q is not tr- and 32 hexadecimal digits", experiment.Cut(id))
	}
	for i := range spans {
		s := &spans[i]
		one := into.AppendEmpty()
		one.SetTraceID(traceID)
		one.SetSpanID(otlpSpanID(s.ID))
		if s.Parent != "" {
			one.SetParentSpanID(otlpSpanID(s.Parent))
		}
		one.SetName(s.Name)
		one.SetStartTimestamp(pcommon.Timestamp(s.StartedAt)) //nolint:gosec // not negative
		one.SetEndTimestamp(pcommon.Timestamp(s.EndedAt))     //nolint:gosec // not negative
		one.Status().SetCode(map[string]ptrace.StatusCode{"OK": ptrace.StatusCodeOk, "ERROR": ptrace.StatusCodeError}[s.Status])
		one.Status().SetMessage(s.Message)
		putAll(one.Attributes(), s.Attributes)
		for key, value := range map[string]any{"mlflow.spanInputs": s.Inputs, "mlflow.spanOutputs": s.Outputs} {
			if value != nil {
				put(one.Attributes().PutEmpty(key), value)
			}
		}
		if s.Kind != "" {
			one.Attributes().PutStr("mlflow.spanType", s.Kind)
		}
		for _, e := range s.Events {
			event := one.Events().AppendEmpty()
			event.SetName(e.Name)
			event.SetTimestamp(pcommon.Timestamp(e.At)) //nolint:gosec // not negative
			putAll(event.Attributes(), e.Attributes)
		}
	}
	return traces, nil
}

func putAll(into pcommon.Map, values map[string]any) {
	for key, value := range values {
		put(into.PutEmpty(key), value)
	}
}

// otlpSpanID reads the hexadecimal digits of an id; the zero id, which is refused later, if it has none.
func otlpSpanID(digits string) (id pcommon.SpanID) {
	if data, err := hex.DecodeString(digits); err == nil && len(data) == len(id) {
		copy(id[:], data)
	}
	return id
}
