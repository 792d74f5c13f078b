package trace

import (
	"context"
	"errors"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/experiment"
)

// Scorer is what a judge is made of: one version of it.
type Scorer struct {
	Experiment int64
	Name       string
	Version    int64
	ID         string
	// Body is what the client has made of it.
	Body      string
	CreatedAt int64
}

const scorerColumns = "experiment, name, version, id, body, created_at"

func (c *Scorer) into() []any {
	return []any{&c.Experiment, &c.Name, &c.Version, &c.ID, &c.Body, &c.CreatedAt}
}

// RegisterScorer adds a version of a scorer, the first of which gives it an id.
func (s *Store) RegisterScorer(ctx context.Context, experimentID int64, name, body string) (c Scorer, err error) {
	if name == "" || body == "" {
		return c, invalid("name and serialized_scorer are needed")
	}
	if _, err := s.locate(ctx, experimentID, ""); err != nil {
		return c, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		c = Scorer{Experiment: experimentID, Name: name, Body: body, CreatedAt: now()}
		err := tx.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0), COALESCE(MAX(id), '') FROM scorers WHERE experiment = ? AND name = ?", experimentID, name).Scan(&c.Version, &c.ID)
		if err != nil {
			return err
		}
		c.Version++
		if c.ID == "" {
			c.ID = newID("")
		}
		_, err = store.Exec(ctx, tx, "INSERT INTO scorers ("+scorerColumns+") VALUES (?, ?, ?, ?, ?, ?)", c.Experiment, c.Name, c.Version, c.ID, c.Body, c.CreatedAt)
		return err
	})
	return c, err
}

// Scorers returns the newest version of each scorer of an experiment; with a name, all versions of that one.
func (s *Store) Scorers(ctx context.Context, experimentID int64, name string) ([]Scorer, error) {
	where, args := "experiment = ? AND version = (SELECT MAX(o.version) FROM scorers AS o WHERE o.experiment = s.experiment AND o.name = s.name) ORDER BY name", []any{experimentID}
	if name != "" {
		where, args = "experiment = ? AND name = ? ORDER BY version", []any{experimentID, name}
	}
	rows, err := s.db.Read().QueryContext(ctx, "SELECT "+scorerColumns+" FROM scorers AS s WHERE "+where, args...)
	if err != nil {
		return nil, store.Classify(err)
	}
	defer rows.Close()
	var list []Scorer
	for rows.Next() {
		var c Scorer
		if err := rows.Scan(c.into()...); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	if err := rows.Err(); err != nil {
		return nil, store.Classify(err)
	}
	if name != "" && len(list) == 0 {
		return nil, absentScorer(name)
	}
	return list, nil
}

func absentScorer(name string) error {
	return experiment.Refuse(experiment.DoesNotExist, "Scorer with name '%s' not found", experiment.Cut(name))
}

// Scorer returns one version of a scorer; 0 means the newest.
func (s *Store) Scorer(ctx context.Context, experimentID int64, name string, version int64) (c Scorer, err error) {
	err = store.Classify(s.db.Read().QueryRowContext(ctx, "SELECT "+scorerColumns+" FROM scorers WHERE experiment = ? AND name = ? AND (version = ? OR ? = 0) ORDER BY version DESC LIMIT 1",
		experimentID, name, version, version).Scan(c.into()...))
	if errors.Is(err, store.ErrNotFound) {
		err = absentScorer(name)
	}
	return c, err
}

// DeleteScorer removes one version of a scorer; 0 means all.
func (s *Store) DeleteScorer(ctx context.Context, experimentID int64, name string, version int64) error {
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		result, err := store.Exec(ctx, tx, "DELETE FROM scorers WHERE experiment = ? AND name = ? AND (version = ? OR ? = 0)", experimentID, name, version, version)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return absentScorer(name)
		}
		return nil
	})
}
