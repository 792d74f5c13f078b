package experiment

import "math"

// Sample returns about most of points, which are in order: the first, the last, and of each stretch between the least and the
// greatest, so that no peak is lost. NaN is neither.
func Sample(points []Metric, most int) []Metric {
	if len(points) <= most || most < 4 {
		return points
	}
	stretches := (most - 2) / 2
	chosen := make([]Metric, 0, 2*stretches+2)
	chosen = append(chosen, points[0])
	inner := points[1 : len(points)-1]
	for i := range stretches {
		part := inner[i*len(inner)/stretches : (i+1)*len(inner)/stretches]
		if len(part) == 0 {
			continue
		}
		least, greatest := 0, 0
		for j, p := range part {
			if p.Value < part[least].Value || math.IsNaN(part[least].Value) {
				least = j
			}
			if p.Value > part[greatest].Value || math.IsNaN(part[greatest].Value) {
				greatest = j
			}
		}
		if least > greatest {
			least, greatest = greatest, least
		}
		chosen = append(chosen, part[least])
		if greatest != least {
			chosen = append(chosen, part[greatest])
		}
	}
	return append(chosen, points[len(points)-1])
}
