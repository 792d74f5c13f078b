// Package app builds and owns one running Fairlead: the stores, the bus, the engines, the receivers and the one HTTP mux.
//
//	a, err := app.New(ctx, cfg, app.Options{Version: "dev", Logger: logger})
//	fmt.Println(a.URL())
//	err = a.Run(ctx) // until ctx ends
//
// It is the only package that sees everything. Components start in the order in which data flow and stop in reverse: first
// nothing new comes in, then what was accepted is applied as far as time allows, then the stores close. What was accepted
// and not applied is applied at the next start.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/base/approval"
	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/blob"
	"github.com/fairlead/fairlead/base/bus"
	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/base/telemetry"
	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/ops/incident"
	"github.com/fairlead/fairlead/ops/notify"
	"github.com/fairlead/fairlead/ops/topology"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/receive/heartbeat"
	"github.com/fairlead/fairlead/web/api"
)

// Options are what is not configuration.
type Options struct {
	Version string
	Logger  *slog.Logger
	// Reload reads the configuration again, as at the start; nil makes reloading an error.
	Reload func() (Config, error)
	// Dev makes whoever is on this machine admin without a login. It needs a loopback address.
	Dev bool
	// Tell tells the person who started the server something, such as the link for the first admin; nil tells nobody.
	Tell func(text string)
}

// App is one running Fairlead. Run may be called once.
type App struct {
	cfg      Config
	opts     Options
	logger   *slog.Logger
	clock    clock.Clock
	db       *store.DB
	signer   *audit.Signer
	exporter *audit.Exporter
	bus      *bus.Bus
	blobs    *blob.Store
	learning learning
	silences *alert.Windows // and the maintenance calendar
	desk     *incident.Desk
	teller   *notify.Teller
	graph    *topology.Map
	ingest   *ingest
	samples  *samples
	intake   *receive.Intake
	otlp     otlpServer
	people   *access.Directory
	// approvals are what people ask others for.
	approvals *approval.Board
	routes    *routes
	origins   *access.Origins
	oidc      *access.OIDC // nil without a provider
	// integrations are the doors of webhook senders.
	integrations *integration.Registry
	heartbeats   *heartbeat.Board
	gate         *receive.Gate
	api          *api.API
	registry     *prometheus.Registry
	health       *telemetry.Health
	pulse        pulse
	listener     net.Listener
	server       *http.Server
	live         live
	started      time.Time
	restored     bool // the engine was restored before Run

	reloading sync.Mutex
}

// stopTimeout bounds the stopping of everything.
const stopTimeout = 15 * time.Second

// New opens everything and listens, but serves nothing before Run. On an error all that was opened is closed again.
func New(ctx context.Context, cfg Config, opts Options) (_ *App, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	a := &App{cfg: cfg, opts: opts, logger: opts.Logger, graph: &topology.Map{}, registry: telemetry.NewRegistry(), health: &telemetry.Health{}, started: time.Now()}
	defer func() {
		if err != nil {
			a.close(context.WithoutCancel(ctx))
		}
	}()
	if err := checkFolder(cfg.Data.Dir); err != nil {
		return nil, err
	}
	if a.listener, err = net.Listen("tcp", cfg.HTTP.Listen); err != nil {
		return nil, fmt.Errorf("http.listen: %w; another program may use the port: choose another with --http.listen", err)
	}
	if err := a.listenOTLP(); err != nil {
		return nil, err
	}
	if err := a.openStores(ctx); err != nil {
		return nil, err
	}
	if err := a.openBlobs(ctx); err != nil {
		return nil, err
	}
	if err := a.openLearning(ctx); err != nil {
		return nil, err
	}
	if err := a.openAccess(ctx); err != nil {
		return nil, err
	}
	if err := a.openAudit(); err != nil {
		return nil, err
	}
	if err := a.openNotify(); err != nil { //nolint:contextcheck // the metrics are asked for as long as the process lives
		return nil, err
	}
	if err := a.openDesk(ctx); err != nil {
		return nil, err
	}
	if err := a.openIntegrations(ctx); err != nil {
		return nil, err
	}
	a.openApprovals()
	a.ingest = newIngest(a.bus, a.clock, a.keepDeadLetter, a.part("receive"))
	if err := a.openHeartbeats(ctx); err != nil {
		return nil, err
	}
	if err := a.openSamples(ctx); err != nil {
		return nil, err
	}
	a.register() //nolint:contextcheck // the metrics are asked for as long as the process lives
	a.server = a.newServer()
	return a, nil
}

