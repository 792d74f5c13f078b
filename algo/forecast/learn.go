package forecast

import "math"

// learn takes v into the state.
func (m *Model) learn(at int64, step, v float32, base float64, in *inputs, f *Forecast) {
	m.n++
	n := float32(m.n)
	m.recent += max(1/n, 1.0/8) * (v - m.recent)
	taken := m.pulled(v, f)
	m.learnSpread(v, base, f)
	m.learnLosses(taken, in)
	m.learnLevels(taken)
	m.learnProfiles(at, step, taken, in)
	m.last = taken
	m.move(v, in, f)
}

// noteStep learns how fine the values are.
func (m *Model) noteStep(v float32) {
	moved := abs(v - m.raw)
	m.raw = v
	if moved == 0 {
		return
	}
	m.steps = min(m.steps+1, fewSteps)
	if moved < m.quantum || m.quantum == 0 {
		m.quantum = moved
	}
}

// pulled returns v, or if it is far from the forecast the farthest value that is not.
func (m *Model) pulled(v float32, f *Forecast) float32 {
	if m.n < 2*pull {
		return v
	}
	far := pull * 1.25 * f.Spread
	return min(max(v, f.Next-far), f.Next+far)
}

// learnSpread learns how large errors are, and whether they grow with the level.
func (m *Model) learnSpread(v float32, base float64, f *Forecast) {
	e := abs(v - f.Next)
	pace := max(1/float32(m.n), 1.0/512)
	for p := range m.spread {
		unit := powered(uint8(p), f.Next, base)
		u := e / unit
		if m.n > 2*pull {
			u = min(u, 8*m.spread[p]+tiny)
		}
		m.spread[p] += pace * (u - m.spread[p])
		if m.n%4 == 0 && m.spread[p] > 0 {
			s := m.spread[p] * unit
			loss := float32(math.Log(float64(s))) + min(e/s, 8)
			m.spreadLoss[p] += max(4/float32(m.n), 1.0/512) * (loss - m.spreadLoss[p])
		}
	}
	long := abs(v-f.Level) / powered(m.power, f.Level, base)
	if m.n > 2*pull {
		long = min(long, 8*m.longSpread+tiny)
	}
	m.longSpread += max(1/float32(m.n), 1.0/1024) * (long - m.longSpread)
	if m.n%64 == 0 && m.n >= 256 {
		m.choosePower(base, f)
	}
}

// choosePower changes how the spread depends on the level when another way is clearly better.
func (m *Model) choosePower(base float64, f *Forecast) {
	best := m.power
	for p := range m.spreadLoss {
		if m.spreadLoss[p] < m.spreadLoss[best]-0.01 {
			best = uint8(p)
		}
	}
	if math.Abs(base+float64(m.level1k)) < 2*float64(max(m.spread[0], m.quantum)) {
		best = 0 // near zero there is no level to speak of
	}
	if best != m.power {
		m.longSpread *= powered(m.power, f.Level, base) / powered(best, f.Level, base)
		m.power = best
	}
}

// learnLosses learns who forecasts well.
func (m *Model) learnLosses(v float32, in *inputs) {
	learnAll(m.shortLoss[:], in.short[:], v, 1/float32(m.n), 1.0/256, shortDay, shortWeek, m, in)
	learnAll(m.longLoss[:], in.long[:], v, 1/float32(m.n), 1.0/1024, longDay, longWeek, m, in)
}

// learnAll lets the losses of forecasts learn what came. The profiles know nothing at first: they count from when they do,
// and have to earn their weight.
func learnAll(losses, forecasts []float32, v, young, pace float32, day, week int, m *Model, in *inputs) {
	best := float32(math.MaxFloat32)
	for i := range day {
		learnLoss(&losses[i], v-forecasts[i], max(young, pace))
		best = min(best, losses[i])
	}
	if in.hasD {
		for i := day; i < week; i++ {
			joined(&losses[i], v-forecasts[i], pace, best, m.dayUsed)
		}
	}
	if in.hasW {
		joined(&losses[week], v-forecasts[week], pace, best, m.weekUsed)
	}
}

// Whoever joins later begins as bad as so many times the best, with the weight of so many values.
const joinLoss, joinWeight = 2, 8

// joined is learnLoss for a forecaster that was used so many times.
func joined(loss *float32, e, pace, best float32, used uint16) {
	if *loss == 0 {
		*loss = joinLoss*best + tiny
	}
	learnLoss(loss, e, max(1/(float32(used)+joinWeight), pace))
}

// learnLoss averages an absolute error; the first is taken as it is.
func learnLoss(loss *float32, e, pace float32) {
	e = abs(e)
	if *loss == 0 {
		*loss = e + tiny
		return
	}
	*loss += pace * (e - *loss)
}

