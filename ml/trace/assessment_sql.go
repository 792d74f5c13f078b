package trace

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/experiment"
)

// Assessment is what somebody said of a trace. Fields are as MLflow's clients send them.
type Assessment struct {
	ID          string            `json:"assessment_id"`
	Name        string            `json:"assessment_name"`
	Trace       string            `json:"trace_id"`
	Span        string            `json:"span_id,omitempty"`
	Source      json.RawMessage   `json:"source,omitempty"`
	CreatedAt   string            `json:"create_time"`
	UpdatedAt   string            `json:"last_update_time"`
	Feedback    json.RawMessage   `json:"feedback,omitempty"`
	Expectation json.RawMessage   `json:"expectation,omitempty"`
	Rationale   string            `json:"rationale,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	Overrides   string            `json:"overrides,omitempty"`
	Valid       bool              `json:"valid"`
}

// Moment is a time as MLflow's clients read it.
func Moment(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

// kind says which of its two kinds an assessment is, and its value as it is searched.
func (a *Assessment) kind() (kind, value string) {
	kind = "feedback"
	body := a.Feedback
	if body == nil {
		kind, body = "expectation", a.Expectation
	}
	var inside struct {
		Value      json.RawMessage `json:"value"`
		Serialized struct {
			Value string `json:"value"`
		} `json:"serialized_value"`
	}
	if json.Unmarshal(body, &inside) != nil {
		return kind, ""
	}
	var text string
	if json.Unmarshal(inside.Value, &text) == nil {
		return kind, text
	}
	if inside.Value == nil {
		return kind, inside.Serialized.Value
	}
	return kind, string(inside.Value)
}

// Assess adds an assessment.
func (s *Store) Assess(ctx context.Context, a Assessment) (Assessment, error) {
	if a.Name == "" {
		return a, invalid("assessment.assessment_name: it is missing; give a text")
	}
	if a.Feedback != nil {
		a.Expectation = nil // of both, MLflow keeps the feedback
	}
	if a.Feedback == nil && a.Expectation == nil {
		return a, invalid("assessment: it has neither a feedback nor an expectation; give one of them")
	}
	a.ID = newID("a-")
	at := Moment(time.Now())
	if a.CreatedAt == "" {
		a.CreatedAt = at
	}
	if a.UpdatedAt == "" {
		a.UpdatedAt = at
	}
	a.Valid = true
	err := s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if _, err := find(ctx, tx, a.Trace); err != nil {
			if experiment.CodeOf(err) == experiment.DoesNotExist {
				return badRequest("%v", err)
			}
			return err
		}
		if a.Overrides != "" {
			if before, err := findAssessment(ctx, tx, a.Trace, a.Overrides); err == nil {
				before.Valid = false
				if err := saveAssessment(ctx, tx, before); err != nil {
					return err
				}
			}
		}
		return insertAssessment(ctx, tx, a)
	})
	return a, err
}

func insertAssessment(ctx context.Context, tx store.Tx, a Assessment) error {
	n, err := experiment.Next(ctx, tx, "assessment")
	if err != nil {
		return err
	}
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	kind, value := a.kind()
	_, err = store.Exec(ctx, tx, "INSERT INTO assessments (id, trace, n, kind, name, value, body) VALUES (?, ?, ?, ?, ?, ?, ?)", a.ID, a.Trace, n, kind, a.Name, value, string(body))
	return err
}

func saveAssessment(ctx context.Context, tx store.Tx, a Assessment) error {
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	kind, value := a.kind()
	_, err = store.Exec(ctx, tx, "UPDATE assessments SET kind = ?, name = ?, value = ?, body = ? WHERE id = ?", kind, a.Name, value, string(body), a.ID)
	return err
}

func findAssessment(ctx context.Context, db store.Querier, traceID, id string) (a Assessment, err error) {
	var body string
	err = store.Classify(db.QueryRowContext(ctx, "SELECT body FROM assessments WHERE id = ? AND trace = ?", id, traceID).Scan(&body))
	if errors.Is(err, store.ErrNotFound) {
		return a, experiment.Refuse(experiment.DoesNotExist, "Assessment with ID '%s' not found for trace '%s'", experiment.Cut(id), experiment.Cut(traceID))
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &a)
	}
	return a, err
}

// Assessment returns one assessment.
func (s *Store) Assessment(ctx context.Context, traceID, id string) (Assessment, error) {
	return findAssessment(ctx, s.db.Read(), traceID, id)
}

// UpdateAssessment changes an assessment and returns it.
func (s *Store) UpdateAssessment(ctx context.Context, traceID, id string, change func(a *Assessment) error) (a Assessment, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if a, err = findAssessment(ctx, tx, traceID, id); err != nil {
			return err
		}
		if err := change(&a); err != nil {
			return err
		}
		a.UpdatedAt = Moment(time.Now())
		return saveAssessment(ctx, tx, a)
	})
	return a, err
}

// DeleteAssessment removes an assessment; one that is not there is fine.
func (s *Store) DeleteAssessment(ctx context.Context, traceID, id string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if _, err := find(ctx, tx, traceID); err != nil {
			return err
		}
		_, err := store.Exec(ctx, tx, "DELETE FROM assessments WHERE id = ? AND trace = ?", id, traceID)
		return err
	})
}
