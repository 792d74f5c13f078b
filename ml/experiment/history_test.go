package experiment_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/fairlead/fairlead/ml/experiment"
)

func TestAHistoryIsWholeHoweverItIsPacked(t *testing.T) {
	s := open(t)
	run, err := s.CreateRun(t.Context(), experiment.NewRun{Experiment: 0, Name: "long"})
	if err != nil {
		t.Fatal(err)
	}
	// Some 12,000 points of three keys, which are packed several times, some of them sent twice.
	const steps = 4000
	for begin := 0; begin < steps; begin += 250 {
		var b experiment.Batch
		for step := begin; step < begin+250; step++ {
			for k := range 3 {
				b.Metrics = append(b.Metrics, experiment.Metric{Key: fmt.Sprint("k", k), Value: float64(step * k), At: int64(step) * 7, Step: int64(step)})
			}
		}
		for len(b.Metrics) > 0 {
			part := experiment.Batch{Metrics: b.Metrics[:min(500, len(b.Metrics))]}
			b.Metrics = b.Metrics[len(part.Metrics):]
			for range 1 + begin/250%2 {
				if err := s.Log(t.Context(), run.ID, part); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for k := range 3 {
		points, err := s.History(t.Context(), run.ID, fmt.Sprint("k", k))
		if err != nil {
			t.Fatal(err)
		}
		if len(points) != steps {
			t.Fatalf("k%d has %d points, want %d", k, len(points), steps)
		}
		for step, p := range points {
			if p.Step != int64(step) || p.At != int64(step)*7 || p.Value != float64(step*k) {
				t.Fatalf("k%d: point %d is %+v", k, step, p)
			}
		}
	}
	latest, err := s.Run(t.Context(), run.ID)
	if err != nil || len(latest.Metrics) != 3 || latest.Metrics[0].Step != steps-1 {
		t.Errorf("the latest are %+v %v", latest.Metrics, err)
	}
}

func TestTheLatestPointIsTheGreatestByStepTimeAndValue(t *testing.T) {
	s := open(t)
	for name, test := range map[string]struct {
		points []experiment.Metric
		want   float64
	}{
		"a later step":             {[]experiment.Metric{{Value: 1, Step: 2, At: 1}, {Value: 2, Step: 1, At: 9}}, 1},
		"a later time":             {[]experiment.Metric{{Value: 1, Step: 1, At: 5}, {Value: 2, Step: 1, At: 4}}, 1},
		"a greater value":          {[]experiment.Metric{{Value: 1, Step: 1, At: 5}, {Value: 2, Step: 1, At: 5}}, 2},
		"NaN counts as 0":          {[]experiment.Metric{{Value: math.NaN(), Step: 1, At: 5}, {Value: -1, Step: 1, At: 5}}, math.NaN()},
		"infinite is the greatest": {[]experiment.Metric{{Value: math.Inf(-1), Step: 3, At: 5}}, -math.MaxFloat64},
		"a step below 0":           {[]experiment.Metric{{Value: 1, Step: -5, At: 5}, {Value: 2, Step: -4, At: 1}}, 2},
	} {
		run, err := s.CreateRun(t.Context(), experiment.NewRun{Experiment: 0})
		if err != nil {
			t.Fatal(err)
		}
		for i := range test.points {
			test.points[i].Key = "m"
			if err := s.Log(t.Context(), run.ID, experiment.Batch{Metrics: test.points[i : i+1]}); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.Run(t.Context(), run.ID)
		if err != nil || len(got.Metrics) != 1 {
			t.Fatalf("%s: %+v %v", name, got, err)
		}
		if v := got.Metrics[0].Value; v != test.want && !(math.IsNaN(v) && math.IsNaN(test.want)) {
			t.Errorf("%s: %v, want %v", name, v, test.want)
		}
	}
}
