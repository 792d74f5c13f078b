// Package forecast says what the next value of a series should be, and where the series should be some time from now, from
// the past alone.
//
// A Model holds forecasters of several kinds and horizons: the last value, averages over 4 to 1024 values, an
// autoregression, a trend, the time of day and the time of the week. Each forecasts every value; those that were good
// lately get the weight (prediction with expert advice: Cesa-Bianchi and Lugosi, Prediction, Learning, and Games, 2006,
// section 2; polynomial weights in place of exponential ones, so that no rate has to be chosen). Values that are far off
// are pulled in before anything learns from them (Huber, Robust estimation of a location parameter, 1964), and if they stay
// far off the model moves over to them.
//
// The spread of the errors may grow with the level, as its root or in proportion (a variance function, Davidian and
// Carroll, JASA 82, 1987); which of the three holds is chosen by likelihood.
//
// A Model has no pointers and a fixed size. It is not safe for concurrent use. Values are relative to a base that the
// caller keeps, so that 32 bits are enough.
package forecast

import "math"

const (
	// daySlots is how many parts a day has at most, weekSlots a week.
	daySlots  = 96
	weekSlots = 84

	shorts = 10 // forecasters of the next value
	longs  = 6  // forecasters of where the series should be

	day  = 24 * 60 * 60
	week = 7 * day

	// hold is how many values a long forecast waits before it looks at what came.
	hold = 16
	// largest bounds values, so that their products are finite.
	largest = 1e17
	// pull is how many spreads an error may have before it is pulled in.
	pull = 4
	// fewSteps is how many changes say how fine the values are.
	fewSteps = 5
	// moveShort and moveLong are how many values in a row must be far off on one side until the model moves to them.
	moveShort = 12
	moveLong  = 96
)

// Model is the state for one series; the zero value has seen nothing.
type Model struct {
	n    uint32 // values seen
	last float32
	// quantum is the smallest step that the values have made: they are not expected to be finer.
	quantum, raw float32
	steps        uint8 // how many times the value changed, at most fewSteps
	// Averages over about 4, 16, 64 and 1024 values, of values pulled in.
	level4, level16, level64, level1k float32
	trend                             float32 // a value, of level16
	// Covariance and variance of successive distances from level64: an autoregression of order 1.
	cov, vari float32
	// What the time of day and of the week leave over: averages over 16, 64 and 1024 values.
	dayOff1, dayOff16, dayOff64, dayOff1k float32
	weekOff64                             float32
	// held is what the long forecasts are made from, waiting what they will be made from next.
	held, waiting [longs]float32
	holding       uint8

	shortLoss [shorts]float32
	longLoss  [longs]float32

	// spread is the mean absolute error of the next value over the level to the power 0, 1/2, 1; spreadLoss how badly each
	// describes it; power which of them is used.
	spread     [3]float32
	spreadLoss [3]float32
	power      uint8
	longSpread float32 // the same for the long forecast, of the power used

	// hourLoss are the errors of the time of day an hour before, as it is, and an hour after, since clocks were changed.
	hourLoss [3]float32

	side     int8  // on which side of the forecast the last values were far off
	run      uint8 // how many of them
	longSide int8
	longRun  uint8
	recent   float32 // average over about 8 values, not pulled in
	// before is where the series was before it went away, and moved how many values ago that was; 0 means it has not.
	before float32
	moved  uint16

	// The profiles hold the mean of the values in each part of a day and of a week.
	dayNow, weekNow   part
	days, weeks       uint8
	dayUsed, weekUsed uint16 // how many values were forecast from each
	slots             uint8  // parts of a day in use; 0 until the step is known
	dayMean           [daySlots]float32
	weekMean          [weekSlots]float32
}

// Forecast is what a Model expects of the next value.
type Forecast struct {
	// Next is the value that should come next, Spread the mean absolute error there.
	Next, Spread float32
	// Level is where the series should be by what was known some time ago, LevelSpread the mean absolute error there.
	Level, LevelSpread float32
}

// inputs are the forecasts of all forecasters for one value.
type inputs struct {
	short [shorts]float32
	long  [longs]float32
	day   float32 // the profiles' values
	week  float32
	hasD  bool
	hasW  bool
}

// Seen returns how many values were learned from.
func (m *Model) Seen() uint32 { return m.n }

// Observe forecasts the value at a time and learns from it. At is in seconds since 1970, UTC; step is the usual distance of
// values in seconds, 0 while unknown; base is what values are relative to.
func (m *Model) Observe(at int64, step, v float32, base float64) Forecast {
	v = max(min(v, largest), -largest)
	if m.n == 0 {
		m.begin(v)
	}
	m.noteStep(v)
	var in inputs
	m.look(at, &in)
	f := m.forecast(&in, base)
	if m.returns(v, &f) {
		m.moveBack(v, &in, &f)
	}
	said := f
	if clocksChanged(at) {
		m.hourOff(at, v, &in, &said)
	}
	m.learn(at, step, v, base, &in, &f)
	return said
}

