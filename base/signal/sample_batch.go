package signal

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
	"unsafe"
)

// SampleBatch is what a receiver of samples publishes at once: series of one tenant, received at one moment.
type SampleBatch struct {
	// At is the time of receipt: wall time, or the event time of the recording.
	At time.Time
	// Source is the integration that sent it.
	Source string
	Series []Series
}

// sampleVersion is the first byte of a record of samples.
const sampleVersion = 1

// Bits of a series' head in a record.
const (
	seriesTypeBits   = 3
	seriesHistograms = 1 << (seriesTypeBits + iota)
	seriesExemplars
)

// AppendSamples appends the record of a batch to buf and returns the extended buffer. Each distinct string is written once.
func AppendSamples(buf []byte, batch SampleBatch) []byte {
	w := recordWriter{index: make(map[string]uint64, 256), body: make([]byte, 0, 32*len(batch.Series))}
	w.time(batch.At)
	w.text(batch.Source)
	w.uint(uint64(len(batch.Series)))
	for i := range batch.Series {
		w.series(&batch.Series[i])
	}
	return w.finish(buf, sampleVersion)
}

// series writes a series: its hash, a head, the labels behind their length, so that who knows the hash can skip them, and
// the samples with the distance of each from the one before.
func (w *recordWriter) series(s *Series) {
	head := uint64(s.Type)
	if len(s.Histograms) > 0 {
		head |= seriesHistograms
	}
	if len(s.Exemplars) > 0 {
		head |= seriesExemplars
	}
	w.body = binary.LittleEndian.AppendUint64(w.body, uint64(s.Labels.SeriesID()))
	w.uint(head)
	start := len(w.body)
	w.body = append(w.body, 0, 0) // the length of what describes the series
	w.labels(s.Labels)
	w.text(string(s.Family))
	w.text(s.Unit)
	w.text(s.Help)
	binary.LittleEndian.PutUint16(w.body[start:], uint16(min(len(w.body)-start-2, math.MaxUint16))) //nolint:gosec // bounded
	w.uint(uint64(len(s.Samples)))
	before := int64(0)
	for _, sample := range s.Samples {
		w.int(sample.At - before)
		w.float(sample.Value)
		before = sample.At
	}
	if head&seriesHistograms != 0 {
		w.uint(uint64(len(s.Histograms)))
		for i := range s.Histograms {
			w.histogram(&s.Histograms[i])
		}
	}
	if head&seriesExemplars != 0 {
		w.uint(uint64(len(s.Exemplars)))
		for i := range s.Exemplars {
			w.int(s.Exemplars[i].At)
			w.float(s.Exemplars[i].Value)
			w.labels(s.Exemplars[i].Labels)
		}
	}
}

func (w *recordWriter) histogram(h *HistogramSample) {
	flags := uint64(0)
	if h.Gauge {
		flags |= 1
	}
	if h.Delta {
		flags |= 2
	}
	w.int(h.At)
	w.int(int64(h.Schema))
	w.uint(flags)
	for _, f := range [...]float64{h.ZeroThreshold, h.ZeroCount, h.Count, h.Sum} {
		w.float(f)
	}
	for _, spans := range [...][]BucketSpan{h.PositiveSpans, h.NegativeSpans} {
		w.uint(uint64(len(spans)))
		for _, span := range spans {
			w.int(int64(span.Offset))
			w.uint(uint64(span.Length))
		}
	}
	for _, counts := range [...][]float64{h.Positive, h.Negative, h.Bounds} {
		w.uint(uint64(len(counts)))
		for _, f := range counts {
			w.float(f)
		}
	}
}

// int writes a number that may be negative (zigzag).
func (w *recordWriter) int(n int64) { w.body = binary.AppendVarint(w.body, n) }

func (w *recordWriter) float(f float64) {
	w.body = binary.LittleEndian.AppendUint64(w.body, math.Float64bits(f))
}

// SampleReader reads a record of samples series by series. What it returns is part of the record: it is valid as long as
// the bytes are not changed.
type SampleReader struct {
	// At and Source are the batch's.
	At     time.Time
	Source string
	left   int
	r      recordReader
}

// SeriesView is one series of a record. It is valid until the next call of Next.
type SeriesView struct {
	// ID tells the series from others; it is that of its Labels.
	ID   SeriesID
	Type SampleType
	// Samples, Histograms and Exemplars are as in Series.
	Samples    []Sample
	Histograms []HistogramSample
	Exemplars  []Exemplar

	described []byte
	table     []string
}

// ReadSamples begins to read a record that AppendSamples wrote. The error wraps ErrRecord when data is none.
func ReadSamples(data []byte) (*SampleReader, error) {
	if len(data) == 0 || data[0] != sampleVersion {
		return nil, fmt.Errorf("decode samples: %w", ErrRecord)
	}
	s := &SampleReader{r: recordReader{data: data[1:]}}
	s.r.readTable(func(text []byte) string { return unsafe.String(unsafe.SliceData(text), len(text)) }) // part of the record
	s.At = s.r.time()
	s.Source = s.r.text()
	s.left = s.r.count()
	if s.r.err != nil {
		return nil, fmt.Errorf("decode samples: %w", s.r.err)
	}
	return s, nil
}

