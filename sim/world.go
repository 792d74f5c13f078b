package sim

import (
	"fmt"
	"math"
	"slices"
)

const (
	tick        = 5.0   // shop seconds between two steps of the world
	shoppers    = 400.0 // requests a second that reach the frontend in normal times
	callTimeout = 4.0   // seconds a caller waits for an answer
	smoothing   = 15.0  // seconds over which error ratios and latencies are averaged
	bootTime    = 10.0  // seconds from the start of a pod to its first request
	partitions  = 6     // of each topic
	hosts       = 10
)

// world is the shop at one moment: load flows from the frontend down to the stores, latency and errors flow back up.
// Time is in shop seconds from the start of the demo; it is negative while the world warms up.
type world struct {
	dice     dice
	place    place
	now      float64
	step     uint64
	services []*service // callees before their callers
	byName   map[string]*service
	hosts    []*host
	book     book
	fault    fault
	noise    *noise
	rollback float64 // when the bad version is taken back; +Inf for never
	events   []Event
	pods     uint64 // how many there ever were
}

// place names what all senders of this shop add to their alerts.
type place struct{ cluster, namespace, prometheus, domain string }

type service struct {
	blueprint
	up       []*service // callees, in the order of calls
	size     int        // replicas wanted
	release  string     // the running version's name in pod names
	version  int
	pods     []*pod
	offered  float64 // requests a second, or queries for a store
	normal   float64 // offered in normal times
	errors   float64 // share of requests that fail, smoothed
	latency  float64 // 99th percentile in seconds, smoothed
	calm     float64 // latency in normal times
	burn     float64 // errors smoothed over minutes
	slowBurn float64
	seen     []float64 // share of calls to up[i] that fail as seen here, smoothed
	waits    []float64 // the part of seen that is timeouts
	backlog  []float64 // seconds behind, for each partition of its topic
	clients  float64   // connections in use of a store: 0.4 in normal times, 1 is the limit
	meters   serviceMeters
}

type pod struct {
	service   *service
	name      string
	address   string
	host      *host
	ordinal   int
	number    uint64
	faulty    bool
	bornAt    float64
	readyAt   float64
	downUntil float64 // crashed and waiting for its restart
	crashes   []float64
	memory    float64 // share of its limit
	leaked    float64 // connections that were never given back, as a share of the pool
	processor float64 // share of its limit
	pool      float64
	threads   float64
	errors    float64
	latency   float64
	status    [len(statusCodes)]float64 // share of requests answered with each, smoothed
	meters    podMeters
}

type host struct {
	name   string
	pods   int
	load   float64
	normal float64
	cpu    *series
	disk   *series
}

func (p *pod) ready(now float64) bool { return now >= p.readyAt && now >= p.downUntil }

// idle clears what a pod that gets no requests cannot show.
func (p *pod) idle() {
	p.errors, p.processor, p.threads, p.pool = 0, 0, 0, 0
	p.status = [len(statusCodes)]float64{}
}

func (s *service) ready(now float64) int {
	n := 0
	for _, p := range s.pods {
		if p.ready(now) {
			n++
		}
	}
	return n
}

