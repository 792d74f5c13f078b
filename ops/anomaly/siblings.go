package anomaly

import "github.com/fairlead/fairlead/algo/evt"

// Siblings are what series of one metric have in common while they are infants: how far each test goes in them. A series
// that has hardly begun is judged by its siblings, because what is odd in units of its own noise is much alike among them.
// The zero value knows nothing.
type Siblings struct {
	tails [tests]evt.Tail
}

const (
	// born is how many values a series needs to be judged by its siblings; with minSeen it is an infant no longer.
	born = 20
	// mature is how many values of siblings are needed to judge by them.
	mature = 700
)

// of returns the tails for a series that has seen so many values; nil for one that is no infant.
func (s *Siblings) of(seen uint32) *[tests]evt.Tail {
	if s == nil || seen >= minSeen {
		return nil
	}
	return &s.tails
}
