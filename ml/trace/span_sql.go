package trace

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/experiment"
)

// AddSpans stores spans of traces of an experiment. Traces that are not known begin; those that are get what the spans say,
// but for what their clients said.
func (s *Store) AddSpans(ctx context.Context, experimentID int64, in ptrace.Traces) error {
	byTrace := map[string][]span{}
	var order []string
	for _, resource := range in.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, sent := range scope.Spans().All() {
				if sent.TraceID().IsEmpty() || sent.SpanID().IsEmpty() {
					return invalid("a span has no trace_id or no span_id")
				}
				one := read(sent)
				if _, known := byTrace[one.trace]; !known {
					order = append(order, one.trace)
				}
				byTrace[one.trace] = append(byTrace[one.trace], one)
			}
		}
	}
	if len(order) == 0 {
		return invalid("the request holds no spans")
	}
	locations := map[string]string{}
	for _, id := range order {
		location, err := s.locate(ctx, experimentID, id)
		if err != nil {
			return err
		}
		locations[id] = location
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		for _, id := range order {
			if err := addSpans(ctx, tx, experimentID, id, locations[id], byTrace[id]); err != nil {
				return err
			}
		}
		return nil
	})
}

func addSpans(ctx context.Context, tx store.Tx, experimentID int64, id, location string, spans []span) error {
	rows := make([][]any, 0, len(spans))
	place := map[string]int{}
	for _, one := range spans {
		row := []any{one.trace, one.id, one.parent, one.name, one.kind, one.status, one.started, one.ended, one.attributes, one.text, one.body}
		if i, twice := place[one.id]; twice {
			rows[i] = row
			continue
		}
		place[one.id] = len(rows)
		rows = append(rows, row)
	}
	err := store.Insert(ctx, tx, "trace_spans", []string{"trace", "id", "parent", "name", "kind", "status", "started_at", "ended_at", "attributes", "text", "body"},
		`ON CONFLICT (trace, id) DO UPDATE SET parent = excluded.parent, name = excluded.name, kind = excluded.kind, status = excluded.status, started_at = excluded.started_at,
		ended_at = excluded.ended_at, attributes = excluded.attributes, text = excluded.text, body = excluded.body`, rows)
	if err != nil {
		return err
	}
	if err := settle(ctx, tx, experimentID, id, spans); err != nil {
		return err
	}
	return set(ctx, tx, "trace_tags", id, []experiment.Tag{{Key: tagLocation, Value: location}, {Key: tagSpans, Value: inTheStore}})
}

// settle brings what is known of a trace up to date with its spans.
func settle(ctx context.Context, tx store.Tx, experimentID int64, id string, spans []span) error {
	var began, ended int64
	err := tx.QueryRowContext(ctx, "SELECT MIN(started_at), MAX(ended_at) FROM trace_spans WHERE trace = ?", id).Scan(&began, &ended)
	if err != nil {
		return err
	}
	info := Info{ID: id, Experiment: experimentID, State: InProgress}
	var told int64
	err = store.Classify(info.scan(tx.QueryRowContext(ctx, "SELECT "+columns+", t.told FROM traces AS t WHERE t.id = ?", id), &told))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	for _, one := range spans {
		if !one.root {
			continue
		}
		if told == 0 || info.State == InProgress {
			info.State = OK
			if one.status == "ERROR" {
				info.State = Error
			}
		}
		if info.Request == "" {
			info.Request = experiment.CutTo(one.request, maxPreview)
		}
		if info.Response == "" {
			info.Response = experiment.CutTo(one.answer, maxPreview)
		}
	}
	took := sql.NullInt64{Int64: (ended - began) / int64(time.Millisecond), Valid: true}
	if told == 0 {
		info.StartedAt = began / int64(time.Millisecond)
	} else {
		took.Valid = info.Took != nil
		if took.Valid {
			took.Int64 = *info.Took
		}
	}
	_, err = store.Exec(ctx, tx, `INSERT INTO traces (id, experiment, started_at, took, state, client, request, response, told) VALUES (?, ?, ?, ?, ?, '', ?, ?, 0)
		ON CONFLICT (id) DO UPDATE SET started_at = excluded.started_at, took = excluded.took, state = excluded.state, request = excluded.request, response = excluded.response`,
		id, experimentID, info.StartedAt, took, string(info.State), info.Request, info.Response)
	if err != nil {
		return err
	}
	return settleMetadata(ctx, tx, id, spans)
}

// settleMetadata notes who it was for, and how many tokens all spans took.
func settleMetadata(ctx context.Context, tx store.Tx, id string, spans []span) error {
	var metadata []experiment.Tag
	tokens := false
	for _, one := range spans {
		if one.session != "" {
			metadata = append(metadata, experiment.Tag{Key: metaSession, Value: one.session})
		}
		if one.user != "" {
			metadata = append(metadata, experiment.Tag{Key: metaUser, Value: one.user})
		}
		tokens = tokens || one.tokens
	}
	if tokens {
		input, output, err := countTokens(ctx, tx, id)
		if err != nil {
			return err
		}
		metadata = append(metadata, experiment.Tag{Key: metaTokens, Value: fmt.Sprintf(`{"input_tokens": %d, "output_tokens": %d, "total_tokens": %d}`, input, output, input+output)})
	}
	return set(ctx, tx, "trace_metadata", id, metadata)
}
