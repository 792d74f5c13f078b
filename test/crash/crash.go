// Package crash kills the shipped server at random moments under load, or the PostgreSQL or NATS behind it, or both, and
// proves that it keeps its word: every alert that was answered with 200 is stored, once; every alert is in one incident and
// the counts are right; the audit log verifies; and it accepts again soon after its start.
//
// A client outside the process keeps a ledger of the answers. Requests whose answer never came may have been stored or
// not; both are right. After each crash the ledger is compared with the API, and with the rows of the database while
// the server is dead. The same data folder lives through all crashes.
package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Config says how to crash which server.
type Config struct {
	// Binary is the server, Dir an empty folder for its data and log.
	Binary, Dir string
	// Kills is how often the server is killed, or with Backend one of the two or both.
	Kills int
	// Environment is the server's; nil is ours without what configures a server.
	Environment []string
	// URL is where PostgreSQL keeps the rows, "" for SQLite in Dir. Environment says so to the server.
	URL string
	// Backend is what is to crash too, PostgreSQL or NATS; nil lets it live.
	Backend Backend
	// Outage is how long Backend is gone each time.
	Outage time.Duration
	// Unsure says that a refusal leaves open whether the alerts were stored, as when their acknowledgement got lost.
	Unsure bool
	// Pause is how long each of the clients waits between its requests.
	Pause time.Duration
	// Seed chooses the load and the moments.
	Seed uint64
	// Lie puts a proxy before the server that answers before the server has stored: the run must then find losses.
	Lie bool
	// Say is told how it goes; nil tells nobody.
	Say func(format string, args ...any)
}

// Backend is a server behind ours that can crash.
type Backend interface {
	// Stop ends it by a signal, and Run starts it again.
	Stop(signal string) error
	Run(ctx context.Context) error
}

// Report is what a run found.
type Report struct {
	// Kills is how often the server was killed, Outages how often what is behind it.
	Kills, Outages int
	// Alerts and Reports are what the server accepted: distinct alerts, and reports of them.
	Alerts, Reports int
	// Slowest is the longest time from the start of a server to the first accepted alert.
	Slowest time.Duration
	// Problems is everything that was lost, doubled, invented or inconsistent, one sentence each.
	Problems []string
}

const (
	workers     = 4
	startLimit  = 20 * time.Second
	settleLimit = 60 * time.Second
	longestLife = 1200 // milliseconds of load before a kill
)

// Run crashes the server as configured. An error says that the run could not be done; what the run found wrong with the
// server is in the report.
func Run(ctx context.Context, config Config) (report Report, err error) {
	if config.Say == nil {
		config.Say = func(string, ...any) {}
	}
	r := &run{
		Config: config,
		data:   filepath.Join(config.Dir, "data"),
		ledger: newLedger(),
		random: rand.New(rand.NewPCG(config.Seed, 0)),
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: workers + 1}},
	}
	if err := os.MkdirAll(r.data, 0o755); err != nil {
		return Report{}, fmt.Errorf("make the data folder: %w", err)
	}
	if r.Environment == nil {
		r.Environment = environment()
	}
	defer func() {
		if r.server != nil {
			err = errors.Join(err, r.server.kill())
		}
	}()
	for i := 0; i <= config.Kills && len(r.report.Problems) == 0; i++ {
		if err := r.life(ctx, i); err != nil {
			return r.report, fmt.Errorf("life %d of the server (seed %d): %w", i, config.Seed, err)
		}
	}
	r.report.Alerts, r.report.Reports = r.ledger.counts()
	return r.report, nil
}

// run is a run under way.
type run struct {
	Config
	data   string
	ledger *ledger
	random *rand.Rand
	client *http.Client
	server *process // nil while it is dead
	report Report
}

// life starts the server if it is dead, checks what it knows of its former lives, puts load on it and does harm. The last
// life, whose number is Config.Kills, is only checked.
func (r *run) life(ctx context.Context, number int) (err error) {
	if r.server == nil {
		if r.server, err = start(ctx, r.Binary, r.data, r.Environment); err != nil {
			return err
		}
	}
	marker := wireAlert{
		Labels:   map[string]string{"alertname": "Marker", keyLabel: fmt.Sprintf("marker-%d", number), "severity": "info"},
		StartsAt: time.Now().UTC().Format(time.RFC3339Nano),
	}
	took, err := r.server.accepts(ctx, r.client, marker, startLimit)
	if err != nil {
		return err
	}
	r.ledger.note([]string{marker.Labels[keyLabel]}, nil, true)
	r.report.Slowest = max(r.report.Slowest, took)
	last := number == r.Kills
	alerts, err := r.check(ctx, r.server, marker.Labels[keyLabel], last || number%10 == 9)
	if err != nil {
		return err
	}
	r.Say("life %d: accepts after %s, %d alerts stored, %d problems", number, took.Round(time.Millisecond), len(alerts), len(r.report.Problems))
	if last {
		if err := r.kill(); err != nil {
			return err
		}
		return r.checkDead(ctx, alerts)
	}
	return r.load(ctx, number)
}

