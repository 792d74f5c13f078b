package series

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/fairlead/fairlead/base/signal"
)

// Writer adds batches of one partition of the stream, one after the other, and remembers which series it has seen. But
// for Labels it is not safe for concurrent use; several Writers of one Store may write at once.
type Writer struct {
	store *Store
	known map[signal.SeriesID]*known
	last  *known // that of the series before
	swept time.Time
	build labels.ScratchBuilder
	mu    sync.RWMutex // for known where others read it: Labels
}

// known is what is remembered of a series.
type known struct {
	id  signal.SeriesID
	ref storage.SeriesRef
	// next is what came behind it the last time: senders keep to an order.
	next *known
	sum  float64                   // of a series of increments, what they add up to
	h    *histogram.FloatHistogram // the same of histograms
	at   int64                     // up to which time they were added
	// labels are those of the series, only where a remote store needs them again and again.
	labels labels.Labels
	used   time.Time
}

// Series of which nothing came for a while are forgotten, or those that come and go would fill the memory.
const (
	sweepEvery  = 10 * time.Minute
	forgetAfter = 3 * time.Hour
)

// Writer returns a writer for one partition.
func (s *Store) Writer() *Writer {
	return &Writer{store: s, known: make(map[signal.SeriesID]*known), build: labels.NewScratchBuilder(16)}
}

// Batch is what is committed at once.
type Batch struct {
	writer *Writer
	app    storage.AppenderV2
	outbox *outbox // in place of app for a remote store
	count  int
	now    time.Time
}

// Begin starts a batch. It must be ended by Commit or Rollback.
func (w *Writer) Begin(ctx context.Context) *Batch {
	b := &Batch{writer: w, now: time.Now()}
	if b.now.Sub(w.swept) > sweepEvery {
		w.swept = b.now
		w.mu.Lock()
		maps.DeleteFunc(w.known, func(_ signal.SeriesID, k *known) bool { return b.now.Sub(k.used) > forgetAfter })
		w.mu.Unlock()
		w.last = nil // it may point at what was forgotten
		for _, k := range w.known {
			k.next = nil
		}
	}
	if w.store.remote != nil {
		b.outbox = w.store.remote.begin(ctx)
	} else {
		b.app = w.store.db.AppenderV2(ctx)
	}
	return b
}

// Add adds the samples of a series. What cannot be stored is counted and left out; an error means that the batch cannot go
// on.
func (b *Batch) Add(v *signal.SeriesView) error {
	w := b.writer
	if len(v.Samples)+len(v.Histograms) == 0 {
		_, err := b.describe(v) // keeps what it says of the metric
		return err
	}
	k := w.find(v.ID)
	var ls labels.Labels
	if k == nil {
		var err error
		if ls, err = b.describe(v); err != nil {
			return err
		}
		k = &known{id: v.ID}
		if b.outbox != nil {
			k.labels = ls
		}
		w.mu.Lock()
		w.known[v.ID] = k
		w.mu.Unlock()
	}
	if k.used = b.now; w.last != nil {
		w.last.next = k
	}
	w.last = k
	exemplars := exemplarsOf(v.Exemplars, &w.build)
	for i := range v.Samples {
		sample := v.Samples[i]
		if v.Type == signal.Delta && !sample.IsStale() {
			if sample.At <= k.at {
				continue // it was added already
			}
			k.sum += sample.Value
			sample.Value, k.at = k.sum, sample.At
		}
		var options storage.AppendV2Options
		if i == len(v.Samples)-1 {
			options.Exemplars = exemplars
		}
		if err := b.append(v, k, &ls, sample.At, sample.Value, nil, options); err != nil {
			return err
		}
	}
	for i := range v.Histograms {
		h := floatHistogram(&v.Histograms[i])
		if v.Histograms[i].Delta {
			if v.Histograms[i].At <= k.at {
				continue
			}
			if h = k.add(h); h == nil {
				w.store.rejected.WithLabelValues("other").Inc()
				continue
			}
			k.at = v.Histograms[i].At
		}
		if err := b.append(v, k, &ls, v.Histograms[i].At, 0, h, storage.AppendV2Options{}); err != nil {
			return err
		}
	}
	return nil
}

// find returns what is known of a series; nil if nothing is.
func (w *Writer) find(id signal.SeriesID) *known {
	if w.last != nil && w.last.next != nil && w.last.next.id == id {
		return w.last.next
	}
	return w.known[id]
}

// Labels returns the labels of a series that was written of late. It is safe for concurrent use.
func (w *Writer) Labels(id signal.SeriesID) (signal.Labels, bool) {
	w.mu.RLock()
	k := w.known[id]
	w.mu.RUnlock()
	if k == nil {
		return nil, false
	}
	ls := k.labels
	if w.store.db != nil {
		index, err := w.store.db.Head().Index()
		if err != nil {
			return nil, false
		}
		defer func() { _ = index.Close() }() // only read from
		var build labels.ScratchBuilder
		if err := index.Series(k.ref, &build, nil); err != nil {
			return nil, false // the database has forgotten it
		}
		ls = build.Labels()
	}
	own := make(signal.Labels, 0, ls.Len())
	ls.Range(func(l labels.Label) { own = append(own, signal.Label{Name: l.Name, Value: l.Value}) })
	return own, true
}

// add adds an increment and returns what there is now; nil if they do not fit together.
func (k *known) add(h *histogram.FloatHistogram) *histogram.FloatHistogram {
	if k.h == nil {
		k.h = h.Copy()
		return h
	}
	sum, _, _, err := k.h.Add(h)
	if err != nil {
		return nil
	}
	k.h = sum.Compact(0)
	return k.h.Copy()
}

