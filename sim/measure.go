package sim

import (
	"fmt"
	"slices"
	"strconv"
)

// podMeters are the series of one pod.
type podMeters struct {
	errors, latency, throttled, memory, restarts, unready, pool, threads, down, collecting, logs *series
	status                                                                                       [len(statusCodes)]*series
	calls                                                                                        []callMeters
}

// statusCodes are the answers of a failing service: its own failure, a failed callee, no capacity, a callee too late.
var statusCodes = [...]string{"500", "502", "503", "504"}

// callMeters are the series of what one pod sees of one callee.
type callMeters struct{ errors, timeouts, breaker *series }

// serviceMeters are the series of one service as a whole.
type serviceMeters struct {
	errors, latency, burn, slowBurn, traffic, missing, retries *series
	connections, storeLatency, brokerErrors                    *series
	edges, routeErrors, routeLatency, lag                      []*series
}

// shopProbes are the pages that a prober outside asks for, each with the index of the frontend's call behind it.
var shopProbes = []struct {
	path string
	call int
}{{"/", 0}, {"/account", 1}, {"/cart", 2}, {"/search?q=tea", 4}, {"/checkout", 6}}

func (m *podMeters) all() []*series {
	var all []*series
	for _, s := range []*series{
		m.errors, m.latency, m.throttled, m.memory, m.restarts, m.unready, m.pool, m.threads, m.down, m.collecting, m.logs,
	} {
		if s != nil {
			all = append(all, s)
		}
	}
	for _, s := range m.status {
		if s != nil {
			all = append(all, s)
		}
	}
	for _, c := range m.calls {
		all = append(all, c.errors, c.timeouts, c.breaker)
	}
	return all
}

func (w *world) meterPod(p *pod) {
	s, m := p.service, &p.meters
	port := ":8080"
	if s.store {
		port = map[string]string{"postgres": ":9187", "redis": ":9121", "kafka": ":9308"}[s.name]
	}
	target := []string{
		"namespace", w.place.namespace, "service", s.name, "team", s.team, "pod", p.name, "instance", p.address + port, "job", s.name,
	}
	kubernetes := []string{"namespace", w.place.namespace, "pod", p.name, "container", s.name, "node", p.host.name, "job", "kube-state-metrics"}
	add := func(metric metric, scale float64, pairs []string, more ...string) *series {
		return w.book.add(metric, scale, w.labels(append(slices.Clip(pairs), more...)...))
	}
	m.unready = add(podUnready, 1, kubernetes)
	m.restarts = add(podRestarts, 1, kubernetes)
	m.down = add(podDown, 1, target)
	if s.store {
		return
	}
	m.errors = add(podErrors, 1, target)
	m.latency = add(podLatency, s.calm, target)
	m.throttled = add(podThrottled, 1, kubernetes)
	m.memory = add(podMemory, 1, kubernetes)
	m.threads = add(podThreads, 1, target)
	m.logs = add(podLogs, 1, target)
	for i, code := range statusCodes {
		m.status[i] = add(podStatus, 1, target, "code", code)
	}
	if s.jvm {
		m.collecting = add(podCollecting, 1, target)
	}
	m.pool = add(podPool, 1, target, "pool", s.calls[0].to)
	for _, c := range s.calls {
		m.calls = append(m.calls, callMeters{
			errors:   add(callErrors, 1, target, "upstream", c.to),
			timeouts: add(callTimeouts, 1, target, "upstream", c.to),
			breaker:  add(callBreaker, 1, target, "upstream", c.to),
		})
	}
}

func (w *world) meterService(s *service) {
	m := &s.meters
	add := func(metric metric, more ...string) *series {
		pairs := []string{"namespace", w.place.namespace, "service", s.name, "team", s.team}
		return w.book.add(metric, 1, w.labels(append(pairs, more...)...))
	}
	if !s.store {
		m.errors = add(serviceErrors)
		m.latency = add(serviceLatency)
		m.burn = add(serviceBurn, "slo", s.name+"-availability", "window", "5m")
		m.slowBurn = add(serviceSlowBurn, "slo", s.name+"-availability", "window", "1h")
		m.traffic = add(serviceTraffic)
		m.retries = add(serviceRetries)
		m.missing = w.book.add(serviceMissing, 1,
			w.labels("namespace", w.place.namespace, "deployment", s.name, "job", "kube-state-metrics"))
		for _, c := range s.calls {
			m.edges = append(m.edges, add(edgeErrors, "upstream", c.to))
		}
		for _, route := range s.routes {
			m.routeErrors = append(m.routeErrors, add(routeErrors, "route", route))
			m.routeLatency = append(m.routeLatency, add(routeLatency, "route", route))
		}
		if s.topic != "" {
			for i := range partitions {
				m.lag = append(m.lag, add(consumerLag, "topic", s.topic, "consumergroup", s.name, "partition", strconv.Itoa(i)))
			}
		}
		return
	}
	m.storeLatency = add(storeLatency, "job", s.name)
	m.connections = add(storeConnections, "job", s.name)
	if s.name == "kafka" {
		m.brokerErrors = add(brokerErrors, "job", s.name)
	}
}

