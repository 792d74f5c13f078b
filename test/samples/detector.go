package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/fairlead/fairlead/base/series"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/ops/anomaly"
)

// detectorRounds is how many values each series gets; the first warmUp, while they are infants, are not measured.
const detectorRounds, warmUp = 140, 105

// detector lets one goroutine judge values of many series, and add the same to the database, in turn, so that both run under
// the same load of the machine.
func detector(ctx context.Context, o options) error {
	labels := make([]signal.Labels, o.series)
	for n := range labels {
		labels[n] = labelsOf(n)
	}
	dir, err := os.MkdirTemp("", "fairlead-samples-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	store, err := series.Open(series.Config{Dir: dir}, nil, nil)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	writer := store.Writer()
	watch := anomaly.NewWatch(anomaly.WatchConfig{})
	defer watch.Close()
	var judging, storing, reading time.Duration
	begin := time.Now().Add(-detectorRounds * o.interval)
	found := 0
	memory := residentBytes(os.Getpid())
	for round := range detectorRounds {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		at := begin.Add(time.Duration(round) * o.interval)
		for from := 0; from < o.series; from += o.batch {
			data := record(from, min(from+o.batch, o.series), at, labels)
			var view signal.SeriesView
			walk := func(do func()) (time.Duration, error) {
				start := time.Now()
				r, err := signal.ReadSamples(data)
				if err != nil {
					return 0, err
				}
				for r.Next(&view) {
					do()
				}
				return time.Since(start), r.Err()
			}
			spent, err := walk(func() {})
			if err != nil {
				return err
			}
			judged, _ := walk(func() { watch.Observe(&view, uint64(round+1), func(anomaly.Finding) { found++ }) }) //nolint:gosec // small; it was read once
			batch := writer.Begin(ctx)
			stored, _ := walk(func() { _ = batch.Add(&view) }) // it was read once; what cannot be stored is counted
			start := time.Now()
			if err := batch.Commit(); err != nil {
				return err
			}
			if round >= warmUp {
				reading, judging, storing = reading+spent, judging+judged-spent, storing+stored-spent+time.Since(start)
			}
		}
	}
	values := float64(o.series * (detectorRounds - warmUp))
	fmt.Printf("detector: %d series, %d values each after %d to warm up, one core\n", o.series, detectorRounds-warmUp, warmUp)
	fmt.Printf("  judged %.2f M values/s; stored in Prometheus' database %.2f M values/s; read from the record %.1f M values/s\n",
		values/judging.Seconds()/1e6, values/storing.Seconds()/1e6, values/reading.Seconds()/1e6)
	fmt.Printf("  judging costs %.2f of what storing does\n", judging.Seconds()/storing.Seconds())
	runtime.GC()
	fmt.Printf("  %d bytes a series in the detector; the process grew by %d MB with both\n", anomaly.SeriesBytes, (residentBytes(os.Getpid())-memory)>>20)
	return nil
}
