package anomaly

import (
	"math"

	"github.com/fairlead/fairlead/algo/evt"
	"github.com/fairlead/fairlead/algo/forecast"
)

// Kind says how the values of a series are to be read.
type Kind uint8

// The kinds.
const (
	// Gauge: each value stands for itself.
	Gauge Kind = iota
	// Counter: values only grow, and begin again at a restart; what counts is how fast they grow.
	Counter
	// Delta: each value is what was added since the one before; what counts is how fast.
	Delta
)

const (
	weekSeconds = 7 * 24 * 60 * 60
	daySeconds  = 24 * 60 * 60
	dayMillis   = 1000 * daySeconds

	// minSeen is how many values a series needs before it is judged, firstSeen before its tails learn.
	minSeen, firstSeen = 100, 16
	// slowDays is how many days have to be seen before what lasts can be judged: until then it may be the time of day.
	slowDays = 2
	// farthest bounds errors, in standard deviations.
	farthest = 200
	// longGap is how many usual distances without a value make a gap, over which nothing is concluded.
	longGap = 10
	tiny    = 1e-20
	// fades is how much a long pause counts less with each value after it: half as much after 70,000.
	fades = 1 - 1e-5
)

// Series is what is known about one series: fixed in size and without pointers, so that many stand side by side in a slab
// that the garbage collector need not look into. The zero value has seen nothing. It is not safe for concurrent use.
type Series struct {
	base  float64 // what the model's values are relative to
	last  float64 // the last value that was judged
	raw   float64 // the last value that came: of a counter where it stood
	first int64   // when the first value came, milliseconds since 1970
	at    int64   // when the last value came
	step  float32 // the usual distance of values, seconds
	pause float32 // the longest distance of values, seconds; it fades
	model forecast.Model
	tails [tests]evt.Tail
	stats stats
	state state
}

// Verdict is what a value means.
type Verdict struct {
	// Skipped says that the value was not judged: it is not finite, not newer than the last, or the first of a counter.
	Skipped bool
	// Score says how surprising the value is, 0 to 1; 0 when what makes it so was seen of late already.
	Score float64
	// Alert says that people would hear of it: an anomaly goes on. Begins says that it begins here, Ends that it has ended.
	Alert, Begins, Ends bool
	// Test is what found it.
	Test Test
	// Weekly is how often a week something as rare is expected; 1 or more when nothing is odd.
	Weekly float64
	// second is the same of the strongest test of another family.
	second float64
	// pooled says that its siblings helped to judge it.
	pooled bool
	// Value is what was judged: of a counter its rate by the second.
	Value float64
	// Expected is what should have come, Low and High bound the usual.
	Expected, Low, High float64
}

// Observe judges the next value of a series and learns from it. At is in milliseconds since 1970, UTC.
func (s *Series) Observe(at int64, value float64, kind Kind) Verdict {
	return s.ObserveAmong(at, value, kind, nil)
}

// ObserveAmong is Observe for a series that has siblings: while it is an infant it is judged by them, and they learn from it.
func (s *Series) ObserveAmong(at int64, value float64, kind Kind, siblings *Siblings) Verdict {
	started := s.first != 0
	if math.IsNaN(value) || math.IsInf(value, 0) || started && at <= s.at {
		return Verdict{Skipped: true, Test: tests}
	}
	seconds := float64(at-s.at) / 1000
	before := s.raw
	s.raw = value
	if !started {
		s.first = at
	} else {
		s.learnStep(float32(seconds))
		s.pause = max(s.pause*fades, float32(seconds))
	}
	s.at = at
	gap := started && seconds > longGap*float64(s.step)
	switch {
	case kind == Gauge:
	case !started || gap || kind == Counter && value < before || kind == Delta && value < 0:
		return Verdict{Skipped: true, Test: tests}
	case kind == Counter:
		value = (value - before) / seconds
	default:
		value /= seconds
	}
	return s.observe(at, value, gap, siblings)
}

// learnStep follows the usual distance of values.
func (s *Series) learnStep(seconds float32) {
	if s.step == 0 {
		s.step = seconds
		return
	}
	s.step += min(max((seconds-s.step)/16, -s.step/16), s.step/16)
}

