package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/fairlead/fairlead/base/series"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/ops/anomaly"
	"github.com/fairlead/fairlead/receive"
)

const (
	// chartWarmUp is how long before a chart the detector begins to look at its series.
	chartWarmUp = 3 * 24 * time.Hour
	// chartPoints is how many points of a series are sent at most.
	chartPoints = 10_000
)

// judgement shows the anomalies to the API.
type judgement struct{ s *samples }

// Budgets implements api.Anomalies.
func (j judgement) Budgets() []anomaly.BudgetState { return j.s.desk.Budgets() }

// Judge implements api.Anomalies.
func (j judgement) Judge(ctx context.Context, at time.Time, id, feedback, actor string) (anomaly.Row, error) {
	return j.s.desk.Judge(ctx, at, id, feedback, actor)
}

// Stats implements api.Anomalies.
func (j judgement) Stats() anomaly.Stats { return j.s.stats() }

// Chart implements api.Anomalies.
func (j judgement) Chart(ctx context.Context, selector string, from, to time.Time, limit int) ([]anomaly.Chart, bool, error) {
	store, err := j.s.store.now()
	if err != nil {
		return nil, false, err
	}
	selected, more, err := selectSeries(ctx, store, selector, from.Add(-chartWarmUp), to, limit)
	if errors.Is(err, series.ErrSelector) {
		return nil, false, fmt.Errorf("%w; write for instance node_load1{instance=\"a:9100\"}", err)
	}
	if err != nil {
		return nil, false, err
	}
	metadata := store.Metadata()
	charts := make([]anomaly.Chart, 0, len(selected))
	for _, one := range selected {
		name := one.Labels.Get(model.MetricNameLabel)
		c := anomaly.Draw(one.Samples, kindOf(name, metadata[name]), from.UnixMilli(), chartPoints)
		c.Labels, c.Unit = one.Labels, metadata[name].Unit
		charts = append(charts, c)
	}
	return charts, more, nil
}

// selectSeries returns stored series, or those that are judged of histograms and not stored.
func selectSeries(ctx context.Context, store *series.Store, selector string, from, to time.Time, limit int) ([]series.Selected, bool, error) {
	name, _, _ := strings.Cut(selector, "{")
	name = strings.TrimSpace(name)
	base, isMean := strings.CutSuffix(name, anomaly.MeanSuffix)
	if !isMean {
		var isRate bool
		if base, isRate = strings.CutSuffix(name, anomaly.RateSuffix); !isRate {
			selected, more, err := store.Select(ctx, selector, from, to, limit)
			return slices.DeleteFunc(selected, func(one series.Selected) bool { return len(one.Samples) == 0 }), more, err
		}
	}
	of := func(other string) ([]series.Selected, bool, error) {
		return store.Select(ctx, strings.Replace(selector, name, other, 1), from, to, limit)
	}
	selected, more, err := of(base) // a native histogram
	if err != nil {
		return nil, false, err
	}
	for i := range selected {
		one := &selected[i]
		if one.Samples = one.Counts; isMean {
			one.Samples = anomaly.Means(one.Sums, one.Counts)
		}
		one.Labels = named(one.Labels, name)
	}
	if len(selected) > 0 || !isMean {
		return selected, more, nil
	}
	sums, more, err := of(base + "_sum")
	if err != nil {
		return nil, false, err
	}
	counts, _, err := of(base + "_count")
	if err != nil {
		return nil, false, err
	}
	for _, sum := range sums {
		labels := named(sum.Labels, name)
		for _, count := range counts {
			if named(count.Labels, name).Equal(labels) {
				selected = append(selected, series.Selected{Labels: labels, Samples: anomaly.Means(sum.Samples, count.Samples)})
			}
		}
	}
	return selected, more, nil
}

// named returns labels with another name of the metric.
func named(labels signal.Labels, name string) signal.Labels {
	with := labels.Map()
	with[model.MetricNameLabel] = name
	return signal.NewLabels(with)
}

// kindOf says how a stored series is read: increments were stored as the counter that they add up to.
func kindOf(name string, m series.Metadata) anomaly.Kind {
	if m.Family == "gauge" {
		return anomaly.Gauge
	}
	if strings.HasSuffix(name, anomaly.RateSuffix) || m.Family == "counter" || receive.TypeByName(name) == signal.Counter {
		return anomaly.Counter
	}
	return anomaly.Gauge
}
