package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"gocloud.dev/blob"
)

// Writer writes one blob piece by piece, in constant memory. Nobody sees the blob before Commit has returned. Exactly one
// of Commit and Abort ends it; it is for one goroutine.
type Writer struct {
	store   *Store
	key     string
	w       *blob.Writer
	file    *os.File
	abandon context.CancelFunc
}

// Create begins a blob under key, which replaces what is there when it is committed. ctx must live until the end.
func (s *Store) Create(ctx context.Context, key string) (*Writer, error) {
	if err := checkKey(key); err != nil {
		return nil, fmt.Errorf("create blob: %w", err)
	}
	w := &Writer{store: s, key: key}
	ctx, w.abandon = context.WithCancel(ctx)
	var err error
	w.w, err = s.bucket.NewWriter(ctx, key, &blob.WriterOptions{
		ContentType: "application/octet-stream", // keeps the writer from collecting a sample first
		BeforeWrite: func(as func(any) bool) error {
			if !as(&w.file) {
				return errors.New("the driver writes to something that is no file")
			}
			return nil
		},
	})
	if err != nil {
		w.abandon()
		return nil, fmt.Errorf("create blob %s: %w", key, err)
	}
	return w, nil
}

// Write adds data.
func (w *Writer) Write(data []byte) (int, error) { return w.w.Write(data) }

// Commit makes the blob visible and durable. On an error nothing is left of it.
func (w *Writer) Commit() error {
	defer w.abandon()
	_, err := w.w.Write(nil) // opens the file of an empty blob
	if err == nil {
		err = w.file.Sync()
	}
	if err != nil {
		w.abandon() // makes Close remove the file
		return fmt.Errorf("write blob %s: %w", w.key, errors.Join(err, w.w.Close()))
	}
	if err := w.w.Close(); err != nil {
		return fmt.Errorf("write blob %s: %w", w.key, err)
	}
	if err := w.store.syncParents(w.key); err != nil {
		return fmt.Errorf("write blob %s: %w", w.key, err)
	}
	return nil
}

// Abort throws away what was written.
func (w *Writer) Abort() {
	w.abandon()
	_ = w.w.Close() // it says that it was abandoned
}

// Open reads length bytes of a blob from offset on; a negative length means to its end. ErrNotFound if no blob has the key.
func (s *Store) Open(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	if err := checkKey(key); err != nil {
		return nil, fmt.Errorf("open blob: %w", err)
	}
	r, err := s.bucket.NewRangeReader(ctx, key, offset, length, nil)
	if err != nil {
		return nil, fmt.Errorf("open blob %s: %w", key, classify(err))
	}
	return r, nil
}
