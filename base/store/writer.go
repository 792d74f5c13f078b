package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/uptrace/bun"
)

// Bounds of one group of writes.
const (
	groupTime = 2 * time.Millisecond
	groupSize = 256
)

// The states of a write.
const (
	waiting int32 = iota
	running
	cancelled
)

// write is one change on its way.
type write struct {
	ctx    context.Context // without cancellation
	change func(ctx context.Context, tx bun.Tx) error
	state  atomic.Int32

	done     chan struct{} // closed behind the two below
	err      error
	panicked any
}

// Write runs change in the writer's next transaction and returns after the commit is on disk. It returns change's error as
// it is, and around it ErrConflict or ErrNotFound where the database said so; ErrUnavailable if the disk does not take it
// (nothing is stored then, whatever change returned); the context's error if it ended before change began; ErrClosed.
func (db *DB) Write(ctx context.Context, change func(ctx context.Context, tx bun.Tx) error) error {
	w := &write{ctx: context.WithoutCancel(ctx), change: change, done: make(chan struct{})}
	if err := db.enqueue(ctx, w); err != nil {
		return err
	}
	select {
	case <-w.done:
	case <-ctx.Done():
		if w.state.CompareAndSwap(waiting, cancelled) {
			return fmt.Errorf("wait for the writer of %s: %w", db.name, context.Cause(ctx))
		}
		<-w.done
	}
	if w.panicked != nil {
		panic(w.panicked) // it belongs to the caller, the writer goes on
	}
	return w.err
}

// enqueue waits for room in the queue.
func (db *DB) enqueue(ctx context.Context, w *write) error {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if db.closed {
		return fmt.Errorf("write to %s: %w", db.name, ErrClosed)
	}
	select {
	case db.queue <- w:
		return nil
	default:
	}
	select {
	case db.queue <- w:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the writer of %s: %w", db.name, context.Cause(ctx))
	}
}

// runWriter takes writes until the queue is closed and empty.
func (db *DB) runWriter() {
	defer db.statements.close()
	for {
		select {
		case chore := <-db.chores:
			chore(db.engine.writer)
		case w, ok := <-db.queue:
			if !ok {
				return
			}
			db.group(w)
			db.statements.prepare(db.engine.writer)
			select {
			case db.written <- struct{}{}:
			default:
			}
		}
	}
}

// group runs first and the writes that wait behind it in one transaction, commits, and tells the callers.
func (db *DB) group(first *write) {
	began := time.Now()
	limit := context.Background()
	if db.engine.groupTime > 0 {
		var cancel context.CancelFunc
		limit, cancel = context.WithTimeout(limit, db.engine.groupTime)
		defer cancel()
	}
	var tx *bun.Tx
	var number int64
	var members []*write // their changes stand in tx
	for w := first; w != nil; w = db.more(began, len(members)) {
		if !w.state.CompareAndSwap(waiting, running) {
			continue
		}
		if tx == nil {
			var err error
			if tx, number, err = db.begin(limit); err != nil {
				db.finish(w, unavailable(err))
				db.refuse(err)
				continue
			}
		}
		alive := true
		switch err := db.run(limit, w, *tx, len(members) > 0, &alive); {
		case err == nil:
			members = append(members, w)
		case alive:
			db.finish(w, Classify(err))
		default:
			// The change was the first, or the database has rolled everything back.
			if rollbackErr := tx.Rollback(); rollbackErr != nil && !isDone(rollbackErr) {
				err = errors.Join(err, rollbackErr)
			}
			db.finish(w, Classify(err))
			for _, member := range members {
				db.finish(member, unavailable(err))
			}
			tx, members = nil, nil
		}
	}
	if tx != nil {
		db.commit(*tx, number, members)
	}
}

// begin begins a transaction.
func (db *DB) begin(ctx context.Context) (tx *bun.Tx, number int64, err error) {
	opened, err := db.engine.writer.BeginTx(ctx, nil)
	if err != nil {
		return nil, 0, err
	}
	if db.engine.begin == nil {
		return &opened, 0, nil
	}
	if number, err = db.engine.begin(ctx, opened.Tx); err != nil {
		if rollbackErr := opened.Rollback(); rollbackErr != nil && !isDone(rollbackErr) {
			err = errors.Join(err, rollbackErr)
		}
		return nil, 0, err
	}
	return &opened, number, nil
}