func (w *world) meterShop() {
	for _, probe := range shopProbes {
		labels := w.labels("instance", "https://www."+w.place.domain+probe.path, "job", "blackbox")
		w.book.add(probeFailed, 1, labels)
		w.book.add(probeSlow, 1, labels)
	}
	w.book.add(shopOrders, 1, w.labels("namespace", w.place.namespace, "team", "business"))
	w.book.add(shopPayments, 1, w.labels("namespace", w.place.namespace, "team", "business"))
}

// setScales makes the present latency the one that rules compare with.
func (s *service) setScales() {
	if s.store {
		s.meters.storeLatency.scale = s.calm
		return
	}
	s.meters.latency.scale = s.calm
	for _, route := range s.meters.routeLatency {
		route.scale = s.calm
	}
	for _, p := range s.pods {
		p.meters.latency.scale = s.calm
	}
}

// measure writes the state of the world into the series.
func (w *world) measure() {
	for _, s := range w.services {
		for _, p := range s.pods {
			w.measurePod(p)
		}
		if s.store {
			s.meters.storeLatency.value = s.latency
			s.meters.connections.value = s.clients
			if s.meters.brokerErrors != nil {
				s.meters.brokerErrors.value = s.errors
			}
		} else {
			w.measureService(s)
		}
	}
	for _, h := range w.hosts {
		h.cpu.value = .45 * h.load / max(h.normal, 1.5) * w.dice.wobble(.03, w.step, id(h.name))
		h.disk.value = .3 * w.dice.wobble(.1, w.step, id(h.name), 1)
	}
	front, checkout := w.byName["frontend"], w.byName["checkout"]
	for i, probe := range shopProbes {
		bad := 1 - (1-front.errors)*(1-front.seen[probe.call])
		w.book.series[probeFailed][i].value = bad
		w.book.series[probeSlow][i].value = front.latency + front.up[probe.call].latency
	}
	good := (1 - front.errors) * (1 - checkout.errors)
	if checkout.normal > 0 {
		good *= min(checkout.offered/checkout.normal, 1)
	}
	w.book.series[shopOrders][0].value = good
	w.book.series[shopPayments][0].value = 1 - w.byName["payment"].errors
}

func (w *world) measurePod(p *pod) {
	m, ready := p.meters, p.ready(w.now)
	m.unready.value = bit(!ready)
	m.down.value = bit(w.now < p.downUntil)
	recent := 0
	for _, at := range p.crashes {
		if w.now-at < 300 {
			recent++
		}
	}
	m.restarts.value = float64(recent)
	if p.service.store {
		return
	}
	m.errors.value, m.latency.value, m.threads.value, m.pool.value = p.errors, p.latency, p.threads, p.pool
	m.logs.value = p.errors
	for i, share := range p.status {
		m.status[i].value = share
	}
	m.throttled.value = max(p.processor-.7, 0)
	m.memory.value = p.memory
	if m.collecting != nil {
		m.collecting.value = max(p.memory-.75, 0)
	}
	for i, c := range m.calls {
		wobble := w.dice.wobble(.1, p.number, uint64(i), id("sees"))
		seen, waits := p.service.seen[i]*wobble*bit(ready), p.service.waits[i]*wobble*bit(ready)
		c.errors.value, c.timeouts.value, c.breaker.value = seen, waits, seen
	}
}

func (w *world) measureService(s *service) {
	m := s.meters
	m.errors.value, m.latency.value, m.burn.value, m.slowBurn.value = s.errors, s.latency, s.burn, s.slowBurn
	m.traffic.value, m.retries.value = 1, 0
	if s.normal > 0 {
		m.traffic.value = s.offered / s.normal
		m.retries.value = s.offered/s.normal - 1
	}
	m.missing.value = float64(s.size - s.ready(w.now))
	for i := range m.edges {
		m.edges[i].value = s.seen[i]
	}
	for i := range m.routeErrors {
		call := i % len(s.calls)
		through := s.seen[call] * s.calls[call].critical
		own := s.errors * w.dice.between(.5, 1.2, id(s.name), uint64(i), id("route"))
		m.routeErrors[i].value = max(own, through)
		behind := min(s.up[call].latency*min(s.calls[call].times, 1), callTimeout)
		m.routeLatency[i].value = max(s.latency*w.dice.between(.5, 1, id(s.name), uint64(i), id("slow")), behind)
	}
	for i, lag := range m.lag {
		lag.value = s.backlog[i]
	}
}

func bit(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// format prints a measured value as a person would.
func format(value float64) string { return fmt.Sprintf("%.3g", value) }
