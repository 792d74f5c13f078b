// Package evt estimates how rare a value is from the peaks of a stream over a high threshold.
//
// It follows extreme value theory: peaks over a threshold have, in the limit, a generalised Pareto distribution
// (Pickands, Statistical inference using extreme order statistics, Annals of Statistics 3, 1975), and a stream can be
// judged with one fit that is kept up to date (SPOT: Siffer, Fouque, Termier and Largouët, Anomaly detection in streams
// with extreme value theory, KDD 2017, doi:10.1145/3097983.3098144).
//
// It differs from SPOT in five ways, each because a detector that watches thousands of series has to be right about the
// number of its alarms, not about each point:
//
//   - Only the highest value of a cluster of exceedances is a peak (runs declustering: Ferro and Segers, Inference for
//     clusters of extreme values, JRSS B 65, 2003), so that the rate is one of episodes and autocorrelation does no harm.
//   - The threshold follows the wanted rate by stochastic approximation (Robbins and Monro 1951), so there is no batch.
//   - Shape and scale are those of the method of moments (Hosking and Wallis, Parameter and quantile estimation for the
//     generalized Pareto distribution, Technometrics 29, 1987, section 3), which needs two sums and no search.
//   - The shape is taken one standard error higher than estimated and never below 0: with few peaks the tail is taken to
//     be heavy. For an exponential tail and n peaks of mean m this is close to the predictive (1 + x/(n m))^-n.
//   - A peak beyond what was ever plausible counts only as much as the plausible, so that a fault does not teach the tail.
package evt

// Tail is the upper tail of one statistic. The zero value has seen nothing. It holds no pointers and takes 32 bytes.
type Tail struct {
	// threshold is what a value must exceed to belong to a cluster.
	threshold float32
	// seen is how many values came; it shrinks as old ones are forgotten.
	seen float32
	// excess are the peaks of the clusters that ended.
	excess Excess
	// size is the running mean of the statistic's absolute value.
	size float32
	// peak is the highest value of the cluster that goes on, 0 for none.
	peak float32
	// quiet is how many values have been below since.
	quiet uint8
	_     [3]uint8
}

// Settings are shared by many tails.
type Settings struct {
	// Rate is which part of the values should begin a cluster, for instance 0.01.
	Rate float32
	// Gap is how many values below the threshold end a cluster.
	Gap uint8
	// Memory is how many values are remembered; later ones push out earlier ones.
	Memory float32
	// Caution is how many standard errors are added to the shape.
	Caution float32
	// PriorPeaks is how many peaks the prior counts for; their mean excess is given with each question.
	PriorPeaks float32
	// Lightest is the largest exponent of a tail that is lighter than exponential: 1 (no lighter) or more.
	Lightest float32
	// Floor is the lowest threshold: what is below never matters.
	Floor float32
}

// Threshold returns what a value must exceed to be looked at.
func (t *Tail) Threshold() float32 { return t.threshold }

// Size returns the mean of the statistic.
func (t *Tail) Size() float32 { return t.size }

// Seen returns how many values are remembered.
func (t *Tail) Seen() float32 { return t.seen }

// Clusters returns how many clusters are remembered.
func (t *Tail) Clusters() float32 { return t.excess.Count }

// Peak returns the highest value of the present cluster, 0 if there is none.
func (t *Tail) Peak() float32 { return t.peak }

// Observe learns from the next value, which must be finite; what is below 0 counts as 0. It costs a few comparisons.
func (t *Tail) Observe(x float32, told bool, prior float32, s *Settings) {
	t.seen++
	pace := max(1/t.seen, slowest)
	t.size += pace * (t.capped(x) - t.size)
	if t.seen <= first {
		t.threshold = max(3*t.size, s.Floor)
		return
	}
	if x > t.threshold {
		t.peak, t.quiet = max(t.peak, x), 0
		return
	}
	// The threshold moves up a lot with each cluster and down a little with each value, and stays where the two balance.
	gain := max(0.5/(1+t.excess.Count*0.25), 0.03)
	t.threshold = max(t.threshold*(1-gain*s.Rate), s.Floor)
	if t.peak > 0 {
		if t.quiet++; t.quiet >= s.Gap {
			t.close(told, prior, s)
			t.threshold = max(t.threshold*(1+gain), gain*t.size)
		}
	}
	if t.seen > s.Memory {
		t.forget()
	}
}

// capped returns x without what is beyond all peaks.
func (t *Tail) capped(x float32) float32 {
	if x <= t.threshold {
		return max(x, 0)
	}
	if t.excess.Count > 4 {
		return min(x, t.threshold+20*t.excess.Sum/t.excess.Count)
	}
	return x
}

const (
	// slowest is the pace at which the mean size follows in the end.
	slowest = 1.0 / 1024
	// first is how many values only tell the size.
	first = 64
)

// close ends the present cluster.
func (t *Tail) close(told bool, prior float32, s *Settings) {
	t.excess.Add(t.peak-t.threshold, told, prior, s)
	t.peak, t.quiet = 0, 0
}

// forget halves the weight of what was seen.
func (t *Tail) forget() {
	t.seen /= 2
	t.excess.Fade(0.5)
}

// Mean returns the mean excess of the peaks, with the prior's.
func (t *Tail) Mean(prior float32, s *Settings) float32 {
	_, mean, _ := t.excess.fit(prior, s)
	return mean
}

// Rate returns how many clusters a value are expected to reach x: 1 to 0. It says 1 for what is not above the threshold.
// Prior is the mean excess that is thought likely before any peak was seen.
func (t *Tail) Rate(x, prior float32, s *Settings) float64 {
	if x <= t.threshold || t.seen <= first {
		return 1
	}
	begun := (float64(t.excess.Count) + 0.5) / (float64(t.seen) + 1)
	return begun * t.excess.Chance(x-t.threshold, prior, s)
}
