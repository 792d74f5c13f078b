package anomaly

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unsafe"

	"github.com/fairlead/fairlead/base/signal"
)

// Blobs keeps checkpoints.
type Blobs interface {
	Put(ctx context.Context, key string, data []byte) error
	Get(ctx context.Context, key string) ([]byte, error)
	List(ctx context.Context, prefix string) ([]string, error)
}

// stateVersion is the form of a Series' memory. What another version wrote is not read: the series warms up again.
const stateVersion = 2

// headBytes is the head of a checkpoint: version, size of a series, position, places in use.
const headBytes = 4 + 4 + 8 + 8

// encode returns the checkpoint of a chunk that knows what came up to a position.
func (c *chunk) encode(position uint64) []byte {
	data := make([]byte, 0, headBytes+c.used*(8+SeriesBytes))
	data = binary.LittleEndian.AppendUint32(data, stateVersion)
	data = binary.LittleEndian.AppendUint32(data, uint32(SeriesBytes))
	data = binary.LittleEndian.AppendUint64(data, position)
	data = binary.LittleEndian.AppendUint64(data, uint64(c.used)) //nolint:gosec // not negative
	for _, id := range c.ids[:c.used] {
		data = binary.LittleEndian.AppendUint64(data, uint64(id))
	}
	return append(data, bytesOf(c.series[:c.used])...)
}

// bytesOf returns the memory of series.
func bytesOf(series []Series) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(series))), len(series)*SeriesBytes)
}

// errState says that a checkpoint cannot be read by this version.
var errState = errors.New("a checkpoint of another version, or damaged")

// decodeChunk reads a checkpoint.
func decodeChunk(data []byte) (*chunk, error) {
	if len(data) < headBytes || binary.LittleEndian.Uint32(data) != stateVersion || binary.LittleEndian.Uint32(data[4:]) != uint32(SeriesBytes) {
		return nil, errState
	}
	position, used := binary.LittleEndian.Uint64(data[8:]), binary.LittleEndian.Uint64(data[16:])
	data = data[headBytes:]
	if used > chunkSize || len(data) != int(used)*(8+SeriesBytes) { //nolint:gosec // bounded
		return nil, errState
	}
	c := &chunk{series: newSeries(), used: int(used), from: position} //nolint:gosec // bounded
	for i := range c.used {
		c.ids[i] = signal.SeriesID(binary.LittleEndian.Uint64(data[8*i:]))
	}
	copy(bytesOf(c.series[:c.used]), data[8*c.used:])
	return c, nil
}

// Checkpoint writes a part of the states, so that all are written within rounds calls. It returns the position from which
// the stream has to be read again after a restart: all before is in the checkpoints.
func (w *Watch) Checkpoint(ctx context.Context, blobs Blobs, prefix string, position uint64, rounds int) (uint64, error) {
	w.dropMeans()
	count := (len(w.slab.chunks) + rounds - 1) / max(rounds, 1)
	for range min(count, len(w.slab.chunks)) {
		w.next %= len(w.slab.chunks)
		c := w.slab.chunks[w.next]
		w.forget(w.next)
		if c.dirty {
			key := prefix + "/" + fmt.Sprintf("%06d", w.next)
			if err := blobs.Put(ctx, key, c.encode(position)); err != nil {
				return 0, fmt.Errorf("checkpoint series: %w", err)
			}
			c.dirty = false
		}
		c.from = position
		w.next++
	}
	if len(w.slab.chunks) > 0 && w.next == len(w.slab.chunks) {
		if err := blobs.Put(ctx, prefix+"/"+commonKey, w.common()); err != nil {
			return 0, fmt.Errorf("checkpoint series: %w", err)
		}
	}
	oldest := position
	for _, c := range w.slab.chunks {
		if c.dirty {
			oldest = min(oldest, c.from)
		}
	}
	if err := blobs.Put(ctx, prefix+"/"+positionKey, strconv.AppendUint(nil, oldest, 10)); err != nil {
		return 0, fmt.Errorf("checkpoint series: %w", err)
	}
	return oldest, nil
}

// positionKey is the blob with the position from which the stream has to be read.
const positionKey = "position"

// commonKey is the blob with what the series have in common.
const commonKey = "common"

