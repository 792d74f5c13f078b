package otlp

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	translator "github.com/prometheus/prometheus/storage/remote/otlptranslator/prometheusremotewrite"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

// promoted are the resource attributes that become labels of each series: what names the workload and where it runs. All
// others are on target_info.
var promoted = []string{
	"service.name", "service.namespace", "service.version", "deployment.environment.name", "deployment.environment",
	"k8s.cluster.name", "k8s.namespace.name", "k8s.node.name", "k8s.pod.name", "k8s.container.name", "k8s.deployment.name",
	"k8s.statefulset.name", "k8s.daemonset.name", "k8s.job.name", "k8s.cronjob.name", "host.name", "container.name",
	"cloud.provider", "cloud.region", "cloud.availability_zone", "faas.name",
}

var settings = translator.Settings{
	AddMetricSuffixes:         true,
	AllowDeltaTemporality:     true,
	PromoteResourceAttributes: translator.NewPromoteResourceAttributes(config.OTLPConfig{PromoteResourceAttributes: promoted}),
	LookbackDelta:             24 * time.Hour, // how far apart target_info is written inside one request, twice
}

func parseMetrics(body []byte, form form) (pmetricotlp.ExportRequest, error) {
	request := pmetricotlp.NewExportRequest()
	return request, parse(body, form, "ExportMetricsServiceRequest", request)
}

func (rc *Receiver) takeMetrics(ctx context.Context, v *receive.Visit, request pmetricotlp.ExportRequest) *receive.Problem {
	return rc.intake.Take(ctx, v, translate(ctx, request.Metrics(), v))
}

func metricsResponse(rejected int64, reasons string) pmetricotlp.ExportResponse {
	response := pmetricotlp.NewExportResponse()
	if rejected > 0 {
		response.PartialSuccess().SetRejectedDataPoints(rejected)
		response.PartialSuccess().SetErrorMessage(reasons)
	}
	return response
}

// translate makes series of metrics. What cannot be used is noted in the visit.
func translate(ctx context.Context, metrics pmetric.Metrics, v *receive.Visit) []signal.Series {
	points := metrics.DataPointCount()
	weed(metrics, v)
	var c collector
	convert := func(part pmetric.Metrics, delta bool) {
		if part.DataPointCount() == 0 {
			return
		}
		c.delta = delta
		converter := translator.NewPrometheusConverter(&c)
		if _, err := converter.FromMetrics(ctx, part, settings); err != nil {
			lost := max(1, part.DataPointCount()-c.points)
			v.Refuse(min(lost, points), receive.ReasonUnsupported, receive.FieldError{
				Field: "resourceMetrics", Value: receive.Excerpt(firstLine(err)), Remedy: "these data points cannot be used as they are; see the value",
			})
		}
	}
	cumulative, delta := split(metrics)
	convert(cumulative, false)
	convert(delta, true)
	return c.series
}

func firstLine(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return text
}

// weed takes out what cannot be used and says why.
func weed(metrics pmetric.Metrics, v *receive.Visit) {
	each(metrics, func(m pmetric.Metric) bool {
		refuse := func(reason, value, remedy string) bool {
			v.Refuse(max(1, count(m)), reason, receive.FieldError{Field: "metric " + receive.Excerpt(m.Name()), Value: value, Remedy: remedy})
			return true
		}
		if m.Name() == "" {
			return refuse(receive.ReasonLabels, "", "the metric has no name")
		}
		untimely(m, v)
		switch m.Type() {
		case pmetric.MetricTypeGauge:
			numbers(m.Name(), m.Gauge().DataPoints(), v)
		case pmetric.MetricTypeSum:
			if m.Sum().AggregationTemporality() == pmetric.AggregationTemporalityUnspecified {
				return refuse(receive.ReasonUnsupported, "aggregationTemporality 0", "say whether the sum is cumulative (2) or delta (1)")
			}
			numbers(m.Name(), m.Sum().DataPoints(), v)
		case pmetric.MetricTypeHistogram:
			if m.Histogram().AggregationTemporality() == pmetric.AggregationTemporalityUnspecified {
				return refuse(receive.ReasonUnsupported, "aggregationTemporality 0", "say whether the histogram is cumulative (2) or delta (1)")
			}
			m.Histogram().DataPoints().RemoveIf(func(p pmetric.HistogramDataPoint) bool { return contradicts(m.Name(), p, v) })
		case pmetric.MetricTypeExponentialHistogram:
			if m.ExponentialHistogram().AggregationTemporality() == pmetric.AggregationTemporalityUnspecified {
				return refuse(receive.ReasonUnsupported, "aggregationTemporality 0", "say whether the histogram is cumulative (2) or delta (1)")
			}
		case pmetric.MetricTypeSummary:
		case pmetric.MetricTypeEmpty:
			return refuse(receive.ReasonEmpty, "", "the metric has neither gauge, sum, histogram, exponentialHistogram nor summary")
		}
		return false
	})
}

