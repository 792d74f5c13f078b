package trace

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/experiment"
	"github.com/fairlead/fairlead/ml/experiment/filter"
)

const evaluationColumns = "d.id, d.name, d.tags, d.source, d.kind, d.created_at, d.updated_at, d.created_by, d.updated_by"

func (e *EvaluationSet) into() []any {
	return []any{&e.ID, &e.Name, &e.Tags, &e.Source, &e.Kind, &e.CreatedAt, &e.UpdatedAt, &e.CreatedBy, &e.UpdatedBy}
}

// userTag is the tag by which clients say who they are.
const userTag = "mlflow.user"

// CreateEvaluationSet makes an evaluation set; what it holds comes later.
func (s *Store) CreateEvaluationSet(ctx context.Context, e EvaluationSet) (EvaluationSet, error) {
	if e.Name == "" {
		return e, invalid("name: it is missing; give a text")
	}
	var tags map[string]string
	if e.Tags != "" {
		if err := json.Unmarshal([]byte(e.Tags), &tags); err != nil {
			return e, invalid("tags: %q is not a JSON object of texts", experiment.Cut(e.Tags))
		}
	}
	if e.CreatedBy == "" {
		e.CreatedBy = tags[userTag]
	}
	e.ID, e.CreatedAt, e.UpdatedBy = newID("d-"), now(), e.CreatedBy
	e.UpdatedAt = e.CreatedAt
	err := s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := store.Exec(ctx, tx, "INSERT INTO evaluation_sets (id, name, tags, source, kind, created_at, updated_at, created_by, updated_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
			e.ID, e.Name, e.Tags, e.Source, e.Kind, e.CreatedAt, e.UpdatedAt, e.CreatedBy, e.UpdatedBy)
		if errors.Is(err, store.ErrConflict) {
			return experiment.Refuse(experiment.AlreadyExists, "There is an evaluation dataset %q already: choose another name", experiment.Cut(e.Name))
		}
		if err != nil {
			return err
		}
		return addExperiments(ctx, tx, e.ID, e.Experiments)
	})
	if err != nil {
		return e, err
	}
	return s.EvaluationSet(ctx, e.ID)
}

func addExperiments(ctx context.Context, tx store.Tx, id string, experiments []int64) error {
	for _, n := range experiments {
		if _, err := store.Exec(ctx, tx, "INSERT INTO evaluation_set_experiments (dataset, experiment) VALUES (?, ?) ON CONFLICT DO NOTHING", id, n); err != nil {
			return err
		}
	}
	return nil
}

// EvaluationSet returns one evaluation set.
func (s *Store) EvaluationSet(ctx context.Context, id string) (EvaluationSet, error) {
	var e EvaluationSet
	err := store.Classify(s.db.Read().QueryRowContext(ctx, "SELECT "+evaluationColumns+" FROM evaluation_sets AS d WHERE d.id = ?", id).Scan(e.into()...))
	if errors.Is(err, store.ErrNotFound) {
		return e, experiment.Refuse(experiment.DoesNotExist, "Evaluation dataset with id '%s' not found", experiment.Cut(id))
	}
	if err != nil {
		return e, err
	}
	return e, s.describe(ctx, &e)
}

// describe fills in what follows from experiments and records.
func (s *Store) describe(ctx context.Context, e *EvaluationSet) error {
	if err := s.db.Read().NewRaw("SELECT experiment FROM evaluation_set_experiments WHERE dataset = ? ORDER BY experiment", e.ID).Scan(ctx, &e.Experiments); err != nil {
		return store.Classify(err)
	}
	records, err := s.records(ctx, s.db.Read(), e.ID)
	if err != nil {
		return err
	}
	e.Schema, e.Profile = describe(records)
	sum := sha256.Sum256([]byte(e.Name + "\n" + strconv.FormatInt(e.UpdatedAt, 10)))
	e.Digest = hex.EncodeToString(sum[:4])
	return nil
}

// records returns the records of an evaluation set, the newest first.
func (s *Store) records(ctx context.Context, db store.Querier, id string) ([]object, error) {
	var bodies []string
	if err := db.NewRaw("SELECT body FROM evaluation_records WHERE dataset = ? ORDER BY n DESC", id).Scan(ctx, &bodies); err != nil {
		return nil, store.Classify(err)
	}
	records := make([]object, len(bodies))
	for i, body := range bodies {
		if err := json.Unmarshal([]byte(body), &records[i]); err != nil {
			return nil, fmt.Errorf("read a record of %s: %w", id, err)
		}
	}
	return records, nil
}

// Records returns a page of records as JSON texts, the newest first, and where the next page begins, or 0.
func (s *Store) Records(ctx context.Context, id string, begin, most int) (bodies []string, next int, err error) {
	if _, err := s.EvaluationSet(ctx, id); err != nil {
		return nil, 0, err
	}
	err = s.db.Read().NewRaw("SELECT body FROM evaluation_records WHERE dataset = ? ORDER BY n DESC LIMIT ? OFFSET ?", id, most+1, begin).Scan(ctx, &bodies)
	if err != nil {
		return nil, 0, store.Classify(err)
	}
	if len(bodies) > most {
		return bodies[:most], begin + most, nil
	}
	return bodies, 0, nil
}

