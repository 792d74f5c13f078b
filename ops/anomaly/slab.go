package anomaly

import (
	"unsafe"

	"github.com/fairlead/fairlead/base/signal"
)

// chunkSize is how many series lie in one chunk of a slab: what is checkpointed at once.
const chunkSize = 256

// chunk is a row of series. Their memory is outside the garbage collector's, which would otherwise let the process grow to
// twice of it.
type chunk struct {
	series []Series
	ids    [chunkSize]signal.SeriesID // 0 for a free place
	used   int                        // places that were ever taken
	kin    [chunkSize]uint16          // the siblings of each, from 1; 0 while nobody asked
	mean   [chunkSize]uint32          // of which mean each is which part, from 1; 0 while nobody asked
	dirty  bool                       // changed since the last checkpoint
	// from is the position in the stream up to which the chunk already knows what came, after a restore.
	from uint64
}

// slab holds the states of a partition's series.
type slab struct {
	chunks []*chunk
	free   []uint32 // places that were taken and given back
}

// SeriesBytes is the memory of one series.
const SeriesBytes = int(unsafe.Sizeof(Series{}))

// take returns a place for a series that came first at a position of the stream.
func (s *slab) take(id signal.SeriesID, position uint64) uint32 {
	if n := len(s.free); n > 0 {
		place := s.free[n-1]
		s.free = s.free[:n-1]
		c := s.chunks[place/chunkSize]
		c.series[place%chunkSize] = Series{}
		c.ids[place%chunkSize], c.kin[place%chunkSize], c.mean[place%chunkSize] = id, 0, 0
		return place
	}
	if n := len(s.chunks); n == 0 || s.chunks[n-1].used == chunkSize {
		s.add(&chunk{series: newSeries(), from: position - 1})
	}
	last := len(s.chunks) - 1
	c := s.chunks[last]
	place := uint32(last*chunkSize + c.used) //nolint:gosec // far below 2^32
	c.ids[c.used] = id
	c.used++
	return place
}

func (s *slab) add(c *chunk) { s.chunks = append(s.chunks, c) }

// at returns the series of a place.
func (s *slab) at(place uint32) (*Series, *chunk) {
	c := s.chunks[place/chunkSize]
	return &c.series[place%chunkSize], c
}

// holds says whether a place is that of a series.
func (s *slab) holds(place uint32, id signal.SeriesID) bool {
	n := int(place / chunkSize)
	return n < len(s.chunks) && s.chunks[n].ids[place%chunkSize] == id
}

// give gives a place back.
func (s *slab) give(place uint32) {
	s.chunks[place/chunkSize].ids[place%chunkSize] = 0
	s.free = append(s.free, place)
}

// close gives the memory back.
func (s *slab) close() {
	for _, c := range s.chunks {
		releaseSeries(c.series)
	}
	s.chunks, s.free = nil, nil
}