// point is a data point of any kind.
type point interface{ Timestamp() pcommon.Timestamp }

// untimely takes out data points that are far in the future or long past.
func untimely(m pmetric.Metric, v *receive.Visit) {
	far := func(p point) bool {
		field, reason, bad := v.Untimely(p.Timestamp().AsTime())
		if bad {
			field.Field = "metric " + receive.Excerpt(m.Name()) + ".timeUnixNano"
			v.Refuse(1, reason, field)
		}
		return bad
	}
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		m.Gauge().DataPoints().RemoveIf(func(p pmetric.NumberDataPoint) bool { return far(p) })
	case pmetric.MetricTypeSum:
		m.Sum().DataPoints().RemoveIf(func(p pmetric.NumberDataPoint) bool { return far(p) })
	case pmetric.MetricTypeHistogram:
		m.Histogram().DataPoints().RemoveIf(func(p pmetric.HistogramDataPoint) bool { return far(p) })
	case pmetric.MetricTypeExponentialHistogram:
		m.ExponentialHistogram().DataPoints().RemoveIf(func(p pmetric.ExponentialHistogramDataPoint) bool { return far(p) })
	case pmetric.MetricTypeSummary:
		m.Summary().DataPoints().RemoveIf(func(p pmetric.SummaryDataPoint) bool { return far(p) })
	case pmetric.MetricTypeEmpty:
	}
}

// contradicts reports whether a histogram's buckets do not fit its bounds.
func contradicts(name string, p pmetric.HistogramDataPoint, v *receive.Visit) bool {
	if p.BucketCounts().Len() == 0 || p.BucketCounts().Len() == p.ExplicitBounds().Len()+1 {
		return false
	}
	v.Refuse(1, receive.ReasonHistogram, receive.FieldError{
		Field: "metric " + receive.Excerpt(name) + ".bucketCounts", Value: strconv.Itoa(p.BucketCounts().Len()) + " counts",
		Remedy: fmt.Sprintf("want one more than the %d explicitBounds", p.ExplicitBounds().Len()),
	})
	return true
}

// numbers takes out infinite values: no engine can do anything with them.
func numbers(name string, points pmetric.NumberDataPointSlice, v *receive.Visit) {
	points.RemoveIf(func(p pmetric.NumberDataPoint) bool {
		if p.ValueType() != pmetric.NumberDataPointValueTypeDouble || !math.IsInf(p.DoubleValue(), 0) {
			return false
		}
		v.Refuse(1, receive.ReasonInfinite, receive.FieldError{
			Field: "metric " + receive.Excerpt(name) + ".asDouble", Value: strconv.FormatFloat(p.DoubleValue(), 'g', -1, 64), Remedy: "send a finite value, or none",
		})
		return true
	})
}

// count returns how many data points a metric has.
func count(m pmetric.Metric) int {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return m.Gauge().DataPoints().Len()
	case pmetric.MetricTypeSum:
		return m.Sum().DataPoints().Len()
	case pmetric.MetricTypeHistogram:
		return m.Histogram().DataPoints().Len()
	case pmetric.MetricTypeExponentialHistogram:
		return m.ExponentialHistogram().DataPoints().Len()
	case pmetric.MetricTypeSummary:
		return m.Summary().DataPoints().Len()
	case pmetric.MetricTypeEmpty:
	}
	return 0
}

// each removes the metrics for which remove returns true.
func each(metrics pmetric.Metrics, remove func(pmetric.Metric) bool) {
	for i := range metrics.ResourceMetrics().Len() {
		scopes := metrics.ResourceMetrics().At(i).ScopeMetrics()
		for j := range scopes.Len() {
			scopes.At(j).Metrics().RemoveIf(remove)
		}
	}
}

