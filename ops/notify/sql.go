package notify

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/store"
)

const deliveryColumns = `number, key, at, grp, sequence, receiver, integration, incident, why, alerts, state, attempts, reason, tried_at, next_at, body`

// order is a delivery to be stored, with what the integration will have been told then.
type order struct {
	delivery Delivery
	entry    *entry // after it
	incident uint64 // of the entry: 0 for an alert group
	silent   bool   // only the entry changes: the integration does not want to be told of ends
	fresh    []uint64
}

// saveOrders stores deliveries and entries within tx, and numbers the deliveries.
func saveOrders(ctx context.Context, tx store.Tx, orders []*order) error {
	var last sql.NullInt64
	if err := tx.QueryRowContext(ctx, "SELECT max(number) FROM deliveries").Scan(&last); err != nil {
		return fmt.Errorf("number the deliveries: %w", err)
	}
	next := uint64(last.Int64) + 1 //nolint:gosec // never negative
	for _, o := range orders {
		if !o.silent {
			o.delivery.Number = next
			next++
			if err := saveDelivery(ctx, tx, &o.delivery, o.fresh); err != nil {
				return err
			}
		}
		if err := saveEntry(ctx, tx, &o.delivery, o.incident, o.entry); err != nil {
			return err
		}
	}
	return nil
}

func saveDelivery(ctx context.Context, tx store.Tx, d *Delivery, fresh []uint64) error {
	text, err := json.Marshal(&d.body)
	if err != nil {
		return fmt.Errorf("encode delivery %s: %w", d.Key, err)
	}
	n := int64(d.Number) //nolint:gosec // numbers far below 2^63
	_, err = store.Exec(ctx, tx, "INSERT INTO deliveries ("+deliveryColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		n, d.Key, store.Millis(d.At), d.Group, int64(d.Sequence), d.Receiver, d.Integration, int64(d.Incident), string(d.Why), d.Alerts, //nolint:gosec // as above
		string(d.State), d.Attempts, d.Reason, store.Millis(d.TriedAt), store.Millis(d.NextAt), string(text))
	if err != nil {
		return fmt.Errorf("store delivery %s: %w", d.Key, err)
	}
	rows := make([][]any, len(fresh))
	for i, seq := range fresh {
		rows[i] = []any{int64(seq), n} //nolint:gosec // as above
	}
	return store.Insert(ctx, tx, "delivery_alerts", []string{"alert", "delivery"}, "ON CONFLICT DO NOTHING", rows)
}

const upsertEntry = `INSERT INTO notify_log (grp, receiver, integration, incident, sequence, told_at, firing, resolved, pending, muted, memory)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (grp, receiver, integration) DO UPDATE SET sequence = excluded.sequence, told_at = excluded.told_at,
	firing = excluded.firing, resolved = excluded.resolved, pending = excluded.pending, muted = excluded.muted, memory = excluded.memory`

func saveEntry(ctx context.Context, tx store.Tx, d *Delivery, incident uint64, e *entry) error {
	memory, err := json.Marshal(e.memory)
	if err != nil {
		return fmt.Errorf("encode what %s remembers: %w", e.integration, err)
	}
	_, err = store.Exec(ctx, tx, upsertEntry, d.Group, d.Receiver, e.integration, int64(incident), int64(e.sequence), store.Millis(e.toldAt), //nolint:gosec // as above
		e.firing.String(), e.resolved.String(), flag(e.pending), e.muted, string(memory))
	if err != nil {
		return fmt.Errorf("store what %s was told of %s: %w", d.Receiver, d.Group, err)
	}
	return nil
}

// loadEntries returns what a receiver's integrations were told of a group, by integration.
func loadEntries(ctx context.Context, db store.Querier, group, receiver string) (map[string]*entry, error) {
	rows, err := db.QueryContext(ctx, `SELECT integration, sequence, told_at, firing, resolved, pending, muted, memory
		FROM notify_log WHERE grp = ? AND receiver = ?`, group, receiver)
	if err != nil {
		return nil, fmt.Errorf("load what %s was told: %w", receiver, err)
	}
	defer rows.Close()
	entries := map[string]*entry{}
	for rows.Next() {
		e := &entry{}
		var toldAt int64
		var pending int
		var firing, resolved, memory string
		if err := rows.Scan(&e.integration, &e.sequence, &toldAt, &firing, &resolved, &pending, &e.muted, &memory); err != nil {
			return nil, fmt.Errorf("load what %s was told: %w", receiver, err)
		}
		e.toldAt, e.pending = store.Time(toldAt), pending != 0
		e.firing, e.resolved = parsePrints(firing), parsePrints(resolved)
		if err := json.Unmarshal([]byte(memory), &e.memory); err != nil {
			return nil, fmt.Errorf("load what %s remembers: %w", e.integration, err)
		}
		entries[e.integration] = e
	}
	return entries, rows.Err()
}

