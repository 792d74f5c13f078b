package anomaly

import (
	"slices"

	"github.com/fairlead/fairlead/algo/evt"
)

// Test names one way in which a series can be abnormal.
type Test uint8

// The tests. Those with a direction come in pairs, up before down.
const (
	// SpikeUp: one value is far from what should come next.
	SpikeUp Test = iota
	SpikeDown
	// PairUp: two values in a row are far from where the series should be.
	PairUp
	PairDown
	// JumpUp: the last few values are beyond what was forecast one after the other.
	JumpUp
	JumpDown
	// Shift4Up, Shift16Up, Shift64Up: so many values are on average away from where the series should be.
	Shift4Up
	Shift4Down
	Shift16Up
	Shift16Down
	Shift64Up
	Shift64Down
	// Stay: values are outside the usual for longer than they ever are.
	Stay
	// Spread: the noise is larger than usual.
	Spread
	// Frozen: the value repeats itself although it never does for so long.
	Frozen
	tests
	// Absent: no value came, though they always did. A Watch sees it, no series by itself.
	Absent
)

var testNames = [...]string{
	"spike_up", "spike_down", "pair_up", "pair_down", "jump_up", "jump_down", "shift4_up", "shift4_down", "shift16_up", "shift16_down",
	"shift64_up", "shift64_down", "stay", "spread", "frozen", "none", "absent",
}

// String returns the test's name.
func (t Test) String() string {
	if int(t) >= len(testNames) {
		t = tests
	}
	return testNames[t]
}

// parseTest returns the test of a name; that of an unknown one finds nothing.
func parseTest(name string) Test {
	return Test(slices.Index(testNames[:], name) & 0xff) //nolint:gosec // -1 becomes 255, which is no test
}

// stats are running figures that the tests look at.
type stats struct {
	jump                     float32 // average over about 3 errors of the forecast, in spreads
	shift4, shift16, shift64 float32 // averages over so many distances from the level, in spreads
	noise                    float32 // average over about 12 sizes of errors
	before                   float32 // the distance of the last value from the level
	same                     float32 // how often a value equals the one before, 0 to 1
	run                      uint16  // how often the last value came in a row
	out                      uint16  // how many values in a row are outside the usual
}

// measure updates the figures with an error z of the forecast and a distance d from the level.
func (s *Series) measure(z, d float32, repeated bool, means *[2]float32, values *[tests]float32) {
	st := &s.stats
	top := s.tails[SpikeUp].Threshold() + means[SpikeUp]
	bottom := s.tails[SpikeDown].Threshold() + means[SpikeDown]
	high, low := max(8, 2*top), -max(8, 2*bottom)
	st.jump += (max(min(z, high), low) - st.jump) / 3
	st.shift4 += (max(min(d, high), low) - st.shift4) / 4
	// One value alone may not make a lasting shift.
	dc := max(min(d, max(mostAlone, top)), -max(mostAlone, bottom))
	st.shift16 += (dc - st.shift16) / 16
	st.shift64 += (dc - st.shift64) / 64
	st.noise += (min(abs(z), 5) - st.noise) / 12
	pair := d
	if abs(st.before) < abs(d) {
		pair = st.before
	}
	if (st.before < 0) != (d < 0) {
		pair = 0
	}
	st.before = d
	again := float32(0)
	if repeated {
		again = 1
		st.run = min(st.run+1, 1<<15)
	} else {
		st.run = 0
	}
	st.same += (again - st.same) * max(1/float32(s.model.Seen()), 1.0/1024)
	if abs(d) > 3 {
		st.out = min(st.out+1, 1<<15)
	} else {
		st.out = 0
	}
	frozen := float32(st.run)
	if st.same > 0.5 {
		frozen = 0
	}
	*values = [tests]float32{
		z, -z, pair, -pair, st.jump, -st.jump, st.shift4, -st.shift4, st.shift16, -st.shift16, st.shift64, -st.shift64,
		float32(st.out), st.noise, frozen,
	}
}

// mostAlone is how far, in standard deviations, one value may count in an average over many.
const mostAlone = 6

// families are groups of tests that see the same thing; two of different ones are two votes.
const families = 4

var familyOf = [tests]uint8{
	SpikeUp: 0, SpikeDown: 0, PairUp: 0, PairDown: 0, JumpUp: 1, JumpDown: 1, Shift4Up: 1, Shift4Down: 1,
	Shift16Up: 2, Shift16Down: 2, Shift64Up: 2, Shift64Down: 2, Stay: 3, Spread: 3, Frozen: 3,
}

func set(caution, floor, lightest float32) evt.Settings {
	return evt.Settings{Rate: 0.01, Gap: 8, Memory: 60_000, Caution: caution, PriorPeaks: 6, Floor: floor, Lightest: lightest}
}

var settings = [tests]evt.Settings{
	SpikeUp: set(1.2, 1, 1.5), SpikeDown: set(1.2, 1, 1.5), PairUp: set(1, 0.7, 1.5), PairDown: set(1, 0.7, 1.5),
	JumpUp: set(1, 0.5, 1.5), JumpDown: set(1, 0.5, 1.5), Shift4Up: set(1, 0.4, 1.3), Shift4Down: set(1, 0.4, 1.3),
	Shift16Up: set(1, 0.1, 1.2), Shift16Down: set(1, 0.1, 1.2), Shift64Up: set(1, 0.04, 1.2), Shift64Down: set(1, 0.04, 1.2),
	Stay: set(1.5, 0.5, 1), Spread: set(1, 0.5, 1.3), Frozen: set(1, 0.5, 1),
}

// spreadOfStill are the settings of Spread for a series that hardly moves.
var spreadOfStill = set(3, 0.5, 1)

// share is what part of the mean excess of a spike the mean excess of a test is thought to be.
var share = [tests]float32{
	PairUp: 1, PairDown: 1, JumpUp: 1. / 3, JumpDown: 1. / 3, Shift4Up: 1. / 4, Shift4Down: 1. / 4,
	Shift16Up: 1. / 16, Shift16Down: 1. / 16, Shift64Up: 1. / 64, Shift64Down: 1. / 64,
}

// spikePrior is the mean excess of a spike that is thought likely before any, in standard deviations.
const spikePrior = 0.5

// means returns the mean excess of a spike up and of one down, from which that of other tests is guessed.
func (s *Series) means() [2]float32 {
	return [2]float32{
		s.tails[SpikeUp].Mean(spikePrior, &settings[SpikeUp]), s.tails[SpikeDown].Mean(spikePrior, &settings[SpikeDown]),
	}
}

// prior returns the mean excess that is thought likely for a test before anything was seen.
func (s *Series) prior(t Test, means *[2]float32) float32 {
	switch {
	case t == Stay, t == Frozen:
		return 1
	case t == Spread:
		return 0.2
	case t <= SpikeDown:
		return spikePrior
	}
	return max(means[t&1]*share[t], 0.3*settings[t].Floor, s.tails[t].Size())
}
