// Package store keeps rows: in SQLite, one file a database (ops.db, ml.db), or in PostgreSQL, one schema a database; written by
// one goroutine with group commit.
//
//	db, err := store.Open(ctx, store.Config{Dir: dir}, "ops", store.Schema(), logger)
//	err = db.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
//		// effects ...
//		return store.SavePosition(ctx, tx, "alerts/main", store.Position{Sequence: 42, Epoch: 7})
//	})
//	rows := db.Read().NewSelect()...
//
// # What it guarantees
//
//   - Durability. Write returns after its transaction is on disk (WAL, synchronous=FULL).
//   - Group commit. Writes that wait share one transaction and one fsync, each behind its own savepoint: one that fails
//     undoes only itself. A write is committed within 5 ms of its turn when the disk takes an fsync in that time. A group
//     takes no new member 2 ms after it began, so a long write delays only those that are queued behind it.
//   - Order. Writes happen in the order in which Write was called; those of one goroutine in its order. There is no other
//     writer, so a change may read, decide and write without a lock.
//   - Cancellation ends waiting, never a running change: an interrupted statement would take the whole group with it. When
//     Write returns the context's error, the change has not run and will not.
//   - Reads see a consistent snapshot for each statement (or read transaction) and never wait for the writer. A Write that
//     has returned is visible to every later read.
//   - Trouble with the disk. A full, read-only or failing disk, or a server that is gone, gives ErrUnavailable for every
//     write of the group, and nothing of them is stored. The next write tries again, so the database heals with the disk.
//     A change that returned nil may therefore still be undone: change state in memory only after Write has returned.
//   - Bounded. At most QueueLength writes wait; then Write blocks until there is room or its context ends.
//
// A change must not call Write (it would wait for itself) and must not keep tx. Read with Read elsewhere.
//
// # SQL that both engines understand
//
// Both engines are behind the same functions; package storetest holds what both must do. So: types TEXT,
// BIGINT, DOUBLE PRECISION, BOOLEAN and BLOB (the PostgreSQL engine reads it as BYTEA), times as BIGINT milliseconds since
// 1970 (Millis and Time convert), no AUTOINCREMENT, no STRICT, no WITHOUT ROWID, ON CONFLICT (key) DO UPDATE rather than
// INSERT OR REPLACE. Small statements go through bun, which writes the arguments into the text of the statement. Large ones
// go through Insert, which binds them. Beware: bun aliases a table by its model, so a column in DO UPDATE that means the old
// row is written "alert.count".
//
// # What it leaves out
//
// No caches, no change feed, no backup yet. Files and checkpoints belong in base/blob, telemetry in base/series.
package store