// learnLevels moves the averages.
func (m *Model) learnLevels(v float32) {
	n := float32(m.n)
	a, b := m.last-m.level64, v-m.level64
	pace := max(1/n, 1.0/256)
	m.cov += pace * (a*b - m.cov)
	m.vari += pace * (a*a - m.vari)
	old := m.level16
	m.level4 += max(1/n, 1.0/4) * (v - m.level4)
	m.level16 += max(1/n, 1.0/16) * (v - m.level16)
	m.trend += max(1/n, 1.0/64) * (m.level16 - old - m.trend)
	m.level64 += max(1/n, 1.0/64) * (v - m.level64)
	m.level1k += max(1/n, 1.0/1024) * (v - m.level1k)
	if m.holding++; m.holding >= hold {
		m.holding = 0
		m.held = m.waiting
		m.waiting = [longs]float32{m.level16, m.level64, m.level1k, m.dayOff64, m.dayOff1k, m.weekOff64}
	}
}

// learnProfiles learns what the time of day and of the week do.
func (m *Model) learnProfiles(at int64, step, v float32, in *inputs) {
	if in.hasD {
		off := v - in.day
		if m.dayUsed == 0 {
			m.dayOff16, m.dayOff64, m.dayOff1k = off, off, off
			m.held[3], m.held[4], m.waiting[3], m.waiting[4] = off, off, off, off
		}
		m.dayOff1 = off
		m.dayOff16 += (off - m.dayOff16) / 16
		m.dayOff64 += (off - m.dayOff64) / 64
		m.dayOff1k += (off - m.dayOff1k) / 1024
		m.dayUsed = min(m.dayUsed, math.MaxUint16-1) + 1
	}
	if in.hasW {
		off := v - in.week
		if m.weekUsed == 0 {
			m.weekOff64, m.held[5], m.waiting[5] = off, off, off
		}
		m.weekOff64 += (off - m.weekOff64) / 64
		m.weekUsed = min(m.weekUsed, math.MaxUint16-1) + 1
	}
	if m.slots == 0 {
		if step <= 0 || step > day/4 || m.n < hold {
			return
		}
		m.slots = uint8(min(daySlots, max(int(day/step+0.5), 4)))
	}
	m.dayNow.learn(m.dayMean[:m.slots], int16(at%day*int64(m.slots)/day), v, &m.days)
	m.weekNow.learn(m.weekMean[:], int16((at+3*day)%week*weekSlots/week), v, &m.weeks)
}

// part is the part of a cycle that goes on.
type part struct {
	sum   float32
	count uint16
	slot  int16 // -1: none yet
}

// learn takes a value that falls into a slot of a cycle, of which means are known from so many rounds.
func (p *part) learn(means []float32, slot int16, v float32, rounds *uint8) {
	if slot != p.slot {
		if p.slot >= 0 && p.count > 0 {
			learnSlot(&means[p.slot], p.sum/float32(p.count), *rounds)
			if slot < p.slot && *rounds < math.MaxUint8 {
				*rounds++
			}
		}
		*p = part{slot: slot}
	}
	p.sum += v
	p.count++
}

// learnSlot averages one more mean into a part of a profile that was averaged so many times.
func learnSlot(mean *float32, v float32, times uint8) {
	if *mean == unknown {
		*mean = v
		return
	}
	*mean += max(1/float32(times+1), 0.2) * (v - *mean)
}

// move takes over the present level after values were far off on one side for long.
func (m *Model) move(v float32, in *inputs, f *Forecast) {
	if m.moved > 0 && m.moved < math.MaxUint16 {
		m.moved++
	}
	if m.n <= 2*hold {
		return
	}
	if count(&m.side, &m.run, v-f.Next, pull*1.25*f.Spread) >= moveShort {
		m.run = 0
		m.level4, m.level16, m.last, m.trend = m.recent, m.recent, v, 0
		if in.hasD {
			m.dayOff1, m.dayOff16 = v-in.day, v-in.day
		}
	}
	if count(&m.longSide, &m.longRun, v-f.Level, 3*1.25*f.LevelSpread) >= moveLong {
		m.longRun = 0
		m.shift(m.recent - f.Level)
	}
}

// moveBack takes over the level from before the series moved, of which v is a value.
func (m *Model) moveBack(v float32, in *inputs, f *Forecast) {
	m.shift(m.before - f.Level)
	m.level4, m.level16, m.last, m.recent, m.trend = v, v, v, v, 0
	m.held[0], m.waiting[0] = v, v
	m.moved, m.run, m.longRun = 0, 0, 0
	if in.hasD {
		m.dayOff1, m.dayOff16 = v-in.day, v-in.day
	}
	f.Next, f.Level = m.before, m.before
}

// shift moves everything slow.
func (m *Model) shift(by float32) {
	m.level64 += by
	m.level1k += by
	m.dayOff64 += by
	m.dayOff1k += by
	m.weekOff64 += by
	for i := 1; i < longs; i++ {
		m.held[i] += by
		m.waiting[i] += by
	}
	m.held[0], m.waiting[0] = m.recent, m.recent
}

// count counts how long e has been beyond far on one side.
func count(side *int8, run *uint8, e, far float32) uint8 {
	now := int8(0)
	if e > far {
		now = 1
	} else if e < -far {
		now = -1
	}
	if now == 0 || now != *side {
		*side, *run = now, 0
	}
	if now != 0 && *run < math.MaxUint8 {
		*run++
	}
	return *run
}