// split parts metrics by their temporality. Metrics without one are cumulative.
func split(metrics pmetric.Metrics) (cumulative, delta pmetric.Metrics) {
	some := false
	each(metrics, func(m pmetric.Metric) bool {
		some = some || isDelta(m)
		return false
	})
	delta = pmetric.NewMetrics()
	if !some {
		return metrics, delta
	}
	metrics.CopyTo(delta)
	each(delta, func(m pmetric.Metric) bool { return !isDelta(m) })
	each(metrics, isDelta)
	return metrics, delta
}

func isDelta(m pmetric.Metric) bool {
	switch m.Type() {
	case pmetric.MetricTypeSum:
		return m.Sum().AggregationTemporality() == pmetric.AggregationTemporalityDelta
	case pmetric.MetricTypeHistogram:
		return m.Histogram().AggregationTemporality() == pmetric.AggregationTemporalityDelta
	case pmetric.MetricTypeExponentialHistogram:
		return m.ExponentialHistogram().AggregationTemporality() == pmetric.AggregationTemporalityDelta
	case pmetric.MetricTypeGauge, pmetric.MetricTypeSummary, pmetric.MetricTypeEmpty:
	}
	return false
}

// collector takes what Prometheus' translation of OTLP would store.
type collector struct {
	delta  bool
	points int
	series []signal.Series
	index  map[uint64]int // by hash of the labels
}

// Append is storage.AppenderV2's.
func (c *collector) Append(_ storage.SeriesRef, ls labels.Labels, _, at int64, value float64, h *histogram.Histogram, fh *histogram.FloatHistogram, options storage.AppendV2Options) (storage.SeriesRef, error) {
	c.points++
	s := c.find(ls, options)
	switch {
	case fh != nil:
		c.histogram(s, at, fh)
	case h != nil:
		c.histogram(s, at, h.ToFloat(nil))
	default:
		s.Samples = append(s.Samples, signal.Sample{At: at, Value: value})
	}
	for i := range options.Exemplars {
		e := &options.Exemplars[i]
		s.Exemplars = append(s.Exemplars, signal.Exemplar{At: e.Ts, Value: e.Value, Labels: ownLabels(e.Labels)})
	}
	return 1, nil
}

func (c *collector) histogram(s *signal.Series, at int64, h *histogram.FloatHistogram) {
	sample := receive.Histogram(at, h)
	sample.Gauge, sample.Delta = false, c.delta
	s.Histograms = append(s.Histograms, sample)
}

// find returns the series of labels.
func (c *collector) find(ls labels.Labels, options storage.AppendV2Options) *signal.Series {
	hash := ls.Hash()
	if c.delta {
		hash++ // a series of both temporalities is two
	}
	if c.index == nil {
		c.index = make(map[uint64]int)
	}
	if i, known := c.index[hash]; known {
		return &c.series[i]
	}
	s := signal.Series{Labels: ownLabels(ls), Unit: options.Metadata.Unit, Help: options.Metadata.Help}
	if options.Metadata.Type != model.MetricTypeUnknown {
		s.Family = signal.Family(options.Metadata.Type)
	}
	s.Type = c.typeOf(ls.Get(model.MetricNameLabel), options.Metadata.Type)
	c.index[hash] = len(c.series)
	c.series = append(c.series, s)
	return &c.series[len(c.series)-1]
}

func (c *collector) typeOf(name string, family model.MetricType) signal.SampleType {
	switch {
	case name == "target_info":
		return signal.Gauge
	case c.delta:
		return signal.Delta
	case family == model.MetricTypeCounter:
		return signal.Counter
	case family == model.MetricTypeHistogram, family == model.MetricTypeSummary:
		return receive.TypeByName(name)
	}
	return signal.Gauge
}

// Commit and Rollback are storage.AppenderV2's; nothing is stored here.
func (c *collector) Commit() error { return nil }

// Rollback drops nothing: what was collected before an error is good.
func (c *collector) Rollback() error { return nil }

func ownLabels(ls labels.Labels) signal.Labels {
	own := make(signal.Labels, 0, ls.Len())
	ls.Range(func(l labels.Label) {
		own = append(own, signal.Label{Name: strings.Clone(l.Name), Value: strings.Clone(l.Value)})
	})
	return own
}
