package forecast

import (
	"slices"
	"sort"
	"time"
)

// settled is how long after clocks were changed a profile may still be an hour late.
const settled = 10 * day

// changes are when clocks are changed, in the European Union and in North America, in seconds since 1970.
var changes = func() []int64 {
	var at []int64
	sunday := func(year int, month time.Month, after, hour int) {
		t := time.Date(year, month, after, hour, 0, 0, 0, time.UTC)
		at = append(at, t.AddDate(0, 0, (7-int(t.Weekday()))%7).Unix())
	}
	for year := 2020; year < 2060; year++ {
		sunday(year, time.March, 8, 7)    // second Sunday, at 2 in New York
		sunday(year, time.March, 25, 1)   // last Sunday
		sunday(year, time.October, 25, 1) // last Sunday
		sunday(year, time.November, 1, 6) // first Sunday
	}
	return at
}()

// clocksChanged says whether clocks were changed a few days ago somewhere: what people do comes an hour earlier or later by UTC
// until the profiles have learned it.
func clocksChanged(at int64) bool {
	i := sort.Search(len(changes), func(i int) bool { return changes[i] > at })
	return i > 0 && at < changes[i-1]+settled
}

// hourOff looks whether the profiles fit better an hour before or after, and if so what a value says that is far off.
func (m *Model) hourOff(at int64, v float32, in *inputs, f *Forecast) {
	if !in.hasD {
		return
	}
	odd := abs(v-f.Next) > pull*1.25*f.Spread || abs(v-f.Level) > pull*1.25*f.LevelSpread
	if odd && slices.Max(m.dayMean[:m.slots])-slices.Min(m.dayMean[:m.slots]) < 6*1.25*f.LevelSpread {
		odd = false // the time of day tells little
	}
	asIs := m.hourLoss[1]
	learnLoss(&m.hourLoss[1], v-in.day-m.dayOff64, 1.0/64)
	for i, shift := range [...]int64{0: -3600, 2: 3600} {
		d, known := profile(m.dayMean[:m.slots], (at+shift)%day, day)
		if !known || shift == 0 {
			continue
		}
		if odd && asIs > 0 && m.hourLoss[i] < 1.1*asIs {
			f.Next, f.Level = nearest(v, f.Next, d+m.dayOff16), nearest(v, f.Level, d+m.held[3])
			if w, known := profile(m.weekMean[:], (at+shift+3*day)%week, week); known && in.hasW {
				f.Next, f.Level = nearest(v, f.Next, w+m.weekOff64), nearest(v, f.Level, w+m.held[5])
			}
		}
		learnLoss(&m.hourLoss[i], v-d-m.dayOff64, 1.0/64)
	}
}

// nearest returns which of two a value is nearer to.
func nearest(v, a, b float32) float32 {
	if abs(v-b) < abs(v-a) {
		return b
	}
	return a
}
