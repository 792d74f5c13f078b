package audit

import (
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/fairlead/fairlead/base/store"
)

// ErrRange says that a proof was asked for leaves that the log does not have.
var ErrRange = errors.New("the log does not have these leaves")

// Hash is a hash of the tree; its text is base64.
type Hash = tlog.Hash

// Inclusion proves that a leaf is in the log: RFC 6962, section 2.1.1.
type Inclusion struct {
	// Leaf is its number, Size the size of the log that it is proved for, and Root that log's root.
	Leaf, Size int64
	Root       tlog.Hash
	// Record are the bytes that are hashed, Hash is their hash: SHA-256 of a zero byte and the record.
	Record []byte
	Hash   tlog.Hash
	// Path are the hashes from the leaf up to the root.
	Path tlog.RecordProof
}

// Consistency proves that the log of one size is the beginning of that of another: RFC 6962, section 2.1.2.
type Consistency struct {
	From, To         int64
	FromRoot, ToRoot tlog.Hash
	Path             tlog.TreeProof
}

// ProveInclusion proves that leaf n is in the log of the given size; size 0 takes the whole log. The error wraps ErrRange or
// store.ErrNotFound.
func ProveInclusion(ctx context.Context, db bun.IDB, n, size int64) (Inclusion, error) {
	all, err := count(ctx, db)
	if err != nil {
		return Inclusion{}, err
	}
	if size == 0 {
		size = all
	}
	if n < 0 || n >= size || size > all {
		return Inclusion{}, fmt.Errorf("leaf %d of %d: %w: it has %d", n, size, ErrRange, all)
	}
	list, err := readLeaves(ctx, db, "WHERE n = ?", n)
	if err != nil {
		return Inclusion{}, err
	}
	if len(list) == 0 {
		return Inclusion{}, fmt.Errorf("leaf %d: %w", n, store.ErrNotFound)
	}
	p := Inclusion{Leaf: n, Size: size, Record: list[0].leaf.record()}
	p.Hash = tlog.RecordHash(p.Record)
	reader := hashReader(ctx, db)
	if p.Root, err = tlog.TreeHash(size, reader); err != nil {
		return p, fmt.Errorf("prove leaf %d: %w", n, err)
	}
	if p.Path, err = tlog.ProveRecord(size, n, reader); err != nil {
		return p, fmt.Errorf("prove leaf %d: %w", n, err)
	}
	return p, nil
}

// ProveConsistency proves that the log of size from is the beginning of that of size to; to 0 takes the whole log. The
// error wraps ErrRange.
func ProveConsistency(ctx context.Context, db bun.IDB, from, to int64) (Consistency, error) {
	all, err := count(ctx, db)
	if err != nil {
		return Consistency{}, err
	}
	if to == 0 {
		to = all
	}
	if from < 1 || from > to || to > all {
		return Consistency{}, fmt.Errorf("from %d to %d: %w: it has %d", from, to, ErrRange, all)
	}
	p := Consistency{From: from, To: to}
	reader := hashReader(ctx, db)
	if p.FromRoot, err = tlog.TreeHash(from, reader); err != nil {
		return p, fmt.Errorf("prove consistency: %w", err)
	}
	if p.ToRoot, err = tlog.TreeHash(to, reader); err != nil {
		return p, fmt.Errorf("prove consistency: %w", err)
	}
	if p.Path, err = tlog.ProveTree(to, from, reader); err != nil {
		return p, fmt.Errorf("prove consistency: %w", err)
	}
	return p, nil
}
