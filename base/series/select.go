package series

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/fairlead/fairlead/base/signal"
)

// Selected is a stored series with its samples of some time. Native histograms are left out.
type Selected struct {
	Labels  signal.Labels
	Samples []signal.Sample
}

// Select returns the series that a selector of PromQL chooses, with their samples from one time to another, at most limit of
// them; more says that there are others. An error of the selector wraps ErrSelector.
func (s *Store) Select(ctx context.Context, selector string, from, to time.Time, limit int) (selected []Selected, more bool, err error) {
	matchers, err := s.parser.ParseMetricSelector(selector)
	if err != nil {
		return nil, false, fmt.Errorf("%w: %w", ErrSelector, err)
	}
	if s.remote != nil {
		return s.remote.fetch(ctx, selector, from, to, limit, s.config.QueryTimeout)
	}
	querier, err := s.db.Querier(from.UnixMilli(), to.UnixMilli())
	if err != nil {
		return nil, false, fmt.Errorf("read samples: %w", err)
	}
	defer func() { _ = querier.Close() }() // only read from
	set := querier.Select(ctx, true, nil, matchers...)
	for set.Next() {
		at := set.At()
		one := Selected{Samples: floats(at.Iterator(nil))}
		if len(one.Samples) == 0 {
			continue
		}
		if len(selected) == limit {
			return selected, true, nil
		}
		at.Labels().Range(func(l labels.Label) { one.Labels = append(one.Labels, signal.Label{Name: l.Name, Value: l.Value}) })
		selected = append(selected, one)
	}
	if err := set.Err(); err != nil {
		return nil, false, fmt.Errorf("read samples: %w", err)
	}
	return selected, false, nil
}

// floats returns the samples that are no histograms.
func floats(it chunkenc.Iterator) []signal.Sample {
	var samples []signal.Sample
	for {
		switch it.Next() {
		case chunkenc.ValNone:
			return samples
		case chunkenc.ValFloat:
			t, v := it.At()
			samples = append(samples, signal.Sample{At: t, Value: v})
		case chunkenc.ValHistogram, chunkenc.ValFloatHistogram:
		}
	}
}

// fetch asks the other end: a selector over a range gives the samples as they were stored.
func (r *remote) fetch(ctx context.Context, selector string, from, to time.Time, limit int, timeout time.Duration) ([]Selected, bool, error) {
	client, err := api.NewClient(api.Config{Address: r.query.String(), RoundTripper: r.client.Transport})
	if err != nil {
		return nil, false, fmt.Errorf("read samples: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	span := max(1, to.Sub(from).Milliseconds()+1) // a range is open on its left
	value, _, err := v1.NewAPI(client).Query(ctx, fmt.Sprintf("%s[%dms]", selector, span), to)
	if err != nil {
		return nil, false, fmt.Errorf("ask the remote store: %w", err)
	}
	matrix, _ := value.(model.Matrix)
	var selected []Selected
	for _, stream := range matrix {
		if len(stream.Values) == 0 {
			continue
		}
		if len(selected) == limit {
			return selected, true, nil
		}
		named := make(map[string]string, len(stream.Metric))
		for name, v := range stream.Metric {
			named[string(name)] = string(v)
		}
		one := Selected{Labels: signal.NewLabels(named), Samples: make([]signal.Sample, len(stream.Values))}
		for i, pair := range stream.Values {
			one.Samples[i] = signal.Sample{At: int64(pair.Timestamp), Value: float64(pair.Value)}
		}
		selected = append(selected, one)
	}
	return selected, false, nil
}
