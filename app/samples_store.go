package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/fairlead/fairlead/base/series"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/web/promql"
)

// openPatience is how long the start waits for the database of samples. A large one takes some seconds to read its log; samples
// are accepted meanwhile, and wait in the stream.
const openPatience = 500 * time.Millisecond

// errOpening says that the database of samples is not there yet.
var errOpening = errors.New("the database of samples is being opened; try again in some seconds")

// sampleStore is the database of samples, or what leads to a store elsewhere. It is opened beside everything else. It is safe for
// concurrent use.
type sampleStore struct {
	opened chan struct{} // closed once store or err is set
	store  *series.Store
	err    error
}

// openStore begins to open the database. An error that shows at once is returned; a later one by wait.
func (a *App) openStore() (*sampleStore, error) {
	s := &sampleStore{opened: make(chan struct{})}
	if remote := a.cfg.Series.Remote; remote.used() {
		s.store, s.err = series.OpenRemote(remote.store(), a.part("series"), a.registry)
		close(s.opened)
		return s, s.err
	}
	go func() {
		defer close(s.opened)
		s.store, s.err = series.Open(series.Config{
			Dir: filepath.Join(a.cfg.Data.Dir, "series"), Retention: a.cfg.Series.Retention, MaxBytes: a.cfg.Series.MaxBytes,
		}, a.part("series"), a.registry)
	}()
	select {
	case <-s.opened:
		return s, s.err
	case <-time.After(openPatience):
		return s, nil
	}
}

// wait returns the database once it is open.
func (s *sampleStore) wait(ctx context.Context) (*series.Store, error) {
	select {
	case <-s.opened:
		return s.store, s.err
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the samples: %w", context.Cause(ctx))
	}
}

// now returns the database, or errOpening.
func (s *sampleStore) now() (*series.Store, error) {
	select {
	case <-s.opened:
		return s.store, s.err
	default:
		return nil, errOpening
	}
}

// close ends the database, once it is open.
func (s *sampleStore) close() error {
	<-s.opened
	if s.store == nil {
		return nil
	}
	return s.store.Close()
}

// queries answers PromQL once the database is open.
func (a *App) queries() http.Handler {
	var once sync.Once
	var handler http.Handler
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		store, err := a.samples.store.now()
		if err != nil {
			w.Header().Set("Retry-After", "2")
			receive.WriteJSON(w, http.StatusServiceUnavailable, map[string]any{"status": "error", "errorType": "unavailable", "error": err.Error()})
			return
		}
		once.Do(func() { handler = promql.New(promql.Config{Store: store, Logger: a.part("promql")}) })
		handler.ServeHTTP(w, r)
	})
}
