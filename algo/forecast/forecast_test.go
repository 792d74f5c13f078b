package forecast

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

const monday = 1772409600 // 00:00 UTC, seconds

// follow observes values so many seconds apart and returns the forecasts.
func follow(m *Model, step int64, values []float64) []Forecast {
	forecasts := make([]Forecast, len(values))
	for i, v := range values {
		forecasts[i] = m.Observe(monday+int64(i)*step, float32(step), float32(v-values[0]), values[0])
		forecasts[i].Next += float32(values[0])
		forecasts[i].Level += float32(values[0])
	}
	return forecasts
}

// miss returns the mean absolute error of the forecasts of the last quarter.
func miss(forecasts []Forecast, values []float64) float64 {
	from := len(values) * 3 / 4
	sum := 0.0
	for i := from; i < len(values); i++ {
		sum += math.Abs(float64(forecasts[i].Next) - values[i])
	}
	return sum / float64(len(values)-from)
}

func series(n int, one func(i int, r *rand.Rand) float64) []float64 {
	r := rand.New(rand.NewPCG(9, 9))
	values := make([]float64, n)
	for i := range values {
		values[i] = one(i, r)
	}
	return values
}

func TestForecastsAreNearlyAsGoodAsTheBestPossible(t *testing.T) {
	walk, ar := 0.0, 0.0
	tests := []struct {
		name   string
		values []float64
		best   float64 // mean absolute error of a forecaster that knows how the values are made
	}{
		{"noise", series(8000, func(_ int, r *rand.Rand) float64 { return 100 + 5*r.NormFloat64() }), 5 * 0.798},
		{"a walk", series(8000, func(_ int, r *rand.Rand) float64 { walk += r.NormFloat64(); return 100 + walk }), 0.798},
		{"an autoregression", series(8000, func(_ int, r *rand.Rand) float64 { ar = 0.9*ar + r.NormFloat64(); return 100 + ar }), 0.798},
		{"a day", series(8000, func(i int, r *rand.Rand) float64 {
			return 100 + 50*math.Sin(2*math.Pi*float64(i)/288) + r.NormFloat64()
		}), 0.798},
		{"a slope", series(8000, func(i int, r *rand.Rand) float64 { return float64(i) + r.NormFloat64() }), 0.798},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var m Model
			got := miss(follow(&m, 300, test.values), test.values)
			if got > 1.35*test.best {
				t.Errorf("the mean error is %g, the best possible %g", got, test.best)
			}
		})
	}
}

func TestTheSpreadGrowsWithTheLevelWhereItDoes(t *testing.T) {
	values := series(6000, func(i int, r *rand.Rand) float64 {
		level := 1000 * (1.2 + math.Sin(2*math.Pi*float64(i)/1440))
		return level * (1 + 0.05*r.NormFloat64())
	})
	var m Model
	forecasts := follow(&m, 60, values)
	high, low := forecasts[5000-5000%1440+360], forecasts[5000-5000%1440+1080]
	if ratio := high.Spread / low.Spread; ratio < 4 || ratio > 25 {
		t.Errorf("the spread at the top is %g times that at the bottom, the level 11 times", ratio)
	}
}

func TestAConstantIsForecastExactly(t *testing.T) {
	var m Model
	values := make([]float64, 500)
	for i := range values {
		values[i] = 42
	}
	for i, f := range follow(&m, 60, values) {
		if f.Next != 42 || f.Level != 42 {
			t.Fatalf("forecast %d is %g and %g, want 42", i, f.Next, f.Level)
		}
	}
}

func TestTheModelMovesOverToANewLevel(t *testing.T) {
	values := series(3000, func(i int, r *rand.Rand) float64 {
		if i < 1500 {
			return 100 + r.NormFloat64()
		}
		return 400 + r.NormFloat64()
	})
	var m Model
	forecasts := follow(&m, 60, values)
	if f := forecasts[1550]; math.Abs(float64(f.Next)-400) > 5 {
		t.Errorf("50 values after the level moved to 400 the next is thought to be %g", f.Next)
	}
	if f := forecasts[1515]; math.Abs(float64(f.Level)-100) > 5 {
		t.Errorf("15 values after the level moved the series is thought to belong to %g already, want about 100", f.Level)
	}
	if f := forecasts[1800]; math.Abs(float64(f.Level)-400) > 5 {
		t.Errorf("300 values after the level moved to 400 the series is thought to belong to %g", f.Level)
	}
}

