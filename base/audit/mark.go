package audit

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/uptrace/bun"
	"golang.org/x/mod/sumdb/tlog"
)

// NamedCheckpoint is a signed checkpoint that was kept elsewhere.
type NamedCheckpoint struct {
	// Name names it for a person, for instance its file.
	Name string
	Text []byte
}

// mark is a checkpoint whose signature holds.
type mark struct {
	Checkpoint
	Name string
}

// marks are checkpoints by size.
type marks map[int64][]mark

// readMarks checks the signatures of checkpoints, and returns a problem for each that does not hold.
func readMarks(checkpoints []NamedCheckpoint, key string) (marks, []Problem) {
	good := marks{}
	var problems []Problem
	for _, named := range checkpoints {
		c, err := ReadCheckpoint(named.Text, key)
		if err != nil {
			problems = append(problems, Problem{Leaf: -1, Name: named.Name, Detail: err.Error()})
			continue
		}
		good[c.Size] = append(good[c.Size], mark{c, named.Name})
	}
	return good, problems
}

// beyond returns a problem for each checkpoint of a log that was longer than it is now.
func (m marks) beyond(size int64) []Problem {
	var problems []Problem
	for _, at := range slices.Sorted(maps.Keys(m)) {
		if at <= size {
			continue
		}
		for _, c := range m[at] {
			problems = append(problems, Problem{Leaf: size, Name: c.Name, Detail: fmt.Sprintf("it signs %d leaves; the log ends at %d", at, size)})
		}
	}
	return problems
}

// VerifyCheckpoints compares the log with signed checkpoints that were kept elsewhere, and so finds what Verify cannot: a log
// that was rewritten, hashes included, or cut off. Key is the public key.
func VerifyCheckpoints(ctx context.Context, db bun.IDB, key string, checkpoints []NamedCheckpoint) ([]Problem, error) {
	good, problems := readMarks(checkpoints, key)
	size, err := count(ctx, db)
	if err != nil {
		return nil, err
	}
	reader := hashReader(ctx, db)
	held := int64(0)
	for _, at := range slices.Sorted(maps.Keys(good)) {
		if at > size {
			break
		}
		root, err := tlog.TreeHash(at, reader)
		for _, c := range good[at] {
			switch {
			case err != nil:
				problems = append(problems, Problem{Leaf: held, Name: c.Name, Detail: err.Error()})
			case root == c.Root:
				held = at
			default:
				problems = append(problems, Problem{
					Leaf: held, Name: c.Name,
					Detail: fmt.Sprintf("the log is not the one it signs: something from leaf %d to leaf %d was changed", held, at-1),
				})
			}
		}
	}
	problems = append(problems, good.beyond(size)...)
	slices.SortStableFunc(problems, func(a, b Problem) int { return cmp.Compare(a.Leaf, b.Leaf) })
	return problems, nil
}

// tree computes the root of a growing log in memory of its height: it holds the roots of the complete subtrees from left to
// right, the largest first.
type tree struct {
	size  int64
	edges []tlog.Hash
}

func (t *tree) append(leaf tlog.Hash) {
	t.edges = append(t.edges, leaf)
	t.size++
	for n := t.size; n%2 == 0; n /= 2 {
		last := len(t.edges) - 1
		t.edges[last-1] = tlog.NodeHash(t.edges[last-1], t.edges[last])
		t.edges = t.edges[:last]
	}
}

// root returns the root as tlog.TreeHash does; that of the empty log is that of no bytes.
func (t *tree) root() tlog.Hash {
	if t.size == 0 {
		root, _ := tlog.TreeHash(0, nil)
		return root
	}
	root := t.edges[len(t.edges)-1]
	for i := len(t.edges) - 2; i >= 0; i-- {
		root = tlog.NodeHash(t.edges[i], root)
	}
	return root
}