// newWorld builds a shop and warms it up. The services that will suffer, the broken one and whoever calls it directly or
// through others, have scale times the replicas of their blueprint; the others at most one and a half times.
func newWorld(seed dice, scale float64, f fault) *world {
	w := &world{
		dice:     seed,
		byName:   map[string]*service{},
		fault:    f,
		rollback: math.Inf(1),
		place: place{
			cluster:    []string{"prod-eu-1", "prod-eu-2", "prod-us-1", "shop-prod", "k8s-prod-a"}[seed.pick(5, id("cluster"))],
			namespace:  []string{"shop", "store", "webshop"}[seed.pick(3, id("namespace"))],
			prometheus: "monitoring/k8s",
			domain:     []string{"shop.example", "store.example", "market.example"}[seed.pick(3, id("domain"))],
		},
	}
	for i := range hosts {
		name := fmt.Sprintf("worker-%02d", i+1)
		h := &host{name: name}
		labels := w.labels("node", name, "instance", fmt.Sprintf("10.20.0.%d:9100", 10+i), "job", "node-exporter")
		h.cpu = w.book.add(nodeCPU, 1, labels)
		h.disk = w.book.add(nodeDisk, 1, labels)
		w.hosts = append(w.hosts, h)
	}
	suffering := map[string]bool{f.service: true}
	for _, b := range blueprints() {
		for _, c := range b.calls {
			suffering[b.name] = suffering[b.name] || suffering[c.to]
		}
		if suffering[b.name] {
			w.addService(b, scale)
		} else {
			w.addService(b, min(scale, 1.5))
		}
	}
	w.meterShop()
	w.noise = newNoise(w)
	w.warmUp()
	return w
}

func (w *world) addService(b blueprint, scale float64) {
	s := &service{blueprint: b, size: b.replicas, version: 1}
	if !b.store {
		s.size = max(2, int(math.Round(float64(b.replicas)*scale*w.dice.between(.85, 1.15, id(b.name), id("size")))))
	}
	s.release = w.dice.letters(10, id(b.name), id("release"), 1)
	for _, c := range b.calls {
		s.up = append(s.up, w.byName[c.to])
	}
	s.seen = make([]float64, len(s.calls))
	s.waits = make([]float64, len(s.calls))
	if b.topic != "" {
		s.backlog = make([]float64, partitions)
	}
	w.services = append(w.services, s)
	w.byName[b.name] = s
	w.meterService(s)
	for i := range s.size {
		w.startPod(s, i, false, math.Inf(-1))
	}
}

// labels returns a label set as this shop's Prometheus sends it.
func (w *world) labels(pairs ...string) []label {
	return labelsOf(append(pairs, "cluster", w.place.cluster, "prometheus", w.place.prometheus)...)
}

func (w *world) startPod(s *service, ordinal int, faulty bool, born float64) {
	w.pods++
	p := &pod{
		service: s, ordinal: ordinal, number: w.pods, faulty: faulty, bornAt: born, readyAt: born + bootTime,
		address: fmt.Sprintf("10.42.%d.%d", 1+w.pods/200, 10+w.pods%200),
		host:    w.emptiest(w.pods),
		memory:  .45, downUntil: math.Inf(-1),
	}
	if s.store {
		p.name = fmt.Sprintf("%s-%d", s.name, ordinal)
	} else {
		p.name = s.name + "-" + s.release + "-" + w.dice.letters(5, w.pods, id("pod"))
	}
	w.meterPod(p)
	s.pods = append(s.pods, p)
}

// emptiest returns the host with the fewest pods, as a scheduler would.
func (w *world) emptiest(number uint64) *host {
	first := w.dice.pick(hosts, number, id("host"))
	best := w.hosts[first]
	for i := range w.hosts {
		if h := w.hosts[(first+i)%hosts]; h.pods < best.pods {
			best = h
		}
	}
	best.pods++
	return best
}

func (w *world) stopPod(p *pod) {
	p.host.pods--
	p.service.pods = slices.DeleteFunc(p.service.pods, func(other *pod) bool { return other == p })
	w.book.drop(p.meters.all())
}

// warmUp finds the normal load and latency of every service: rules and models compare with them.
func (w *world) warmUp() {
	w.now = -60 * tick
	for w.now < -30*tick {
		w.advance()
	}
	for _, s := range w.services {
		s.normal, s.calm = s.offered, s.latency
		s.burn, s.slowBurn = s.errors, s.errors
		s.setScales()
	}
	for w.now < 0 {
		w.advance()
	}
}

