package app

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead/fairlead/ops/anomaly"
)

// anomalyMetrics shows at /metrics what the detector does and whether its budgets keep what they say.
type anomalyMetrics struct {
	samples                               *samples
	series, unwatched, values, skipped    *prometheus.Desc
	asked, told, expected, held, evidence *prometheus.Desc
}

func newAnomalyMetrics(s *samples) *anomalyMetrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("fairlead_anomaly_"+name, help, labels, nil)
	}
	return &anomalyMetrics{
		samples:   s,
		series:    desc("series", "Series that are judged."),
		unwatched: desc("unwatched_series", "Series that are stored only: buckets, descriptions, and what is over anomaly.max_series."),
		values:    desc("values_total", "Values judged since the start."),
		skipped:   desc("skipped_values_total", "Values that could not be judged: not finite, not newer than the last, or the first of a counter."),
		asked:     desc("budget_per_week", "Anomalies that a team welcomes a week.", "team"),
		told:      desc("told_total", "Anomalies that a team was told of.", "team"),
		expected:  desc("expected_total", "Of those that were told, how many chance was expected to make.", "team"),
		held:      desc("held_total", "Anomalies that were not told because the budget was used up.", "team"),
		evidence:  desc("evidence_total", "Anomalies by the tenth that their p-value falls into, from 0: as many in each where the evidence is calibrated.", "team", "tenth"),
	}
}

// Describe is prometheus.Collector's.
func (m *anomalyMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.series, m.unwatched, m.values, m.skipped, m.asked, m.told, m.expected, m.held, m.evidence} {
		to <- d
	}
}

// Collect is prometheus.Collector's.
func (m *anomalyMetrics) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	stats := m.samples.stats()
	gauge(m.series, float64(stats.Series))
	gauge(m.unwatched, float64(stats.Unwatched))
	counter(m.values, float64(stats.Judged))
	counter(m.skipped, float64(stats.Skipped))
	budgets := m.samples.desk.Budgets()
	if len(budgets) == 0 {
		budgets = []anomaly.BudgetState{{Asked: m.samples.app.cfg.Anomaly.Budget}}
	}
	for i := range budgets {
		b := &budgets[i]
		gauge(m.asked, b.Asked, b.Team)
		counter(m.told, float64(b.Budget.Tells), b.Team)
		counter(m.expected, b.Budget.Expected, b.Team)
		counter(m.held, float64(b.Budget.Held), b.Team)
		for tenth, n := range b.Budget.Curve {
			counter(m.evidence, float64(n), b.Team, strconv.Itoa(tenth))
		}
	}
}
