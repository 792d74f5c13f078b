package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/uptrace/bun"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/fairlead/fairlead/base/store"
)

// Sizes of what Verify holds in memory.
const (
	leafPage    = 64 // leaves; one may attest thousands of decisions
	hashPage    = 1024
	maxProblems = 100
)

// Report is the outcome of Verify.
type Report struct {
	// Size is the number of leaves.
	Size int64
	// Root is the hash of the tree, base64; "" if the stored hashes do not give one.
	Root string
	// Problems are the entries that do not verify, at most 100: first of the leaves and what they attest, then of the
	// hashes, each in the order of the log. Empty means the log is whole.
	Problems []Problem
}

// Problem is one entry that does not verify.
type Problem struct {
	// Leaf is the number of the leaf, -1 if the problem is not one leaf's.
	Leaf int64
	// Name names the entry for a person.
	Name string
	// Detail says what is wrong.
	Detail string
}

// Check compares leaves with the rows that they attest. Verify calls Leaf for every good leaf in order, then Done. A check
// serves one Verify.
type Check interface {
	// Leaf takes leaf number n and returns what is wrong with the rows it attests, "" if nothing.
	Leaf(ctx context.Context, db bun.IDB, n int64, leaf Leaf) (detail string, err error)
	// Done is called behind the last leaf and returns problems of rows that no leaf attests.
	Done(ctx context.Context, db bun.IDB) ([]Problem, error)
}

// Verify recomputes every leaf and every stored hash, and runs checks, all on one snapshot of db. The error says that the
// log could not be read; what is wrong with it stands in the report.
func Verify(ctx context.Context, db bun.IDB, checks ...Check) (report Report, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return Report{}, fmt.Errorf("verify the audit log: %w", store.Classify(err))
	}
	defer func() {
		if endErr := tx.Rollback(); endErr != nil && !errors.Is(endErr, sql.ErrTxDone) {
			err = errors.Join(err, endErr)
		}
	}()
	people, err := readSubjects(ctx, tx)
	if err != nil {
		return Report{}, fmt.Errorf("verify the audit log: %w", err)
	}
	v := &verifier{ctx: ctx, db: tx, checks: checks, people: people, acted: map[string]int64{}}
	if err := v.leaves(); err != nil {
		return Report{}, fmt.Errorf("verify the audit log: %w", err)
	}
	v.persons()
	for _, check := range checks {
		problems, err := check.Done(ctx, tx)
		if err != nil {
			return Report{}, fmt.Errorf("verify the audit log: %w", err)
		}
		for _, problem := range problems {
			v.add(problem)
		}
	}
	if err := v.hashes(); err != nil {
		return Report{}, fmt.Errorf("verify the audit log: %w", err)
	}
	v.report.Root = v.root()
	return v.report, nil
}

// verifier is one run of Verify.
type verifier struct {
	ctx    context.Context
	db     bun.IDB
	checks []Check
	report Report
	end    int64 // the number behind the last leaf
	people map[string]*subject
	acted  map[string]int64 // the newest leaf of each person that was not erased
}

// name names a leaf for a person, with the actor's name where it is known.
func (v *verifier) name(entry numbered) string {
	if who := v.people[entry.leaf.Actor]; who != nil {
		entry.leaf.Actor = who.name
	}
	return entry.leaf.name(entry.n)
}

// persons reports people who acted, were not erased, and are known no more.
func (v *verifier) persons() {
	for _, id := range slices.Sorted(maps.Keys(v.acted)) {
		if v.people[id] == nil {
			v.add(Problem{Leaf: v.acted[id], Name: id, Detail: "name or key of this person was changed or deleted, and no leaf says that they were erased"})
		}
	}
}

func (v *verifier) add(problem Problem) {
	if len(v.report.Problems) < maxProblems {
		v.report.Problems = append(v.report.Problems, problem)
	}
}

// numbered is a leaf with its number.
type numbered struct {
	n    int64
	leaf Leaf
}