// leftover names what was told of an incident, or of one merged into it, and not yet ended.
type leftover struct {
	group, receiver string
	incident        uint64
}

func loadLeftovers(ctx context.Context, db store.Querier, root uint64) ([]leftover, error) {
	rows, err := db.QueryContext(ctx, `SELECT DISTINCT grp, receiver, incident FROM notify_log
		WHERE firing <> '' AND incident IN (SELECT number FROM incidents WHERE root = ?)`, int64(root)) //nolint:gosec // as above
	if err != nil {
		return nil, fmt.Errorf("load what was told: %w", err)
	}
	defer rows.Close()
	var found []leftover
	for rows.Next() {
		var l leftover
		if err := rows.Scan(&l.group, &l.receiver, &l.incident); err != nil {
			return nil, fmt.Errorf("load what was told: %w", err)
		}
		found = append(found, l)
	}
	return found, rows.Err()
}

// loadParts returns the numbers of the incidents that were merged into one.
func loadParts(ctx context.Context, db store.Querier, root uint64) ([]uint64, error) {
	return loadNumbers(ctx, db, "SELECT number FROM incidents WHERE root = ? AND number <> ?", int64(root), int64(root)) //nolint:gosec // as above
}

// loadRoots returns the numbers of the incidents that may have to be told of: those that are current, with forming also those
// that are not shown yet, and those that ended after the oldest notification whose end was not told.
func loadRoots(ctx context.Context, db store.Querier, forming bool) ([]uint64, error) {
	states := "'open', 'acknowledged'"
	if forming {
		states += ", 'forming'"
	}
	return loadNumbers(ctx, db, `SELECT number FROM incidents WHERE merged_into = 0 AND (state IN (`+states+`)
		OR ended_at >= (SELECT min(told_at) FROM notify_log WHERE firing <> ''))
		UNION SELECT root FROM incidents WHERE number IN (SELECT incident FROM notify_log WHERE firing <> '' AND incident <> 0)`)
}

func loadNumbers(ctx context.Context, db store.Querier, query string, args ...any) ([]uint64, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list incidents to tell of: %w", err)
	}
	defer rows.Close()
	var numbers []uint64
	for rows.Next() {
		var n uint64
		if err := rows.Scan(&n); err != nil {
			return nil, fmt.Errorf("list incidents to tell of: %w", err)
		}
		numbers = append(numbers, n)
	}
	return numbers, rows.Err()
}

// loadDue returns the pending deliveries of an integration that are due at a time, oldest first, leaving out those in
// hand, and when the next one is due; zero when none is.
func loadDue(ctx context.Context, db store.Querier, receiver, integration string, now time.Time, limit int, inHand []uint64) ([]*Delivery, time.Time, error) {
	where, args := "receiver = ? AND integration = ? AND state = 'pending'", []any{receiver, integration}
	if len(inHand) > 0 {
		where += " AND number NOT IN (?)"
		args = append(args, store.List(inHand))
	}
	due, err := loadDeliveries(ctx, db, where+" AND next_at <= ? ORDER BY next_at, number LIMIT ?", append(slices.Clip(args), store.Millis(now), limit)...)
	if err != nil {
		return nil, time.Time{}, err
	}
	var next sql.NullInt64
	if err := db.QueryRowContext(ctx, "SELECT min(next_at) FROM deliveries WHERE "+where+" AND next_at > ?", append(args, store.Millis(now))...).Scan(&next); err != nil {
		return nil, time.Time{}, fmt.Errorf("ask for the next delivery: %w", err)
	}
	return due, store.Time(next.Int64), nil
}

func loadDeliveries(ctx context.Context, db store.Querier, where string, args ...any) ([]*Delivery, error) {
	rows, err := db.QueryContext(ctx, "SELECT "+deliveryColumns+" FROM deliveries WHERE "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("load deliveries: %w", err)
	}
	defer rows.Close()
	var found []*Delivery
	for rows.Next() {
		d := &Delivery{}
		var at, triedAt, nextAt int64
		var text string
		if err := rows.Scan(&d.Number, &d.Key, &at, &d.Group, &d.Sequence, &d.Receiver, &d.Integration, &d.Incident, &d.Why, &d.Alerts,
			&d.State, &d.Attempts, &d.Reason, &triedAt, &nextAt, &text); err != nil {
			return nil, fmt.Errorf("read delivery: %w", err)
		}
		d.At, d.TriedAt, d.NextAt = store.Time(at), store.Time(triedAt), store.Time(nextAt)
		if err := json.Unmarshal([]byte(text), &d.body); err != nil {
			return nil, fmt.Errorf("read delivery %d: %w", d.Number, err)
		}
		found = append(found, d)
	}
	return found, rows.Err()
}

