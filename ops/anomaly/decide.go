package anomaly

import "math"

// state is what people were told of a series.
type state struct {
	told  int64   // when an anomaly was last begun, milliseconds; 0 never
	taste float32 // what people said of its anomalies, in powers of ten: below 0 they want fewer
	rest  float32 // how much rarer than usual something has to be by now, in powers of ten; 0 or less
	heat  float32 // how rare the rarest of late was, in powers of ten
	quiet uint8   // values without evidence since
	on    bool    // an anomaly goes on
	loud  bool    // and people are told of it

	negative bool // a value below 0 came

	ended  bool // the sender said that the series has ended
	absent bool // it has gone silent without that

	moments moments
}

const (
	// welcome is how often a week one test of one series may be wrong before the budget is asked.
	welcome = 0.007
	// alone is how much rarer, in powers of ten, something has to be that no other family of tests sees, which is when
	// none finds it rarer than second a week.
	alone, second = 0.7, 0.3
	// restHours is how long it takes until something right after an anomaly need not be rarer than usual; restDecades how
	// much rarer it has to be at first.
	restHours, restDecades = 6, 2
	// coolDecades is how fast the memory for the rarest of late fades, in powers of ten a day; news is how much rarer than
	// that something has to be to count as new.
	coolDecades, news = 2, 1
	// calm is how many values without evidence end an anomaly.
	calm = 10
	// familiar is how many moments alike, as alike counts them, make one that is not told.
	familiar = 3.5
)

// bar is welcome in powers of ten.
var bar = float32(math.Log10(welcome))

// decide says whether people would be told of what the tests found, at a distance from the level.
func (s *Series) decide(v *Verdict, distance float32) {
	st := &s.state
	evidence := float32(logWeekly(v))
	kind := kindOf(v.Test)
	bar := bar + st.taste
	st.heat = min(st.heat+s.step/daySeconds*coolDecades, 1)
	fresh := false // a new odd moment
	known := evidence < 0 && st.moments.alike(s.at, kind, distance) >= familiar
	if evidence < st.heat-news {
		if !known {
			v.Score = 1 / (1 + math.Pow(10, float64(evidence-bar)/4))
		}
		st.heat = evidence
		fresh = evidence < bar+0.3
	} else if evidence < st.heat+1 {
		st.moments.grow(distance)
	}
	if v.second > second {
		evidence += alone
	}
	st.rest = min(st.rest+s.step/(restHours*3600)*restDecades, 0)
	loud := st.loud
	switch {
	case !st.on && evidence < bar+st.rest:
		st.on, st.quiet, fresh = true, 0, true
		st.loud = !known
	case st.on && evidence < bar+0.5:
		st.quiet = 0
		st.loud = st.loud || evidence < bar+st.rest && !known
	case st.on:
		if st.quiet++; st.quiet > calm {
			st.on, st.loud = false, false
		}
	}
	if fresh {
		st.moments.begin(s.at, kind, distance)
	}
	if st.on {
		st.rest = max(min(st.rest, evidence-bar-1), -restDecades)
	}
	v.Alert, v.Begins, v.Ends = st.loud, st.loud && !loud, loud && !st.loud
	if v.Begins {
		st.told = s.at
	}
}

// logWeekly returns how often a week something as rare is expected, as a power of ten within bounds.
func logWeekly(v *Verdict) float64 { return math.Log10(min(max(v.Weekly, 1e-12), 1e6)) }

// moments are the last odd moments of a series: what happened like that before is known.
type moments struct {
	at       [16]uint32  // minutes since 1970; 0 for none
	distance [16]float32 // how far the value was from where it should be, at most
	kind     [16]uint8
	next     uint8
}

// kindOf groups tests that find the same kind of thing.
func kindOf(t Test) uint8 {
	switch {
	case t < Shift16Up:
		return uint8(t & 1)
	case t < Stay:
		return uint8(Shift16Up + t&1)
	}
	return uint8(t)
}

const (
	minuteMillis = 60_000
	dayMinutes   = 24 * 60
	// remembered is for how many minutes a moment counts, apart how many lie between two that are not the same, and
	// sameTime how far from the same time of the day one may be.
	remembered, apart, sameTime = 15 * dayMinutes, 10, 30
	// fading is in how many minutes a moment comes to count half.
	fading = 2 * dayMinutes
	// larger is how much larger than the one before a moment may be to be alike.
	larger = 1.6
)

// begin remembers a new moment in the place of the oldest.
func (m *moments) begin(at int64, kind uint8, distance float32) {
	i := m.next % uint8(len(m.at))
	m.at[i], m.distance[i], m.kind[i] = uint32(at/minuteMillis), distance, kind
	m.next++
}

// grow makes the last moment as large as it became.
func (m *moments) grow(distance float32) {
	i := (m.next - 1) % uint8(len(m.at))
	if abs(distance) > abs(m.distance[i]) && (distance > 0) == (m.distance[i] > 0) {
		m.distance[i] = distance
	}
}

// alike returns how many moments like one now there were of late. Those at this time of the day count three times, those at this
// time of the week twice however long ago: what comes by the clock is known sooner than what comes when it likes, and what comes
// once in a while is never known.
func (m *moments) alike(at int64, kind uint8, distance float32) float32 {
	now := uint32(at / minuteMillis)
	count := float32(0)
	for i := range m.at {
		age := now - m.at[i]
		if m.at[i] == 0 || m.kind[i] != kind || age > remembered || age < apart {
			continue
		}
		if abs(distance) > larger*abs(m.distance[i]) || (distance > 0) != (m.distance[i] > 0) {
			continue
		}
		weight := float32(math.Exp2(-float64(age) / fading))
		if (age+sameTime)%dayMinutes <= 2*sameTime {
			weight *= 3
		}
		if (age+sameTime)%(7*dayMinutes) <= 2*sameTime {
			weight = max(weight, 2)
		}
		count += weight
	}
	return count
}
