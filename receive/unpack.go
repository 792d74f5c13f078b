package receive

import (
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// zstdWindow is the largest window of a zstd body, in bytes: what its decoder holds.
const zstdWindow = 8 << 20

func (b *Bodies) readGzip(wire io.Reader, lease *lease, hint int64) ([]byte, error) {
	unzip, ok := b.unzip.Get().(*gzip.Reader)
	if !ok {
		unzip = new(gzip.Reader)
	}
	defer b.unzip.Put(unzip)
	if err := unzip.Reset(wire); err != nil {
		return nil, err
	}
	return readAll(unzip, lease, hint, b.limits.Body)
}

func (b *Bodies) readZstd(wire io.Reader, lease *lease, hint int64) ([]byte, error) {
	decoder, ok := b.unzstd.Get().(*zstd.Decoder)
	if !ok {
		var err error
		if decoder, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow)); err != nil {
			return nil, err
		}
	}
	defer func() {
		_ = decoder.Reset(nil) // lets go of the request
		b.unzstd.Put(decoder)
	}()
	if err := decoder.Reset(wire); err != nil {
		return nil, err
	}
	return readAll(decoder, lease, hint, b.limits.Body)
}

// readSnappy unpacks snappy's block format, in which remote write comes: it says at once how large it will be.
func (b *Bodies) readSnappy(wire io.Reader, lease *lease, hint int64) ([]byte, error) {
	packed, err := readAll(wire, lease, hint, b.limits.Compressed)
	if err != nil {
		if errors.Is(err, errBodyLimit) {
			err = errWireLimit
		}
		return nil, err
	}
	size, err := snappy.DecodedLen(packed)
	if err != nil {
		return nil, err
	}
	if int64(size) > b.limits.Body {
		return nil, errBodyLimit
	}
	if err := lease.grow(int64(size)); err != nil {
		return nil, err
	}
	return snappy.Decode(make([]byte, size), packed)
}
