package sim

import (
	"slices"
	"strings"
)

// label is one name and value of a series or an alert.
type label struct{ name, value string }

// labelsOf makes a sorted label set of alternating names and values, leaving empty values out.
func labelsOf(pairs ...string) []label {
	labels := make([]label, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			labels = append(labels, label{pairs[i], pairs[i+1]})
		}
	}
	slices.SortFunc(labels, func(a, b label) int { return strings.Compare(a.name, b.name) })
	return labels
}

func valueOf(labels []label, name string) string {
	for _, l := range labels {
		if l.name == name {
			return l.value
		}
	}
	return ""
}

// metric names what rules look at.
type metric int

const (
	podErrors metric = iota
	podLatency
	podThrottled
	podMemory
	podRestarts
	podUnready
	podPool
	podThreads
	podDown
	podCollecting
	podLogs
	podStatus
	callErrors
	callTimeouts
	callBreaker
	edgeErrors
	serviceErrors
	serviceLatency
	serviceBurn
	serviceSlowBurn
	serviceTraffic
	serviceMissing
	serviceRetries
	routeErrors
	routeLatency
	consumerLag
	storeConnections
	storeLatency
	brokerErrors
	nodeCPU
	nodeDisk
	probeFailed
	probeSlow
	shopOrders
	shopPayments
	standing // noise that has its own rule, one series per name
	flapping
	metricCount
)

// series is one measured value.
type series struct {
	labels []label
	value  float64
	// scale is the normal value of this series where rules compare with it, else 1.
	scale float64
	// boost is the moment until which noise lifts the value over the limit of any rule, in shop seconds.
	boost float64
	// only names the one rule that may look at a series of the metrics standing and flapping.
	only string
}

// book holds all series by metric.
type book struct {
	series [metricCount][]*series
}

func (b *book) add(m metric, scale float64, labels []label) *series {
	s := &series{labels: labels, scale: scale}
	b.series[m] = append(b.series[m], s)
	return s
}

// drop forgets series whose target is gone.
func (b *book) drop(gone []*series) {
	if len(gone) == 0 {
		return
	}
	set := make(map[*series]bool, len(gone))
	for _, s := range gone {
		set[s] = true
	}
	for m := range b.series {
		b.series[m] = slices.DeleteFunc(b.series[m], func(s *series) bool { return set[s] })
	}
}
