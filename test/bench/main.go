// Command bench measures how many alerts a second the shipped server takes, end to end: from the first request until its
// API lists the last alert, with its rows in SQLite and in PostgreSQL, and with Debian's Alertmanager beside it in the same
// run, on the same load. Half of the alerts are new, half were sent before. Then it fills the server with a million alerts on
// either engine, and measures its memory and its lists.
//
//	go run ./test/bench [-seconds N] [-stored N] [-alertmanager PATH] [-binary PATH]
//
// Alertmanager keeps alerts in memory and loses them when it is killed; Fairlead has them on disk before it answers.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/fairlead/fairlead/test/need"
	"github.com/fairlead/fairlead/test/postgres"
)

// options are the flags.
type options struct {
	binary, alertmanager string
	seconds, rate        float64
	stored               int
}

func main() {
	var o options
	flag.StringVar(&o.binary, "binary", "bin/fairlead", "the server")
	flag.StringVar(&o.alertmanager, "alertmanager", "prometheus-alertmanager", "the peer; skipped when it is not installed")
	flag.Float64Var(&o.seconds, "seconds", 8, "how long each load lasts")
	flag.Float64Var(&o.rate, "rate", 10_000, "alerts a second at which latency is measured")
	flag.IntVar(&o.stored, "stored", 1_000_000, "how many alerts to store for the measurement of lists; 0 skips it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := bench(ctx, o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, o options, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "fairlead-bench-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer func() {
		if err == nil {
			err = os.RemoveAll(dir)
		} else {
			err = fmt.Errorf("%w (logs in %s)", err, dir)
		}
	}()
	fmt.Fprintf(out, "full speed, then at %.0f alerts/s; accept latencies in ms\n", o.rate)
	fmt.Fprintf(out, "%-22s %6s %6s %9s %7s %7s %7s %8s %7s %7s | %7s %7s %7s\n", "server", "batch", "conns", "alerts/s", "p50", "p99",
		"max", "RSS MB", "CPU s", "client", "p50", "p99", "max")
	ours, end, err := engines(ctx, o, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	all := slices.Concat(ours, peers(o, out))
	for _, batch := range []struct{ size, connections int }{{1, 16}, {1, 64}, {64, 4}, {256, 2}} {
		for i, start := range all {
			if err := measure(ctx, o, filepath.Join(dir, fmt.Sprint(batch.size, batch.connections, i)), batch.size, batch.connections, start, out); err != nil {
				return err
			}
		}
	}
	if o.stored == 0 {
		return nil
	}
	for i, start := range ours {
		if err := fill(ctx, o, filepath.Join(dir, fmt.Sprint("stored", i)), start, out); err != nil {
			return err
		}
	}
	return nil
}

// starter starts a server whose files are in a folder of its own. Two starts in one folder are the same server.
type starter func(ctx context.Context, dir string) (*server, error)

// engines returns our server on SQLite and, if that is installed, on PostgreSQL; end ends the latter.
func engines(ctx context.Context, o options, out io.Writer) (who []starter, end func() error, err error) {
	end = func() error { return nil }
	who = append(who, func(ctx context.Context, dir string) (*server, error) { return startFairlead(ctx, o.binary, dir, "") })
	if bin := need.FindPostgres(); bin == "" {
		fmt.Fprintln(out, "PostgreSQL is not installed")
	} else {
		database, err := postgres.New(ctx, bin, true)
		if err != nil {
			return nil, nil, fmt.Errorf("start PostgreSQL: %w", err)
		}
		end = database.Close
		made := map[string]string{} // URL of each folder's database
		who = append(who, func(ctx context.Context, dir string) (*server, error) {
			if made[dir] == "" {
				name := fmt.Sprint("bench_", len(made))
				if err := database.Make(ctx, name); err != nil {
					return nil, fmt.Errorf("make a database: %w", err)
				}
				made[dir] = database.URL(name)
			}
			return startFairlead(ctx, o.binary, dir, made[dir])
		})
	}
	return who, end, nil
}

// peers returns Alertmanager, if it is installed.
func peers(o options, out io.Writer) []starter {
	binary, err := exec.LookPath(o.alertmanager)
	if err != nil {
		fmt.Fprintf(out, "Alertmanager is not installed: %v\n", err)
		return nil
	}
	return []starter{func(ctx context.Context, dir string) (*server, error) { return startAlertmanager(ctx, binary, dir) }}
}

// measure puts one load on a fresh server.
func measure(ctx context.Context, o options, dir string, batch, connections int, start starter, out io.Writer) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	s, err := start(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	cpu, client := s.cpu(), ownCPU()
	begin := time.Now()
	l := load{
		address: s.address, name: "bench", batch: batch, connections: connections, repeats: true,
		duration: time.Duration(o.seconds * float64(time.Second)),
	}
	result, err := l.run()
	if err != nil {
		return fmt.Errorf("load %s: %w", s.name, err)
	}
	client = ownCPU() - client
	if err := s.waitFor(ctx, "last"); err != nil {
		return fmt.Errorf("wait for %s: %w", s.name, err)
	}
	took := time.Since(begin)
	rss, _ := s.memory()
	fmt.Fprintf(out, "%-22s %6d %6d %9.0f %7.1f %7.1f %7.1f %8.0f %7.1f %7.1f", s.name, batch, connections,
		float64(result.alerts)/took.Seconds(), ms(result.latencies, .5), ms(result.latencies, .99), ms(result.latencies, 1), rss,
		(s.cpu() - cpu).Seconds(), client.Seconds())
	l.name, l.rate = "paced", o.rate
	paced, err := l.run()
	if err != nil {
		return fmt.Errorf("load %s: %w", s.name, err)
	}
	fmt.Fprintf(out, " | %7.1f %7.1f %7.1f", ms(paced.latencies, .5), ms(paced.latencies, .99), ms(paced.latencies, 1))
	if result.refused > 0 {
		fmt.Fprintf(out, "   %d requests refused as busy", result.refused)
	}
	if behind := took - result.took; behind > 200*time.Millisecond {
		fmt.Fprintf(out, "   listed %.1f s after the last answer", behind.Seconds())
	}
	fmt.Fprintln(out)
	return nil
}

// ms returns a quantile of sorted durations in milliseconds.
func ms(sorted []time.Duration, quantile float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return float64(sorted[min(int(quantile*float64(len(sorted))), len(sorted)-1)].Microseconds()) / 1000
}

// ownCPU returns the processor time of this program.
func ownCPU() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// lists are what people and programs ask for all the time.
var lists = []string{
	"/api/fairlead/v1/stats",
	"/api/fairlead/v1/incidents?limit=50",
	"/api/fairlead/v1/incidents?state=open,acknowledged&limit=50",
	"/api/fairlead/v1/alerts?limit=100",
	"/api/fairlead/v1/alerts?state=firing&limit=100",
	"/api/fairlead/v1/alerts?q=service-7&limit=100",
}

// fill stores many alerts and measures memory, lists and a restart.
func fill(ctx context.Context, o options, dir string, start starter, out io.Writer) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	s, err := start(ctx, dir)
	if err != nil {
		return err
	}
	running := true
	defer func() {
		if running {
			err = errors.Join(err, s.stop())
		}
	}()
	idle, _ := s.memory()
	fmt.Fprintf(out, "\n%s: ready %.0f ms after its start, %.0f MB when idle\n", s.name, s.ready.Seconds()*1000, idle)
	begin := time.Now()
	l := load{address: s.address, name: "fill", batch: 256, connections: 4, duration: time.Hour, limit: o.stored}
	result, err := l.run()
	if err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	if err := s.waitFor(ctx, "filled"); err != nil {
		return fmt.Errorf("wait after filling: %w", err)
	}
	took := time.Since(begin)
	rss, highest := s.memory()
	fmt.Fprintf(out, "stored %d alerts in %.0f s (%.0f/s); %.0f MB, at most %.0f MB\n", result.alerts, took.Seconds(),
		float64(result.alerts)/took.Seconds(), rss, highest)
	if err := measureLists(ctx, s, out); err != nil {
		return err
	}
	running = false
	if err := s.stop(); err != nil {
		return err
	}
	if s, err = start(ctx, dir); err != nil {
		return err
	}
	running = true
	rss, _ = s.memory()
	fmt.Fprintf(out, "restart with them: ready after %.0f ms, %.0f MB\n", s.ready.Seconds()*1000, rss)
	return nil
}

func measureLists(ctx context.Context, s *server, out io.Writer) error {
	paths := slices.Clone(lists)
	var page struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	if err := s.get(ctx, "/api/fairlead/v1/incidents?limit=1", &page); err != nil {
		return err
	}
	for _, item := range page.Items {
		paths = append(paths, "/api/fairlead/v1/incidents/"+item.ID)
	}
	for _, path := range paths {
		var latencies []time.Duration
		for range 20 {
			begin := time.Now()
			var answer any
			if err := s.get(ctx, path, &answer); err != nil {
				return err
			}
			latencies = append(latencies, time.Since(begin))
		}
		slices.Sort(latencies)
		fmt.Fprintf(out, "  %-62s p50 %7.1f ms  max %7.1f ms\n", path, ms(latencies, .5), ms(latencies, 1))
	}
	return nil
}
