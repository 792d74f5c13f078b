package main

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"

	"github.com/fairlead/fairlead/base/signal"
)

// perInstance is how many series one instance has.
const perInstance = 300

// nameOf returns the metric of series n, and whether it is a counter.
func nameOf(n int) (string, bool) {
	m := n % perInstance
	if m%2 == 0 {
		return fmt.Sprintf("shop_requests_%03d_total", m), true
	}
	return fmt.Sprintf("shop_queue_%03d", m), false
}

// resourceOf returns what series n is about.
func resourceOf(n int) map[string]string {
	instance := n / perInstance
	return map[string]string{
		"job": "service-" + strconv.Itoa(instance%50), "instance": "10.0." + strconv.Itoa(instance/250) + "." + strconv.Itoa(instance%250) + ":9100",
		"k8s_cluster_name": "production", "k8s_namespace_name": "shop", "k8s_pod_name": "service-" + strconv.Itoa(instance%50) + "-" + strconv.Itoa(instance),
		"k8s_node_name": "node-" + strconv.Itoa(instance%40), "cloud_region": "eu-central-1",
	}
}

// epoch is when all counters were 0.
var epoch = time.Now().Add(-24 * time.Hour)

// valueOf returns the value of series n at a time.
func valueOf(n int, at time.Time) float64 {
	second := int(at.Sub(epoch) / time.Second)
	noise := float64((second*7919+n*104729)%1009) / 1009
	if _, counter := nameOf(n); counter {
		return math.Floor(at.Sub(epoch).Seconds()*float64(n%97+1) + noise*10)
	}
	return 100 + float64(n%50) + 10*noise
}

// labelsOf returns the labels of series n.
func labelsOf(n int) signal.Labels {
	labels := resourceOf(n)
	labels["__name__"], _ = nameOf(n)
	labels["method"], labels["code"] = "GET", "200"
	return signal.NewLabels(labels)
}

// record returns our own record of series from one to another.
func record(from, to int, at time.Time, labels []signal.Labels) []byte {
	batch := signal.SampleBatch{At: at, Source: "bench", Series: make([]signal.Series, 0, to-from)}
	for n := from; n < to; n++ {
		kind := signal.Gauge
		if n%2 == 0 {
			kind = signal.Counter
		}
		batch.Series = append(batch.Series, signal.Series{Labels: labels[n], Type: kind, Samples: []signal.Sample{{At: at.UnixMilli(), Value: valueOf(n, at)}}})
	}
	return signal.AppendSamples(nil, batch)
}

// remoteWrite returns a request of remote write 1 with series from one to another.
func remoteWrite(from, to int, at time.Time, labels []signal.Labels) ([]byte, error) {
	request := prompb.WriteRequest{Timeseries: make([]prompb.TimeSeries, 0, to-from)}
	for n := from; n < to; n++ {
		series := prompb.TimeSeries{Samples: []prompb.Sample{{Timestamp: at.UnixMilli(), Value: valueOf(n, at)}}}
		for _, l := range labels[n] {
			series.Labels = append(series.Labels, prompb.Label{Name: l.Name, Value: l.Value})
		}
		request.Timeseries = append(request.Timeseries, series)
	}
	data, err := request.Marshal()
	if err != nil {
		return nil, err
	}
	return snappy.Encode(nil, data), nil
}

// otlp returns a request of OTLP with series from one to another, which must be of whole instances.
func otlp(from, to int, at time.Time, _ []signal.Labels) ([]byte, error) {
	metrics := pmetric.NewMetrics()
	stamp := pcommon.NewTimestampFromTime(at)
	var list pmetric.MetricSlice
	for n := from; n < to; n++ {
		if n == from || n%perInstance == 0 {
			rm := metrics.ResourceMetrics().AppendEmpty()
			about := resourceOf(n)
			for name, attribute := range map[string]string{
				"service.name": "job", "service.instance.id": "instance", "k8s.cluster.name": "k8s_cluster_name", "k8s.namespace.name": "k8s_namespace_name",
				"k8s.pod.name": "k8s_pod_name", "k8s.node.name": "k8s_node_name", "cloud.region": "cloud_region",
			} {
				rm.Resource().Attributes().PutStr(name, about[attribute])
			}
			list = rm.ScopeMetrics().AppendEmpty().Metrics()
		}
		name, counter := nameOf(n)
		m := list.AppendEmpty()
		m.SetName(name)
		var point pmetric.NumberDataPoint
		if counter {
			sum := m.SetEmptySum()
			sum.SetIsMonotonic(true)
			sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			point = sum.DataPoints().AppendEmpty()
		} else {
			point = m.SetEmptyGauge().DataPoints().AppendEmpty()
		}
		point.SetTimestamp(stamp)
		point.SetDoubleValue(valueOf(n, at))
		point.Attributes().PutStr("method", "GET")
		point.Attributes().PutStr("code", "200")
	}
	return pmetricotlp.NewExportRequestFromMetrics(metrics).MarshalProto()
}
