// Package experiment keeps what data scientists try: experiments, their runs with params, metrics and tags, the data sets
// and models that runs read and made. It speaks MLflow's vocabulary and keeps MLflow's rules; package web/mlflow puts its
// REST API in front.
//
//	experiments, err := experiment.Open(ctx, db)
//	run, err := experiments.CreateRun(ctx, experiment.NewRun{Experiment: 0, Name: "first"})
//	err = experiments.Log(ctx, run.ID, experiment.Batch{Metrics: []experiment.Metric{{Key: "acc", Value: 0.9}}})
//
// # What it guarantees
//
//   - What a method has accepted is on disk when it returns, all of it or, with an error, nothing.
//   - A refusal of what was asked is an *Error with MLflow's code and a message for a person. Every other error is trouble
//     of the database (store.ErrUnavailable and the like).
//   - Methods may be called at the same time, also for one run; they take effect one after the other.
//   - Numbers of experiments and runs are never given twice, not even after a purge.
//
// # How metrics are kept
//
// The latest point of a metric has a row of its own, which searches and orders use. All points of a batch go into one row
// of a journal; from journalLimit bytes on, the journal of a run is packed by key. So logging is one small row for
// each batch and one for each key, and the history of one key is read without those of the others.
package experiment

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/fairlead/fairlead/base/store"
)

// Default is the experiment that always exists.
const Default = 0

// Tag is a key and a value.
type Tag struct {
	Key   string
	Value string
}

// Experiment is a set of runs.
type Experiment struct {
	ID   int64
	Name string
	// Location is the root of the artifacts, for instance "mlflow-artifacts:/3".
	Location string
	Deleted  bool
	// CreatedAt and UpdatedAt are in milliseconds since 1970, as all times here.
	CreatedAt int64
	UpdatedAt int64
	Tags      []Tag
}

// View says whether a search finds what was deleted.
type View string

// The views.
const (
	ActiveOnly  View = "ACTIVE_ONLY"
	DeletedOnly View = "DELETED_ONLY"
	All         View = "ALL"
)

// Store keeps experiments and runs in the database ml. It is safe for concurrent use, and the only writer of its tables.
type Store struct {
	db   *store.DB
	keys *keys
	runs *references
	// tables and documents are what searches remember.
	tables    *tables
	documents *documents
	// Numbers that were given to rows; a number is not given again after an undone write.
	journals, chunks, datasets atomic.Int64
}

// Open prepares the store. It makes the experiment Default in a new database.
func Open(ctx context.Context, db *store.DB) (*Store, error) {
	s := &Store{db: db, keys: newKeys(), runs: newReferences(), tables: newTables(), documents: newDocuments()}
	for table, counter := range map[string]*atomic.Int64{
		"names": &s.keys.last, "metric_journal": &s.journals, "metric_chunks": &s.chunks, "datasets": &s.datasets,
	} {
		last, err := lastID(ctx, db.Read(), table)
		if err != nil {
			return nil, err
		}
		counter.Store(last)
	}
	_, err := s.Experiment(ctx, Default)
	if CodeOf(err) == DoesNotExist {
		var known bool
		if known, err = s.everHad(ctx); err == nil && !known {
			err = s.addDefault(ctx)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open the experiments: %w", err)
	}
	return s, nil
}

// changed notes that a run was written. It is called when the write is on disk, before it is answered.
func (s *Store) changed(experiment, run int64) {
	s.documents.forget(run)
	s.tables.mark(experiment, run)
}

// now returns the time in milliseconds since 1970.
func now() int64 { return time.Now().UnixMilli() }

// write runs a change. A refusal comes back as it is.
func (s *Store) write(ctx context.Context, what string, change func(ctx context.Context, tx store.Tx) error) error {
	err := s.db.Write(ctx, change)
	if refusal, ok := errors.AsType[*Error](err); ok {
		return refusal
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