// saveAttempt stores how an attempt ended. When the delivery has ended with it, the group's entry is no longer pending; when
// it failed and restore is set, it is again what it was before.
func saveAttempt(ctx context.Context, tx store.Tx, d *Delivery, memory map[string]string, restore bool) error {
	_, err := store.Exec(ctx, tx, "UPDATE deliveries SET state = ?, attempts = ?, reason = ?, tried_at = ?, next_at = ? WHERE number = ? AND state = 'pending'",
		string(d.State), d.Attempts, d.Reason, store.Millis(d.TriedAt), store.Millis(d.NextAt), int64(d.Number)) //nolint:gosec // as above
	if err != nil {
		return fmt.Errorf("store the attempt of delivery %s: %w", d.Key, err)
	}
	set, args := "pending = 0", []any{}
	switch {
	case d.State == Pending:
		return nil
	case restore:
		set, args = set+", firing = ?, resolved = ?", append(args, d.body.Firing, d.body.Resolved)
	case d.State == Sent && len(memory) > 0:
		text, err := json.Marshal(memory)
		if err != nil {
			return fmt.Errorf("encode what %s remembers: %w", d.Integration, err)
		}
		set, args = set+", memory = ?", append(args, string(text))
	}
	_, err = store.Exec(ctx, tx, "UPDATE notify_log SET "+set+" WHERE grp = ? AND receiver = ? AND integration = ? AND sequence = ?",
		append(args, d.Group, d.Receiver, d.Integration, int64(d.Sequence))...) //nolint:gosec // as above
	if err != nil {
		return fmt.Errorf("store the end of delivery %s: %w", d.Key, err)
	}
	return nil
}

// Filter selects stored deliveries. Zero fields select everything.
type Filter struct {
	State    State
	Receiver string
	Incident uint64
	// Before is the cursor: only deliveries with a smaller number.
	Before uint64
	Limit  int
}

// List returns stored deliveries, newest first.
func List(ctx context.Context, db store.Querier, f Filter) ([]*Delivery, error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	if f.State != "" {
		add("state = ?", string(f.State))
	}
	if f.Receiver != "" {
		add("receiver = ?", f.Receiver)
	}
	if f.Incident != 0 {
		n := int64(f.Incident) //nolint:gosec // as above
		add(`(incident = ? OR number IN (SELECT x.delivery FROM delivery_alerts x JOIN alerts a ON a.seq = x.alert JOIN incidents i ON i.number = a.incident WHERE i.root = ?))`, n, n)
	}
	if f.Before != 0 {
		add("number < ?", int64(f.Before)) //nolint:gosec // as above
	}
	return loadDeliveries(ctx, db, strings.Join(where, " AND ")+" ORDER BY number DESC LIMIT ?", append(args, f.Limit)...)
}

// OfAlert returns the deliveries that were the first to say that an alert fires or has ended, oldest first; at most 100.
func OfAlert(ctx context.Context, db store.Querier, seq uint64) ([]*Delivery, error) {
	return loadDeliveries(ctx, db, "number IN (SELECT delivery FROM delivery_alerts WHERE alert = ?) ORDER BY number LIMIT 100", int64(seq)) //nolint:gosec // as above
}

// Waiting returns how many deliveries wait, and when the oldest of them was decided; zero without one.
func Waiting(ctx context.Context, db store.Querier) (n int, oldest time.Time, err error) {
	var at sql.NullInt64
	if err := db.QueryRowContext(ctx, "SELECT count(*), min(at) FROM deliveries WHERE state = 'pending'").Scan(&n, &at); err != nil {
		return 0, time.Time{}, fmt.Errorf("count the deliveries that wait: %w", store.Classify(err))
	}
	if n > 0 {
		oldest = store.Time(at.Int64)
	}
	return n, oldest, nil
}

// prune removes what ended before a time.
func prune(ctx context.Context, tx store.Tx, before time.Time) error {
	for _, query := range []string{
		"DELETE FROM delivery_alerts WHERE delivery IN (SELECT number FROM deliveries WHERE at < ? AND state <> 'pending')",
		"DELETE FROM deliveries WHERE at < ? AND state <> 'pending'",
		"DELETE FROM notify_log WHERE told_at < ? AND firing = '' AND pending = 0",
	} {
		if _, err := store.Exec(ctx, tx, query, store.Millis(before)); err != nil {
			return fmt.Errorf("remove old deliveries: %w", err)
		}
	}
	return nil
}

// abandon marks the pending deliveries of an integration that is gone.
func abandon(ctx context.Context, tx store.Tx, d *Delivery, now time.Time) error {
	d.State, d.TriedAt, d.NextAt = Failed, now, time.Time{}
	d.Reason = d.Receiver + " " + d.Integration + ": " + ErrGone.Error() + "."
	return saveAttempt(ctx, tx, d, nil, true)
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// ID returns the delivery's id: "N" and its number.
func (d *Delivery) ID() string { return "N" + strconv.FormatUint(d.Number, 10) }
