package evt

import "math"

// Excess is what is known of how far values lie beyond a bound that they exceed. The zero value knows nothing.
type Excess struct {
	// Count is how many there were; it shrinks as old ones are forgotten.
	Count float32
	// Sum and Squares are the sums of the excesses and of their squares.
	Sum, Squares float32
}

const (
	// heavier makes up for that the moments of few peaks make a heavy tail look lighter than it is.
	heavier = 0.5
	// plausible bounds what one peak may teach: the excess with this chance; taught what one may that people were told of.
	plausible, taught = 1e-3, 1e-2
	// toldWeight is how much a peak counts that people were told of.
	toldWeight = 0.25
)

// Add learns from one more excess. Told says that people were told of it: then it is probably none of the usual, and counts
// less. Prior is the mean excess that was thought likely before any.
func (e *Excess) Add(excess float32, told bool, prior float32, s *Settings) {
	excess = max(excess, 0)
	if told || e.Count > 4 {
		p := float32(plausible)
		if told {
			p = taught
		}
		shape, mean, _ := e.fit(prior, s)
		excess = min(excess, quantile(p, shape, mean))
	}
	weight := float32(1)
	if told {
		weight = toldWeight
	}
	e.Count += weight
	e.Sum += weight * excess
	e.Squares += weight * excess * excess
}

// Fade lets what was seen count only a share, 0 to 1, of what it did.
func (e *Excess) Fade(share float32) {
	e.Count *= share
	e.Sum *= share
	e.Squares *= share
}

// Chance returns how likely an excess is to reach x, 0 to 1.
func (e *Excess) Chance(x, prior float32, s *Settings) float64 {
	shape, mean, count := e.fit(prior, s)
	if count == 0 || mean <= 0 || x <= 0 {
		return 1
	}
	return exceed(float64(x), float64(shape), float64(mean))
}

// fit returns the shape of the excesses, their mean, and how many stand behind them. A shape below 0 is the opposite of the
// exponent of a Weibull distribution.
func (e *Excess) fit(prior float32, s *Settings) (shape, mean, count float32) {
	count = e.Count + s.PriorPeaks
	if count == 0 {
		return 0, 0, 0
	}
	if e.Count >= 2 {
		prior = e.Sum / e.Count // what was seen tells the size; the prior goes on to say exponential
	}
	// An exponential with mean m has squares of mean 2 m².
	mean = (e.Sum + s.PriorPeaks*prior) / count
	if mean <= 0 {
		return 0, 0, count
	}
	squares := (e.Squares + 2*s.PriorPeaks*prior*prior) / count
	spread := float32(math.Sqrt(float64(max(squares-mean*mean, 0)))) / mean
	spread *= 1 + s.Caution/float32(math.Sqrt(float64(count)))
	if spread < 1 {
		return -min(1/max(spread, 0.1), s.Lightest), mean, count
	}
	shape = (1 - 1/(spread*spread)) / 2
	return min(shape*(1+heavier*min((spread-1)/0.3, 1)), 0.6), mean, count
}

// exceed returns the chance of an excess of more than x for a mean excess: of a generalised Pareto distribution of the shape
// if that is not negative, else of a Weibull distribution whose exponent is its opposite.
func exceed(x, shape, mean float64) float64 {
	switch {
	case shape < 0:
		return math.Exp(-math.Pow(x/mean*math.Gamma(1-1/shape), -shape))
	case shape < 1e-6:
		return math.Exp(-x / mean)
	}
	return math.Pow(1+shape*x/(mean*(1-shape)), -1/shape)
}

// quantile returns the excess that is exceeded with chance p, for a shape below 0 that of an exponential distribution.
func quantile(p, shape, mean float32) float32 {
	if shape < 1e-6 {
		return -mean * float32(math.Log(float64(p)))
	}
	return mean * (1 - shape) / shape * (float32(math.Pow(float64(p), -float64(shape))) - 1)
}