func (s *Series) observe(at int64, value float64, gap bool, siblings *Siblings) Verdict {
	if s.model.Seen() == 0 {
		s.base = value
	}
	if gap {
		s.stats = stats{same: s.stats.same}
	}
	v := float32(value - s.base)
	f := s.model.Observe(at/1000, s.step, v, s.base)
	verdict := s.judge(inSpreads(v-f.Next, f.Spread), inSpreads(v-f.Level, f.LevelSpread), value == s.last, siblings.of(s.model.Seen()))
	s.last = value
	distance := v - f.Level
	switch verdict.Test {
	case Shift16Up, Shift16Down:
		distance = s.stats.shift16 * f.LevelSpread
	case Shift64Up, Shift64Down:
		distance = s.stats.shift64 * f.LevelSpread
	default: // what one value says
	}
	on := s.state.on
	s.decide(&verdict, distance)
	if s.state.on && !on {
		s.model.Away(f.Level)
	}
	reach := float64(usual * deviation * f.Spread)
	verdict.Value, verdict.Expected = value, s.base+float64(f.Next)
	verdict.Low, verdict.High = verdict.Expected-reach, verdict.Expected+reach
	if s.state.negative = s.state.negative || value < 0; !s.state.negative {
		verdict.Low = max(verdict.Low, 0) // what never was below zero is not expected there
	}
	return verdict
}

const (
	// deviation makes a standard deviation of a mean absolute error, were it Gaussian: the root of π/2.
	deviation = 1.25
	// usual is how many standard deviations around the forecast are shown as usual.
	usual = 4
)

// inSpreads returns an error in standard deviations.
func inSpreads(e, spread float32) float32 {
	return max(min(e/(deviation*spread+tiny), farthest), -farthest)
}

// judge asks all tests, and lets them learn. Siblings are the tails of an infant's siblings, nil for none.
func (s *Series) judge(z, d float32, repeated bool, siblings *[tests]evt.Tail) Verdict {
	var values [tests]float32
	seen := s.model.Seen()
	means := s.means()
	s.measure(z, d, repeated, &means, &values)
	v := Verdict{Weekly: math.MaxFloat64, second: 1, Test: tests}
	v.pooled = siblings != nil && siblings[SpikeUp].Seen() >= mature
	perWeek := weekSeconds / math.Max(float64(s.step), 1)
	var best [families]float64
	for i := range best {
		best[i] = 1
	}
	for i := range values {
		x, t, prior := values[i], &s.tails[i], s.prior(Test(i), &means)
		if (seen > minSeen || v.pooled && seen > born) && s.votes(Test(i)) {
			if rate := s.rate(Test(i), x, prior, siblings, v.pooled); rate < 1 {
				weekly := rate * perWeek
				best[familyOf[i]] = min(best[familyOf[i]], weekly)
				if weekly < v.Weekly {
					v.Weekly, v.Test = weekly, Test(i)
				}
			}
		}
		if seen > firstSeen {
			t.Observe(x, s.state.loud, prior, &settings[i])
			if siblings != nil && s.stats.out < 2 { // what lasts in one is no news to the others
				siblings[i].Observe(x, s.state.loud, prior, &settings[i])
			}
		}
	}
	for i, weekly := range best {
		if v.Test < tests && i != int(familyOf[v.Test]) {
			v.second = min(v.second, weekly)
		}
	}
	return v
}

// rate returns how often a value something as far as x comes about in a test: by its own past, or while it is an infant by
// that of its siblings.
func (s *Series) rate(t Test, x, prior float32, siblings *[tests]evt.Tail, pooled bool) float64 {
	tail := &s.tails[t]
	if pooled {
		tail = &siblings[t]
	}
	if x <= tail.Threshold() {
		return 1
	}
	if t == Spread && s.stats.same > still {
		// Rare events are each as large as the other: nothing follows for two of them.
		return tail.Rate(x, prior, &spreadOfStill)
	}
	return tail.Rate(x, prior, &settings[t])
}

// votes says whether a test has a say now.
func (s *Series) votes(t Test) bool {
	slow := t >= Shift16Up && t <= Shift64Down
	switch {
	case slow && s.at-s.first < slowDays*dayMillis:
		return false
	case s.model.Seen() < minSeen && s.stats.same > restless:
		// Of an infant that has hardly moved nobody knows how it moves.
		return false
	case s.stats.same > still && s.stats.out == 0:
		// A series that hardly moves is back where it belongs.
		return t >= Stay
	case s.stats.same > still && s.stats.out < 2:
		// Of a series that hardly moves, one value says something only if others like it came before.
		return t == Stay || (slow || t <= SpikeDown) && s.tails[t&1].Clusters() >= 5
	}
	return true
}

// restless is how often a value of an infant may equal the one before for it to be judged by its siblings.
const restless = 0.3

// still is how often a value must equal the one before for the series to hardly move.
const still = 0.9

func abs(x float32) float32 { return float32(math.Abs(float64(x))) }
