// Package fdr decides, one p-value after the other and for ever, which of them are discoveries, so that the share of false
// ones among all stays below a bound.
//
// It is LORD++ (Ramdas, Yang, Wainwright and Jordan, Online control of the false discovery rate with decaying memory,
// NeurIPS 2017, section 3; after Javanmard and Montanari, Annals of Statistics 46, 2018): a test may spend a part of a
// wealth that falls with each test and grows with each discovery. Two things differ, so that the wealth of a stream without
// end does not run dry: tests are numbered from the oldest that is remembered, and discoveries are forgotten with them.
package fdr

import "math"

// recent is how many discoveries are remembered.
const recent = 16

// LORD is the state of one stream of tests. The zero value has seen none. It holds no pointers.
type LORD struct {
	// Tests counts the tests, Found the discoveries.
	Tests, Found uint64
	// At are the numbers of the last discoveries, in a ring of which Next is the oldest.
	At   [recent]uint64
	Next uint8
}

// Settings are shared by many streams.
type Settings struct {
	// Rate bounds the expected share of false discoveries, 0 to 1. Half of it is there at the beginning.
	Rate float64
	// Memory is after how many tests one is forgotten; 0 means never.
	Memory uint64
}

// Level returns what the next p-value must not exceed to be a discovery.
func (l *LORD) Level(s Settings) float64 {
	t := l.Tests + 1
	since := func(from uint64) uint64 {
		n := t - from
		if s.Memory > 0 {
			n = min(n, s.Memory)
		}
		return n
	}
	wealth := s.Rate / 2
	level := spend(since(0)) * wealth
	first := true
	for i := range min(l.Found, recent) {
		at := l.At[(uint64(l.Next)+recent-1-i)%recent]
		if s.Memory > 0 && t-at > s.Memory {
			break
		}
		if l.Found <= recent && i == l.Found-1 && first {
			level += spend(since(at)) * (s.Rate - wealth) // the very first pays only what was not there at the beginning
			first = false
			continue
		}
		level += spend(since(at)) * s.Rate
	}
	return level
}

// Test takes the next p-value and reports whether it is a discovery.
func (l *LORD) Test(p float64, s Settings) bool {
	found := p <= l.Level(s)
	l.Tests++
	if found {
		l.At[l.Next%recent] = l.Tests
		l.Next = (l.Next + 1) % recent
		l.Found++
	}
	return found
}

// spend is the share of the wealth that the test with a number, from 1, may spend: 0.0722 log(max(t, 2)) / (t e^√log t),
// whose sum over all t is 1 (Javanmard and Montanari, equation 31).
func spend(t uint64) float64 {
	log := math.Log(math.Max(float64(t), 2))
	return 0.07720838 * log / (float64(t) * math.Exp(math.Sqrt(log)))
}
