package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/fairlead/fairlead/base/store"
)

// Entry is a leaf as people read it.
type Entry struct {
	// N is the leaf's number.
	N int64
	// Leaf has the actor's name, the reason in clear, and Row if it attests one that can be read. Data is as stored.
	Leaf
	// Person is the actor's pseudonym; "" if the actor is no person.
	Person string
	// Erased says that the person was erased: Actor is the pseudonym, and what was sealed stays sealed.
	Erased bool
}

// Filter selects leaves; the zero value selects all that are no automatic decisions.
type Filter struct {
	// Actor is a name or a pseudonym.
	Actor string
	// Action is an action, or the beginning of some if it ends in ".".
	Action string
	// Object is what it was done to.
	Object string
	// Text must stand in action, object, actor or reason; letter case does not matter.
	Text string
	// Since and Until bound the time; Until is excluded. Zero means open.
	Since, Until time.Time
	// Decisions adds the leaves of automatic decisions.
	Decisions bool
	// Cursor is what List returned; "" begins with the newest leaf.
	Cursor string
	// Limit is how many leaves are returned at most, at least 1.
	Limit int
}

// decisionsAction is the action of the many leaves of automatic decisions, which people rarely look for.
const decisionsAction = "decisions"

// maxScan bounds how many leaves one call of List reads to find a Text in what is sealed.
const maxScan = 20_000

// List returns leaves, newest first, and the cursor of the next page; "" behind the last. With a Text, a page can be short,
// even empty, although more follow: only so many leaves are opened in one call.
func List(ctx context.Context, db bun.IDB, f Filter) ([]Entry, string, error) {
	people, err := readSubjects(ctx, db)
	if err != nil {
		return nil, "", err
	}
	where, args, err := f.where(people)
	if err != nil {
		return nil, "", err
	}
	limit := f.Limit
	if f.Text != "" {
		limit = maxScan
	}
	leaves, err := readLeaves(ctx, db, where+" ORDER BY n DESC LIMIT ?", append(args, limit+1)...)
	if err != nil {
		return nil, "", err
	}
	var list []Entry
	text := strings.ToLower(f.Text)
	for i, l := range leaves {
		if i == limit || len(list) == f.Limit {
			return list, strconv.FormatInt(leaves[i-1].n, 10), nil
		}
		if e := open(l, people); text == "" || e.contains(text) {
			list = append(list, e)
		}
	}
	return list, "", nil
}

// Find returns one leaf; the error wraps store.ErrNotFound.
func Find(ctx context.Context, db bun.IDB, n int64) (Entry, error) {
	people, err := readSubjects(ctx, db)
	if err != nil {
		return Entry{}, err
	}
	leaves, err := readLeaves(ctx, db, "WHERE n = ?", n)
	if err != nil {
		return Entry{}, err
	}
	if len(leaves) == 0 {
		return Entry{}, fmt.Errorf("leaf %d: %w", n, store.ErrNotFound)
	}
	return open(leaves[0], people), nil
}

// known returns a name and the pseudonym of whoever has it.
func known(name string, people map[string]*subject) []string {
	ids := []string{name}
	for id, who := range people {
		if who.name == name {
			ids = append(ids, id)
		}
	}
	return ids
}

func (f *Filter) where(people map[string]*subject) (string, []any, error) {
	parts, args := []string{"n >= 0"}, []any{}
	add := func(part string, values ...any) {
		parts, args = append(parts, part), append(args, values...)
	}
	if !f.Decisions && f.Action != decisionsAction {
		add("action <> '" + decisionsAction + "'")
	}
	if f.Actor != "" {
		add("actor IN (?)", bun.List(known(f.Actor, people)))
	}
	switch {
	case strings.HasSuffix(f.Action, "."):
		add("substr(action, 1, ?) = ?", len(f.Action), f.Action)
	case f.Action != "":
		add("action = ?", f.Action)
	}
	if f.Object != "" {
		add("object IN (?)", bun.List(known(f.Object, people)))
	}
	if !f.Since.IsZero() {
		add("at >= ?", store.Millis(f.Since))
	}
	if !f.Until.IsZero() {
		add("at < ?", store.Millis(f.Until))
	}
	if f.Cursor != "" {
		n, err := strconv.ParseInt(f.Cursor, 10, 64)
		if err != nil {
			return "", nil, fmt.Errorf("cursor %q: %w", f.Cursor, ErrRange)
		}
		add("n < ?", n)
	}
	return "WHERE " + strings.Join(parts, " AND "), args, nil
}

// open makes a leaf readable, as far as its person is known.
func open(l numbered, people map[string]*subject) Entry {
	e := Entry{N: l.n, Leaf: l.leaf}
	var who *subject
	if strings.HasPrefix(l.leaf.Actor, subjectPrefix) {
		e.Person = l.leaf.Actor
		if who = people[e.Person]; who == nil {
			e.Erased = true
			if strings.HasPrefix(e.Reason, sealedPrefix) {
				e.Reason = ""
			}
		} else {
			e.Actor = who.name
			if reason, err := who.openText(e.Reason); err == nil {
				e.Reason = reason
			}
		}
	}
	owner := who
	if aboutPerson(l.leaf.Action) && strings.HasPrefix(l.leaf.Object, subjectPrefix) {
		if owner = people[l.leaf.Object]; owner != nil {
			e.Object = owner.name
		}
	}
	e.Row = openRow(l.leaf.Data, owner)
	return e
}

func (e *Entry) contains(text string) bool {
	for _, field := range []string{e.Actor, e.Action, e.Object, e.Reason} {
		if strings.Contains(strings.ToLower(field), text) {
			return true
		}
	}
	return false
}

// readLeaves returns the leaves that the tail of the statement selects.
func readLeaves(ctx context.Context, db bun.IDB, tail string, args ...any) (leaves []numbered, err error) {
	err = eachLeaf(ctx, db, func(l numbered) { leaves = append(leaves, l) }, nil, tail, args...)
	return leaves, err
}

// eachLeaf calls do for the leaves that the tail of the statement selects; bad, which may be nil, for every row that cannot
// be read.
func eachLeaf(ctx context.Context, db bun.IDB, do func(numbered), bad func(error), tail string, args ...any) (err error) {
	rows, err := db.QueryContext(ctx, "SELECT n, at, actor, action, object, reason, data FROM audit_leaves "+tail, args...)
	if err != nil {
		return fmt.Errorf("read audit leaves: %w", store.Classify(err))
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		l, err := scanLeaf(rows)
		switch {
		case err == nil:
			do(l)
		case bad != nil:
			bad(err)
		default:
			return fmt.Errorf("read audit leaf: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read audit leaves: %w", store.Classify(err))
	}
	return nil
}

func scanLeaf(rows *sql.Rows) (l numbered, err error) {
	var at int64
	err = rows.Scan(&l.n, &at, &l.leaf.Actor, &l.leaf.Action, &l.leaf.Object, &l.leaf.Reason, &l.leaf.Data)
	l.leaf.At = store.Time(at)
	return l, err
}
