package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// pace sends all series once each interval, as scrapers would, for a while; then it restarts the server in the middle of it.
func pace(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "fairlead-samples-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	server, err := serve(ctx, o.binary, dir)
	if err != nil {
		return err
	}
	defer func() { server.stop() }()
	s := newSender(o, server.url)
	var refused atomic.Int64
	var slowest atomic.Int64
	round := 0
	rounds := func(count int) {
		for range count {
			start := time.Now()
			s.round(ctx, o, start, &refused, &slowest)
			round++
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Until(start.Add(o.interval))):
			}
		}
	}
	begun, before := time.Now(), server.cpu()
	rounds(max(int(o.length/o.interval), 1))
	share := float64(server.cpu()-before) / float64(time.Since(begun))
	stored := s.metric(ctx, "fairlead_series_samples_total")
	judged := s.metric(ctx, "fairlead_anomaly_values_total") + s.metric(ctx, "fairlead_anomaly_skipped_values_total")
	fmt.Printf("pace: %s, %d series each %s for %s, generator on the same machine\n", o.protocol, o.series, o.interval, o.length)
	fmt.Printf("  CPU of the server: %.2f cores; memory %d MB, at most %d MB; slowest request %s\n",
		share, residentBytes(server.command.Process.Pid)>>20, server.peak()>>20, time.Duration(slowest.Load()).Round(time.Millisecond))
	fmt.Printf("  sent %d, stored %.0f, judged or skipped %.0f, requests refused %d, series watched %.0f\n",
		o.series*round, stored, judged, refused.Load(), s.metric(ctx, "fairlead_anomaly_series"))
	told := s.metric(ctx, "fairlead_anomaly_told_total")
	stopping := time.Now()
	server.stop()
	stopped := time.Since(stopping)
	if server, err = serve(ctx, o.binary, dir); err != nil {
		return err
	}
	s.url = server.url
	slowest.Store(0)
	rounds(4)
	fmt.Printf("  restart: stopped in %s, accepting after %s, slowest request then %s; watched %.0f, told before %.0f, told since %.0f, memory %d MB\n",
		stopped.Round(10*time.Millisecond), server.ready.Round(10*time.Millisecond), time.Duration(slowest.Load()).Round(time.Millisecond),
		s.metric(ctx, "fairlead_anomaly_series"), told, s.metric(ctx, "fairlead_anomaly_told_total"), residentBytes(server.command.Process.Pid)>>20)
	return nil
}

// round sends all series once, spread over the interval.
func (s *sender) round(ctx context.Context, o options, at time.Time, refused, slowest *atomic.Int64) {
	requests := (o.series + o.batch - 1) / o.batch
	var next atomic.Int64
	var workers sync.WaitGroup
	for range o.workers {
		workers.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= requests || ctx.Err() != nil {
					return
				}
				due := at.Add(time.Duration(n) * o.interval * 9 / 10 / time.Duration(requests))
				time.Sleep(time.Until(due))
				start := time.Now()
				for s.post(ctx, n*o.batch, min((n+1)*o.batch, o.series), at) != nil && ctx.Err() == nil {
					refused.Add(1)
					time.Sleep(200 * time.Millisecond)
				}
				if took := int64(time.Since(start)); took > slowest.Load() {
					slowest.Store(took)
				}
			}
		})
	}
	workers.Wait()
}
