package approval

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/store"
)

// table is what the audit log attests of requests: all but how far their execution has come.
var table = audit.Table{Name: "approvals", What: "approval", Actions: []string{"approval."}, Columns: []string{"id", "state", "body"}}

// Check compares the stored requests with the audit log, in one run of audit.Verify.
func Check() audit.Check { return table.Check() }

// leaf is what the audit log gets of a change.
type leaf struct {
	at                    time.Time
	actor, action, reason string
}

// Filter selects requests; zero fields select everything.
type Filter struct {
	States []State
	Kind   string
	// Object and Requester select those with exactly that.
	Object, Requester string
	// Before is the cursor: only requests with a smaller number.
	Before int64
	Limit  int
}

// stored is the body of a row; what changes while a request is executed has columns of its own.
func stored(r *Request) (string, error) {
	c := *r
	c.State, c.Done, c.Cursor, c.Result, c.Version = "", 0, "", "", 0
	text, err := json.Marshal(&c)
	if err != nil {
		return "", fmt.Errorf("encode request %s: %w", r.ID, err)
	}
	return string(text), nil
}

// update stores how far a request has come.
func update(ctx context.Context, tx store.Tx, r *Request) error {
	_, err := tx.NewRaw("UPDATE approvals SET version = ?, done = ?, cursor = ?, result = ? WHERE id = ?", r.Version, r.Done, r.Cursor, r.Result, r.ID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store request %s: %w", r.ID, store.Classify(err))
	}
	return nil
}

// save stores a request with its audit leaf.
func save(ctx context.Context, tx store.Tx, r *Request, l leaf) error {
	body, err := stored(r)
	if err != nil {
		return err
	}
	_, err = tx.NewRaw(`INSERT INTO approvals (id, number, kind, object, requester, state, version, done, cursor, result, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state, version = excluded.version,
		done = excluded.done, cursor = excluded.cursor, result = excluded.result, body = excluded.body`,
		r.ID, r.Number, r.Kind, r.Object, r.Requester, string(r.State), r.Version, r.Done, r.Cursor, r.Result, body).Exec(ctx)
	if err != nil {
		return fmt.Errorf("store request %s: %w", r.ID, store.Classify(err))
	}
	row, err := table.Row(ctx, tx, r.ID)
	if err != nil {
		return err
	}
	_, err = audit.Append(ctx, tx, audit.Leaf{At: l.at, Actor: l.actor, Action: l.action, Object: r.ID, Reason: l.reason, Row: row})
	return err
}

func nextNumber(ctx context.Context, tx store.Tx) (int64, error) {
	var n int64
	if err := tx.NewRaw("SELECT coalesce(max(number), 0) + 1 FROM approvals").Scan(ctx, &n); err != nil {
		return 0, fmt.Errorf("number a request: %w", store.Classify(err))
	}
	return n, nil
}

const columns = "state, version, done, cursor, result, body"

type scanner interface{ Scan(into ...any) error }

func scan(row scanner) (Request, error) {
	var r Request
	var state, cursor, result, body string
	var version, done int64
	if err := row.Scan(&state, &version, &done, &cursor, &result, &body); err != nil {
		return r, err
	}
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		return r, fmt.Errorf("decode it: %w", err)
	}
	r.State, r.Version, r.Done, r.Cursor, r.Result = State(state), version, done, cursor, result
	return r, nil
}

func find(ctx context.Context, db store.Querier, id string) (Request, error) {
	r, err := scan(db.QueryRowContext(ctx, "SELECT "+columns+" FROM approvals WHERE id = ?", id))
	if err = store.Classify(err); errors.Is(err, store.ErrNotFound) {
		return r, fmt.Errorf("approval: %w", ErrNotFound)
	}
	if err != nil {
		return r, fmt.Errorf("read a request: %w", err)
	}
	return r, nil
}

func list(ctx context.Context, db store.Querier, f Filter) ([]Request, error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(condition string, value any) {
		where, args = append(where, condition), append(args, value)
	}
	if len(f.States) > 0 {
		add("state IN (?)", store.List(f.States))
	}
	if f.Kind != "" {
		add("kind = ?", f.Kind)
	}
	if f.Object != "" {
		add("object = ?", f.Object)
	}
	if f.Requester != "" {
		add("requester = ?", f.Requester)
	}
	if f.Before > 0 {
		add("number < ?", f.Before)
	}
	rows, err := db.QueryContext(ctx, "SELECT "+columns+" FROM approvals WHERE "+strings.Join(where, " AND ")+" ORDER BY number DESC LIMIT ?", append(args, f.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("list requests: %w", store.Classify(err))
	}
	defer rows.Close()
	requests := []Request{}
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("list requests: %w", err)
		}
		requests = append(requests, r)
	}
	return requests, rows.Err()
}

// Erase replaces a person's name in all requests, within tx, with audit leaves by actor.
func (b *Board) Erase(ctx context.Context, tx store.Tx, at time.Time, actor string, mask func(string) string) error {
	requests, err := list(ctx, tx, Filter{Limit: math.MaxInt32})
	if err != nil {
		return err
	}
	for i := range requests {
		before, err := stored(&requests[i])
		if err != nil {
			return err
		}
		r := &requests[i]
		r.Requester, r.Reason, r.Summary, r.Result = mask(r.Requester), mask(r.Reason), mask(r.Summary), mask(r.Result)
		for j := range r.Decisions {
			r.Decisions[j].By, r.Decisions[j].Reason = mask(r.Decisions[j].By), mask(r.Decisions[j].Reason)
		}
		after, err := stored(r)
		if err != nil {
			return err
		}
		if after == before {
			continue
		}
		if _, err := tx.NewRaw("UPDATE approvals SET requester = ? WHERE id = ?", r.Requester, r.ID).Exec(ctx); err != nil {
			return fmt.Errorf("store request %s: %w", r.ID, store.Classify(err))
		}
		if err := save(ctx, tx, r, leaf{at: at, actor: actor, action: "approval.erase"}); err != nil {
			return err
		}
	}
	return nil
}