// For a day after the profile of the week is known its first errors must not decide alone.
func TestWhoJoinsLaterEarnsItsWeight(t *testing.T) {
	x := 0.0
	values := series(9*1440, func(_ int, r *rand.Rand) float64 {
		x = 0.9*x + r.NormFloat64()
		return 300 + 10*x
	})
	var m Model
	forecasts := follow(&m, 60, values)
	size := func(from, until int) float64 {
		sum := 0.0
		for i := from; i < until; i++ {
			sum += math.Abs(values[i] - float64(forecasts[i].Next))
		}
		return sum / float64(until-from)
	}
	if before, after := size(6*1440, 7*1440), size(7*1440, 7*1440+200); after > 1.3*before {
		t.Errorf("errors are %.3g after the week is known, %.3g before", after, before)
	}
}

func TestAReturnIsNoSurprise(t *testing.T) {
	values := series(3000, func(i int, r *rand.Rand) float64 {
		if i >= 1500 && i < 1800 {
			return 400 + r.NormFloat64()
		}
		return 100 + r.NormFloat64()
	})
	var m Model
	for i, v := range values {
		f := m.Observe(monday+int64(i)*60, 60, float32(v), 0)
		switch {
		case i == 1500:
			m.Away(f.Level)
		case i == 1799 && math.Abs(float64(f.Level)-400) > 5:
			t.Errorf("before the series returns it is thought to belong to %g, want 400", f.Level)
		case i >= 1800 && (math.Abs(float64(f.Next)-100) > 5 || math.Abs(float64(f.Level)-100) > 5):
			t.Fatalf("%d values after the series returned to 100 the forecasts are %g and %g", i-1800, f.Next, f.Level)
		}
	}
}

// What people do moves by an hour of UTC when their clocks change; only then is that no surprise.
func TestAnHourIsForgivenAfterClocksWereChanged(t *testing.T) {
	worst := func(from time.Time) float64 {
		var m Model
		worst := 0.0
		change := from.Add(21 * 24 * time.Hour)
		r := rand.New(rand.NewPCG(5, 5))
		for i := range 23 * 1440 {
			at := from.Add(time.Duration(i) * time.Minute)
			local := at
			if !at.Before(change) {
				local = at.Add(time.Hour)
			}
			v := 10 + r.NormFloat64()
			if h := local.Hour(); h >= 8 && h < 18 {
				v += 200
			}
			f := m.Observe(at.Unix(), 60, float32(v), 0)
			if at.After(change.Add(6*time.Hour)) && at.After(from.Add(21*24*time.Hour)) && local.Hour() == 8 && local.Minute() > 20 {
				worst = max(worst, math.Abs(v-float64(f.Level)))
			}
		}
		return worst
	}
	if got := worst(time.Date(2026, 3, 8, 1, 0, 0, 0, time.UTC)); got > 60 {
		t.Errorf("in the morning after clocks were changed in Europe the level is wrong by %.0f of 200", got)
	}
	if got := worst(time.Date(2026, 5, 3, 1, 0, 0, 0, time.UTC)); got < 100 {
		t.Errorf("in June the same is off by no more than %.0f of 200: it would not be noticed", got)
	}
}

func TestForecastsAreFinite(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for _, size := range []float64{0, 1e-300, 1e-9, 1, 1e9, 1e30} {
		var m Model
		for i := range 2000 {
			v := size * r.NormFloat64()
			f := m.Observe(monday+int64(i)*60, 60, float32(v), 0)
			for _, x := range []float32{f.Next, f.Spread, f.Level, f.LevelSpread} {
				if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
					t.Fatalf("values of size %g: forecast %d is %+v", size, i, f)
				}
			}
		}
	}
}

// A series of zeros with rare events: the first small forecasts after an event must not make the next one look like a
// thousand deviations.
func TestRareEventsAreMeasuredInTheirOwnSteps(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	var m Model
	for i := range 5000 {
		v := float32(0)
		if r.Float64() < 0.01 {
			v = float32(1 + r.IntN(3))
		}
		f := m.Observe(monday+int64(i)*60, 60, v, 0)
		if z := (v - f.Next) / f.Spread; z > 40 {
			t.Fatalf("value %d, %g, is %g mean errors from the forecast %g", i, v, z, f.Next)
		}
	}
}