// append adds one sample. A series that the database has forgotten meanwhile is named again.
func (b *Batch) append(v *signal.SeriesView, k *known, ls *labels.Labels, at int64, value float64, h *histogram.FloatHistogram, options storage.AppendV2Options) error {
	if b.outbox != nil {
		b.outbox.add(k, at, value, h, options.Exemplars)
		b.count++
		return nil
	}
	ref, err := b.app.Append(k.ref, *ls, 0, at, value, nil, h, options)
	if err != nil && ls.IsEmpty() && errors.Is(err, tsdb.ErrInvalidSample) {
		if *ls, err = b.describe(v); err != nil {
			return err
		}
		ref, err = b.app.Append(0, *ls, 0, at, value, nil, h, options)
	}
	var partial *storage.AppendPartialError
	switch {
	case err == nil, errors.As(err, &partial): // only exemplars were left out
		k.ref = ref
		b.count++
		return nil
	}
	b.writer.store.reject(err)
	return nil
}

// Commit stores the batch.
func (b *Batch) Commit() error {
	if b.outbox != nil {
		return b.commitRemote()
	}
	if err := b.app.Commit(); err != nil {
		return fmt.Errorf("store samples: %w", err)
	}
	b.writer.store.stored.Add(float64(b.count))
	return nil
}

func (b *Batch) commitRemote() error {
	taken, err := b.outbox.send()
	switch {
	case err != nil:
		return err
	case taken:
		b.writer.store.stored.Add(float64(b.count))
	default:
		b.writer.store.rejected.WithLabelValues("remote").Add(float64(b.count))
	}
	return nil
}

// Rollback drops the batch.
func (b *Batch) Rollback() {
	if b.app != nil {
		_ = b.app.Rollback() // nothing can be done about it
	}
}

// describe returns the labels of a series and keeps what is known of its metric.
func (b *Batch) describe(v *signal.SeriesView) (labels.Labels, error) {
	described, family, unit, help, err := v.Describe()
	if err != nil {
		return labels.EmptyLabels(), err
	}
	name, m, fresh := b.writer.store.metadata.keep(described.Get(model.MetricNameLabel), Metadata{Family: family, Unit: unit, Help: help})
	if fresh && b.outbox != nil {
		b.outbox.describe(name, m)
	}
	return buildLabels(described, &b.writer.build), nil
}

// buildLabels copies labels into Prometheus' form.
func buildLabels(from signal.Labels, build *labels.ScratchBuilder) labels.Labels {
	build.Reset()
	for _, l := range from {
		build.Add(l.Name, l.Value)
	}
	build.Sort()
	return build.Labels()
}

func exemplarsOf(from []signal.Exemplar, build *labels.ScratchBuilder) []exemplar.Exemplar {
	if len(from) == 0 {
		return nil
	}
	exemplars := make([]exemplar.Exemplar, len(from))
	for i := range from {
		exemplars[i] = exemplar.Exemplar{Labels: buildLabels(from[i].Labels, build), Value: from[i].Value, Ts: from[i].At, HasTs: true}
	}
	slices.SortFunc(exemplars, func(a, b exemplar.Exemplar) int { return int(a.Ts - b.Ts) })
	return exemplars
}

func floatHistogram(h *signal.HistogramSample) *histogram.FloatHistogram {
	out := &histogram.FloatHistogram{
		Schema: h.Schema, ZeroThreshold: h.ZeroThreshold, ZeroCount: h.ZeroCount, Count: h.Count, Sum: h.Sum,
		PositiveSpans: spansOf(h.PositiveSpans), NegativeSpans: spansOf(h.NegativeSpans),
		PositiveBuckets: h.Positive, NegativeBuckets: h.Negative, CustomValues: h.Bounds,
	}
	if h.Gauge {
		out.CounterResetHint = histogram.GaugeType
	}
	return out
}

func spansOf(from []signal.BucketSpan) []histogram.Span {
	spans := make([]histogram.Span, len(from))
	for i := range from {
		spans[i] = histogram.Span{Offset: from[i].Offset, Length: from[i].Length}
	}
	return spans
}

// Metadata is what is known of a metric.
type Metadata struct {
	Family signal.Family `json:"type"`
	Help   string        `json:"help"`
	Unit   string        `json:"unit"`
}

// metadata is what senders said of their metrics, newest first told.
type metadata struct {
	mu       sync.RWMutex
	families map[string]Metadata // by name of the metric; guarded by mu
}

// maxFamilies bounds of how many metrics something is remembered.
const maxFamilies = 100_000

// keep notes what a sender says of a metric, or of a part of one. It returns the metric's name, and whether that is new.
func (m *metadata) keep(name string, says Metadata) (string, Metadata, bool) {
	if says == (Metadata{}) {
		return name, says, false
	}
	if says.Family == "histogram" || says.Family == "summary" {
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			name = strings.TrimSuffix(name, suffix)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	have, known := m.families[name]
	if known && have == says || !known && len(m.families) >= maxFamilies {
		return name, have, false
	}
	name = strings.Clone(name) // they are part of a record that need not live on
	says = Metadata{Family: signal.Family(strings.Clone(string(says.Family))), Unit: strings.Clone(says.Unit), Help: strings.Clone(says.Help)}
	m.families[name] = says
	return name, says, true
}

// Metadata returns what is known of metrics, by name.
func (s *Store) Metadata() map[string]Metadata {
	s.metadata.mu.RLock()
	defer s.metadata.mu.RUnlock()
	return maps.Clone(s.metadata.families)
}