const siblingBytes = int(unsafe.Sizeof(Siblings{}))

// common returns what the series have in common: how often they stop, and what infants are judged by.
func (w *Watch) common() []byte {
	data := binary.LittleEndian.AppendUint32(nil, stateVersion)
	data = binary.LittleEndian.AppendUint32(data, uint32(siblingBytes))
	for _, f := range [...]float64{w.stops.Count, w.stops.Weeks} {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(f))
	}
	for name, place := range w.kin {
		data = binary.LittleEndian.AppendUint16(data, uint16(min(len(name), math.MaxUint16))) //nolint:gosec // bounded
		data = append(data, name[:min(len(name), math.MaxUint16)]...)
		data = append(data, unsafe.Slice((*byte)(unsafe.Pointer(w.siblings[place-1])), siblingBytes)...)
	}
	return data
}

// readCommon reads what common returned. What another version wrote, or is damaged, is learned again.
func (w *Watch) readCommon(data []byte) {
	if len(data) < 24 || binary.LittleEndian.Uint32(data) != stateVersion || binary.LittleEndian.Uint32(data[4:]) != uint32(siblingBytes) {
		return
	}
	w.stops.Count, w.stops.Weeks = math.Float64frombits(binary.LittleEndian.Uint64(data[8:])), math.Float64frombits(binary.LittleEndian.Uint64(data[16:]))
	for data = data[24:]; len(data) >= 2 && len(w.siblings) < maxKin; {
		size := int(binary.LittleEndian.Uint16(data))
		if len(data) < 2+size+siblingBytes {
			return
		}
		siblings := &Siblings{}
		copy(unsafe.Slice((*byte)(unsafe.Pointer(siblings)), siblingBytes), data[2+size:])
		w.siblings = append(w.siblings, siblings)
		w.kin[string(data[2:2+size])] = uint16(len(w.siblings)) //nolint:gosec // at most maxKin
		data = data[2+size+siblingBytes:]
	}
}

// forget gives back the places of a chunk whose series have ended long ago.
func (w *Watch) forget(number int) {
	c := w.slab.chunks[number]
	for i := range c.used {
		if c.ids[i] != 0 && c.series[i].at < w.newest-w.config.Forget.Milliseconds() {
			delete(w.index, c.ids[i])
			w.slab.give(uint32(number*chunkSize + i)) //nolint:gosec // far below 2^32
			c.dirty = true
		}
	}
}

// Restore reads the checkpoints below prefix. It returns the position behind which the stream has to be read, 0 if there are
// none, and how many checkpoints could not be read, whose series warm up again.
func (w *Watch) Restore(ctx context.Context, blobs Blobs, prefix string) (position uint64, unread int, err error) {
	keys, err := blobs.List(ctx, prefix+"/")
	if err != nil {
		return 0, 0, fmt.Errorf("restore series: %w", err)
	}
	for _, key := range keys {
		data, err := blobs.Get(ctx, key)
		if err != nil {
			return 0, 0, fmt.Errorf("restore series: %w", err)
		}
		name := key[len(prefix)+1:]
		if name == positionKey {
			if position, err = strconv.ParseUint(string(data), 10, 64); err != nil {
				return 0, 0, fmt.Errorf("restore series: the position %q: %w", data, err)
			}
			continue
		}
		if name == commonKey {
			w.readCommon(data)
			continue
		}
		number, err := strconv.Atoi(name)
		if err != nil {
			continue // not ours
		}
		c, err := decodeChunk(data)
		if err != nil {
			unread++
			continue
		}
		for len(w.slab.chunks) <= number {
			w.slab.add(nil)
		}
		w.slab.chunks[number] = c
	}
	w.fill()
	return position, unread, nil
}

// fill builds the index over restored chunks.
func (w *Watch) fill() {
	for number, c := range w.slab.chunks {
		if c == nil {
			c = &chunk{series: newSeries(), used: chunkSize}
			w.slab.chunks[number] = c
		}
		for i := range c.used {
			place := uint32(number*chunkSize + i) //nolint:gosec // far below 2^32
			if c.ids[i] == 0 {
				w.slab.free = append(w.slab.free, place)
				continue
			}
			w.index[c.ids[i]] = place
			w.newest = max(w.newest, c.series[i].at)
		}
	}
}
