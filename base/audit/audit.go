// Package audit keeps a tamper-evident log: a Merkle tree (golang.org/x/mod/sumdb/tlog, as in Go's checksum database)
// whose leaves are written in the same SQL transaction as what they attest.
//
//	err := db.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
//		// the effects, then
//		_, err := audit.Append(ctx, tx, audit.Leaf{At: now, Actor: "ann", Action: "incident.merge", Object: "INC-12"})
//		return err
//	})
//	report, err := audit.Verify(ctx, db.Read(), checks...)
//
// # What it guarantees
//
//   - A leaf exists exactly if its effects do, and leaves are numbered from 0 without gaps in the order of the commits.
//   - Verify recomputes every leaf and every stored hash and names each entry of which a byte was changed, which is missing,
//     or which was added beside the log. It reads one snapshot, in pages, so memory stays bounded and a running server is
//     not held up.
//   - A Check compares leaves with the rows that they attest. The package that writes both supplies it.
//   - Report.Root commits to the whole log: whoever kept an earlier root and size can prove that nothing before was changed.
//     Without that, somebody who may write to the database can rewrite it from some leaf on, hashes included, or cut off
//     its end; signed checkpoints that are exported elsewhere (Signer, Exporter) close that gap.
//
// # What belongs in it
//
// One leaf for each action of a person and for each change of configuration, policy, model or access; one for each batch of
// automatic decisions, with the hashes of their records in Data. Never repeats, samples or payloads.
//
// # People
//
// What is personal is sealed: of a person the log holds a pseudonym, and their reasons and rows encrypted under a key of
// their own (AES-256-GCM), which is kept beside the log. Erase deletes name and key: the leaves and every proof stay valid,
// and say no more who it was.
package audit

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/fairlead/fairlead/base/store"
)

// Leaf is one entry of the log.
type Leaf struct {
	// At is when it happened, UTC, kept to the millisecond.
	At time.Time
	// Actor is who did it: a person, a token or "engine".
	Actor string
	// Action is what was done, for instance "incident.merge".
	Action string
	// Object is what it was done to, for instance "INC-12".
	Object string
	// Reason is why, in the actor's words; "" if none was given.
	Reason string
	// Data is whatever else is attested; nil and empty are the same. Nothing personal: it stands in the log as it is.
	Data []byte
	// Row is the stored row that the leaf is about, as it is from now on; nil if the leaf is about none, or the row is gone.
	// The log keeps its hash, for Rows to compare with, and the row itself, sealed. It takes the place of Data.
	Row []byte
}

// name names the leaf for a person.
func (l Leaf) name(n int64) string {
	what := l.Action
	if l.Object != "" {
		what += " " + l.Object
	}
	return fmt.Sprintf("leaf %d (%q by %q at %s)", n, what, l.Actor, l.At.UTC().Format(time.RFC3339))
}

// recordVersion is the first byte of every record that is hashed.
const recordVersion = 1

// record returns what is hashed: every field behind its length, so that no byte can move from one field to the next.
func (l Leaf) record() []byte {
	record := make([]byte, 0, 64+len(l.Actor)+len(l.Action)+len(l.Object)+len(l.Reason)+len(l.Data))
	record = append(record, recordVersion)
	record = binary.AppendVarint(record, store.Millis(l.At))
	for _, field := range []string{l.Actor, l.Action, l.Object, l.Reason} {
		record = binary.AppendUvarint(record, uint64(len(field)))
		record = append(record, field...)
	}
	record = binary.AppendUvarint(record, uint64(len(l.Data)))
	return append(record, l.Data...)
}

// Append adds leaf to the log within tx and returns its number, from 0.
func Append(ctx context.Context, tx bun.Tx, leaf Leaf) (int64, error) {
	return AppendAll(ctx, tx, []Leaf{leaf})
}