func (a *App) part(component string) *slog.Logger { return a.logger.With("component", component) }

// checkFolder makes the data folder and says clearly when it cannot be written.
func checkFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data.dir: %w; name a folder that can be written, with --data.dir", err)
	}
	probe, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return fmt.Errorf("data.dir: %s cannot be written: %w; make it writable, free space, or name another with --data.dir", dir, err)
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return fmt.Errorf("data.dir: %w", err)
	}
	return nil
}

func (a *App) openStores(ctx context.Context) (err error) {
	if err := a.openDatabase(ctx); err != nil {
		return err
	}
	if err := a.openClock(ctx); err != nil {
		return err
	}
	position, err := store.LoadPosition(ctx, a.db.Read(), consumer)
	if err != nil {
		return fmt.Errorf("load the position in the stream: %w", err)
	}
	cfg := a.cfg.bus(position.Sequence)
	if cfg.URL != "" && bus.InClear(cfg.URL) {
		a.part("bus").Warn("the connection to NATS is not encrypted; write tls:// in bus.url")
	}
	if a.bus, err = bus.Open(ctx, cfg, a.part("bus")); err != nil {
		if cfg.URL != "" {
			return fmt.Errorf("open the stream in NATS (bus.url): %w", err)
		}
		return fmt.Errorf("open the stream in %s: %w", cfg.Dir, err)
	}
	return nil
}

// bus returns where the stream is, which begins behind a position if it does not exist.
func (c *Config) bus(after uint64) bus.Config {
	return bus.Config{
		Dir: filepath.Join(c.Data.Dir, "bus"), URL: c.Bus.URL, CredentialsFile: c.Bus.CredentialsFile, CAFile: c.Bus.CAFile,
		Replicas: c.Bus.Replicas, MaxBytes: c.Bus.MaxBytes, After: after,
	}
}

// clockKey is where the kind of clock that a data folder was begun with is stored.
const clockKey = "app.clock"

// openClock makes the clock. A data folder belongs to one kind for good: its times would make no sense to the other.
func (a *App) openClock(ctx context.Context) error {
	kept, err := store.LoadState(ctx, a.db.Read(), clockKey)
	switch {
	case errors.Is(err, store.ErrNotFound):
		err = a.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			return store.SaveState(ctx, tx, clockKey, []byte(a.cfg.Clock))
		})
		if err != nil {
			return fmt.Errorf("store the kind of clock: %w", err)
		}
	case err != nil:
		return fmt.Errorf("load the kind of clock: %w", err)
	case string(kept) != a.cfg.Clock:
		return fmt.Errorf("clock: %q was asked for, but %s was begun with --clock %s; name an empty folder with --data.dir", a.cfg.Clock, a.cfg.Data.Dir, kept)
	}
	a.clock = clock.Wall{}
	if a.cfg.Clock == "event" {
		a.clock = &clock.Event{}
	}
	return nil
}

func (a *App) openDesk(ctx context.Context) (err error) {
	if err := topology.Load(ctx, a.db.Read(), a.graph); err != nil {
		return err
	}
	silences, err := alert.NewSilences(ctx, alert.NewSilenceRows(a.db))
	if err != nil {
		return err
	}
	if a.silences, err = alert.NewWindows(ctx, alert.NewWindowRows(a.db), silences); err != nil {
		return err
	}
	a.desk, err = incident.StartDesk(ctx, a.db, incident.DeskConfig{
		Engine: a.cfg.engine(), Consumer: consumer, Topology: a.graph, Silences: a.silences,
		Inhibitor: inhibitors(inhibitRules(&a.cfg, a.teller.Plan())),
		Committed: func(numbers []uint64, steps []*incident.Step) {
			a.api.Committed(numbers, steps)
			a.teller.Committed(numbers)
		},
	}, a.part("incident"))
	if err != nil {
		return err
	}
	if event, driven := a.clock.(*clock.Event); driven {
		if err := a.desk.Restore(ctx); err != nil { // the clock goes on from there
			return err
		}
		event.Advance(a.desk.Stats().Now)
		a.restored = true
	}
	return nil
}

