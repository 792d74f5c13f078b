// Package series stores samples: Prometheus' own time-series database, embedded in this process.
//
//	s, err := series.Open(series.Config{Dir: dir, Retention: 15 * 24 * time.Hour}, logger, registry)
//	batch := s.Begin(ctx)
//	err = batch.Add(&view) // once for each series of a record
//	err = batch.Commit()
//
// # What it guarantees
//
// A committed batch is in the database's log and survives the end of the process; after a power failure the stream from
// which it came brings again what was lost. Adding the same samples again changes nothing. Samples that are too old for the
// database, or that contradict what it holds, are counted by reason and left out; the rest of the batch is kept.
//
// Values that say what was added (signal.Delta) are stored as the counter that they add up to, so that rate() works on them;
// after a restart that counter begins at 0 again, as one of a restarted program does.
//
// Queries are Prometheus' own engine over the same database (DB, Engine).
//
// A Store of OpenRemote keeps nothing here: batches go out by remote write, and queries to the other end.
package series

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/compression"
)

// Config says where samples are kept and for how long.
type Config struct {
	// Dir is the database's folder; it is made when missing.
	Dir string
	// Retention is how long samples are kept at least; 0 means 15 days.
	Retention time.Duration
	// MaxBytes bounds what is kept, the oldest goes first; 0 sets no bound.
	MaxBytes int64
	// Late is how much later than newer samples of its series a sample may come; 0 means 10 minutes.
	Late time.Duration
	// QueryTimeout bounds one query; 0 means 2 minutes. QuerySamples bounds how many samples it holds in memory; 0 means 50
	// million.
	QueryTimeout time.Duration
	QuerySamples int
}

// Defaults of Config.
const (
	DefaultRetention = 15 * 24 * time.Hour
	DefaultLate      = 10 * time.Minute
	// Lookback is how far back a query looks for the newest sample of a series.
	Lookback = 5 * time.Minute

	defaultQueryTimeout = 2 * time.Minute
	defaultQuerySamples = 50_000_000
	maxExemplars        = 100_000
)

// withDefaults fills in what is zero.
func (c Config) withDefaults() Config {
	if c.Retention == 0 {
		c.Retention = DefaultRetention
	}
	if c.Late == 0 {
		c.Late = DefaultLate
	}
	if c.QueryTimeout == 0 {
		c.QueryTimeout = defaultQueryTimeout
	}
	if c.QuerySamples == 0 {
		c.QuerySamples = defaultQuerySamples
	}
	return c
}

// Store is an open database. It is safe for concurrent use.
type Store struct {
	config   Config
	db       *tsdb.DB
	engine   *promql.Engine
	parser   parser.Parser
	remote   *remote // in place of db when samples are kept elsewhere
	metadata metadata
	rejected *prometheus.CounterVec
	stored   prometheus.Counter
}

// Open opens the database in the folder and makes it when there is none.
func Open(config Config, logger *slog.Logger, registry prometheus.Registerer) (*Store, error) {
	config = config.withDefaults()
	if config.Retention < 2*time.Hour {
		return nil, fmt.Errorf("open the samples: a retention of %s is less than 2h, the length of a block", config.Retention)
	}
	options := tsdb.DefaultOptions()
	options.RetentionDuration = config.Retention.Milliseconds()
	options.MaxBytes = config.MaxBytes
	options.OutOfOrderTimeWindow = config.Late.Milliseconds()
	options.WALCompression = compression.Snappy
	options.EnableExemplarStorage, options.MaxExemplars = true, maxExemplars
	options.MaxBlockDuration = max(config.Retention.Milliseconds()/10, options.MinBlockDuration)
	db, err := tsdb.Open(config.Dir, quiet(logger), nil, options, nil)
	if err != nil {
		return nil, fmt.Errorf("open the samples in %s: %w", config.Dir, err)
	}
	s := newStore(config, logger)
	s.db = db
	s.register(registry)
	return s, nil
}

// newStore returns a store that has neither a database nor another end yet.
func newStore(config Config, logger *slog.Logger) *Store {
	s := &Store{config: config, metadata: metadata{families: make(map[string]Metadata)}}
	s.parser = parser.NewParser(parser.Options{EnableExperimentalFunctions: true})
	s.engine = promql.NewEngine(promql.EngineOpts{
		Logger: quiet(logger), MaxSamples: config.QuerySamples, Timeout: config.QueryTimeout, LookbackDelta: Lookback,
		EnableAtModifier: true, EnableNegativeOffset: true, NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
		Parser: s.parser,
	})
	return s
}

// quiet passes on what the database warns of.
func quiet(logger *slog.Logger) *slog.Logger {
	if logger == nil {
		return promslog.NewNopLogger()
	}
	return slog.New(warnings{logger.Handler()})
}

// warnings drops what is less than a warning: the database tells much of its daily work.
type warnings struct{ slog.Handler }

// Enabled lets through warnings and errors.
func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

// WithAttrs keeps the level.
func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(attrs)}
}

// WithGroup keeps the level.
func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }

func (s *Store) register(registry prometheus.Registerer) {
	s.rejected = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fairlead_series_rejected_samples_total", Help: "Samples that were accepted but could not be stored, by reason.",
	}, []string{"reason"})
	for _, reason := range reasons {
		s.rejected.WithLabelValues(reason.name)
	}
	s.stored = prometheus.NewCounter(prometheus.CounterOpts{Name: "fairlead_series_samples_total", Help: "Samples that were stored."})
	if registry == nil {
		return
	}
	registry.MustRegister(s.rejected, s.stored)
	if s.db == nil {
		return
	}
	registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "fairlead_series_active", Help: "Series that have samples in memory.",
		}, func() float64 { return float64(s.db.Head().NumSeries()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "fairlead_series_blocks_bytes", Help: "Size of the samples on disk that are no longer in memory.",
		}, func() float64 {
			size := int64(0)
			for _, block := range s.db.Blocks() {
				size += block.Size()
			}
			return float64(size)
		}))
}

// Close ends the database.
func (s *Store) Close() error {
	if s.db == nil {
		s.remote.client.CloseIdleConnections()
		return nil
	}
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close the samples: %w", err)
	}
	return nil
}

// Engine returns what answers PromQL.
func (s *Store) Engine() *promql.Engine { return s.engine }

// Parser returns what reads PromQL.
func (s *Store) Parser() parser.Parser { return s.parser }

// DB returns the database, nil of a remote Store, for those that read it by Prometheus' own interfaces.
func (s *Store) DB() *tsdb.DB { return s.db }

// ErrSelector says that a selector is none.
var ErrSelector = errors.New("not a selector of series")

// reasons why samples are left out.
var reasons = []struct {
	name string
	is   error
}{
	{"out_of_order", storage.ErrOutOfOrderSample},
	{"too_old", storage.ErrTooOldSample},
	{"out_of_bounds", storage.ErrOutOfBounds},
	{"duplicate", storage.ErrDuplicateSampleForTimestamp},
	{"invalid", tsdb.ErrInvalidSample},
	{"remote", errRemote},
	{"other", nil},
}

// errRemote says that the store elsewhere refused samples.
var errRemote = errors.New("the remote store refused it")

// reject counts a sample that cannot be stored.
func (s *Store) reject(err error) {
	for _, reason := range reasons {
		if reason.is == nil || errors.Is(err, reason.is) {
			s.rejected.WithLabelValues(reason.name).Inc()
			return
		}
	}
}
