package anomaly

import (
	"math"
	"time"

	"github.com/fairlead/fairlead/algo/evt"
	"github.com/fairlead/fairlead/algo/fdr"
)

// DefaultBudget is how many anomalies a team is told a week, at most half as many again.
const DefaultBudget = 5

const (
	week = 7 * 24 * time.Hour
	// hardest is how much of the budget may be used in any week.
	hardest = 1.5
	// reserve is how many tells are kept for what is a discovery by itself.
	reserve = 2
	// share is which part of the budget chance alone may use up.
	chance = 0.5
	// beyond is how far beyond all that nobody was told of something must be to be told when the budget is nearly used up: a
	// tail is least sure where it is farthest.
	beyond = 1.5
	// overwhelming is the least evidence, in powers of ten, that uses up what is reserved: more than any one series can have.
	overwhelming = 2 * most
	// smallest is the least that the correction leaves.
	smallest = 1e-6
	// memoryWeeks is for how many weeks groups are remembered.
	memoryWeeks = 4
	// correction is how strongly the realised number corrects what is asked of the evidence, a tell and a part of a week.
	correction = 0.3
)

// discovery bounds the share of false ones among what is told when the budget is nearly used up.
var discovery = fdr.Settings{Rate: 0.2, Memory: 2000}

// groupTail are the settings of the evidence of a team's groups.
var groupTail = evt.Settings{Caution: 1, PriorPeaks: 10, Lightest: 1}

// groupPrior is the mean evidence of a group, beyond what makes one, before any was seen: in powers of ten.
const groupPrior = 0.8

// Budget decides which groups of anomalies a team is told of, so that the number is what the team asked for, whatever the
// number of series, and never above one and a half times that in any week.
//
// What is known of earlier groups says how often a week one of as much evidence comes about (the rate). A group is told
// when the rate is below what chance may use up, corrected by how many were really told (the feedback of Gibbs and Candès,
// Adaptive conformal inference under distribution shift, NeurIPS 2021, equation 2, on a logarithmic scale). The last ones
// are kept for what online control of the false discovery rate calls a discovery. Its fields are exported to be kept.
type Budget struct {
	// Excess is the evidence of the groups that were there, Groups how many there are a week.
	Excess evt.Excess
	Groups float64
	// Discovery says what is significant by itself.
	Discovery fdr.LORD
	// Highest is the most evidence of a group that nobody was told of; it fades like the others.
	Highest float64
	// Factor corrects the rate that is asked for.
	Factor float64
	// Told are the times at which something was told within a week, oldest first.
	Told []time.Time
	// Began is when the team was heard of first, At up to when Groups and Factor are known.
	Began, At time.Time
	// Tells, Expected and Held count since the beginning: what was told, what chance would have told, and what was not told
	// because the budget was used up.
	Tells, Held uint64
	Expected    float64
	// Curve counts groups by their p-value, in tenths from 0: even when the evidence is calibrated.
	Curve [10]uint64
}

// advance lets time pass.
func (b *Budget) advance(now time.Time, budget float64) {
	if b.At.IsZero() {
		b.Began, b.At, b.Factor = now, now, 1
	}
	if passed := now.Sub(b.At).Seconds() / week.Seconds(); passed > 0 {
		b.Groups *= math.Exp(-passed)
		b.Excess.Fade(float32(math.Exp(-passed / memoryWeeks)))
		b.Highest *= math.Exp(-passed / memoryWeeks)
		b.Factor = min(b.Factor*math.Exp(correction*passed*budget), 2)
		b.At = now
	}
	for len(b.Told) > 0 && now.Sub(b.Told[0]) >= week {
		b.Told = b.Told[1:]
	}
}

// rate returns how often a week a group of so much evidence comes about, and the chance that any one has as much.
func (b *Budget) rate(evidence float64) (rate, p float64) {
	p = b.Excess.Chance(float32(evidence-least), groupPrior, &groupTail)
	return b.Weekly() * p, p
}

// Weekly returns how many groups there are a week, told or not, by those of a week that count less the older they are. Of a week that has
// hardly begun they are a part.
func (b *Budget) Weekly() float64 {
	passed := max(b.At.Sub(b.Began).Seconds()/week.Seconds(), 1.0/7)
	return (b.Groups + 1) / (1 - math.Exp(-passed))
}

// least is the evidence, in powers of ten, that makes a group at all.
var least = -float64(bar)

// Left returns how many may be told now.
func (b *Budget) left(budget float64) int {
	return int(math.Floor(hardest*budget)) - len(b.Told)
}

// tells reports whether a group of so much evidence is told now.
func (b *Budget) tells(now time.Time, evidence, budget float64) bool {
	b.advance(now, budget)
	rate, p := b.rate(evidence)
	left := b.left(budget)
	wanted := rate <= budget*chance*b.Factor
	if left <= min(reserve, int(hardest*budget)/2) {
		wanted = p <= b.Discovery.Level(discovery)*min(b.Factor, 1) && evidence >= max(beyond*b.Highest, overwhelming)
	}
	if !wanted {
		return false
	}
	// What is wanted and not told says as much about what was asked for as what is told.
	b.Factor = max(b.Factor*math.Exp(-correction), smallest)
	if left <= 0 {
		b.Held++
		return false
	}
	b.Told = append(b.Told, now)
	b.Tells++
	b.Expected += min(rate, budget)
	return true
}

// learn takes in a group that has ended.
func (b *Budget) learn(now time.Time, evidence, budget float64, told bool) {
	b.advance(now, budget)
	_, p := b.rate(evidence)
	b.Curve[min(int(p*10), 9)]++
	b.Discovery.Test(p, discovery)
	b.Excess.Add(float32(evidence-least), told, groupPrior, &groupTail)
	b.Groups++
	if !told {
		b.Highest = max(b.Highest, evidence)
	}
}
