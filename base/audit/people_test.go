package audit_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/store"
)

func appendLeaf(t testing.TB, db *store.DB, leaves ...audit.Leaf) {
	t.Helper()
	err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := audit.AppendAll(ctx, tx, leaves)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func list(t testing.TB, db *store.DB, f audit.Filter) []audit.Entry {
	t.Helper()
	if f.Limit == 0 {
		f.Limit = 100
	}
	entries, _, err := audit.List(t.Context(), db.Read(), f)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func told(entries []audit.Entry) (texts []string) {
	for _, e := range entries {
		texts = append(texts, strings.Join([]string{e.Actor, e.Action, e.Object, e.Reason, string(e.Row)}, "|"))
	}
	return texts
}

func TestWhatIsPersonalIsSealedAndReadAgain(t *testing.T) {
	db := open(t)
	appendLeaf(t, db,
		audit.Leaf{At: start, Actor: "annabella", Action: "silence.create", Object: "s1", Reason: "bertrand asked me", Row: []byte(`{"by":"annabella"}`)},
		audit.Leaf{At: start, Actor: "engine", Action: "policy.change", Object: "p", Reason: "as planned", Row: []byte("x")},
		audit.Leaf{At: start, Actor: "annabella", Action: "silence.expire", Object: "s1"},
	)
	want := []string{"annabella|silence.expire|s1||", "engine|policy.change|p|as planned|", `annabella|silence.create|s1|bertrand asked me|{"by":"annabella"}`}
	if diff := cmp.Diff(want, told(list(t, db, audit.Filter{}))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var out bytes.Buffer
	if _, err := audit.Export(t.Context(), db.Read(), nil, start, &out); err != nil {
		t.Fatal(err)
	}
	for _, personal := range []string{"annabella", "bertrand"} {
		if strings.Contains(out.String(), personal) {
			t.Errorf("the log as it is kept holds %q:\n%s", personal, out.String())
		}
	}
	if !strings.Contains(out.String(), "as planned") {
		t.Error("what Fairlead itself did must stand there in clear")
	}
}

func TestAnErasedPersonCannotBeReadAndEveryProofHolds(t *testing.T) {
	db := open(t)
	appendLeaf(t, db,
		audit.Leaf{At: start, Actor: "ann", Action: "silence.create", Object: "s1", Reason: "my phone rings", Row: []byte("ann's")},
		audit.Leaf{At: start, Actor: "bob", Action: "silence.create", Object: "s2", Reason: "mine too", Row: []byte("bob's")})
	before, err := audit.ProveInclusion(t.Context(), db.Read(), 0, 2)
	if err != nil {
		t.Fatal(err)
	}
	erase := func(name string) (id string, err error) {
		err = db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) (err error) {
			id, err = audit.Erase(ctx, tx, name, audit.Leaf{At: start, Actor: "bob", Reason: "she left"})
			return err
		})
		return id, err
	}
	id, err := erase("ann")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"bob|person.erase|" + id + "|she left|", "bob|silence.create|s2|mine too|bob's", id + "|silence.create|s1||"}
	if diff := cmp.Diff(want, told(list(t, db, audit.Filter{}))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	after, err := audit.ProveInclusion(t.Context(), db.Read(), 0, 2)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the proof changed:\n%s", diff)
	}
	if report := verify(t, db); len(report.Problems) > 0 {
		t.Errorf("%+v", report.Problems)
	}
	if _, err := erase("ann"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("erasing twice gave %v", err)
	}
	appendLeaf(t, db, audit.Leaf{At: start, Actor: "ann", Action: "x"}) // the name comes back
	if entries := list(t, db, audit.Filter{Actor: "ann"}); len(entries) != 1 || entries[0].Person == id {
		t.Errorf("got %v; somebody of that name is another person now", told(entries))
	}
}

func TestNobodyCanBeGivenAnothersDeeds(t *testing.T) {
	for _, statement := range []string{
		"UPDATE audit_subjects SET name = 'eve' WHERE name = 'ann'",
		"UPDATE audit_subjects SET seal_key = zeroblob(32) WHERE name = 'ann'",
		"DELETE FROM audit_subjects WHERE name = 'ann'",
		"UPDATE audit_subjects SET id = 'person:x' WHERE name = 'ann'",
	} {
		db := open(t)
		fill(t, db, 5)
		tamper(t, db, statement)
		report := verify(t, db)
		if len(report.Problems) != 1 || !strings.HasPrefix(report.Problems[0].Name, "person:") || report.Problems[0].Leaf != 4 {
			t.Errorf("%s: got %+v, want the person named, at the newest leaf", statement, report.Problems)
		}
		if entries := list(t, db, audit.Filter{}); !strings.HasPrefix(entries[0].Actor, "person:") {
			t.Errorf("%s: shown as %q", statement, entries[0].Actor)
		}
	}
}