// UpsertRecords adds records, a JSON list. One with inputs that are there already is updated: what it says of expectations
// and tags is added.
func (s *Store) UpsertRecords(ctx context.Context, id, records, by string) (inserted, updated int, err error) {
	var list []object
	if err := json.Unmarshal([]byte(records), &list); err != nil {
		return 0, 0, invalid("records: want a JSON list of objects: %v", err)
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		inserted, updated = 0, 0
		var there int
		if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM evaluation_sets WHERE id = ?", id).Scan(&there); err != nil {
			return err
		}
		if there == 0 {
			return experiment.Refuse(experiment.DoesNotExist, "Evaluation dataset with id '%s' not found", experiment.Cut(id))
		}
		for _, record := range list {
			fresh, err := upsertRecord(ctx, tx, id, record, by)
			if err != nil {
				return err
			}
			if fresh {
				inserted++
			} else {
				updated++
			}
		}
		_, err := store.Exec(ctx, tx, "UPDATE evaluation_sets SET updated_at = ? WHERE id = ?", now(), id)
		return err
	})
	return inserted, updated, err
}

func upsertRecord(ctx context.Context, tx store.Tx, id string, record object, by string) (fresh bool, err error) {
	if record["inputs"] == nil {
		return false, invalid("records: a record has no inputs")
	}
	digest := recordDigest(record["inputs"])
	at := json.RawMessage(strconv.FormatInt(now(), 10))
	var tags map[string]string
	_ = json.Unmarshal(record["tags"], &tags) // others than texts name nobody
	if by == "" {
		by = tags[userTag]
	}
	who, err := json.Marshal(by)
	if err != nil {
		return false, err
	}
	var body string
	err = store.Classify(tx.QueryRowContext(ctx, "SELECT body FROM evaluation_records WHERE dataset = ? AND digest = ?", id, digest).Scan(&body))
	kept := object{}
	switch {
	case errors.Is(err, store.ErrNotFound):
		fresh = true
		name, _ := json.Marshal(newID("dr-")) //nolint:errcheck // a text
		set, _ := json.Marshal(id)            //nolint:errcheck // a text
		kept = object{"dataset_record_id": name, "dataset_id": set, "inputs": record["inputs"], "created_time": at, "created_by": who, "outputs": json.RawMessage("{}")}
	case err != nil:
		return false, err
	default:
		if err := json.Unmarshal([]byte(body), &kept); err != nil {
			return false, err
		}
	}
	for _, part := range []string{"expectations", "tags"} {
		if record[part] != nil {
			kept[part] = merged(kept[part], record[part])
		}
	}
	for _, part := range []string{"outputs", "source"} {
		if record[part] != nil {
			kept[part] = record[part]
		}
	}
	var source struct {
		Kind json.RawMessage `json:"source_type"`
	}
	if json.Unmarshal(kept["source"], &source) == nil && source.Kind != nil {
		kept["source_type"] = source.Kind
	}
	kept["last_update_time"], kept["last_updated_by"] = at, who
	data, err := json.Marshal(kept)
	if err != nil {
		return false, err
	}
	if !fresh {
		_, err = store.Exec(ctx, tx, "UPDATE evaluation_records SET body = ? WHERE dataset = ? AND digest = ?", string(data), id, digest)
		return false, err
	}
	n, err := experiment.Next(ctx, tx, "evaluation record")
	if err != nil {
		return false, err
	}
	_, err = store.Exec(ctx, tx, "INSERT INTO evaluation_records (dataset, digest, id, n, body) VALUES (?, ?, ?, ?, ?)", id, digest, strings.Trim(string(kept["dataset_record_id"]), `"`), n, string(data))
	return true, err
}

// merged returns the members of two objects, those of the second first in case of doubt.
func merged(before, more json.RawMessage) json.RawMessage {
	var a, b object
	if json.Unmarshal(before, &a) != nil || json.Unmarshal(more, &b) != nil {
		return more
	}
	if a == nil {
		return more
	}
	maps.Copy(a, b)
	data, err := json.Marshal(a)
	if err != nil {
		return more
	}
	return data
}

// DeleteRecords removes records by id and returns how many there were.
func (s *Store) DeleteRecords(ctx context.Context, id string, records []string) (deleted int64, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		result, err := tx.NewRaw("DELETE FROM evaluation_records WHERE dataset = ? AND id IN (?)", id, store.List(records)).Exec(ctx)
		if err != nil {
			return err
		}
		deleted, err = result.RowsAffected()
		return err
	})
	return deleted, err
}

