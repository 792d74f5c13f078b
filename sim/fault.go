package sim

import (
	"fmt"
	"slices"
)

// faultKind is what is wrong with the bad release.
type faultKind string

const (
	noFault           faultKind = ""
	errorBurst        faultKind = "error burst"
	latencyRegression faultKind = "latency regression"
	memoryLeak        faultKind = "memory leak"
	poolLeak          faultKind = "connection pool leak"
)

// fault is a bad deploy: which service gets it, when, and what its new pods do.
type fault struct {
	kind    faultKind
	service string
	at      float64 // shop seconds
	// size is how bad: the share of failed requests, the factor of latency, or the seconds until memory or pool are used up.
	size float64
	// hunger is how much of the store's connections a leak takes.
	hunger float64
	// rollout is how many shop seconds pass from the first to the last new pod.
	rollout float64
}

// newFault chooses a bad deploy.
func newFault(seed dice) fault {
	names := roots()
	f := fault{
		service: names[seed.pick(len(names), id("root"))],
		at:      seed.between(75, 120, id("deploy")),
		rollout: seed.between(25, 45, id("rollout")),
	}
	f.at -= float64(int(f.at*1000)%5000) / 1000 // on a tick
	switch seed.pick(4, id("fault")) {
	case 0:
		f.kind, f.size = errorBurst, seed.between(.55, .9, id("size"))
	case 1:
		f.kind, f.size = latencyRegression, seed.between(60, 140, id("size"))
	case 2:
		f.kind, f.size = memoryLeak, seed.between(25, 45, id("size"))
	default:
		f.kind, f.size, f.hunger = poolLeak, seed.between(30, 45, id("size")), seed.between(.6, 1.2, id("hunger"))
	}
	return f
}

// text tells what the release does, for the story.
func (f fault) text() string {
	switch f.kind {
	case errorBurst:
		return fmt.Sprintf("the new release answers %.0f%% of requests with an error", 100*f.size)
	case latencyRegression:
		return fmt.Sprintf("the new release is %.0f times slower", f.size)
	case memoryLeak:
		return fmt.Sprintf("the new release uses up its memory in %.0f s and crashes", f.size)
	case poolLeak:
		return fmt.Sprintf("the new release never gives connections back and runs out of them in %.0f s", f.size)
	case noFault:
	}
	return ""
}

// share returns the share of the service's pods that run the bad release.
func (f fault) share(s *service) float64 {
	bad := 0
	for _, p := range s.pods {
		if p.faulty {
			bad++
		}
	}
	return float64(bad) / float64(max(len(s.pods), 1))
}

// effect is what the fault does to one pod at one moment.
type effect struct {
	errors    float64 // own share of failed requests
	latency   float64 // factor
	processor float64 // factor
	memory    float64 // on top of the normal share of the limit
}

func (f fault) on(p *pod, now float64) effect {
	e := effect{latency: 1, processor: 1}
	if !p.faulty {
		return e
	}
	age := now - max(p.readyAt, p.downUntil)
	switch f.kind {
	case errorBurst:
		e.errors = f.size
	case latencyRegression:
		e.latency, e.processor = f.size, 2.2
	case memoryLeak:
		e.memory = .6 * age / f.size
		e.latency = 1 + 4*max(e.memory-.3, 0)
	case poolLeak, noFault:
	}
	return e
}

// live lets pods leak, crash, restart and be replaced.
func (w *world) live() {
	for _, s := range w.services {
		for _, p := range s.pods {
			if p.faulty && p.ready(w.now) {
				w.age(p)
			}
		}
	}
	if w.fault.kind != noFault {
		w.rollOut(w.byName[w.fault.service], w.fault.at, w.fault.rollout, true)
		w.rollOut(w.byName[w.fault.service], w.rollback, w.fault.rollout, false)
	}
	for _, d := range w.noise.deploys(w) {
		w.rollOut(w.byName[d.service], d.at, d.rollout, false)
	}
}

// age lets a faulty pod leak, and crash when its memory is used up. Each crash doubles the wait for the restart.
func (w *world) age(p *pod) {
	switch w.fault.kind {
	case memoryLeak:
		limit := w.dice.between(.9, 1.1, p.number, uint64(len(p.crashes)), id("limit"))
		if p.memory < .98*limit && p.memory < 1 {
			return
		}
		p.crashes = append(p.crashes, w.now)
		wait := min(30*float64(int(1)<<min(len(p.crashes), 4)), 300) * w.dice.between(.8, 1.2, p.number, w.step)
		p.downUntil = w.now + wait
		p.memory = 0
	case poolLeak:
		p.leaked = min(p.leaked+tick/w.fault.size*w.dice.between(.8, 1.2, p.number), 1.1)
	case noFault, errorBurst, latencyRegression:
	}
}

// rollOut replaces the pods of s one after another from at on, over the given time.
func (w *world) rollOut(s *service, at, over float64, faulty bool) {
	if w.now < at || w.now > at+over+2*bootTime+tick {
		return
	}
	if w.now < at+tick {
		s.version++
		s.release = w.dice.letters(10, id(s.name), id("release"), uint64(s.version))
		w.tellDeploy(s, faulty)
	}
	for i := range s.size {
		begin := at + over*float64(i)/float64(s.size)
		if w.now >= begin && w.now < begin+tick {
			w.startPod(s, i, faulty, w.now)
			if faulty && i == 0 {
				w.tell(Event{Kind: "fault", Service: s.name, Text: w.fault.text()})
			}
		}
	}
	for _, old := range slices.Clone(s.pods) { // an old pod ends when its successor serves
		for _, p := range s.pods {
			if p.ordinal == old.ordinal && p.number > old.number && w.now >= p.readyAt {
				w.stopPod(old)
				break
			}
		}
	}
}

func (w *world) tellDeploy(s *service, faulty bool) {
	before, after := fmt.Sprintf("v%d", s.version-1), fmt.Sprintf("v%d", s.version)
	kind := "deploy"
	if w.fault.kind != noFault && s.name == w.fault.service && !faulty && w.now >= w.rollback {
		kind, after = "rollback", fmt.Sprintf("v%d", s.version-2)
	}
	w.tell(Event{Kind: kind, Service: s.name, Text: s.name + " " + before + " -> " + after})
}

func (w *world) tell(e Event) {
	e.at = w.now
	w.events = append(w.events, e)
}
