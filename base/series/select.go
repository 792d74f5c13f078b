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

// Selected is a stored series with its samples of some time. Of native histograms there are sums and counts in their place.
type Selected struct {
	Labels       signal.Labels
	Samples      []signal.Sample
	Sums, Counts []signal.Sample
}

// empty says that there are neither samples nor histograms.
func (s *Selected) empty() bool { return len(s.Samples)+len(s.Sums) == 0 }

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
		var one Selected
		one.read(at.Iterator(nil))
		if one.empty() {
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

// read takes all samples.
func (s *Selected) read(it chunkenc.Iterator) {
	for {
		switch it.Next() {
		case chunkenc.ValNone:
			return
		case chunkenc.ValFloat:
			t, v := it.At()
			s.Samples = append(s.Samples, signal.Sample{At: t, Value: v})
		case chunkenc.ValHistogram, chunkenc.ValFloatHistogram:
			t, h := it.AtFloatHistogram(nil)
			s.add(t, h.Sum, h.Count)
		}
	}
}

// add takes the sum and the count of a native histogram.
func (s *Selected) add(at int64, sum, count float64) {
	if signal.IsStaleValue(sum) {
		return
	}
	s.Sums = append(s.Sums, signal.Sample{At: at, Value: sum})
	s.Counts = append(s.Counts, signal.Sample{At: at, Value: count})
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
		named := make(map[string]string, len(stream.Metric))
		for name, v := range stream.Metric {
			named[string(name)] = string(v)
		}
		one := Selected{Labels: signal.NewLabels(named)}
		for _, pair := range stream.Values {
			one.Samples = append(one.Samples, signal.Sample{At: int64(pair.Timestamp), Value: float64(pair.Value)})
		}
		for _, pair := range stream.Histograms {
			one.add(int64(pair.Timestamp), float64(pair.Histogram.Sum), float64(pair.Histogram.Count))
		}
		if one.empty() {
			continue
		}
		if len(selected) == limit {
			return selected, true, nil
		}
		selected = append(selected, one)
	}
	return selected, false, nil
}
