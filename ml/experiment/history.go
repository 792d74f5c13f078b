package experiment

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"slices"
)

// point is one value of a metric whose key is known.
type point struct {
	value    float64
	at, step int64
}

// Entries of a journal: the key's number, then the point. A chunk: points only, each as its difference from the one before,
// so that a point of a training loop takes about a dozen bytes.

// appendEntry adds a point of a key to a journal.
func appendEntry(data []byte, key int64, p point) []byte {
	data = binary.AppendUvarint(data, uint64(key)) //nolint:gosec // keys are positive
	return appendPoint(data, p, point{})
}

func appendPoint(data []byte, p, before point) []byte {
	data = binary.AppendVarint(data, p.step-before.step)
	data = binary.AppendVarint(data, p.at-before.at)
	return binary.LittleEndian.AppendUint64(data, math.Float64bits(p.value))
}

var errHistory = errors.New("the stored history of a metric is broken")

func readPoint(data []byte, before point) (p point, rest []byte, err error) {
	step, n := binary.Varint(data)
	if n <= 0 {
		return p, nil, errHistory
	}
	data = data[n:]
	at, n := binary.Varint(data)
	if n <= 0 || len(data) < n+8 {
		return p, nil, errHistory
	}
	data = data[n:]
	return point{math.Float64frombits(binary.LittleEndian.Uint64(data)), before.at + at, before.step + step}, data[8:], nil
}

// readJournal calls each for every entry.
func readJournal(data []byte, each func(key int64, p point)) error {
	for len(data) > 0 {
		key, n := binary.Uvarint(data)
		if n <= 0 {
			return errHistory
		}
		p, rest, err := readPoint(data[n:], point{})
		if err != nil {
			return err
		}
		each(int64(key), p) //nolint:gosec // as it was written
		data = rest
	}
	return nil
}

// appendChunk packs points.
func appendChunk(data []byte, points []point) []byte {
	var before point
	for _, p := range points {
		data = appendPoint(data, p, before)
		before = p
	}
	return data
}

// readChunk adds the points of a chunk.
func readChunk(data []byte, points []point) ([]point, error) {
	var before point
	for len(data) > 0 {
		p, rest, err := readPoint(data, before)
		if err != nil {
			return points, err
		}
		points = append(points, p)
		before, data = p, rest
	}
	return points, nil
}

// sortPoints orders points by time, step and value, and leaves out those that are there twice.
func sortPoints(points []point) []point {
	slices.SortStableFunc(points, func(a, b point) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.step, b.step), cmp.Compare(flat(a.value), flat(b.value)), nanLast(a.value, b.value))
	})
	return slices.CompactFunc(points, func(a, b point) bool {
		return a.at == b.at && a.step == b.step && (a.value == b.value || math.IsNaN(a.value) && math.IsNaN(b.value))
	})
}

func nanLast(a, b float64) int {
	rank := func(v float64) int {
		if math.IsNaN(v) {
			return 1
		}
		return 0
	}
	return rank(a) - rank(b)
}
