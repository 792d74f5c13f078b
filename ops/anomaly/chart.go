package anomaly

import (
	"math"

	"github.com/fairlead/fairlead/base/signal"
)

// Chart is a series as the detector sees it. Its lists have one entry for each time.
type Chart struct {
	Labels signal.Labels
	Unit   string
	// Counter says that the values are rates by the second.
	Counter bool
	// Times are milliseconds since 1970.
	Times []int64
	// Values, and the usual from Low to High; NaN where there is none.
	Values, Low, High []float64
	// Alerts are the places at which an anomaly goes on.
	Alerts []int
}

// Draw judges samples anew, from the first, and returns what was said of those from a time on, at most limit of them: of
// each run of samples that does not fit the one that is farthest from what was expected.
func Draw(samples []signal.Sample, kind Kind, from int64, limit int) Chart {
	c := Chart{Counter: kind != Gauge, Times: []int64{}, Alerts: []int{}}
	var s Series
	verdicts := make([]Verdict, 0, len(samples))
	times := make([]int64, 0, len(samples))
	for _, sample := range samples {
		v := s.Observe(sample.At, sample.Value, kind)
		if v.Skipped || sample.At < from {
			continue
		}
		if s.model.Seen() < minSeen {
			v.Low, v.High = math.NaN(), math.NaN()
		}
		verdicts, times = append(verdicts, v), append(times, sample.At)
	}
	run := max(1, (len(verdicts)+limit-1)/max(limit, 1))
	for i := 0; i < len(verdicts); i += run {
		best, alert := i, false
		for j := i; j < min(i+run, len(verdicts)); j++ {
			alert = alert || verdicts[j].Alert
			if math.Abs(verdicts[j].Value-verdicts[j].Expected) > math.Abs(verdicts[best].Value-verdicts[best].Expected) {
				best = j
			}
		}
		v := &verdicts[best]
		if alert {
			c.Alerts = append(c.Alerts, len(c.Times))
		}
		c.Times = append(c.Times, times[best])
		c.Values, c.Low, c.High = append(c.Values, v.Value), append(c.Low, v.Low), append(c.High, v.High)
	}
	return c
}
