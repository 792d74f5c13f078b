package store

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/uptrace/bun"
)

// Position is where a consumer stands in its stream.
type Position struct {
	// Sequence is the last message whose effects are stored; 0 means none.
	Sequence uint64
	// Epoch is the reign of the consumer that wrote it; a higher one fences out all lower ones.
	Epoch uint64
}

// LoadPosition returns where consumer stands; the zero Position if it never stored one.
func LoadPosition(ctx context.Context, db bun.IDB, consumer string) (Position, error) {
	var sequence, epoch int64
	err := Classify(db.NewRaw("SELECT sequence, epoch FROM positions WHERE consumer = ?", consumer).Scan(ctx, &sequence, &epoch))
	if errors.Is(err, ErrNotFound) {
		return Position{}, nil
	}
	if err != nil {
		return Position{}, fmt.Errorf("load the position of %s: %w", consumer, err)
	}
	return Position{Sequence: uint64(sequence), Epoch: uint64(epoch)}, nil
}

// SavePosition stores where consumer stands, within the transaction of the effects. It returns ErrFenced if the stored
// epoch is newer: another process has taken over, and the effects must not be stored.
func SavePosition(ctx context.Context, tx bun.IDB, consumer string, position Position) error {
	result, err := tx.NewRaw(`INSERT INTO positions (consumer, sequence, epoch) VALUES (?, ?, ?)
		ON CONFLICT (consumer) DO UPDATE SET sequence = excluded.sequence, epoch = excluded.epoch
		WHERE positions.epoch <= excluded.epoch`,
		consumer, int64(position.Sequence), int64(position.Epoch)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("save the position of %s: %w", consumer, Classify(err))
	}
	changed, err := result.RowsAffected()
	if err != nil {
		return fmt.Errorf("save the position of %s: %w", consumer, err)
	}
	if changed == 0 {
		return fmt.Errorf("save the position of %s in epoch %d: %w", consumer, position.Epoch, ErrFenced)
	}
	return nil
}

// TakeOver begins a new epoch of consumer and returns where to go on: the stored sequence in an epoch that no other process
// has. Call it within a Write before consuming.
func TakeOver(ctx context.Context, tx bun.IDB, consumer string) (Position, error) {
	position, err := LoadPosition(ctx, tx, consumer)
	if err != nil {
		return Position{}, err
	}
	position.Epoch++
	return position, SavePosition(ctx, tx, consumer, position)
}

// LoadState returns the value of key; ErrNotFound if there is none.
func LoadState(ctx context.Context, db bun.IDB, key string) ([]byte, error) {
	var value []byte
	if err := db.NewRaw("SELECT value FROM state WHERE name = ?", key).Scan(ctx, &value); err != nil {
		return nil, fmt.Errorf("load state %s: %w", key, Classify(err))
	}
	return value, nil
}

// SaveState stores value under key, replacing what was there.
func SaveState(ctx context.Context, tx bun.IDB, key string, value []byte) error {
	if value == nil {
		value = []byte{}
	}
	const query = "INSERT INTO state (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
	var err error
	if bound, ok := tx.(bun.Tx); ok {
		_, err = Exec(ctx, bound, query, key, value) // bun would write a large value into the text, in hexadecimal
	} else {
		_, err = tx.NewRaw(query, key, value).Exec(ctx)
	}
	if err != nil {
		return fmt.Errorf("save state %s: %w", key, Classify(err))
	}
	return nil
}

// ListState returns the values of all keys that begin with prefix, by key.
func ListState(ctx context.Context, db bun.IDB, prefix string) (map[string][]byte, error) {
	var rows []struct {
		Name  string
		Value []byte
	}
	if err := db.NewRaw("SELECT name, value FROM state WHERE substr(name, 1, ?) = ?", utf8.RuneCountInString(prefix), prefix).Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("list state %s: %w", prefix, Classify(err))
	}
	values := make(map[string][]byte, len(rows))
	for _, row := range rows {
		values[row.Name] = row.Value
	}
	return values, nil
}

// DeleteState removes a key; one that is not there stays away.
func DeleteState(ctx context.Context, tx bun.IDB, key string) error {
	if _, err := tx.NewRaw("DELETE FROM state WHERE name = ?", key).Exec(ctx); err != nil {
		return fmt.Errorf("delete state %s: %w", key, Classify(err))
	}
	return nil
}
