package artifact

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/fairlead/fairlead/base/blob"
)

// Content reads a file from any place on; it is what http.ServeContent takes. Close ends it.
type Content struct {
	ctx    context.Context //nolint:containedctx // a reader lives as long as the request that reads
	blobs  *blob.Store
	file   File
	at     int64
	reader io.ReadCloser
}

// Read reads on.
func (c *Content) Read(data []byte) (int, error) {
	if c.reader == nil {
		if c.at >= c.file.Size {
			return 0, io.EOF
		}
		var err error
		if c.reader, err = c.blobs.Open(c.ctx, c.file.blob, c.at, -1); err != nil {
			return 0, fmt.Errorf("read artifact %s: %w", c.file.Path, err)
		}
	}
	n, err := c.reader.Read(data)
	c.at += int64(n)
	return n, err
}

// Seek goes to another place.
func (c *Content) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += c.at
	case io.SeekEnd:
		offset += c.file.Size
	}
	if offset < 0 {
		return 0, errors.New("read artifact: a place before its begin")
	}
	if offset != c.at {
		if err := c.Close(); err != nil {
			return 0, err
		}
		c.at = offset
	}
	return offset, nil
}

// Close ends reading.
func (c *Content) Close() error {
	if c.reader == nil {
		return nil
	}
	err := c.reader.Close()
	c.reader = nil
	return err
}
