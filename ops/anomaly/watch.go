package anomaly

import (
	"maps"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
)

// WatchConfig bounds a Watch.
type WatchConfig struct {
	// MaxSeries is how many series of the partition are judged; further ones are stored only. 0 means 500,000.
	MaxSeries int
	// Forget is after how long a series without a value is forgotten; 0 means 48 hours.
	Forget time.Duration
}

// Watch judges the series of one partition of the stream. It is not safe for concurrent use.
type Watch struct {
	config WatchConfig
	index  map[signal.SeriesID]uint32
	slab   slab
	newest int64  // the newest time of a value, milliseconds
	likely uint32 // the place that the next series is likely to have

	stops stops

	next int // the chunk that is checkpointed next

	means     []mean
	meanIndex map[signal.SeriesID]uint32 // by the id of the mean's own series
	natives   map[signal.SeriesID]uint32 // by the id of a native histogram

	kin      map[string]uint16 // by metric, the place among siblings, from 1
	siblings []*Siblings
	stats    Stats
}

// Stats count what a Watch did.
type Stats struct {
	// Series are judged now; Unwatched were left out because there are too many.
	Series, Unwatched int
	// Judged and Skipped are values; a skipped one is not finite, not newer than the last, or the first of a counter.
	Judged, Skipped uint64
}

// unjudged stands in the place of a series that is stored only.
const unjudged = ^uint32(0)

// Finding is a change of what is known of a series: an anomaly begins or ends.
type Finding struct {
	ID     signal.SeriesID
	Labels signal.Labels
	Unit   string
	// At is the time of the value, Since when the anomaly began.
	At, Since time.Time
	Verdict   Verdict
	// Age is for how long the series had been watched.
	Age time.Duration
	// Pooled says that its siblings helped to judge it.
	Pooled bool
	// Ended says that it ends.
	Ended bool
	// Faint says that it is too weak to be an anomaly by itself; others of its entity at the same time may make it one.
	Faint bool
}

// NewWatch returns a Watch that has seen nothing.
func NewWatch(config WatchConfig) *Watch {
	if config.MaxSeries == 0 {
		config.MaxSeries = 500_000
	}
	if config.Forget == 0 {
		config.Forget = 48 * time.Hour
	}
	return &Watch{
		config: config, index: make(map[signal.SeriesID]uint32), kin: make(map[string]uint16),
		meanIndex: make(map[signal.SeriesID]uint32), natives: make(map[signal.SeriesID]uint32),
	}
}

// Stats returns what was done since the start.
func (w *Watch) Stats() Stats {
	w.stats.Series = len(w.index) - w.stats.Unwatched
	return w.stats
}

// Close gives the memory back.
func (w *Watch) Close() { w.slab.close() }

// Observe judges the values of a series that came at a position of the stream, and calls found for each change.
func (w *Watch) Observe(v *signal.SeriesView, position uint64, found func(Finding)) {
	if len(v.Histograms) > 0 {
		w.observeNative(v, position, found)
	}
	if len(v.Samples) == 0 {
		return
	}
	place := w.placeOf(v, position)
	if place == unjudged {
		return
	}
	s, c := w.slab.at(place)
	if position <= c.from {
		return // it was checkpointed with these values
	}
	c.dirty = true
	kind := Gauge
	switch v.Type {
	case signal.Counter:
		kind = Counter
	case signal.Delta:
		kind = Delta
	case signal.Gauge, signal.Untyped:
	}
	var siblings *Siblings
	if s.model.Seen() < minSeen {
		siblings = w.siblingsOf(v, &c.kin[place%chunkSize])
	}
	for i := range v.Samples {
		if v.Samples[i].IsStale() {
			s.state.ended = true
		} else if s.state.ended = false; s.state.absent {
			w.back(v, s, v.Samples[i].At, found)
		}
		w.newest = max(w.newest, v.Samples[i].At)
		w.say(v, s, s.ObserveAmong(v.Samples[i].At, v.Samples[i].Value, kind, siblings), "", found)
		w.observeMean(v, position, c, place, v.Samples[i], kind, found)
	}
}

// placeOf returns the place of a series. Senders keep to an order: most come right behind the one before them.
func (w *Watch) placeOf(v *signal.SeriesView, position uint64) uint32 {
	if w.slab.holds(w.likely, v.ID) {
		w.likely++
		return w.likely - 1
	}
	place, known := w.index[v.ID]
	if !known {
		place = w.admit(v, position)
	}
	if place != unjudged {
		w.likely = place + 1
	}
	return place
}

// say counts a verdict and reports what changes by it.
func (w *Watch) say(v *signal.SeriesView, s *Series, verdict Verdict, suffix string, found func(Finding)) {
	if verdict.Skipped {
		w.stats.Skipped++
		return
	}
	w.stats.Judged++
	if verdict.Begins || verdict.Ends || verdict.faint() {
		w.report(v, s, verdict, suffix, found)
	}
}