// advance lets one tick pass.
func (w *world) advance() {
	w.now += tick
	w.step++
	w.live()
	w.spreadLoad()
	for _, s := range w.services {
		if s.store {
			w.runStore(s)
		} else {
			w.runService(s)
		}
		if s.topic != "" {
			w.consume(s)
		}
	}
	w.runHosts()
	w.measure()
	w.noise.disturb(w)
}

// spreadLoad sends the shoppers' requests down the graph. Callers try failed calls again until their circuit breaker opens, and a request that failed
// half-way does not make its later calls.
func (w *world) spreadLoad() {
	for _, s := range w.services {
		s.offered = 0
	}
	front := w.services[len(w.services)-1]
	front.offered = shoppers * w.dice.wobble(.02, w.step, id("shoppers")) * (1 + .3*front.errors)
	for _, s := range slices.Backward(w.services) {
		if s.topic != "" && s.offered == 0 { // a pure consumer works at the pace of its topic
			s.offered = shoppers * .2 * (1 - w.byName["checkout"].errors)
		}
		reaching := s.offered
		if s.ready(w.now) == 0 {
			reaching = 0
		}
		if w.fault.kind == errorBurst && s.name == w.fault.service {
			reaching *= 1 - w.fault.share(s)*w.fault.size
		}
		for i, c := range s.calls {
			s.up[i].offered += reaching * c.times * (1 + 1.2*s.seen[i]*(1-s.seen[i]))
			reaching *= 1 - c.critical*s.seen[i]
		}
	}
}

func (w *world) runService(s *service) {
	ready := s.ready(w.now)
	deps := w.lookUp(s)
	if ready == 0 {
		s.smooth(1, min(s.latency, callTimeout))
		for _, p := range s.pods {
			p.idle()
		}
		return
	}
	relative := s.offered / max(s.normal, 1e-9)
	if s.normal == 0 {
		relative = 1
	}
	each := relative * float64(s.size) / float64(ready)
	var errors, latency float64
	for _, p := range s.pods {
		if !p.ready(w.now) {
			p.idle()
			continue
		}
		w.runPod(p, each, deps)
		errors += p.errors / float64(ready)
		latency += p.latency / float64(ready)
	}
	// While a pod lies dead its requests fail until the endpoints are updated.
	errors += .05 * float64(s.size-min(ready, s.size)) / float64(s.size)
	s.smooth(min(errors, 1), latency)
}

// answers is how the callees of a service do: how long a request waits for them, which share of requests fails by them,
// and which part of that by waiting too long.
type answers struct{ waiting, failing, late float64 }

// lookUp judges the calls of s.
func (w *world) lookUp(s *service) answers {
	var deps answers
	passing, inTime := 1.0, 1.0
	for i, c := range s.calls {
		callee := s.up[i]
		late := min(max((callee.latency/callTimeout-.5)/.9, 0), 1)
		s.waits[i] += rate(smoothing) * (late - s.waits[i])
		s.seen[i] += rate(smoothing) * (1 - (1-callee.errors)*(1-late) - s.seen[i])
		deps.waiting += min(c.times, 1.5) * min(callee.latency, callTimeout) * min(1, .3+c.critical)
		passing *= 1 - c.critical*min(c.times, 1)*s.seen[i]
		inTime *= 1 - c.critical*min(c.times, 1)*s.waits[i]
	}
	deps.failing, deps.late = 1-passing, 1-inTime
	return deps
}

