package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
)

// How PostgreSQL is used.
const (
	// defaultConnections is how many connections there are at most, the writer's included, unless Config says it.
	defaultConnections = 10
	// connectTimeout bounds an attempt to connect, unless the URL says it.
	connectTimeout = 5 * time.Second
	// openPatience is how long Open waits for a server that starts, and for another writer that ends.
	openPatience = 10 * time.Second
	// postgresGroupTime bounds a transaction of the writer; a server that hangs longer counts as gone.
	postgresGroupTime = 30 * time.Second
)

// openPostgres connects to the schema name of the database that config.URL names, and takes the right to write.
func openPostgres(ctx context.Context, config Config, name string, logger *slog.Logger) (engine, error) {
	settings, err := parseURL(config.URL)
	if err != nil {
		return engine{}, err
	}
	f := newFence(name, logger)
	writer := postgresPool(settings, config, name, 1, map[string]string{
		"application_name": f.application(), "default_transaction_read_only": "off", "default_transaction_isolation": "read committed",
	}, f.take)
	if err := patiently(ctx, writer, logger); err != nil {
		return engine{}, errors.Join(err, writer.Close())
	}
	reader, err := openPostgresReader(ctx, settings, config, name)
	if err != nil {
		return engine{}, errors.Join(err, writer.Close())
	}
	return engine{
		writer: writer, reader: reader, dialect: goose.DialectPostgres, migrations: func(m fs.FS) fs.FS { return translated{m} },
		groupTime: postgresGroupTime, begin: f.begin, stored: f.stored, unsure: f.unsure,
	}, nil
}

// openPostgresGuest connects without the right to write: its transactions hold the writer's row instead, while they last.
// ErrNotFound says that no server has made the schema yet.
func openPostgresGuest(ctx context.Context, config Config, name string) (engine, error) {
	settings, err := parseURL(config.URL)
	if err != nil {
		return engine{}, err
	}
	writer := postgresPool(settings, config, name, 1, map[string]string{
		"application_name": "fairlead " + name + " guest", "default_transaction_read_only": "off", "default_transaction_isolation": "read committed",
	}, nil)
	var there bool
	err = writer.DB.QueryRowContext(ctx, "SELECT to_regclass($1) IS NOT NULL", name+"."+writerTable).Scan(&there)
	if err == nil && !there {
		err = ErrNotFound
	}
	if err != nil {
		return engine{}, errors.Join(err, writer.Close())
	}
	reader, err := openPostgresReader(ctx, settings, config, name)
	if err != nil {
		return engine{}, errors.Join(err, writer.Close())
	}
	return engine{writer: writer, reader: reader, groupTime: postgresGroupTime, begin: enter}, nil
}

// openPostgresReader opens the pool of read-only connections. A transaction of theirs is one snapshot, as in SQLite.
func openPostgresReader(ctx context.Context, settings *pgx.ConnConfig, config Config, name string) (*bun.DB, error) {
	size := config.MaxConnections
	if size == 0 {
		size = defaultConnections
	}
	reader := postgresPool(settings, config, name, size-1, map[string]string{
		"application_name": "fairlead " + name + " reader", "default_transaction_read_only": "on",
		"default_transaction_isolation": "repeatable read",
	}, nil)
	if err := reader.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("connect: %w", err), reader.Close())
	}
	return reader, nil
}

// parseURL reads where PostgreSQL is. The error never holds a password.
func parseURL(url string) (*pgx.ConnConfig, error) {
	if !strings.HasPrefix(url, "postgres://") && !strings.HasPrefix(url, "postgresql://") {
		return nil, fmt.Errorf("%q: want postgres://USER@HOST:PORT/DATABASE", Redact(url))
	}
	settings, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("%q cannot be read; want postgres://USER@HOST:PORT/DATABASE: %s", Redact(url), strings.TrimPrefix(withoutURL(err), "cannot parse "))
	}
	if settings.Database == "" {
		return nil, fmt.Errorf("%q names no database; want postgres://USER@HOST:PORT/DATABASE", Redact(url))
	}
	return settings, nil
}

// withoutURL returns the reason at the end of an error of pgx, whose beginning repeats the URL.
func withoutURL(err error) string {
	text := err.Error()
	if at := strings.LastIndex(text, "`: "); at >= 0 {
		return text[at+len("`: "):]
	}
	return "it is malformed"
}

// postgresPool makes a pool; it does not connect yet.
func postgresPool(settings *pgx.ConnConfig, config Config, name string, size int, params map[string]string, connected func(context.Context, *pgx.Conn) error) *bun.DB {
	settings = settings.Copy()
	settings.RuntimeParams["search_path"] = name
	settings.RuntimeParams["standard_conforming_strings"] = "on"
	// The server, too, should find out soon that nobody is there any more: this session may hold the right to write.
	settings.RuntimeParams["tcp_keepalives_idle"] = "10"
	settings.RuntimeParams["tcp_keepalives_interval"] = "5"
	settings.RuntimeParams["tcp_keepalives_count"] = "3"
	maps.Copy(settings.RuntimeParams, params)
	// bun writes the arguments into the text, so that every text is another one: preparing each would cost a round trip and
	// fill the server's memory. What is worth it is prepared by statements.
	settings.DefaultQueryExecMode = pgx.QueryExecModeExec
	if settings.ConnectTimeout == 0 {
		settings.ConnectTimeout = connectTimeout
	}
	dialer := &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3}}
	settings.DialFunc = dialer.DialContext
	options := []stdlib.OptionOpenDB{stdlib.OptionBeforeConnect(func(_ context.Context, settings *pgx.ConnConfig) error {
		return readPassword(config.PasswordFile, settings)
	})}
	if connected != nil {
		options = append(options, stdlib.OptionAfterConnect(connected))
	}
	pool := stdlib.OpenDB(*settings, options...)
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	return bun.NewDB(pool, textOfPostgres{pgdialect.New()})
}

// readPassword reads the password anew for each connection, so that it can be changed.
func readPassword(file string, settings *pgx.ConnConfig) error {
	if file == "" {
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the password: %w", err)
	}
	settings.Password = strings.TrimRight(string(text), "\r\n")
	return nil
}

// patiently makes the writer's connection, and waits for a server that is not there yet.
func patiently(ctx context.Context, writer *bun.DB, logger *slog.Logger) error {
	for began, told := time.Now(), false; ; {
		err := writer.PingContext(ctx)
		var hopeless final
		if err == nil || time.Since(began) > openPatience || !errors.Is(Classify(err), ErrUnavailable) || errors.As(err, &hopeless) || isDenied(err) {
			return err
		}
		if !told {
			told = true
			logger.Warn("PostgreSQL cannot be used yet, trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// checkDurability looks whether the server keeps what it says it has stored.
func checkDurability(ctx context.Context, conn *pgx.Conn, logger *slog.Logger) error {
	var commit, sync string
	if err := conn.QueryRow(ctx, "SELECT current_setting('synchronous_commit'), current_setting('fsync')").Scan(&commit, &sync); err != nil {
		return fmt.Errorf("ask how the server commits: %w", err)
	}
	if commit == "off" {
		if _, err := conn.Exec(ctx, "SET synchronous_commit = on"); err != nil {
			return fmt.Errorf("ask for durable commits: %w", err)
		}
	}
	if sync != "on" {
		logger.Warn("PostgreSQL runs with fsync off: a power failure can lose what was accepted")
	}
	return nil
}
