package app

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

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
	matchers, err := j.s.store.Parser().ParseMetricSelector(selector)
	if err != nil {
		return nil, false, fmt.Errorf("%w; write for instance node_load1{instance=\"a:9100\"}", err)
	}
	querier, err := j.s.store.DB().Querier(from.Add(-chartWarmUp).UnixMilli(), to.UnixMilli())
	if err != nil {
		return nil, false, fmt.Errorf("read samples: %w", err)
	}
	defer func() { _ = querier.Close() }() // only read from
	metadata := j.s.store.Metadata()
	set := querier.Select(ctx, true, nil, matchers...)
	var charts []anomaly.Chart
	for set.Next() {
		if len(charts) == limit {
			return charts, true, nil
		}
		at := set.At()
		name := at.Labels().Get(model.MetricNameLabel)
		var samples []signal.Sample
		for it := at.Iterator(nil); ; {
			kind := it.Next()
			if kind == chunkenc.ValNone {
				break
			}
			if kind != chunkenc.ValFloat {
				continue // native histograms have no single value
			}
			t, v := it.At()
			samples = append(samples, signal.Sample{At: t, Value: v})
		}
		if len(samples) == 0 {
			continue
		}
		c := anomaly.Draw(samples, kindOf(name, metadata[name]), from.UnixMilli(), chartPoints)
		c.Unit = metadata[name].Unit
		at.Labels().Range(func(l labels.Label) { c.Labels = append(c.Labels, signal.Label{Name: l.Name, Value: l.Value}) })
		charts = append(charts, c)
	}
	if err := set.Err(); err != nil {
		return nil, false, fmt.Errorf("read samples: %w", err)
	}
	return charts, false, nil
}

// kindOf says how a stored series is read: increments were stored as the counter that they add up to.
func kindOf(name string, m series.Metadata) anomaly.Kind {
	if m.Family == "gauge" {
		return anomaly.Gauge
	}
	if m.Family == "counter" || receive.TypeByName(name) == signal.Counter {
		return anomaly.Counter
	}
	return anomaly.Gauge
}