// runPod works through one tick of a pod at the given load, 1 being its normal share.
func (w *world) runPod(p *pod, load float64, deps answers) {
	s := p.service
	noise := w.dice.wobble(.04, p.number, w.step)
	effect := w.fault.on(p, w.now)
	processor := s.load * load * noise * effect.processor
	own := s.blueprint.latency * effect.latency * (1 + 2*processor*processor/(1-min(processor, .95)))
	latency := min((own+deps.waiting)*w.dice.wobble(.05, p.number, w.step, 1), 4*callTimeout)
	threads := .25 * load
	if s.calm > 0 {
		threads = .25 * load * latency / s.calm
	}
	pool := .3 * load * noise
	for _, callee := range s.up {
		if callee.store && callee.calm > 0 {
			pool = max(pool, .3*load*noise*min(callee.latency/callee.calm, 20))
		}
	}
	pool += p.leaked
	var refused float64
	if threads > 1 {
		refused = .8 * (1 - 1/threads)
	}
	if processor > 1 {
		refused = max(refused, 1-1/processor)
	}
	if pool > 1 {
		refused = max(refused, .75*min((pool-1)*4, 1))
		latency = min(latency+1.5, 4*callTimeout)
	}
	failed := 1 - (1-effect.errors)*(1-refused)*(1-deps.failing)*(1-.0002*noise)
	k := rate(smoothing)
	for i, share := range [...]float64{effect.errors, max(deps.failing-deps.late, 0), refused, deps.late} {
		p.status[i] += k * (share - p.status[i])
	}
	p.errors += k * (failed - p.errors)
	p.latency += k * (latency - p.latency)
	p.processor += k * (min(processor, 1.3) - p.processor)
	p.threads += k * (min(threads, 3) - p.threads)
	p.pool += k * (min(pool, 1.2) - p.pool)
	p.memory = min(.45+.02*(noise-1)+effect.memory+.1*min(max(threads-1, 0), 1), 1.02)
}

func (w *world) runStore(s *service) {
	relative := 1.0
	if s.normal > 0 {
		relative = s.offered / s.normal
	}
	inUse := 0.0
	users := 0
	for _, caller := range w.services {
		for i, callee := range caller.up {
			if callee != s || caller.calls[i].times < .3 {
				continue
			}
			users++
			for _, p := range caller.pods {
				inUse += (p.pool - p.leaked + 6*p.leaked*w.fault.hunger) / .3 / float64(caller.size)
			}
		}
	}
	clients := .4
	if users > 0 && s.normal > 0 {
		clients = .4 * (.7 + .3*inUse/float64(users))
	}
	s.clients += rate(smoothing) * (min(clients, 1.2) - s.clients)
	util := min(s.load*relative, .97)
	latency := s.blueprint.latency * (1 + 2*util*util/(1-util)) * w.dice.wobble(.05, w.step, id(s.name))
	errors := .0001
	if s.clients > .95 {
		errors = min((s.clients-.95)*8, .8)
		latency *= 1 + 40*errors
	}
	for _, p := range s.pods {
		p.processor = util
	}
	s.smooth(errors, latency)
}

// consume moves the backlog of a consumer: work arrives at its normal pace and is done as well as the service runs.
func (w *world) consume(s *service) {
	if s.calm == 0 {
		return
	}
	pace := 2 * (1 - s.errors) * float64(s.ready(w.now)) / float64(s.size) / max(s.latency/s.calm/1.5, 1)
	for i := range s.backlog {
		arrives := w.dice.wobble(.05, w.step, uint64(i), id(s.name))
		s.backlog[i] = min(max(s.backlog[i]+tick*(arrives-pace)*w.dice.between(.7, 1.3, uint64(i), id(s.name)), 0), 240)
	}
}

func (w *world) runHosts() {
	for _, h := range w.hosts {
		h.load = 0
	}
	for _, s := range w.services {
		for _, p := range s.pods {
			p.host.load += p.processor
		}
	}
	for _, h := range w.hosts {
		if w.now < -30*tick {
			h.normal = h.load
		}
	}
}

// smooth moves the service's own figures towards those of this tick.
func (s *service) smooth(errors, latency float64) {
	s.errors += rate(smoothing) * (errors - s.errors)
	s.latency += rate(smoothing) * (latency - s.latency)
	s.burn += rate(45) * (errors - s.burn)
	s.slowBurn += rate(90) * (errors - s.slowBurn)
}

// rate returns the weight of a new value in an average over the given number of seconds.
func rate(seconds float64) float64 { return 1 - math.Exp(-tick/seconds) }
