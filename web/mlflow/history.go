package mlflow

import (
	"context"
	"encoding/base64"
	"math"
	"slices"
	"strconv"

	"github.com/fairlead/fairlead/ml/experiment"
)

// Bounds of histories.
const (
	maxHistory      = 25_000
	maxHistoryRuns  = 100
	maxSampled      = 2_500
	defaultSampled  = 320
	defaultBulk     = 25_000
	historyTokenTag = "history:"
)

type metricsAnswer struct {
	Metrics []metricAnswer `json:"metrics,omitempty"`
	Next    string         `json:"next_page_token,omitempty"`
}

func (a *metricsAnswer) add(m experiment.Metric, run string) {
	a.Metrics = append(a.Metrics, metricAnswer{Key: m.Key, Value: double(m.Value), At: m.At, Step: m.Step, Run: run})
}

func (f *Face) metricHistory(ctx context.Context, in *object) (any, error) {
	id, key := in.runID(), in.needed("metric_key")
	most := int(min(in.whole("max_results", 0), maxHistory))
	begin, token := 0, in.text("page_token")
	if token != "" {
		data, err := base64.RawURLEncoding.DecodeString(token)
		if err == nil && len(data) > len(historyTokenTag) {
			begin, err = strconv.Atoi(string(data[len(historyTokenTag):]))
		}
		if err != nil || begin <= 0 {
			return nil, invalid("page_token: %q is not one that this call gave; pass next_page_token as it came", experiment.Cut(token))
		}
	}
	if in.has("max_results") && most <= 0 {
		return nil, invalid("max_results: %d is not between 1 and %d", most, maxHistory)
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	points, err := f.Experiments.History(ctx, id, key)
	if err != nil {
		return nil, err
	}
	points = points[min(begin, len(points)):]
	var answer metricsAnswer
	if most > 0 && len(points) > most {
		points = points[:most]
		answer.Next = base64.RawURLEncoding.EncodeToString([]byte(historyTokenTag + strconv.Itoa(begin+most)))
	}
	for _, p := range points {
		answer.add(p, "")
	}
	return answer, nil
}

// metricHistoryBulk is what MLflow's own pages ask for: the points of one metric of several runs.
func (f *Face) metricHistoryBulk(ctx context.Context, in *object) (any, error) {
	runs, key, most := in.texts("run_id"), in.needed("metric_key"), int(in.whole("max_results", defaultBulk))
	if len(runs) == 0 || len(runs) > maxHistoryRuns {
		in.fail("run_id: give 1 to %d runs", maxHistoryRuns)
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	var answer metricsAnswer
	for _, id := range runs {
		points, err := f.Experiments.History(ctx, id, key)
		if err != nil {
			return nil, err
		}
		for _, p := range points {
			if len(answer.Metrics) >= min(most, defaultBulk) {
				return answer, nil
			}
			answer.add(p, id)
		}
	}
	return answer, nil
}

// metricHistories samples one metric of several runs: at evenly spread steps of all of them, and at the first and last step
// of each.
func (f *Face) metricHistories(ctx context.Context, in *object) (any, error) {
	runs, key, most := in.texts("run_ids"), in.needed("metric_key"), int(in.whole("max_results", defaultSampled))
	bounded := in.has("start_step")
	start, end := in.whole("start_step", 0), in.whole("end_step", math.MaxInt64) // steps below 0 only when they are asked for
	switch {
	case len(runs) == 0 || len(runs) > maxHistoryRuns:
		in.fail("run_ids: give 1 to %d runs", maxHistoryRuns)
	case most < 1 || most > maxSampled:
		in.fail("max_results: %d is not between 1 and %d", most, maxSampled)
	case bounded != in.has("end_step"):
		in.fail("start_step and end_step go together; give both or none")
	case bounded && start > end:
		in.fail("start_step: %d is behind end_step, %d", start, end)
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	histories := make([][]experiment.Metric, len(runs))
	var all []int64
	wanted := map[int64]bool{}
	for i, id := range runs {
		points, err := f.Experiments.History(ctx, id, key)
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(points, func(a, b experiment.Metric) int { return int(min(max(a.Step-b.Step, -1), 1)) })
		if len(points) > 0 {
			wanted[points[0].Step], wanted[points[len(points)-1].Step] = true, true
		}
		points = slices.DeleteFunc(points, func(m experiment.Metric) bool { return m.Step < start || m.Step > end })
		histories[i] = points
		for _, p := range points {
			all = append(all, p.Step)
		}
	}
	slices.Sort(all)
	for _, step := range spread(slices.Compact(all), most) {
		wanted[step] = true
	}
	var answer metricsAnswer
	for i, points := range histories {
		n := 0
		for _, p := range points {
			if wanted[p.Step] && n < maxSampled {
				answer.add(p, runs[i])
				n++
			}
		}
	}
	return answer, nil
}

// spread returns about most of sorted steps, evenly by their place, with the last.
func spread(steps []int64, most int) []int64 {
	if len(steps) <= most {
		return steps
	}
	interval := float64(len(steps)) / float64(most)
	chosen := make([]int64, 0, most+1)
	for i := range most {
		chosen = append(chosen, steps[int(float64(i)*interval)])
	}
	chosen = append(chosen, steps[len(steps)-1])
	slices.Sort(chosen)
	return slices.Compact(chosen)
}