// Next reads the next series into view; false at the end and when the record is damaged, which Err tells apart.
func (s *SampleReader) Next(view *SeriesView) bool {
	if s.left == 0 || s.r.err != nil {
		if s.r.err == nil && len(s.r.data) > 0 {
			s.r.fail()
		}
		return false
	}
	s.left--
	r := &s.r
	if len(r.data) < 8 {
		r.fail()
		return false
	}
	view.ID = SeriesID(binary.LittleEndian.Uint64(r.data))
	r.data = r.data[8:]
	head := r.uint()
	view.Type = SampleType(head & (1<<seriesTypeBits - 1))
	if view.Type >= sampleTypes {
		r.fail()
	}
	view.described, view.table = r.described(), r.table
	view.Samples, view.Histograms, view.Exemplars = view.Samples[:0], view.Histograms[:0], view.Exemplars[:0]
	at := int64(0)
	for range r.count() {
		if r.err != nil {
			return false
		}
		at += r.int()
		view.Samples = append(view.Samples, Sample{At: at, Value: r.float()})
	}
	if head&seriesHistograms != 0 {
		for range r.count() {
			if r.err != nil {
				return false
			}
			view.Histograms = append(view.Histograms, r.histogram())
		}
	}
	if head&seriesExemplars != 0 {
		for range r.count() {
			if r.err != nil {
				return false
			}
			view.Exemplars = append(view.Exemplars, Exemplar{At: r.int(), Value: r.float(), Labels: r.labels()})
		}
	}
	return r.err == nil
}

// Err returns why Next ended early; it wraps ErrRecord. nil at the end of a record.
func (s *SampleReader) Err() error {
	if s.r.err != nil {
		return fmt.Errorf("decode samples: %w", s.r.err)
	}
	return nil
}

// Describe returns the labels of the series and what is known of its metric.
func (v *SeriesView) Describe() (labels Labels, family Family, unit, help string, err error) {
	r := recordReader{data: v.described, table: v.table}
	labels, family, unit, help = r.labels(), Family(r.text()), r.text(), r.text()
	if r.err != nil || len(r.data) > 0 {
		return nil, "", "", "", fmt.Errorf("decode samples: %w", ErrRecord)
	}
	return labels, family, unit, help, nil
}

// described returns the part of a series that describes it.
func (r *recordReader) described() []byte {
	if len(r.data) < 2 {
		r.fail()
		return nil
	}
	size := int(binary.LittleEndian.Uint16(r.data))
	if size > len(r.data)-2 {
		r.fail()
		return nil
	}
	part := r.data[2 : 2+size]
	r.data = r.data[2+size:]
	return part
}

func (r *recordReader) int() int64 {
	n, size := binary.Varint(r.data)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.data = r.data[size:]
	return n
}

func (r *recordReader) float() float64 {
	if len(r.data) < 8 {
		r.fail()
		return 0
	}
	f := math.Float64frombits(binary.LittleEndian.Uint64(r.data))
	r.data = r.data[8:]
	return f
}

func (r *recordReader) histogram() HistogramSample {
	h := HistogramSample{At: r.int(), Schema: int32(r.int())} //nolint:gosec // written from an int32
	flags := r.uint()
	h.Gauge, h.Delta = flags&1 != 0, flags&2 != 0
	h.ZeroThreshold, h.ZeroCount, h.Count, h.Sum = r.float(), r.float(), r.float(), r.float()
	h.PositiveSpans, h.NegativeSpans = r.spans(), r.spans()
	h.Positive, h.Negative, h.Bounds = r.floats(), r.floats(), r.floats()
	return h
}

func (r *recordReader) spans() []BucketSpan {
	count := r.count()
	if count == 0 || count > len(r.data) {
		if count > len(r.data) {
			r.fail()
		}
		return nil
	}
	spans := make([]BucketSpan, count)
	for i := range spans {
		spans[i] = BucketSpan{Offset: int32(r.int()), Length: uint32(r.uint())} //nolint:gosec // written from these
	}
	return spans
}

func (r *recordReader) floats() []float64 {
	count := r.count()
	if count == 0 || count > len(r.data)/8 {
		if count > len(r.data)/8 {
			r.fail()
		}
		return nil
	}
	floats := make([]float64, count)
	for i := range floats {
		floats[i] = r.float()
	}
	return floats
}

// Bounds of a message of samples: it should be well below the largest that the bus takes.
const (
	messageSamples     = 8192
	messageSampleBytes = 384 << 10
)

// SamplePortion is what one message carries: series of one partition.
type SamplePortion struct {
	Partition int
	Series    []Series
}

// DealSeries divides series into the messages that carry them. The order within a partition is kept.
func DealSeries(series []Series, partitions int) []SamplePortion {
	parts := make([][]Series, partitions)
	for i := range series {
		p := series[i].Labels.SeriesPartition(partitions)
		parts[p] = append(parts[p], series[i])
	}
	var portions []SamplePortion
	for partition, part := range parts {
		for len(part) > 0 {
			n := fitSeries(part)
			portions = append(portions, SamplePortion{partition, part[:n]})
			part = part[n:]
		}
	}
	return portions
}

// fitSeries returns how many of the series fit into one message, at least one.
func fitSeries(series []Series) int {
	size, samples := 0, 0
	for n := range series {
		s := &series[n]
		size += 16 + 12*len(s.Samples) + 4*len(s.Labels)
		for i := range s.Labels {
			size += len(s.Labels[i].Value) / 4 // most values come again and again
		}
		for i := range s.Histograms {
			size += 64 + 8*(len(s.Histograms[i].Positive)+len(s.Histograms[i].Negative)+len(s.Histograms[i].Bounds))
		}
		size += 64 * len(s.Exemplars)
		samples += len(s.Samples)
		if n > 0 && (size > messageSampleBytes || samples > messageSamples) {
			return n
		}
	}
	return len(series)
}
