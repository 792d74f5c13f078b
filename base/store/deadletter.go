package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/uptrace/bun"
)

// Bounds of the dead letters.
const (
	// MaxDeadLetters is how many are kept; the oldest go first.
	MaxDeadLetters = 10_000
	// MaxPayload is how many bytes of a payload are kept.
	MaxPayload = 64 << 10
	// maxReason is how many bytes of a reason are kept.
	maxReason = 4 << 10
)

// DeadLetter is something that was offered or accepted and could not be used.
type DeadLetter struct {
	// ID is given by the caller; unique.
	ID string
	// At is when it was put here, UTC, kept to the millisecond.
	At time.Time
	// Receiver names the integration it came through.
	Receiver string
	// Reason says why, for a person.
	Reason string
	// Payload is the raw content, cut at MaxPayload bytes.
	Payload []byte
	// Truncated says that Payload was cut; such a letter cannot be replayed.
	Truncated bool
	// ReplayedAt is when it was last replayed, UTC; zero if never.
	ReplayedAt time.Time
}

// AddDeadLetter keeps letter and drops the oldest beyond MaxDeadLetters. It returns ErrConflict if the ID is known.
func AddDeadLetter(ctx context.Context, tx bun.IDB, letter DeadLetter) error {
	if len(letter.Payload) > MaxPayload {
		letter.Payload, letter.Truncated = letter.Payload[:MaxPayload], true
	}
	if letter.Payload == nil {
		letter.Payload = []byte{}
	}
	if len(letter.Reason) > maxReason {
		letter.Reason = letter.Reason[:maxReason]
	}
	var number int64
	err := tx.NewRaw("SELECT coalesce(max(number), 0) + 1 FROM dead_letters").Scan(ctx, &number)
	if err == nil {
		_, err = tx.NewRaw(`INSERT INTO dead_letters (number, id, at, receiver, reason, payload, truncated, replayed_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, number, letter.ID, Millis(letter.At), letter.Receiver, letter.Reason,
			letter.Payload, letter.Truncated, Millis(letter.ReplayedAt)).Exec(ctx)
	}
	if err == nil {
		// Numbers have no gaps but at the old end.
		_, err = tx.NewRaw("DELETE FROM dead_letters WHERE number <= ?", number-MaxDeadLetters).Exec(ctx)
	}
	if err != nil {
		return fmt.Errorf("keep dead letter %s: %w", letter.ID, Classify(err))
	}
	return nil
}

// deadLetterRow is a row of dead_letters.
type deadLetterRow struct {
	Number     int64
	ID         string
	At         int64
	Receiver   string
	Reason     string
	Payload    []byte
	Truncated  bool
	ReplayedAt int64
}

func (r deadLetterRow) letter() DeadLetter {
	return DeadLetter{
		ID: r.ID, At: Time(r.At), Receiver: r.Receiver, Reason: r.Reason, Payload: r.Payload, Truncated: r.Truncated,
		ReplayedAt: Time(r.ReplayedAt),
	}
}

// DeadLetters lists limit of them, newest first. Cursor is "" for the first page and then the next of the page before,
// which is "" at the end. A cursor that is not one is ErrConflict.
func DeadLetters(ctx context.Context, db bun.IDB, cursor string, limit int) (letters []DeadLetter, next string, err error) {
	before := int64(1<<63 - 1)
	if cursor != "" {
		if before, err = strconv.ParseInt(cursor, 10, 64); err != nil {
			return nil, "", fmt.Errorf("cursor %q: %w: %w", cursor, ErrConflict, err)
		}
	}
	var rows []deadLetterRow
	err = db.NewRaw(`SELECT number, id, at, receiver, reason, payload, truncated, replayed_at FROM dead_letters
		WHERE number < ? ORDER BY number DESC LIMIT ?`, before, limit+1).Scan(ctx, &rows)
	if err != nil {
		return nil, "", fmt.Errorf("list dead letters: %w", Classify(err))
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = strconv.FormatInt(rows[limit-1].Number, 10)
	}
	for _, row := range rows {
		letters = append(letters, row.letter())
	}
	return letters, next, nil
}

// FindDeadLetter returns one; ErrNotFound if there is none.
func FindDeadLetter(ctx context.Context, db bun.IDB, id string) (DeadLetter, error) {
	var row deadLetterRow
	err := db.NewRaw(`SELECT number, id, at, receiver, reason, payload, truncated, replayed_at FROM dead_letters
		WHERE id = ?`, id).Scan(ctx, &row)
	if err != nil {
		return DeadLetter{}, fmt.Errorf("find dead letter %s: %w", id, Classify(err))
	}
	return row.letter(), nil
}

// MarkReplayed records that the dead letter was replayed; ErrNotFound if there is none.
func MarkReplayed(ctx context.Context, tx bun.IDB, id string, at time.Time) error {
	result, err := tx.NewRaw("UPDATE dead_letters SET replayed_at = ? WHERE id = ?", Millis(at), id).Exec(ctx)
	if err != nil {
		return fmt.Errorf("mark dead letter %s: %w", id, Classify(err))
	}
	if changed, err := result.RowsAffected(); err != nil || changed == 0 {
		return fmt.Errorf("mark dead letter %s: %w", id, ErrNotFound)
	}
	return nil
}

// CountDeadLetters returns how many are kept.
func CountDeadLetters(ctx context.Context, db bun.IDB) (int, error) {
	var count int
	if err := db.NewRaw("SELECT count(*) FROM dead_letters").Scan(ctx, &count); err != nil {
		return 0, fmt.Errorf("count dead letters: %w", Classify(err))
	}
	return count, nil
}
