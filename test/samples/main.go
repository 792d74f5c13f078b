// Command samples measures what samples cost.
//
//	go run ./test/samples detector               the detector, and beside it Prometheus' database, over the same series
//	go run ./test/samples send -protocol otlp    how many samples a second the built server takes, durable
//	go run ./test/samples pace                   so many series at an interval for a while: CPU, memory, nothing lost, restart
//
// Series are those of a cluster: 300 metrics an instance, ten labels each, some of them counters.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

// options are shared by all commands; each uses some.
type options struct {
	binary, protocol string
	series, workers  int
	batch            int
	interval, length time.Duration
}

func main() {
	o := options{}
	flags := flag.NewFlagSet("samples", flag.ExitOnError)
	flags.StringVar(&o.binary, "binary", "bin/fairlead", "the server")
	flags.StringVar(&o.protocol, "protocol", "remote-write", "remote-write or otlp")
	flags.IntVar(&o.series, "series", 300_000, "how many series")
	flags.IntVar(&o.workers, "workers", 4, "how many senders at a time")
	flags.IntVar(&o.batch, "batch", 1500, "series in one request")
	flags.DurationVar(&o.interval, "interval", 15*time.Second, "how far apart the values of a series are")
	flags.DurationVar(&o.length, "length", 30*time.Second, "for how long is sent")
	command := map[string]func(context.Context, options) error{"detector": detector, "send": send, "pace": pace}
	if len(os.Args) < 2 || command[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "samples: want detector, send or pace, then flags")
		os.Exit(2)
	}
	_ = flags.Parse(os.Args[2:]) // it exits by itself
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := command[os.Args[1]](ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "samples:", err)
		stop()
		os.Exit(1) //nolint:gocritic // nothing is deferred that matters now
	}
}
