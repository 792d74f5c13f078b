package signal

import (
	"fmt"
	"math"

	"github.com/cespare/xxhash/v2"
)

// SampleType says how the values of a series are to be read.
type SampleType uint8

// The types. What a sender does not say is Untyped.
const (
	Untyped SampleType = iota
	// Gauge values stand for themselves.
	Gauge
	// Counter values only grow, and begin again after a restart; so do those of the parts of histograms and summaries.
	Counter
	// Delta values are what was added since the one before.
	Delta
	sampleTypes
)

var sampleTypeNames = [...]string{"unknown", "gauge", "counter", "delta"}

// String returns unknown, gauge, counter or delta.
func (t SampleType) String() string { return sampleTypeNames[min(int(t), len(sampleTypeNames)-1)] }

// Family says what a series is a part of, in Prometheus' words: counter, gauge, histogram, summary, info; "" if unknown.
type Family string

// Series is one series with its newest samples, as a sender sent them.
type Series struct {
	// Labels name it, __name__ among them; never empty.
	Labels Labels
	Type   SampleType
	// Family, Unit and Help describe the metric; "" if the sender does not say.
	Family Family
	Unit   string
	Help   string
	// Samples and Histograms are oldest first as far as the sender keeps to it. With none of them the series only describes its
	// metric.
	Samples    []Sample
	Histograms []HistogramSample
	Exemplars  []Exemplar
}

// Sample is a value at a time.
type Sample struct {
	// At is in milliseconds since 1970, UTC.
	At    int64
	Value float64
}

// staleBits are those of the NaN by which Prometheus says that a series has ended.
const staleBits = 0x7ff0000000000002

// Stale returns the value by which Prometheus says that a series has ended.
func Stale() float64 { return math.Float64frombits(staleBits) }

// IsStale says whether the sample ends its series.
func (s Sample) IsStale() bool { return IsStaleValue(s.Value) }

// IsStaleValue says whether a value, or the sum of a histogram, is that by which a series ends.
func IsStaleValue(value float64) bool { return math.Float64bits(value) == staleBits }

// HistogramSample is a native (exponential) histogram at a time, with counts as floating-point numbers.
type HistogramSample struct {
	At     int64
	Schema int32
	// Gauge says that counts may fall; else the histogram is one of counters.
	Gauge bool
	// Delta says that it holds what was added since the one before.
	Delta                                bool
	ZeroThreshold, ZeroCount, Count, Sum float64
	PositiveSpans, NegativeSpans         []BucketSpan
	Positive, Negative                   []float64 // count of each bucket
	Bounds                               []float64 // upper bounds; only of schema -53, whose buckets have bounds of their own
}

// BucketSpan is a run of buckets that follow each other.
type BucketSpan struct {
	// Offset is how many buckets are left out since the last run; of the first run where it begins.
	Offset int32
	Length uint32
}

// Exemplar is a trace, or another thing, that stands for a sample.
type Exemplar struct {
	At     int64
	Value  float64
	Labels Labels
}

// SeriesID tells a series from others.
type SeriesID uint64

// String returns the id in hexadecimal, 16 digits.
func (id SeriesID) String() string { return fmt.Sprintf("%016x", uint64(id)) }

// SeriesID returns the hash of the set: XXH64 over each name, 0xff, value, 0xff in the order of names. Two sets of one
// tenant are taken to be the same series when it is the same.
func (l Labels) SeriesID() SeriesID {
	var buf [1024]byte
	b := buf[:0]
	for i := range l {
		b = append(b, l[i].Name...)
		b = append(b, 0xff)
		b = append(b, l[i].Value...)
		b = append(b, 0xff)
	}
	return SeriesID(xxhash.Sum64(b))
}

// resourceLabels are those that tell one resource from another, for dealing series to partitions.
var resourceLabels = [...]string{"job", "instance"}

// SeriesPartition returns the partition, 0 to n-1, of a series: all series of one resource share one.
func (l Labels) SeriesPartition(n int) int {
	sum := offset64
	for _, name := range resourceLabels {
		sum = fnvString(sum, l.Get(name))
	}
	return Partition(Fingerprint(sum), n)
}
