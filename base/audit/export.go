package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/uptrace/bun"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/fairlead/fairlead/base/store"
)

// exportHead is the first line of an export.
type exportHead struct {
	Format     string `json:"format"`
	Size       int64  `json:"size"`
	Root       string `json:"root"`
	Checkpoint string `json:"checkpoint,omitempty"`
}

const exportFormat = "fairlead audit export 1"

// exportLine is one leaf of an export, as the log keeps it: people by pseudonym, sealed what is sealed.
type exportLine struct {
	N      int64     `json:"n"`
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"`
	Action string    `json:"action"`
	Object string    `json:"object"`
	Reason string    `json:"reason"`
	Data   []byte    `json:"data"`
	// Hash is the leaf's hash, so that a changed leaf is known from a changed log.
	Hash string `json:"hash"`
}

// Export writes the whole log as JSON lines: a head with size, root and signed checkpoint, then one line a leaf. Signer may
// be nil: then the head has no checkpoint. VerifyExport reads it, without a database.
func Export(ctx context.Context, db bun.IDB, signer *Signer, now time.Time, to io.Writer) (size int64, err error) {
	tx, err := db.BeginTx(ctx, nil) // one snapshot
	if err != nil {
		return 0, fmt.Errorf("export the audit log: %w", store.Classify(err))
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	head := exportHead{Format: exportFormat}
	if signer != nil {
		text, c, err := signer.Sign(ctx, tx, now)
		if err != nil {
			return 0, err
		}
		head.Size, head.Root, head.Checkpoint = c.Size, c.Root.String(), string(text)
	} else {
		size, root, err := Root(ctx, tx)
		if err != nil {
			return 0, err
		}
		head.Size, head.Root = size, root.String()
	}
	w := bufio.NewWriter(to)
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	if err := lines.Encode(head); err != nil {
		return 0, err
	}
	for n := int64(0); n < head.Size; {
		page, err := readLeaves(ctx, tx, "WHERE n >= ? AND n < ? ORDER BY n LIMIT ?", n, head.Size, leafPage)
		if err != nil {
			return 0, err
		}
		if len(page) == 0 || page[0].n != n {
			return 0, fmt.Errorf("export leaf %d: %w", n, errDamaged)
		}
		for i := range page {
			l := &page[i].leaf
			line := exportLine{
				N: page[i].n, At: l.At, Actor: l.Actor, Action: l.Action, Object: l.Object, Reason: l.Reason, Data: l.Data,
				Hash: tlog.RecordHash(l.record()).String(),
			}
			if err := lines.Encode(line); err != nil {
				return 0, err
			}
		}
		n = page[len(page)-1].n + 1
	}
	return head.Size, w.Flush()
}

// maxLine bounds one line of an export; a leaf may attest thousands of decisions.
const maxLine = 64 << 20

// VerifyExport recomputes an export and compares it with its head, with its checkpoint, and with others that were kept
// elsewhere. Key is the public key; "" skips signatures, and checkpoints must then be empty. Problems are in the order of the
// log: the first is the first bad entry. The error says that the export could not be read.
func VerifyExport(from io.Reader, key string, checkpoints []NamedCheckpoint) (Report, error) {
	lines := bufio.NewScanner(from)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	var head exportHead
	if !lines.Scan() {
		return Report{}, errors.Join(errors.New("the export is empty"), lines.Err())
	}
	if err := decodeLine(lines.Bytes(), &head); err != nil || head.Format != exportFormat {
		return Report{Problems: []Problem{{Leaf: -1, Name: "line 1", Detail: "it is not the head of an export"}}}, nil
	}
	v := &exportVerifier{}
	v.marks, v.report.Problems = readMarks(checkpoints, key)
	v.spoilt = len(v.report.Problems) > 0
	if key != "" {
		own, err := ReadCheckpoint([]byte(head.Checkpoint), key)
		switch {
		case err != nil:
			v.add(Problem{Leaf: -1, Name: "the export's checkpoint", Detail: err.Error()})
		case own.Size != head.Size || own.Root.String() != head.Root:
			v.add(Problem{Leaf: -1, Name: "the export's head", Detail: "size or root is not the one that its checkpoint signs"})
		}
	}
	v.compare()
	for number := 2; lines.Scan(); number++ {
		v.line(number, lines.Bytes())
	}
	if err := lines.Err(); err != nil {
		return Report{}, fmt.Errorf("read the export: %w", err)
	}
	return v.finish(&head), nil
}

// exportVerifier is one run of VerifyExport.
type exportVerifier struct {
	tree   tree
	marks  marks
	report Report
	next   int64
	good   int64 // up to where the log agreed with a checkpoint
	spoilt bool  // a leaf is not its listed hash, so roots cannot agree any more
}

func (v *exportVerifier) add(p Problem) {
	v.spoilt = true
	if len(v.report.Problems) < maxProblems {
		v.report.Problems = append(v.report.Problems, p)
	}
}

func (v *exportVerifier) line(number int, text []byte) {
	var l exportLine
	if err := decodeLine(text, &l); err != nil {
		v.add(Problem{Leaf: v.next, Name: fmt.Sprintf("leaf %d on line %d", v.next, number), Detail: fmt.Sprintf("it cannot be read: %v", err)})
		v.next++
		return
	}
	leaf := Leaf{At: l.At, Actor: l.Actor, Action: l.Action, Object: l.Object, Reason: l.Reason, Data: l.Data}
	name := leaf.name(l.N)
	if l.N != v.next {
		v.add(Problem{Leaf: v.next, Name: fmt.Sprintf("line %d", number), Detail: fmt.Sprintf("want leaf %d here, got leaf %d", v.next, l.N)})
	}
	v.next++
	hash := tlog.RecordHash(leaf.record())
	if hash.String() != l.Hash {
		v.add(Problem{Leaf: l.N, Name: name, Detail: "it does not have its listed hash"})
	}
	v.tree.append(hash)
	v.compare()
}

// compare looks whether the log so far is what checkpoints of this size sign.
func (v *exportVerifier) compare() {
	size := v.tree.size
	for _, mark := range v.marks[size] {
		if v.tree.root() == mark.Root {
			v.good = size
			continue
		}
		v.add(Problem{
			Leaf: v.good, Name: mark.Name,
			Detail: fmt.Sprintf("the log is not the one it signs: something from leaf %d to leaf %d was changed", v.good, size-1),
		})
	}
}

func (v *exportVerifier) finish(head *exportHead) Report {
	v.report.Size, v.report.Root = v.tree.size, v.tree.root().String()
	if v.next != head.Size {
		v.add(Problem{Leaf: v.next, Name: fmt.Sprintf("leaf %d", v.next), Detail: fmt.Sprintf("the export ends here; its head says that it has %d leaves", head.Size)})
	}
	if !v.spoilt && v.report.Root != head.Root {
		v.add(Problem{
			Leaf: v.good, Name: "the export's root",
			Detail: fmt.Sprintf("the leaves do not give it: one from leaf %d on was changed together with its listed hash", v.good),
		})
	}
	v.report.Problems = append(v.report.Problems, v.marks.beyond(v.tree.size)...)
	return v.report
}

// decodeLine reads one line. It must be byte for byte what Export writes of it: a flipped byte that changes no value is still
// a changed export.
func decodeLine(text []byte, into any) error {
	if err := json.Unmarshal(text, into); err != nil {
		return err
	}
	var again bytes.Buffer
	lines := json.NewEncoder(&again)
	lines.SetEscapeHTML(false)
	if err := lines.Encode(into); err != nil {
		return err
	}
	if !bytes.Equal(bytes.TrimSuffix(again.Bytes(), []byte("\n")), text) {
		return errors.New("it is not written as an export is")
	}
	return nil
}
