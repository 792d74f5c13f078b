package alert

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/fairlead/fairlead/base/store"
)

// Record is a stored decision record that was rewritten.
type Record struct {
	// ID is the alert's.
	ID    string
	seq   int64
	lines string
	// Chain is the hash over its lines, as Extend computes it.
	Chain [sha256.Size]byte
}

// RecordsOf returns the decision records in which mask changes something, as it changes them; name is what it looks for.
func RecordsOf(ctx context.Context, db store.Querier, name string, mask func(string) string) ([]Record, error) {
	rows, err := db.QueryContext(ctx, "SELECT seq, decision FROM alerts WHERE decision LIKE ? ESCAPE '!' ORDER BY seq", store.Contains(name))
	if err != nil {
		return nil, fmt.Errorf("find decision records: %w", store.Classify(err))
	}
	defer rows.Close()
	var records []Record
	for rows.Next() {
		var r Record
		if err := rows.Scan(&r.seq, &r.lines); err != nil {
			return nil, fmt.Errorf("find decision records: %w", err)
		}
		before := r.lines
		if r.lines = mask(before); r.lines == before {
			continue
		}
		lines, err := decodeLines(r.lines)
		if err != nil {
			return nil, fmt.Errorf("decision record of alert A%d: %w", r.seq, err)
		}
		for _, line := range lines {
			r.Chain = Extend(r.Chain, line)
		}
		r.ID = "A" + strconv.FormatInt(r.seq, 10)
		records = append(records, r)
	}
	return records, rows.Err()
}

// Rewrite stores records within tx and returns the entries of an audit leaf that attest them, as Save does.
func Rewrite(ctx context.Context, tx store.Tx, records []Record) (entries []byte, err error) {
	for _, r := range records {
		if _, err := store.Exec(ctx, tx, "UPDATE alerts SET decision = ?, chain = ? WHERE seq = ?", r.lines, hex.EncodeToString(r.Chain[:]), r.seq); err != nil {
			return nil, fmt.Errorf("rewrite the decision record of %s: %w", r.ID, err)
		}
		entries = append(append(append(entries, r.ID...), 0), r.Chain[:]...)
	}
	return entries, nil
}