// Feedback is what people say of an anomaly.
const (
	Normal = "normal" // it was nothing: fewer like it, please
	Useful = "useful" // it was worth hearing of
)

// tastes are by how many powers of ten feedback moves what a series' anomalies have to be: below 0, rarer.
var tastes = map[string]float32{Normal: -1, Useful: 0.3}

// Adjust takes what people said of a series to heart; "" takes it back. Series that are not watched here are left alone.
func (w *Watch) Adjust(id signal.SeriesID, feedback string) {
	place, known := w.index[id]
	if !known || place == unjudged {
		return
	}
	s, c := w.slab.at(place)
	s.state.taste = tastes[feedback]
	c.dirty = true
}

const (
	// maxKin is of how many metrics siblings are known; series of further ones grow up alone.
	maxKin = 4096
	// noKin marks a series without siblings.
	noKin = maxKin + 1
)

// siblingsOf returns the siblings of an infant; nil if it has none.
func (w *Watch) siblingsOf(v *signal.SeriesView, known *uint16) *Siblings {
	if *known == 0 {
		*known = noKin
		if labels, _, _, _, err := v.Describe(); err == nil {
			name := labels.Get("__name__")
			place, there := w.kin[name]
			if !there && len(w.siblings) < maxKin {
				w.siblings = append(w.siblings, &Siblings{})
				place = uint16(len(w.siblings)) //nolint:gosec // at most maxKin
				w.kin[strings.Clone(name)] = place
			}
			if place > 0 {
				*known = place
			}
		}
	}
	if *known == noKin {
		return nil
	}
	return w.siblings[*known-1]
}

// faintWeekly is how often a week something may come about in a series that is worth looking for company.
const faintWeekly = 0.5

// faint reports whether a value is odd, and new, but no anomaly by itself.
func (v *Verdict) faint() bool {
	return !v.Begins && !v.Ends && !v.Alert && v.Score > 0 && v.Weekly < faintWeekly
}

// report makes a finding of a verdict. With a suffix it is one of a series that is made of that of the view.
func (w *Watch) report(v *signal.SeriesView, s *Series, verdict Verdict, suffix string, found func(Finding)) {
	labels, _, unit, _, err := v.Describe()
	if err != nil {
		return // it was read when the series came first; a record does not change
	}
	id := v.ID
	if suffix != "" {
		name := labels.Get("__name__")
		if len(v.Histograms) == 0 {
			name = strings.TrimSuffix(strings.TrimSuffix(name, "_sum"), "_count")
		}
		labels = renamed(labels, name+suffix)
		id = labels.SeriesID()
	}
	since := s.state.told
	if verdict.faint() {
		since = s.at
	}
	found(Finding{
		ID: id, Labels: own(labels), Unit: strings.Clone(unit), At: time.UnixMilli(s.at).UTC(),
		Since: time.UnixMilli(since).UTC(), Verdict: verdict, Ended: verdict.Ends,
		Age: time.Duration(s.at-s.first) * time.Millisecond, Faint: verdict.faint(), Pooled: verdict.pooled,
	})
}

// own copies labels that are part of a record.
func own(labels signal.Labels) signal.Labels {
	copied := make(signal.Labels, len(labels))
	for i, l := range labels {
		copied[i] = signal.Label{Name: strings.Clone(l.Name), Value: strings.Clone(l.Value)}
	}
	return copied
}

// admit gives a new series a place.
func (w *Watch) admit(v *signal.SeriesView, position uint64) uint32 {
	place := unjudged
	labels, _, _, _, err := v.Describe()
	if err == nil && judged(labels) {
		if len(w.index)-w.stats.Unwatched < w.config.MaxSeries {
			place = w.slab.take(v.ID, position)
			w.index[v.ID] = place
			return place
		}
	}
	if w.stats.Unwatched >= 4*w.config.MaxSeries {
		// Most of them are gone; those that are not are looked at again.
		maps.DeleteFunc(w.index, func(_ signal.SeriesID, place uint32) bool { return place == unjudged })
		w.stats.Unwatched = 0
	}
	w.stats.Unwatched++
	w.index[v.ID] = place
	return place
}

// judged reports whether a series says anything by itself: a bucket of a histogram does not, its count and sum do; a time
// and a description only change.
func judged(labels signal.Labels) bool {
	name := labels.Get("__name__")
	switch {
	case strings.HasSuffix(name, "_bucket") && labels.Get("le") != "":
	case strings.HasSuffix(name, "_info"), strings.HasSuffix(name, "_created"):
	case strings.HasSuffix(name, "_timestamp_seconds"), strings.HasSuffix(name, "_time_seconds") && !strings.Contains(name, "duration"):
	default:
		return true
	}
	return false
}
