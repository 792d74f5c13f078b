package sim

import (
	"encoding/json"
	"io"
	"iter"
	"math"
	"net/url"
	"time"
)

// life is one shop under way.
type life struct {
	world *world
	rules *evaluator
	start time.Time
	speed float64
	told  int
}

func (s *Shop) live(start time.Time) *life {
	l := &life{
		world: newWorld(s.plan.seed, s.plan.scale, s.plan.fault),
		rules: newEvaluator(s.plan.seed),
		start: start,
		speed: s.config.Speed,
	}
	if s.config.Rollback > 0 {
		l.world.rollback = s.plan.fault.at + math.Ceil(s.config.Rollback.Seconds()*s.config.Speed/tick)*tick
	}
	return l
}

// wall returns the moment of the wall clock for a time of the shop.
func (l *life) wall(shop float64) time.Time {
	return l.start.Add(time.Duration(shop / l.speed * float64(time.Second))).Truncate(time.Millisecond)
}

// step lets one tick pass and returns what is to be sent.
func (l *life) step() []*batch {
	l.world.advance()
	var batches []*batch
	for _, g := range l.rules.due(l.world.now) {
		send := l.rules.evaluate(l.world, g)
		for len(send) > 0 {
			n := min(len(send), batchSize)
			batches = append(batches, &batch{life: l, at: l.world.now, alerts: send[:n]})
			send = send[n:]
		}
	}
	return batches
}

// all steps through the given length of wall time.
func (l *life) all(length time.Duration) iter.Seq2[int, []*batch] {
	return func(yield func(int, []*batch) bool) {
		for i := 0; l.wall(l.world.now+tick).Sub(l.start) <= length; i++ {
			if !yield(i, l.step()) {
				return
			}
		}
	}
}

// news returns the events since the last call.
func (l *life) news() []Event {
	news := l.world.events[l.told:]
	l.told = len(l.world.events)
	for i := range news {
		news[i].After = l.wall(news[i].at).Sub(l.start)
	}
	return news
}

// batch is what is sent in one request.
type batch struct {
	life   *life
	at     float64
	alerts []*activation
}

// wireAlert is an alert as Prometheus posts it.
type wireAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     string            `json:"startsAt"`
	EndsAt       string            `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
}

func (b *batch) wire() []wireAlert {
	alerts := make([]wireAlert, 0, len(b.alerts))
	for _, a := range b.alerts {
		ends := b.at + validFor
		if a.state == over {
			ends = a.overAt
		}
		labels := map[string]string{}
		for _, l := range a.labels() {
			labels[l.name] = l.value
		}
		alerts = append(alerts, wireAlert{
			Labels: labels,
			Annotations: map[string]string{
				"summary":     a.summary(),
				"runbook_url": "https://runbooks." + b.life.world.place.domain + "/" + a.rule.name,
			},
			StartsAt:     b.life.text(a.firedAt),
			EndsAt:       b.life.text(ends),
			GeneratorURL: "http://prometheus." + b.life.world.place.domain + ":9090/graph?g0.expr=" + url.QueryEscape(a.rule.expr) + "&g0.tab=1",
		})
	}
	return alerts
}

func (l *life) text(shop float64) string { return l.wall(shop).Format("2006-01-02T15:04:05.000Z07:00") }

func (b *batch) body() ([]byte, error) { return json.Marshal(b.wire()) }

func (b *batch) writeLine(w io.Writer) error {
	line, err := json.Marshal(struct {
		At     string      `json:"at"`
		Alerts []wireAlert `json:"alerts"`
	}{b.life.text(b.at), b.wire()})
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// sent marks the alerts as delivered.
func (b *batch) sent() {
	for _, a := range b.alerts {
		a.sends++
		a.sentAt = b.at
	}
}