func TestLeavesAreFound(t *testing.T) {
	db := open(t)
	appendLeaf(t, db,
		audit.Leaf{At: start, Actor: "ann", Action: "incident.merge", Object: "INC-1", Reason: "Same Cause"},
		audit.Leaf{At: start.AddDate(0, 0, 1), Actor: "bob", Action: "incident.note", Object: "INC-2", Reason: "hm"},
		audit.Leaf{At: start, Actor: "engine", Action: "decisions", Data: []byte("many")},
		audit.Leaf{At: start, Actor: "bob", Action: "incidental", Object: "INC-1"})
	for name, test := range map[string]struct {
		filter audit.Filter
		want   []string
	}{
		"all but decisions":  {audit.Filter{}, []string{"incidental", "incident.note", "incident.merge"}},
		"with decisions":     {audit.Filter{Decisions: true}, []string{"incidental", "decisions", "incident.note", "incident.merge"}},
		"by actor":           {audit.Filter{Actor: "bob"}, []string{"incidental", "incident.note"}},
		"by kind of action":  {audit.Filter{Action: "incident."}, []string{"incident.note", "incident.merge"}},
		"by action":          {audit.Filter{Action: "incident.note"}, []string{"incident.note"}},
		"by object":          {audit.Filter{Object: "INC-1"}, []string{"incidental", "incident.merge"}},
		"by sealed text":     {audit.Filter{Text: "same cause"}, []string{"incident.merge"}},
		"by name as text":    {audit.Filter{Text: "ANN"}, []string{"incident.merge"}},
		"since":              {audit.Filter{Since: start.Add(time.Second)}, []string{"incident.note"}},
		"until":              {audit.Filter{Until: start.Add(1e9)}, []string{"incidental", "incident.merge"}},
		"nobody's":           {audit.Filter{Actor: "eve"}, nil},
		"SQL in a field":     {audit.Filter{Actor: "' OR 1=1 --"}, nil},
		"a page":             {audit.Filter{Limit: 1}, []string{"incidental"}},
		"a page with a text": {audit.Filter{Limit: 1, Text: "inc"}, []string{"incidental"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, e := range list(t, db, test.filter) {
				got = append(got, e.Action)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	var pages []string
	f := audit.Filter{Limit: 2, Decisions: true}
	for {
		entries, next, err := audit.List(t.Context(), db.Read(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			pages = append(pages, e.Action)
		}
		if f.Cursor = next; next == "" {
			break
		}
	}
	if len(pages) != 4 {
		t.Errorf("pages give %v", pages)
	}
	if _, _, err := audit.List(t.Context(), db.Read(), audit.Filter{Cursor: "x", Limit: 1}); !errors.Is(err, audit.ErrRange) {
		t.Errorf("a foreign cursor gave %v", err)
	}
}

// stateRows checks the table state as rows.
func stateRows() *audit.Rows {
	return &audit.Rows{What: "state", Actions: []string{"state."}, Each: func(ctx context.Context, db bun.IDB, visit func(string, []byte, error)) error {
		rows, err := db.QueryContext(ctx, "SELECT name, value FROM state ORDER BY name")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			var value []byte
			if err := rows.Scan(&name, &value); err != nil {
				return err
			}
			visit(name, value, nil)
		}
		return rows.Err()
	}}
}

func TestARowMustBeWhatItsNewestLeafAttests(t *testing.T) {
	set := func(name, value string) func(context.Context, bun.Tx) error {
		return func(ctx context.Context, tx bun.Tx) error {
			if err := store.SaveState(ctx, tx, name, []byte(value)); err != nil {
				return err
			}
			_, err := audit.Append(ctx, tx, audit.Leaf{At: start, Actor: "ann", Action: "state.set", Object: name, Row: []byte(value)})
			return err
		}
	}
	for statement, want := range map[string]string{
		"UPDATE state SET value = 'thref' WHERE name = 'c'":        "leaf 3: state c: it is not what that leaf attests",
		"DELETE FROM state WHERE name = 'b'":                       "leaf 1: state b: it is attested but not stored any more",
		"INSERT INTO state (name, value) VALUES ('d', 'x')":        "leaf -1: state d: no leaf attests it",
		"INSERT INTO state (name, value) VALUES ('a', 'one')":      "leaf 4: state a: it is there although that leaf says that it was deleted",
		"UPDATE state SET value = 'three' WHERE name = 'c'":        "", // what it is anyway
		"UPDATE audit_leaves SET data = x'72' WHERE n = 3":         "leaf 3: leaf 3",
		"UPDATE state SET name = 'e' WHERE name = 'c' OR name='z'": "leaf -1: state e: no leaf attests it",
	} {
		db := open(t)
		for _, write := range []func(context.Context, bun.Tx) error{
			set("a", "one"), set("b", "two"), set("c", "3"), set("c", "three"),
			func(ctx context.Context, tx bun.Tx) error {
				if _, err := tx.ExecContext(ctx, "DELETE FROM state WHERE name = 'a'"); err != nil {
					return err
				}
				_, err := audit.Append(ctx, tx, audit.Leaf{At: start, Actor: "ann", Action: "state.delete", Object: "a"})
				return err
			},
		} {
			if err := db.Write(t.Context(), write); err != nil {
				t.Fatal(err)
			}
		}
		if report := verify(t, db, stateRows()); len(report.Problems) > 0 {
			t.Fatalf("untouched: %+v", report.Problems)
		}
		tamper(t, db, statement)
		got := ""
		for _, p := range verify(t, db, stateRows()).Problems {
			got += "leaf " + num(p.Leaf) + ": " + p.Name + ": " + p.Detail + "\n"
		}
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", statement, got, want)
		}
	}
}