// DeleteEvaluationSet removes an evaluation set; one that is not there is fine.
func (s *Store) DeleteEvaluationSet(ctx context.Context, id string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		for _, from := range []string{"evaluation_records WHERE dataset", "evaluation_set_experiments WHERE dataset", "evaluation_sets WHERE id"} {
			if _, err := store.Exec(ctx, tx, "DELETE FROM "+from+" = ?", id); err != nil {
				return err
			}
		}
		return nil
	})
}

// SetEvaluationTags adds tags, a JSON object; a null removes one.
func (s *Store) SetEvaluationTags(ctx context.Context, id, tags string) (EvaluationSet, error) {
	var changes map[string]*string
	if err := json.Unmarshal([]byte(tags), &changes); err != nil {
		return EvaluationSet{}, invalid("tags: %q is not a JSON object of texts", experiment.Cut(tags))
	}
	e, err := s.EvaluationSet(ctx, id)
	if err != nil {
		return e, err
	}
	kept := map[string]string{}
	if e.Tags != "" {
		if err := json.Unmarshal([]byte(e.Tags), &kept); err != nil {
			return e, err
		}
	}
	for key, value := range changes {
		if value == nil {
			delete(kept, key)
		} else {
			kept[key] = *value
		}
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return e, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := store.Exec(ctx, tx, "UPDATE evaluation_sets SET tags = ?, updated_at = ? WHERE id = ?", string(text), now(), id)
		return err
	})
	if err != nil {
		return e, err
	}
	return s.EvaluationSet(ctx, id)
}

// MoveEvaluationSet adds an evaluation set to experiments, or takes it from them.
func (s *Store) MoveEvaluationSet(ctx context.Context, id string, experiments []int64, add bool) (EvaluationSet, error) {
	if _, err := s.EvaluationSet(ctx, id); err != nil {
		return EvaluationSet{}, err
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if add {
			return addExperiments(ctx, tx, id, experiments)
		}
		_, err := tx.NewRaw("DELETE FROM evaluation_set_experiments WHERE dataset = ? AND experiment IN (?)", id, store.List(experiments)).Exec(ctx)
		return err
	})
	if err != nil {
		return EvaluationSet{}, err
	}
	return s.EvaluationSet(ctx, id)
}

var evaluationFields = map[string]field{
	"name": {column: "d.name"}, "created_by": {column: "d.created_by"}, "last_updated_by": {column: "d.updated_by"},
	"created_time": {"d.created_at", true}, "last_update_time": {"d.updated_at", true},
}

// SearchEvaluationSets returns a page of evaluation sets, and the token of the next page or "".
func (s *Store) SearchEvaluationSets(ctx context.Context, search Search) (list []EvaluationSet, next string, err error) {
	if search.Most < 1 || search.Most > 1000 {
		return nil, "", invalid("max_results: %d is not between 1 and 1000", search.Most)
	}
	clauses, err := filter.Parse(search.Filter)
	if err != nil {
		return nil, "", invalid("%v", err)
	}
	q := &query{db: s.db.Read()}
	q.and("1 = 1")
	for _, c := range clauses {
		f, known := evaluationFields[c.Key]
		if !known || c.Prefix != "" && c.Prefix != "attributes" {
			return nil, "", invalid("filter: %s cannot be searched for here", experiment.Cut(c.Field.String()))
		}
		operators := textual
		if f.number {
			operators = comparisons
		}
		if err := experiment.Suits(c, f.number, operators...); err != nil {
			return nil, "", err
		}
		condition, args := c.Condition(q.db, f.column)
		q.and(condition, args...)
	}
	var terms filter.Terms
	for _, item := range search.Order {
		o, err := filter.ParseOrder(item)
		f, known := evaluationFields[o.Key]
		if err != nil || !known {
			return nil, "", invalid("order: %q cannot be ordered by", experiment.Cut(item))
		}
		terms = append(terms, filter.Term{SQL: f.column, Descending: o.Descending})
	}
	terms = append(terms, filter.Term{SQL: "d.created_at", Descending: true}, filter.Term{SQL: "d.id"})
	after, args, err := terms.After(search.Token)
	if err != nil {
		return nil, "", invalid("page_token: %v", err)
	}
	if after != "" {
		q.and(after, args...)
	}
	if len(search.Experiments) > 0 {
		q.and("EXISTS (SELECT 1 FROM evaluation_set_experiments AS x WHERE x.dataset = d.id AND x.experiment IN (?))", store.List(search.Experiments))
	}
	rows, err := q.db.QueryContext(ctx, "SELECT "+evaluationColumns+", "+terms.Select()+" FROM evaluation_sets AS d WHERE "+strings.Join(q.where, " AND ")+
		" ORDER BY "+terms.OrderBy()+" LIMIT "+strconv.Itoa(search.Most+1), q.args...)
	if err != nil {
		return nil, "", store.Classify(err)
	}
	if list, next, err = filter.ReadPage(rows, terms, search.Most, (*EvaluationSet).into); err != nil {
		return nil, "", store.Classify(err)
	}
	for i := range list {
		if err := s.describe(ctx, &list[i]); err != nil {
			return nil, "", err
		}
	}
	return list, next, nil
}
