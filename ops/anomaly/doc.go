// Package anomaly finds what is abnormal in samples, without a rule or a threshold that somebody made.
//
//	var s anomaly.Series
//	verdict := s.Observe(at, value, anomaly.Gauge)
//
// Each value is compared with what was forecast for it (algo/forecast) and with where the series belonged some time ago.
// Fifteen tests look at the two distances: one value, two in a row, averages over 3 to 64 values, how long the series stays
// outside, how noisy it is, how long it repeats itself. Each test has an extreme-value tail of its own (algo/evt), so that
// what it says is how often a week something as rare comes about in this series; autocorrelation, heavy tails, counts and
// seasons need no case of their own. People are told when that is rarely enough, when two families of tests agree or one is
// very sure, and when the like did not happen several times of late, above all not at this time of the day.
//
// Everything is strictly causal: what is said of a value depends on those before it alone, and is the same each time.
package anomaly