// refuse tells those who wait now that they cannot be served: each would wait for the same connection in vain.
func (db *DB) refuse(err error) {
	for range len(db.queue) {
		w, ok := <-db.queue
		if !ok {
			return
		}
		if w.state.CompareAndSwap(waiting, running) {
			db.finish(w, unavailable(err))
		}
	}
}

// more returns the next write that waits, nil if the group should end.
func (db *DB) more(began time.Time, members int) *write {
	if members >= groupSize || time.Since(began) > groupTime {
		return nil
	}
	select {
	case w := <-db.queue:
		return w // nil once the queue is closed
	default:
		return nil
	}
}

// run runs one change. The first of a transaction has no savepoint, which large changes would pay for; when it fails the
// transaction is rolled back. Alive becomes false when the transaction cannot go on.
func (db *DB) run(limit context.Context, w *write, tx bun.Tx, savepoint bool, alive *bool) error {
	ctx, stop := within(w.ctx, limit)
	defer stop()
	if savepoint {
		if _, err := tx.Tx.ExecContext(ctx, "SAVEPOINT member"); err != nil {
			*alive = false
			return unavailable(err)
		}
	}
	err := call(db.statements.in(ctx), w, tx)
	if !savepoint {
		*alive = err == nil
		return err
	}
	if err != nil {
		if _, undoErr := tx.Tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT member"); undoErr != nil {
			*alive = false
			return errors.Join(err, undoErr)
		}
	}
	if _, releaseErr := tx.Tx.ExecContext(ctx, "RELEASE SAVEPOINT member"); releaseErr != nil {
		*alive = false
		return unavailable(errors.Join(err, releaseErr))
	}
	return err
}

// within returns ctx with the deadline of limit, if that has one.
func within(ctx, limit context.Context) (context.Context, context.CancelFunc) {
	deadline, bounded := limit.Deadline()
	if !bounded {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, deadline)
}

// errPanicked stands for a panic of a change until its caller gets it.
var errPanicked = errors.New("the change panicked")

// call runs the change and catches its panic.
func call(ctx context.Context, w *write, tx bun.Tx) (err error) {
	defer func() {
		if r := recover(); r != nil {
			w.panicked, err = r, errPanicked
		}
	}()
	return w.change(ctx, tx)
}

// commit ends the transaction and tells its members.
func (db *DB) commit(tx bun.Tx, number int64, members []*write) {
	err := tx.Commit()
	if db.engine.unsure != nil && db.engine.unsure(err) {
		err = db.findOut(number, err)
	}
	if err != nil {
		err = unavailable(err)
		if rollbackErr := tx.Rollback(); rollbackErr != nil && !isDone(rollbackErr) {
			err = errors.Join(err, rollbackErr)
		}
	}
	db.groups.Add(1)
	for _, member := range members {
		db.finish(member, err)
	}
}

// findOut returns nil if the transaction with this number was committed, although its commit ended in err. It waits for the
// server as long as it takes: its members must not be told either way before. Who comes meanwhile is refused.
func (db *DB) findOut(number int64, err error) error {
	db.logger.Warn("the connection broke in a commit; finding out whether it took place", "database", db.name, "error", err)
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		ctx, cancel := context.WithTimeout(context.Background(), db.engine.groupTime)
		stored, askErr := db.engine.stored(ctx, db.engine.writer.DB, number)
		cancel()
		switch {
		case askErr == nil && stored:
			return nil
		case askErr == nil:
			return err
		case errors.Is(askErr, ErrFenced):
			return errors.Join(err, askErr)
		}
		select {
		case <-db.stop:
			return fmt.Errorf("%w; whether it was stored is not known", err)
		case <-time.After(pause):
			db.refuse(askErr)
		}
	}
}

// finish tells the caller of w.
func (db *DB) finish(w *write, err error) {
	switch {
	case err == nil:
		db.writes.Add(1)
	case errors.Is(err, ErrUnavailable): // what a change itself refuses is no failure of the store
		db.failures.Add(1)
	}
	w.err = err
	close(w.done)
}
