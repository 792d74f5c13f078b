package sim

import (
	"fmt"
	"math"
)

// noise is what goes on in every shop, incident or not: warnings that stand for days, alerts that come and go, blips that
// clear within seconds, and releases that do no harm. Everything in it is a function of the seed and the time.
type noise struct {
	flaps []flap
	// rules that a blip may trip
	restless []rule
}

// flap is one alert that oscillates.
type flap struct {
	series               *series
	name                 string
	period, share, phase float64
}

const (
	blipSlot   = 30.0  // a blip in most slots of so many shop seconds
	deploySlot = 150.0 // a harmless deploy in some slots
)

func newNoise(w *world) *noise {
	n := &noise{}
	for _, r := range rules() {
		if r.restless {
			n.restless = append(n.restless, r)
		}
	}
	n.addStanding(w)
	n.addFlaps(w)
	return n
}

// addStanding adds the warnings that nobody looks after, among them the Watchdog that must always fire.
func (n *noise) addStanding(w *world) {
	node := func(purpose string) string { return w.hosts[w.dice.pick(hosts, id(purpose))].name }
	choices := []struct {
		name   string
		labels []string
	}{
		{"Watchdog", nil},
		{"CertificateExpiresSoon", []string{"instance", "https://static." + w.place.domain, "job", "blackbox"}},
		{"NodeFilesystemFillingUp", []string{"node", node("fill"), "mountpoint", "/var/log", "job", "node-exporter"}},
		{"KubeJobFailed", []string{"namespace", w.place.namespace, "job_name", "nightly-report-28471", "job", "kube-state-metrics"}},
		{"KubeJobFailed", []string{"namespace", "staging", "job_name", "seed-catalogue", "job", "kube-state-metrics"}},
		{"BackupTooOld", []string{"namespace", w.place.namespace, "service", "postgres", "datname", "analytics", "team", "platform"}},
		{"PersistentVolumeFillingUp", []string{"namespace", "monitoring", "persistentvolumeclaim", "prometheus-db-0", "job", "kubelet"}},
		{"PersistentVolumeFillingUp", []string{"namespace", w.place.namespace, "persistentvolumeclaim", "data-kafka-1", "job", "kubelet"}},
		{"NodeClockSkew", []string{"node", node("skew"), "job", "node-exporter"}},
		{"KubeVersionMismatch", nil},
	}
	left := 4 // so many of them do not stand, at most
	for i, c := range choices {
		if i > 0 && left > 0 && w.dice.uniform(id("standing"), uint64(i)) < .4 {
			left--
			continue
		}
		s := w.book.add(standing, 1, w.labels(c.labels...))
		s.only, s.value = c.name, 1
		if i > 0 {
			w.tell(Event{Kind: "warning", Text: c.name + " has been firing for days"})
		}
	}
}

func (n *noise) addFlaps(w *world) {
	node := w.hosts[w.dice.pick(hosts, id("network"))].name
	replica := w.dice.pick(2, id("replica"))
	choices := []struct {
		name   string
		labels []string
	}{
		{"ReplicaLagHigh", []string{
			"namespace", w.place.namespace, "service", "redis", "pod", fmt.Sprintf("redis-%d", 1+replica), "job", "redis", "team", "platform",
		}},
		{"UnderReplicatedPartitions", []string{
			"namespace", w.place.namespace, "service", "kafka", "pod", fmt.Sprintf("kafka-%d", replica), "job", "kafka", "team", "platform",
		}},
		{"PartnerAPISlow", []string{"instance", "https://api.parcels.example/v2/track", "job", "partners", "team", "fulfilment"}},
		{"NodeNetworkErrors", []string{"node", node, "device", "eth0", "job", "node-exporter"}},
	}
	skip := w.dice.pick(2*len(choices), id("flaps")) // one of them stays calm in half of all shops
	for i, c := range choices {
		if i == skip {
			continue
		}
		s := w.book.add(flapping, 1, w.labels(c.labels...))
		s.only = c.name
		n.flaps = append(n.flaps, flap{
			series: s, name: c.name,
			period: w.dice.between(60, 120, id(c.name)), share: w.dice.between(.35, .6, id(c.name), 1), phase: w.dice.between(0, 120, id(c.name), 2),
		})
		w.tell(Event{Kind: "flap", Service: valueOf(s.labels, "service"), Text: c.name + " flaps"})
	}
}

// disturb applies the noise of this moment.
func (n *noise) disturb(w *world) {
	for i := range n.flaps {
		f := &n.flaps[i]
		f.series.value = bit(math.Mod(w.now+f.phase+1000*f.period, f.period) < f.share*f.period)
	}
	slot := math.Floor(w.now / blipSlot)
	if w.now < 0 {
		return
	}
	key := uint64(slot)
	begin := slot*blipSlot + w.dice.between(0, blipSlot-tick, key, id("begin"))
	if w.now < begin || w.now >= begin+tick || w.dice.uniform(key, id("blip")) < .25 {
		return
	}
	r := n.restless[w.dice.pick(len(n.restless), key, id("rule"))]
	all := w.book.series[r.metric]
	s := all[w.dice.pick(len(all), key, id("target"))]
	s.boost = w.now + r.hold + w.dice.between(20, 45, key, id("length"))
	w.tell(Event{
		Kind: "transient", Service: valueOf(s.labels, "service"), Instance: valueOf(s.labels, "pod"),
		Text: r.name + " for some seconds",
	})
}

// deploys returns the harmless releases that are under way. Nobody releases anything from a minute before the bad deploy
// until two minutes after it was taken back.
func (n *noise) deploys(w *world) []fault {
	if w.now < 0 {
		return nil
	}
	var under []fault
	slot := uint64(w.now / deploySlot)
	for _, key := range []uint64{slot, slot - 1} {
		if key > slot || w.dice.uniform(key, id("harmless")) < .3 {
			continue
		}
		d := fault{
			at:      float64(key)*deploySlot + tick*float64(1+w.dice.pick(10, key, id("when"))),
			rollout: 20,
		}
		names := roots()
		d.service = names[w.dice.pick(len(names), key, id("whose"))]
		if d.service == w.fault.service || (w.fault.kind != noFault && d.at > w.fault.at-60 && d.at < w.rollback+120) {
			continue
		}
		under = append(under, d)
	}
	return under
}
