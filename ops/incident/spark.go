package incident

import "time"

// sparkBuckets is the number of buckets in a Spark.
const sparkBuckets = 30

// Spark counts new alerts over the life of an incident in 30 buckets that widen as it gets longer.
type Spark struct {
	// From is the start of the first bucket; zero when nothing was counted.
	From time.Time `json:"from"`
	// Width is the width of a bucket: 10 s, doubled as often as needed.
	Width time.Duration     `json:"width"`
	Count [sparkBuckets]int `json:"count"`
}

// Add counts n alerts at a time. Times before the first count for the first bucket.
func (s *Spark) Add(at time.Time, n int) {
	if s.Width == 0 {
		s.From, s.Width = at, 10*time.Second
	}
	for at.Sub(s.From) >= sparkBuckets*s.Width {
		s.halve()
	}
	s.Count[max(0, int(at.Sub(s.From)/s.Width))] += n
}

func (s *Spark) halve() {
	for i := range sparkBuckets / 2 {
		s.Count[i] = s.Count[2*i] + s.Count[2*i+1]
	}
	clear(s.Count[sparkBuckets/2:])
	s.Width *= 2
}

func (s *Spark) add(other *Spark) {
	if other.Width == 0 {
		return
	}
	if s.Width == 0 || other.From.Before(s.From) {
		whole := *s
		*s = *other
		if whole.Width != 0 {
			s.add(&whole)
		}
		return
	}
	for i, n := range other.Count {
		if n != 0 {
			s.Add(other.From.Add(time.Duration(i)*other.Width), n)
		}
	}
}