// leaves compares every leaf with its stored hash and passes the good ones to the checks.
func (v *verifier) leaves() error {
	expected := int64(0)
	for from := int64(-1 << 63); ; {
		page, err := v.readLeaves(from)
		if err != nil || len(page) == 0 {
			v.end = expected
			return err
		}
		positions := make([]int64, 0, len(page))
		for _, entry := range page {
			if entry.n >= 0 {
				positions = append(positions, tlog.StoredHashIndex(0, entry.n))
			}
		}
		stored, err := readHashes(v.ctx, v.db, positions)
		if err != nil {
			return err
		}
		for _, entry := range page {
			hash, ok := stored[tlog.StoredHashIndex(0, max(entry.n, 0))]
			if entry.n < 0 || !ok {
				// Unless it is the next, it is no part of the log, and its number says nothing about what is missing.
				if entry.n == expected {
					expected++
					v.report.Size++
				}
				v.add(Problem{Leaf: entry.n, Name: v.name(entry), Detail: "the leaf has no stored hash"})
				continue
			}
			for ; expected < entry.n && len(v.report.Problems) < maxProblems; expected++ {
				v.add(Problem{Leaf: expected, Name: fmt.Sprintf("leaf %d", expected), Detail: "the leaf is missing"})
			}
			expected = entry.n + 1
			v.report.Size++
			if err := v.leaf(entry, hash); err != nil {
				return err
			}
		}
		last := page[len(page)-1].n
		if last == 1<<63-1 {
			v.end = expected
			return nil
		}
		from = last + 1
	}
}

// leaf compares one leaf with its stored hash.
func (v *verifier) leaf(entry numbered, stored tlog.Hash) error {
	if tlog.RecordHash(entry.leaf.record()) != stored {
		v.add(Problem{Leaf: entry.n, Name: v.name(entry), Detail: "the leaf does not have its stored hash"})
		return nil
	}
	if strings.HasPrefix(entry.leaf.Actor, subjectPrefix) {
		v.acted[entry.leaf.Actor] = entry.n
	}
	if entry.leaf.Action == EraseAction {
		delete(v.acted, entry.leaf.Object)
	}
	for _, check := range v.checks {
		detail, err := check.Leaf(v.ctx, v.db, entry.n, entry.leaf)
		if err != nil {
			return err
		}
		if detail != "" {
			v.add(Problem{Leaf: entry.n, Name: v.name(entry), Detail: detail})
		}
	}
	return nil
}

// readLeaves returns the next page of leaves, from number from on.
func (v *verifier) readLeaves(from int64) (page []numbered, err error) {
	err = eachLeaf(v.ctx, v.db, func(l numbered) { page = append(page, l) }, func(err error) { v.unreadable("audit_leaves", err) },
		"WHERE n >= ? ORDER BY n LIMIT ?", from, leafPage)
	return page, err
}

// unreadable reports a row that holds what this program never writes, such as text for a number.
func (v *verifier) unreadable(table string, err error) {
	v.add(Problem{Leaf: -1, Name: "a row of " + table, Detail: fmt.Sprintf("the row cannot be read: %v", err)})
}

// hashes recomputes every stored hash above the leaves from the two below it, as they are stored, so that one changed hash
// is one problem, and one for the hash above it, and does not spoil the rest of the tree.
func (v *verifier) hashes() error {
	levels := make(map[int]*[2]node) // by level, the two latest
	expected := int64(0)
	for from := int64(-1 << 63); ; {
		count, last := 0, int64(0)
		rows, err := v.db.QueryContext(v.ctx, "SELECT position, hash FROM audit_hashes WHERE position >= ? ORDER BY position LIMIT ?",
			from, hashPage)
		if err != nil {
			return fmt.Errorf("read audit hashes: %w", store.Classify(err))
		}
		err = eachHash(rows, func(position int64, hash []byte) {
			count++
			last = position
			expected = v.hash(levels, expected, position, hash)
		}, func(err error) { v.unreadable("audit_hashes", err) })
		if err != nil {
			return err
		}
		if count < hashPage || last == 1<<63-1 {
			break
		}
		from = last + 1
	}
	v.missingHashes(expected, tlog.StoredHashCount(v.end))
	return nil
}