// load attacks the server and does harm in the middle.
func (r *run) load(ctx context.Context, number int) error {
	target, stop := r.server.url, func() {}
	if r.Lie {
		target, stop = lie(ctx, r.server.url, 50*time.Millisecond)
	}
	attackCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	var team []*worker
	for i := range workers {
		team = append(team, &worker{
			url: target, client: r.client, ledger: r.ledger, name: fmt.Sprintf("%d-%d", number, i), pause: r.Pause, unsure: r.Unsure,
			random: rand.New(rand.NewPCG(r.Seed, uint64(number*workers+i+1))),
		})
	}
	after := time.Duration(1+r.random.IntN(longestLife)) * time.Millisecond
	done := make(chan struct{})
	go func() {
		defer close(done)
		attack(attackCtx, team)
	}()
	err := pause(ctx, after)
	if err == nil {
		err = r.harm(ctx, number)
	}
	stop()
	cancel()
	<-done
	r.client.CloseIdleConnections()
	return err
}

// harm kills the server; where there is something behind it, that, the server, or both in turn.
func (r *run) harm(ctx context.Context, number int) error {
	if r.Backend == nil || number%3 == 1 {
		r.report.Kills++
		return r.kill()
	}
	how := []string{"QUIT", "KILL", "INT"}[r.random.IntN(3)]
	r.Say("life %d: what is behind the server ends by SIG%s", number, how)
	r.report.Outages++
	if err := r.Backend.Stop(how); err != nil {
		return fmt.Errorf("end the backend: %w", err)
	}
	if number%3 == 2 {
		r.report.Kills++
		if err := r.kill(); err != nil {
			return err
		}
	}
	if err := pause(ctx, r.Outage); err != nil {
		return err
	}
	if err := r.Backend.Run(ctx); err != nil {
		return fmt.Errorf("start the backend again: %w", err)
	}
	if r.server != nil {
		r.server.started = time.Now() // as far as accepting is concerned
	}
	return pause(ctx, time.Duration(r.random.IntN(longestLife))*time.Millisecond) // the load goes on
}

// kill ends the server. One that died by itself is found by the next life.
func (r *run) kill() error {
	p := r.server
	r.server = nil
	return p.kill()
}

// check waits until the server has worked through its stream and compares all it lists with the ledger.
func (r *run) check(ctx context.Context, p *process, marker string, each bool) ([]stored, error) {
	api := reader{client: r.client, url: p.url}
	begin := time.Now()
	for {
		var newest page[apiAlert]
		err := api.get(ctx, "/alerts?limit=20", &newest)
		if err != nil && !errors.Is(err, errUnavailable) {
			return nil, err
		}
		found := false
		for _, a := range newest.Items {
			found = found || a.Labels[keyLabel] == marker
		}
		if found {
			break
		}
		if time.Since(begin) > settleLimit {
			r.report.Problems = append(r.report.Problems, fmt.Sprintf("lost: %s was accepted and is not listed after %s", marker, settleLimit))
			return nil, nil
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return nil, err
		}
	}
	alerts, err := api.alerts(ctx)
	if err != nil {
		return nil, err
	}
	r.report.Problems = append(r.report.Problems, r.ledger.compare(alerts)...)
	problems, err := api.incidentProblems(ctx, alerts, each)
	if err != nil {
		return nil, err
	}
	r.report.Problems = append(r.report.Problems, problems...)
	return alerts, nil
}

// checkDead looks into the folder of the killed server, to which nothing was sent since the last check.
func (r *run) checkDead(ctx context.Context, alerts []stored) error {
	if err := verifyAudit(ctx, r.Binary, r.data, r.Environment); err != nil {
		r.report.Problems = append(r.report.Problems, err.Error())
	}
	problems, err := sqlProblems(ctx, r.data, r.URL, alerts)
	if err != nil {
		return err
	}
	r.report.Problems = append(r.report.Problems, problems...)
	return nil
}
