// Command mlflow measures MLflow's API of the built server: throughput, latencies and memory.
//
//	go run ./test/mlflow -binary bin/fairlead -runs 5000,100000
//
// It starts the server on an empty folder, logs with 8 clients at a time over keep-alive connections, as MLflow's own client
// does, fills an experiment with runs, and searches among them.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"
)

type options struct {
	binary  string
	runs    []int
	clients int
	length  time.Duration
	store   string
}

func main() {
	o := options{}
	var runs string
	flag.StringVar(&o.binary, "binary", "bin/fairlead", "the server")
	flag.StringVar(&runs, "runs", "5000,100000", "among how many runs is searched, smaller numbers first")
	flag.IntVar(&o.clients, "clients", 8, "how many clients at a time")
	flag.DurationVar(&o.length, "length", 5*time.Second, "how long each measurement takes")
	flag.StringVar(&o.store, "store", "", "the URL of an empty PostgreSQL database, instead of SQLite")
	flag.Parse()
	for text := range strings.SplitSeq(runs, ",") {
		n, err := strconv.Atoi(text)
		if err != nil {
			fmt.Fprintln(os.Stderr, "mlflow: -runs:", err)
			os.Exit(2)
		}
		o.runs = append(o.runs, n)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := bench(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "mlflow:", err)
		stop()
		os.Exit(1) //nolint:gocritic // nothing is deferred that matters now
	}
}