// node is a stored hash at a level of the tree.
type node struct {
	n    int64
	hash tlog.Hash
	ok   bool
}

// hash looks at the hash at position and returns the position that should come next.
func (v *verifier) hash(levels map[int]*[2]node, expected, position int64, hash []byte) int64 {
	if position < 0 || position >= tlog.StoredHashCount(v.end) {
		leaf, detail := int64(-1), "the hash belongs to no leaf"
		if level, n := splitPosition(position); level == 0 {
			leaf, detail = n, "the leaf is missing; its hash is there"
		}
		v.add(Problem{Leaf: leaf, Name: positionName(position), Detail: detail})
		return expected
	}
	v.missingHashes(expected, position)
	level, n := tlog.SplitStoredHashIndex(position)
	latest := levels[level]
	if latest == nil {
		latest = new([2]node)
		levels[level] = latest
	}
	if len(hash) != tlog.HashSize {
		v.add(Problem{Leaf: leafOf(level, n), Name: positionName(position), Detail: fmt.Sprintf("the hash has %d bytes", len(hash))})
		return position + 1
	}
	latest[0], latest[1] = latest[1], node{n: n, hash: tlog.Hash(hash), ok: true}
	if level == 0 {
		return position + 1
	}
	below := levels[level-1]
	if below == nil || !below[0].ok || !below[1].ok || below[0].n != 2*n || below[1].n != 2*n+1 {
		return position + 1 // one of the two is missing, which was reported
	}
	if tlog.NodeHash(below[0].hash, below[1].hash) != tlog.Hash(hash) {
		v.add(Problem{Leaf: -1, Name: positionName(position), Detail: "the hash is not that of the two below it"})
	}
	return position + 1
}

// missingHashes reports that no hash stands at from up to, not including, to.
func (v *verifier) missingHashes(from, to int64) {
	for ; from < to && len(v.report.Problems) < maxProblems; from++ {
		level, n := tlog.SplitStoredHashIndex(from)
		v.add(Problem{Leaf: leafOf(level, n), Name: positionName(from), Detail: "the hash is missing"})
	}
}

// root returns the hash of the tree; "" if the stored hashes do not give one.
func (v *verifier) root() string {
	root, err := tlog.TreeHash(v.end, hashReader(v.ctx, v.db))
	if err != nil {
		return ""
	}
	return root.String()
}

// eachHash calls do for every row, bad (which may be nil) for every row that cannot be read, and closes rows.
func eachHash(rows *sql.Rows, do func(position int64, hash []byte), bad func(error)) (err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var position int64
		var hash []byte
		if err := rows.Scan(&position, &hash); err != nil {
			if bad != nil {
				bad(err)
			}
			continue
		}
		do(position, hash)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read audit hashes: %w", store.Classify(err))
	}
	return nil
}

// maxPosition is beyond every position that can ever be used; tlog's arithmetic holds up to there.
const maxPosition = 1 << 60

// splitPosition is tlog.SplitStoredHashIndex, and level -1 for what can be no position.
func splitPosition(position int64) (level int, n int64) {
	if position < 0 || position > maxPosition {
		return -1, -1
	}
	return tlog.SplitStoredHashIndex(position)
}

// leafOf returns the leaf whose hash stands at a level; -1 above the leaves.
func leafOf(level int, n int64) int64 {
	if level == 0 {
		return n
	}
	return -1
}

// positionName names a hash for a person.
func positionName(position int64) string {
	level, n := splitPosition(position)
	switch level {
	case -1:
		return fmt.Sprintf("hash at position %d", position)
	case 0:
		return fmt.Sprintf("hash of leaf %d", n)
	}
	return fmt.Sprintf("hash over leaves %d to %d", n<<level, (n+1)<<level-1)
}
