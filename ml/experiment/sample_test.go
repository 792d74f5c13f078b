package experiment_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/fairlead/fairlead/ml/experiment"
)

func TestASampleKeepsEndsAndPeaks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	points := make([]experiment.Metric, 10_000)
	for i := range points {
		points[i] = experiment.Metric{Step: int64(i), Value: r.NormFloat64()}
	}
	points[4321].Value, points[77].Value, points[5000].Value = 1e6, -1e6, math.NaN()
	got := experiment.Sample(points, 500)
	if len(got) > 500 || len(got) < 400 {
		t.Errorf("%d points, want about 500", len(got))
	}
	if got[0] != points[0] || got[len(got)-1] != points[len(points)-1] {
		t.Error("an end is missing")
	}
	least, greatest := math.Inf(1), math.Inf(-1)
	for i, p := range got {
		if i > 0 && p.Step <= got[i-1].Step {
			t.Fatalf("step %d comes behind %d", p.Step, got[i-1].Step)
		}
		if !math.IsNaN(p.Value) {
			least, greatest = min(least, p.Value), max(greatest, p.Value)
		}
	}
	if least != -1e6 || greatest != 1e6 {
		t.Errorf("from %g to %g: a peak is lost", least, greatest)
	}
	if few := experiment.Sample(points[:10], 500); len(few) != 10 {
		t.Errorf("of 10 points, %d", len(few))
	}
}