// AppendAll adds leaves to the log within tx, in order, and returns the number of the first. It costs much less than as
// many calls of Append.
func AppendAll(ctx context.Context, tx bun.Tx, leaves []Leaf) (first int64, err error) {
	first, err = count(ctx, tx)
	if err != nil || len(leaves) == 0 {
		return first, err
	}
	edge := edgeReader{ctx: ctx, tx: tx, fresh: make(map[int64]tlog.Hash, 2*len(leaves))}
	sealer := &sealer{ctx: ctx, tx: tx, known: map[string]*subject{}}
	rows := make([][]any, 0, len(leaves))
	hashRows := make([][]any, 0, 2*len(leaves))
	for i := range leaves {
		n := first + int64(i)
		leaf, err := sealer.seal(&leaves[i])
		if err != nil {
			return 0, err
		}
		leaf.Action, leaf.Object, leaf.Reason = store.Text(leaf.Action), store.Text(leaf.Object), store.Text(leaf.Reason) // as they are stored
		hashes, err := tlog.StoredHashes(n, leaf.record(), edge)
		if err != nil {
			return 0, fmt.Errorf("append audit leaf %d: %w", n, err)
		}
		for j, hash := range hashes {
			position := tlog.StoredHashIndex(0, n) + int64(j)
			edge.fresh[position] = hash
			hashRows = append(hashRows, []any{position, hash[:]})
		}
		data := leaf.Data
		if data == nil {
			data = []byte{}
		}
		rows = append(rows, []any{n, store.Millis(leaf.At), leaf.Actor, leaf.Action, leaf.Object, leaf.Reason, data})
	}
	err = store.Insert(ctx, tx, "audit_leaves", []string{"n", "at", "actor", "action", "object", "reason", "data"}, "", rows)
	if err == nil {
		err = store.Insert(ctx, tx, "audit_hashes", []string{"position", "hash"}, "", hashRows)
	}
	if err != nil {
		return 0, fmt.Errorf("append audit leaf %d: %w", first, err)
	}
	return first, nil
}

// count returns the number of leaves of a whole log.
func count(ctx context.Context, db bun.IDB) (int64, error) {
	var n int64
	err := db.QueryRowContext(ctx, "SELECT coalesce(max(n) + 1, 0) FROM audit_leaves").Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count audit leaves: %w", store.Classify(err))
	}
	return n, nil
}

// edgeReader reads the hashes that an append builds on: those of the same transaction, or stored ones.
type edgeReader struct {
	ctx   context.Context
	tx    bun.Tx
	fresh map[int64]tlog.Hash // by position
}

// ReadHashes implements tlog.HashReader.
func (r edgeReader) ReadHashes(positions []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(positions))
	var missing []int64
	for i, position := range positions {
		hash, ok := r.fresh[position]
		if !ok {
			missing = append(missing, position)
		}
		hashes[i] = hash
	}
	if len(missing) == 0 {
		return hashes, nil
	}
	stored, err := readHashes(r.ctx, r.tx, missing)
	if err != nil {
		return nil, err
	}
	for i, position := range positions {
		if _, ok := r.fresh[position]; ok {
			continue
		}
		hash, ok := stored[position]
		if !ok {
			return nil, fmt.Errorf("hash %d: %w", position, errDamaged)
		}
		hashes[i] = hash
	}
	return hashes, nil
}

// errDamaged says that a hash is missing or has the wrong length.
var errDamaged = errors.New("the audit log is damaged, see fairlead audit verify")

// readHashes returns the stored hashes at positions; those that are missing or have the wrong length are left out.
func readHashes(ctx context.Context, db bun.IDB, positions []int64) (map[int64]tlog.Hash, error) {
	if len(positions) == 0 {
		return nil, nil
	}
	var list strings.Builder
	for i, position := range positions {
		if i > 0 {
			list.WriteByte(',')
		}
		fmt.Fprint(&list, position)
	}
	rows, err := db.QueryContext(ctx, "SELECT position, hash FROM audit_hashes WHERE position IN ("+list.String()+")")
	if err != nil {
		return nil, fmt.Errorf("read audit hashes: %w", store.Classify(err))
	}
	hashes := make(map[int64]tlog.Hash, len(positions))
	err = eachHash(rows, func(position int64, hash []byte) {
		if len(hash) == tlog.HashSize {
			hashes[position] = tlog.Hash(hash)
		}
	}, nil)
	return hashes, err
}
