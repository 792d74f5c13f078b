package audit

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"
)

// rowVersion is the first byte of Data that attests a row: then 32 bytes of SHA-256 of the row, then the row itself, sealed
// under the key of the person who wrote it, or whom it is about. A row that Fairlead itself wrote is not kept: it may name
// people, and nobody's erasure would take it away.
const rowVersion = 'r'

// attestRow returns the Data of a leaf about a row. who is nil if no person wrote it.
func attestRow(row []byte, who *subject) []byte {
	sum := sha256.Sum256(row)
	data := append([]byte{rowVersion}, sum[:]...)
	if who == nil {
		return data
	}
	return append(data, who.seal(row)...)
}

// openRow returns the row in Data; nil if Data holds none or it cannot be read any more.
func openRow(data []byte, who *subject) []byte {
	if who == nil || len(data) < 1+sha256.Size || data[0] != rowVersion {
		return nil
	}
	sum := data[1 : 1+sha256.Size]
	row, err := who.open(data[1+sha256.Size:])
	if err != nil {
		return nil
	}
	if real := sha256.Sum256(row); !slices.Equal(real[:], sum) {
		return nil
	}
	return row
}

// Rows is a Check that compares the rows of one table with the newest leaf about each: the row must be byte for byte the
// one that the leaf attests, and a leaf without Row means that the row is gone. It remembers one hash for each row.
type Rows struct {
	// What names a row for a person, for instance "silence".
	What string
	// Actions are the actions of the leaves about these rows; one that ends in "." stands for all that begin so.
	Actions []string
	// Each calls visit for every row, with what Leaf.Object and Leaf.Row were or err if the row cannot be read.
	Each func(ctx context.Context, db bun.IDB, visit func(object string, row []byte, err error)) error
	// Fades says that rows may go without a leaf, for instance by their age.
	Fades bool

	attested map[string]rowState
	names    map[string]string // of pseudonyms, for people
}

type rowState struct {
	leaf int64
	gone bool
	sum  [sha256.Size]byte
}

var _ Check = (*Rows)(nil)

// Leaf implements Check.
func (r *Rows) Leaf(_ context.Context, _ bun.IDB, n int64, leaf Leaf) (string, error) {
	if !slices.ContainsFunc(r.Actions, func(action string) bool {
		return action == leaf.Action || strings.HasSuffix(action, ".") && strings.HasPrefix(leaf.Action, action)
	}) {
		return "", nil
	}
	if r.attested == nil {
		r.attested = map[string]rowState{}
	}
	switch {
	case len(leaf.Data) == 0:
		r.attested[leaf.Object] = rowState{leaf: n, gone: true}
	case len(leaf.Data) < 1+sha256.Size || leaf.Data[0] != rowVersion:
		return "what it attests of the " + r.What + " is damaged", nil
	default:
		r.attested[leaf.Object] = rowState{leaf: n, sum: [sha256.Size]byte(leaf.Data[1 : 1+sha256.Size])}
	}
	return "", nil
}

// Done implements Check.
func (r *Rows) Done(ctx context.Context, db bun.IDB) ([]Problem, error) {
	var problems []Problem
	report := func(leaf int64, object, detail string) {
		if name := r.names[object]; name != "" {
			object = name
		}
		problems = append(problems, Problem{Leaf: leaf, Name: r.What + " " + object, Detail: detail})
	}
	err := r.Each(ctx, db, func(object string, row []byte, err error) {
		known, found := r.attested[object]
		delete(r.attested, object)
		switch {
		case err != nil:
			report(known.leaf, object, fmt.Sprintf("the row cannot be read: %v", err))
		case !found:
			report(-1, object, "no leaf attests it")
		case known.gone:
			report(known.leaf, object, "it is there although that leaf says that it was deleted")
		case sha256.Sum256(row) != known.sum:
			report(known.leaf, object, "it is not what that leaf attests")
		}
	})
	if err != nil {
		return nil, err
	}
	for object, known := range r.attested {
		if !known.gone && !r.Fades {
			report(known.leaf, object, "it is attested but not stored any more")
		}
	}
	slices.SortFunc(problems, func(a, b Problem) int { return strings.Compare(a.Name, b.Name) })
	return problems, nil
}
