package anomaly

import (
	"time"

	"github.com/fairlead/fairlead/base/signal"
)

const (
	// sweepEvery is how often a Watch looks for series that have gone silent.
	sweepEvery = 30 * time.Second
	// silentSteps, silentPauses and silentLeast say how long a series has to be silent: so many of its usual distances, so many
	// times its longest pause, and so long at least.
	silentSteps, silentPauses = longGap, 2
	silentLeast               = 15 * time.Minute
	// leap is how far the time must move at once for nobody to have listened meanwhile: then all have to be heard again first.
	leap = 6 * time.Minute
	// stoppedPrior is how many series are thought to have stopped before any did.
	stoppedPrior = 0.5
)

// stops are what is known of how often series of a partition stop without a word.
type stops struct {
	// Count is how many did, Weeks for how many weeks series were watched, all together.
	Count, Weeks float64
	swept        int64 // when it was looked last, milliseconds
	heard        int64 // since when values came without a leap
}

// weekly returns how often a week a series stops.
func (s *stops) weekly() float64 { return (s.Count + stoppedPrior) / (s.Weeks + 1) }

// Sweep looks for series that came regularly and have gone silent, while others go on; call it after each message. How rare that
// is the partition as a whole knows: where programs come and go without a word it is nothing. A series that was said to have
// ended (Prometheus' staleness marker) has not gone silent. LabelsOf returns the labels of a series, or false.
func (w *Watch) Sweep(labelsOf func(signal.SeriesID) (signal.Labels, bool), found func(Finding)) {
	span := w.newest - w.stops.swept
	if span < sweepEvery.Milliseconds() {
		return
	}
	if w.stops.swept == 0 || span > leap.Milliseconds() {
		span, w.stops.heard = 0, w.newest
	}
	w.stops.swept = w.newest
	live := 0
	var silent []uint32
	for number, c := range w.slab.chunks {
		for i := range c.used {
			s := &c.series[i]
			if c.ids[i] == 0 || s.state.ended || s.state.absent || s.model.Seen() < minSeen {
				continue
			}
			live++
			if w.newest-max(s.at, w.stops.heard) > s.patience() {
				silent = append(silent, uint32(number*chunkSize+i)) //nolint:gosec // far below 2^32
			}
		}
	}
	w.stops.Weeks += float64(live) * float64(span) / (weekSeconds * 1000)
	if len(silent) == 0 {
		return
	}
	weekly := w.stops.weekly()
	w.stops.Count += float64(len(silent))
	for _, place := range silent {
		s, c := w.slab.at(place)
		s.state.absent, c.dirty = true, true
		if weekly > welcome {
			continue
		}
		id := c.ids[place%chunkSize]
		if labels, known := labelsOf(id); known {
			found(s.gone(id, labels, w.newest, weekly))
		}
	}
}

// patience returns for how long, in milliseconds, the series may be silent.
func (s *Series) patience() int64 {
	seconds := max(silentSteps*s.step, silentPauses*s.pause, float32(silentLeast.Seconds()))
	return int64(seconds * 1000)
}

// gone makes the finding of a series that has gone silent.
func (s *Series) gone(id signal.SeriesID, labels signal.Labels, now int64, weekly float64) Finding {
	return Finding{
		ID: id, Labels: labels, Unit: "seconds", At: time.UnixMilli(now).UTC(), Since: time.UnixMilli(s.at).UTC(),
		Age: time.Duration(s.at-s.first) * time.Millisecond,
		Verdict: Verdict{
			Test: Absent, Alert: true, Begins: true, Weekly: weekly, second: 1,
			Value: float64(now-s.at) / 1000, Expected: float64(s.step), High: float64(s.patience()) / 1000,
		},
	}
}

// back says that a series that had gone silent is heard again.
func (w *Watch) back(v *signal.SeriesView, s *Series, at int64, found func(Finding)) {
	s.state.absent = false
	labels, _, _, _, err := v.Describe()
	if err != nil {
		return
	}
	f := s.gone(v.ID, own(labels), at, 1)
	f.Ended, f.Verdict.Begins, f.Verdict.Ends = true, false, true
	found(f)
}
