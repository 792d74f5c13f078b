// Package blob keeps files by key in a folder.
package blob

import (
	"context"
	"errors"
	"log/slog"
)

// ErrNotFound says that no blob has the key.
var ErrNotFound = errors.New("blob not found")

// Config says where the blobs live.
type Config struct {
	// Dir is the folder.
	Dir string
}

// Store keeps blobs. It is safe for concurrent use.
type Store struct{}

// Open opens or makes the store.
func Open(ctx context.Context, config Config, logger *slog.Logger) (*Store, error) {
	return nil, errors.New("not built yet")
}

// Close ends the store.
func (s *Store) Close() error { return nil }

// Put stores data under key, atomically, on disk when it returns.
func (s *Store) Put(ctx context.Context, key string, data []byte) error { return nil }

// Get returns the content of key; ErrNotFound if there is none.
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) { return nil, ErrNotFound }

// Delete removes key; ErrNotFound if there is none.
func (s *Store) Delete(ctx context.Context, key string) error { return ErrNotFound }

// List returns the keys with prefix, sorted.
func (s *Store) List(ctx context.Context, prefix string) ([]string, error) { return nil, nil }