func (m *Model) begin(v float32) {
	m.raw, m.last, m.level4, m.level16, m.level64, m.level1k, m.recent = v, v, v, v, v, v, v
	m.dayNow.slot, m.weekNow.slot = -1, -1
	for i := range m.dayMean {
		m.dayMean[i] = unknown
	}
	for i := range m.weekMean {
		m.weekMean[i] = unknown
	}
	for i := range m.held {
		m.held[i], m.waiting[i] = v, v
	}
}

// unknown marks a part of a profile that was never seen.
const unknown = math.MaxFloat32

// look asks all forecasters.
func (m *Model) look(at int64, in *inputs) {
	if m.days > 0 {
		in.day, in.hasD = profile(m.dayMean[:m.slots], at%day, day)
	}
	if m.weeks > 0 {
		in.week, in.hasW = profile(m.weekMean[:], (at+3*day)%week, week)
	}
	phi := float32(0)
	if m.vari > 0 {
		phi = min(max(m.cov/m.vari, 0), 0.995)
	}
	in.short = [shorts]float32{
		m.last, m.level4, m.level16, m.level64, m.level64 + phi*(m.last-m.level64), m.level16 + m.trend*16, m.level1k,
		in.day + m.dayOff1, in.day + m.dayOff16, in.week + m.weekOff64,
	}
	in.long = [longs]float32{m.held[0], m.held[1], m.held[2], in.day + m.held[3], in.day + m.held[4], in.week + m.held[5]}
}

// profile interpolates between the middles of the parts of a cycle.
func profile(means []float32, at, length int64) (float32, bool) {
	place := float32(at)*float32(len(means))/float32(length) - 0.5
	if place < 0 {
		place += float32(len(means))
	}
	i := int(place)
	share := place - float32(i)
	if i >= len(means) {
		i = 0
	}
	j := i + 1
	if j == len(means) {
		j = 0
	}
	a, b := means[i], means[j]
	if a == unknown || b == unknown {
		return 0, false
	}
	return a + share*(b-a), true
}

// forecast weighs the forecasters.
func (m *Model) forecast(in *inputs, base float64) Forecast {
	f := Forecast{
		Next:  weigh(in.short[:], m.shortLoss[:], in.hasD, in.hasW, shortDay, shortWeek),
		Level: weigh(in.long[:], m.longLoss[:], in.hasD, in.hasW, longDay, longWeek),
	}
	level := float32(math.Abs(base + float64(f.Next)))
	floor := 0.1*m.quantum + 1e-6*level
	if m.steps < fewSteps && 0.004*level > 0.01*m.quantum {
		floor = 0.004 * level // the first steps need not be the finest
	}
	f.Spread = max(m.spread[m.power]*powered(m.power, f.Next, base), floor)
	f.LevelSpread = max(m.longSpread*powered(m.power, f.Level, base), floor)
	return f
}

// Away says that the series left a level with the last value: something is wrong with it. When it comes back within a day or
// so, that is no surprise, and the model goes on with what it knew.
func (m *Model) Away(level float32) { m.before, m.moved = level, 1 }

// within is how many values a series may be away until its return is none any more.
const within = 1500

// returns says that the series is back where it was before it moved.
func (m *Model) returns(v float32, f *Forecast) bool {
	if m.moved == 0 || m.moved > within {
		return false
	}
	near := abs(v - m.before)
	return near < 3*1.25*f.LevelSpread && near < 0.5*abs(v-f.Level)
}

func abs(x float32) float32 { return float32(math.Abs(float64(x))) }

// From these places on forecasters need the time of day, and of the week.
const (
	shortDay, shortWeek = 7, 9
	longDay, longWeek   = 3, 5
)

// weigh returns the mean of forecasts, weighted by the eighth power of how good each was.
func weigh(forecasts, losses []float32, hasDay, hasWeek bool, day, week int) float32 {
	count := day
	if hasDay {
		count = week
	}
	best := float32(math.MaxFloat32)
	for i := range count {
		if losses[i] > 0 {
			best = min(best, losses[i])
		}
	}
	last := len(losses) - 1
	hasWeek = hasWeek && losses[last] > 0
	if hasWeek {
		best = min(best, losses[last])
	}
	if best == math.MaxFloat32 {
		return forecasts[0]
	}
	sum, total := float32(0), float32(0)
	add := func(i int) {
		if losses[i] == 0 {
			return
		}
		w := (best + tiny) / (losses[i] + tiny)
		w *= w
		w *= w
		w *= w
		sum += w * forecasts[i]
		total += w
	}
	for i := range count {
		add(i)
	}
	if hasWeek {
		add(last)
	}
	return sum / total
}

const tiny = 1e-20

// powered returns the level to a power: 0, 1/2 or 1.
func powered(power uint8, level float32, base float64) float32 {
	if power == 0 {
		return 1
	}
	absolute := float32(math.Abs(base + float64(level)))
	if power == 2 {
		return max(absolute, tiny)
	}
	return max(float32(math.Sqrt(float64(absolute))), tiny)
}
