package anomaly

import (
	"math"
	"strings"

	"github.com/fairlead/fairlead/base/signal"
)

// What a histogram or a summary says lies in none of its series alone: its sum grows with traffic. So the mean of what was
// observed, sum over count since the values before, is judged as a series of its own; of a native histogram, which is one
// series with no single value, the count too. Their names end in these, as recording rules are named.
const (
	MeanSuffix = ":mean"
	RateSuffix = ":rate"
)

// mean makes means of the sums and counts of one histogram or summary.
type mean struct {
	place, rate uint32 // of the series that are judged; 0 for none yet, else one more
	id, rateID  signal.SeriesID
	at          [2]int64 // of the last sum and count
	last        [2]float64
	added       [2]float64 // since the ones before; NaN if unknown
}

// The parts of a mean.
const (
	partSum = iota
	partCount
	parts
	// noMean marks a series that is part of none.
	noMean = ^uint32(0)
)

// take takes a sum or a count and returns the mean once both of a time are there.
func (m *mean) take(part int, at int64, value float64, kind Kind) (float64, bool) {
	known, before := m.at[part] != 0 && at > m.at[part], m.last[part]
	m.at[part], m.last[part] = at, value
	switch {
	case kind == Delta:
		m.added[part] = value
	case !known || value < before:
		m.added[part] = math.NaN()
	default:
		m.added[part] = value - before
	}
	if m.at[partSum] != m.at[partCount] || !(m.added[partCount] > 0) || math.IsNaN(m.added[partSum]) {
		return 0, false
	}
	return m.added[partSum] / m.added[partCount], true
}

// Means returns the means that are judged of a histogram or summary whose sums and counts are given, oldest first.
func Means(sums, counts []signal.Sample) []signal.Sample {
	var m mean
	var means []signal.Sample
	for len(sums) > 0 && len(counts) > 0 {
		switch {
		case sums[0].At < counts[0].At:
			sums = sums[1:]
			continue
		case sums[0].At > counts[0].At:
			counts = counts[1:]
			continue
		}
		m.take(partSum, sums[0].At, sums[0].Value, Counter)
		if value, complete := m.take(partCount, counts[0].At, counts[0].Value, Counter); complete {
			means = append(means, signal.Sample{At: counts[0].At, Value: value})
		}
		sums, counts = sums[1:], counts[1:]
	}
	return means
}

// meanPart returns of which mean a series is a part, and which; nil if of none.
func (w *Watch) meanPart(v *signal.SeriesView, known *uint32) (*mean, int) {
	if *known == 0 {
		*known = noMean
		if labels, family, _, _, err := v.Describe(); err == nil {
			name := labels.Get("__name__")
			for part, suffix := range [parts]string{"_sum", "_count"} {
				base, found := strings.CutSuffix(name, suffix)
				if found && (family == "histogram" || family == "summary" || family == "" || family == "unknown") {
					*known = w.meanOf(renamed(labels, base+MeanSuffix))*parts + uint32(part) + 1
				}
			}
		}
	}
	if *known == noMean {
		return nil, 0
	}
	n := *known - 1
	return &w.means[n/parts], int(n % parts)
}

// meanOf returns the place of the mean with these labels among all.
func (w *Watch) meanOf(labels signal.Labels) uint32 {
	id := labels.SeriesID()
	n, known := w.meanIndex[id]
	if !known {
		n = uint32(len(w.means)) //nolint:gosec // bounded
		w.means = append(w.means, mean{id: id})
		w.meanIndex[id] = n
	}
	return n
}

// dropMeans forgets which series belong together once there are too many, because most of them are gone: what is needed is found
// again.
func (w *Watch) dropMeans() {
	if len(w.means) <= w.config.MaxSeries {
		return
	}
	w.means = nil
	clear(w.meanIndex)
	clear(w.natives)
	for _, c := range w.slab.chunks {
		c.mean = [chunkSize]uint32{}
	}
}

// observeMean judges the mean that a value completes.
func (w *Watch) observeMean(v *signal.SeriesView, position uint64, c *chunk, place uint32, sample signal.Sample, kind Kind, found func(Finding)) {
	if kind == Gauge || sample.IsStale() {
		return
	}
	m, part := w.meanPart(v, &c.mean[place%chunkSize])
	if m == nil {
		return
	}
	if value, complete := m.take(part, sample.At, sample.Value, kind); complete {
		w.observeDerived(v, position, &m.place, m.id, signal.Sample{At: sample.At, Value: value}, Gauge, MeanSuffix, found)
	}
}

// observeNative judges the mean and the count of native histograms.
func (w *Watch) observeNative(v *signal.SeriesView, position uint64, found func(Finding)) {
	n, known := w.natives[v.ID]
	if !known {
		labels, _, _, _, err := v.Describe()
		if err != nil {
			return
		}
		name := labels.Get("__name__")
		n = w.meanOf(renamed(labels, name+MeanSuffix))
		w.means[n].rateID = renamed(labels, name+RateSuffix).SeriesID()
		w.natives[v.ID] = n
	}
	m := &w.means[n]
	for i := range v.Histograms {
		h := &v.Histograms[i]
		if h.Gauge || signal.IsStaleValue(h.Sum) {
			continue
		}
		kind := Counter
		if h.Delta {
			kind = Delta
		}
		m.take(partSum, h.At, h.Sum, kind)
		value, complete := m.take(partCount, h.At, h.Count, kind)
		w.observeDerived(v, position, &m.rate, m.rateID, signal.Sample{At: h.At, Value: h.Count}, kind, RateSuffix, found)
		if complete {
			w.observeDerived(v, position, &m.place, m.id, signal.Sample{At: h.At, Value: value}, Gauge, MeanSuffix, found)
		}
	}
}

// observeDerived judges a value of a series that is made of others. Place is where it is, plus one; 0 while unknown.
func (w *Watch) observeDerived(v *signal.SeriesView, position uint64, place *uint32, id signal.SeriesID, sample signal.Sample, kind Kind, suffix string, found func(Finding)) {
	if *place == 0 {
		at, known := w.index[id]
		if !known {
			if len(w.index)-w.stats.Unwatched >= w.config.MaxSeries {
				return
			}
			at = w.slab.take(id, position)
			w.index[id] = at
		}
		*place = at + 1
	}
	s, c := w.slab.at(*place - 1)
	if c.ids[(*place-1)%chunkSize] != id { // it was forgotten, and its place given away
		*place = 0
		return
	}
	if position <= c.from {
		return
	}
	c.dirty = true
	w.say(v, s, s.Observe(sample.At, sample.Value, kind), suffix, found)
}

// renamed returns labels with another name of the metric.
func renamed(labels signal.Labels, name string) signal.Labels {
	other := make(signal.Labels, len(labels))
	copy(other, labels)
	for i := range other {
		if other[i].Name == "__name__" {
			other[i].Value = name
		}
	}
	return other
}