// consume restores the engine, unless that was done, and applies the stream. Meanwhile alerts are accepted already.
func (a *App) consume(ctx context.Context) error {
	if !a.restored {
		if err := a.desk.Restore(ctx); err != nil {
			return err
		}
	}
	logger := a.part("incident")
	if a.driven() {
		// Whoever drives the clock waits for each request to be applied.
		return consume(ctx, a.bus, a.desk.Position(), 0, func(ctx context.Context, messages []bus.Message) error { return a.drive(ctx, messages, logger) })
	}
	return consume(ctx, a.bus, a.desk.Position(), consumeEvery, func(ctx context.Context, messages []bus.Message) error {
		return apply(ctx, a.desk, messages, logger)
	})
}

// URL returns where the page is.
func (a *App) URL() string { return "http://" + a.listener.Addr().String() + "/" }

// Run serves until ctx ends or a component fails, then stops everything in reverse order.
func (a *App) Run(ctx context.Context) error {
	g := newGroup()
	g.start(ctx, "audit", a.exporter.Run)
	g.start(ctx, "notify", a.teller.Run)
	g.start(ctx, "ingest", a.ingest.Run)
	g.start(ctx, "consume", a.consume)
	for i := range samplePartitions {
		g.start(ctx, "samples "+strconv.Itoa(i), a.samples.consume(i))
		if a.cfg.Series.Remote.used() {
			g.start(ctx, "remote store "+strconv.Itoa(i), a.samples.forward(i))
		}
	}
	g.start(ctx, "anomalies", a.samples.pass)
	g.start(ctx, "unread telemetry", a.samples.dropUnread)
	g.start(ctx, "artifacts", a.learning.files.Run)
	g.start(ctx, "purge of what was deleted", a.keepRules)
	g.start(ctx, "memory of the program's own file", a.giveBack)
	g.start(ctx, "webhooks", a.learning.webhooks.Run)
	g.start(ctx, "tick", a.tick)
	g.start(ctx, "integrations", a.integrations.Run)
	g.start(ctx, "approvals", a.approvals.Run)
	g.start(ctx, "heartbeats", a.heartbeats.Run)
	g.start(ctx, "reminders", a.remind)
	g.start(ctx, "events", a.api.Run)
	g.start(ctx, "health", a.watch)
	g.start(ctx, "http", a.serve)
	g.start(ctx, "otlp", a.serveOTLP)
	a.logger.Info("ready", "url", a.URL(), "version", a.opts.Version, "clock", a.cfg.Clock, "data", a.cfg.Data.Dir, "after", time.Since(a.started).Round(time.Millisecond).String())
	if err := a.welcome(ctx); err != nil {
		a.logger.Error("the first admin's link cannot be made; `fairlead access link` makes one", "error", err)
	}
	err := g.wait(ctx, stopTimeout)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	a.close(ctx)
	a.logger.Info("stopped")
	return err
}

// serve answers HTTP until ctx ends, then lets requests finish.
func (a *App) serve(ctx context.Context) error { return serveUntil(ctx, a.server, a.listener) }

// close ends what New opened, in reverse order.
func (a *App) close(ctx context.Context) {
	ended := func(what string, err error) {
		if err != nil {
			a.logger.Error("something did not close", "what", what, "error", err)
		}
	}
	if a.samples != nil {
		a.samples.close(ended)
	}
	if a.desk != nil && a.desk.Restored() {
		ended("incidents", a.desk.Close(ctx))
	}
	if a.bus != nil {
		ended("bus", a.bus.Close())
	}
	if a.blobs != nil {
		ended("files", a.blobs.Close())
	}
	for name, db := range map[string]*store.DB{"database": a.db, "database of experiments": a.learning.db} {
		if db != nil {
			ended(name, db.Close())
		}
	}
	for _, listener := range []net.Listener{a.listener, a.otlp.grpcListen, a.otlp.httpListen} {
		if listener == nil {
			continue
		}
		if err := listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			ended("listener", err)
		}
	}
}

// settled returns when everything that was accepted before the call has been applied.
func (a *App) settled(ctx context.Context) error {
	last, err := a.bus.Last(ctx, bus.SignalStream)
	if err != nil {
		return fmt.Errorf("ask the stream for its end: %w", err)
	}
	poll := time.NewTicker(2 * time.Millisecond)
	defer poll.Stop()
	for a.desk.Position() < last {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the incidents: %w", context.Cause(ctx))
		case <-poll.C:
		}
	}
	return nil
}
