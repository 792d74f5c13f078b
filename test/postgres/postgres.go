// Package postgres gives tests a real PostgreSQL: Debian's binaries, a cluster in a temporary folder, and for each test a
// database of its own.
//
//	url := postgres.Database(t)          // in the cluster that the tests of one binary share
//	server := postgres.Start(t, true)    // a cluster of the test's own, to stop, kill and start again
//
// A cluster listens on a socket in its folder and on a free port of the loopback address. It ends with the process that
// started it, even when that is killed: a shell waits for the end of its own input and stops the server then. PostgreSQL
// refuses to run as root; then it runs as the user postgres, whom the package brings.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/test/need"
)

// Server is one cluster. It is not safe for concurrent use, but for Database.
type Server struct {
	dir, bin string
	port     int
	durable  bool
	as       *syscall.Credential // nil unless we are root

	running *exec.Cmd
	input   io.Closer // the shell's
	count   atomic.Int64
}

// cluster is what the tests of one binary share: starting one takes a second.
var cluster = sync.OnceValues(func() (*Server, error) { return start(context.Background(), sharedBin, false) })

// sharedBin is where the binaries are; set before the first use of cluster.
var sharedBin string

// sharing guards sharedBin.
var sharing sync.Mutex

// Database returns the URL of a new, empty database in the shared cluster. The test skips where PostgreSQL is missing.
func Database(t testing.TB) string {
	t.Helper()
	bin := need.Postgres(t)
	sharing.Lock()
	sharedBin = bin
	server, err := cluster()
	sharing.Unlock()
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	return server.Database(t)
}

// Start returns a cluster of the test's own, which ends with the test. Durable makes it flush to the disk, as a server
// does; without, it is faster and loses nothing either when only processes die.
func Start(t testing.TB, durable bool) *Server {
	t.Helper()
	server, err := start(t.Context(), need.Postgres(t), durable)
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Errorf("end PostgreSQL: %v", err)
		}
	})
	return server
}

// New is Start for programs that are no tests: bin is where the binaries are, see need.FindPostgres. Close ends it.
func New(ctx context.Context, bin string, durable bool) (*Server, error) {
	return start(ctx, bin, durable)
}

func start(ctx context.Context, bin string, durable bool) (_ *Server, err error) {
	s := &Server{bin: bin, durable: durable}
	parent := ""
	if !durable {
		parent = "/dev/shm"
	}
	if s.dir, err = os.MkdirTemp(parent, "fairlead-postgres-"); err != nil {
		if s.dir, err = os.MkdirTemp("", "fairlead-postgres-"); err != nil {
			return nil, fmt.Errorf("make a folder: %w", err)
		}
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(s.dir))
		}
	}()
	if os.Getuid() == 0 {
		if s.as, err = postgresUser(); err != nil {
			return nil, err
		}
		if err := os.Chown(s.dir, int(s.as.Uid), int(s.as.Gid)); err != nil {
			return nil, fmt.Errorf("give the folder away: %w", err)
		}
	}
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "--pgdata", s.data(), "--username", "fairlead", "--auth", "trust",
		"--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--no-instructions")
	initdb.Dir, initdb.SysProcAttr = s.dir, s.attributes()
	if output, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, output)
	}
	if s.port, err = freePort(ctx); err != nil {
		return nil, err
	}
	return s, s.Run(ctx)
}

func postgresUser() (*syscall.Credential, error) {
	account, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root: %w", err)
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("the user postgres: %w", err)
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("the user postgres: %w", err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: s.as, Setpgid: true} // Ctrl-C is ours, not its
}

func freePort(ctx context.Context) (int, error) {
	var config net.ListenConfig
	probe, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	return probe.Addr().(*net.TCPAddr).Port, probe.Close()
}

// guard runs the server until its own input ends, by a word or by the end of whoever writes it.
const guard = `"$0" -D "$1" -k "$1" -h 127.0.0.1 -p "$2" $3 & server=$!
trap 'kill -INT $server' TERM
read -r how
[ "$how" != KILL ] || { kill -STOP $server; pkill -KILL -P $server; } # else it would outlive its children, or they it
kill -"${how:-QUIT}" $server
wait $server
[ -n "$how" ] || rm -rf "$4"`

// Run starts the server that was stopped, on the same port and data, and returns when it lets clients in.
func (s *Server) Run(ctx context.Context) error {
	options := "-c max_connections=300 -c shared_buffers=64MB -c log_min_messages=warning"
	if !s.durable {
		options += " -c fsync=off -c full_page_writes=off"
	}
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("open the server's log: %w", err)
	}
	defer func() { _ = log.Close() }() // the server has its own
	s.running = exec.CommandContext(context.WithoutCancel(ctx), "sh", "-c", guard, filepath.Join(s.bin, "postgres"), s.data(), strconv.Itoa(s.port), options, s.dir)
	s.running.Stdout, s.running.Stderr, s.running.SysProcAttr, s.running.Dir = log, log, s.attributes(), s.dir
	if s.input, err = s.running.StdinPipe(); err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	if err := s.running.Start(); err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	err = need.Until(20*time.Second, func() error {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err != nil {
			return err
		}
		return conn.Close(ctx)
	})
	if err != nil {
		text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		return fmt.Errorf("postgres does not answer: %w\n%s", err, text)
	}
	return nil
}

// Stop ends the server: "INT" lets it write down what it knows, "QUIT" does not, and "KILL" ends all its processes at once,
// as when the machine loses its power.
func (s *Server) Stop(signal string) error {
	if s.running == nil {
		return nil
	}
	_, err := io.WriteString(s.input.(io.Writer), signal+"\n")
	err = errors.Join(err, s.input.Close())
	var ended *exec.ExitError
	if waitErr := s.running.Wait(); waitErr != nil && !errors.As(waitErr, &ended) {
		err = errors.Join(err, waitErr)
	}
	s.running = nil
	return err
}

// Close ends the server and removes its data.
func (s *Server) Close() error { return errors.Join(s.Stop("QUIT"), os.RemoveAll(s.dir)) }

// URL returns the URL of a database, over the loopback address.
func (s *Server) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User("fairlead"), Host: "127.0.0.1:" + strconv.Itoa(s.port), Path: "/" + database, RawQuery: "sslmode=disable"}
	return u.String()
}

// SocketURL returns the URL of a database, over the socket.
func (s *Server) SocketURL(database string) string {
	query := url.Values{"host": {s.data()}, "port": {strconv.Itoa(s.port)}, "user": {"fairlead"}}
	return "postgres:///" + database + "?" + query.Encode()
}

// Database makes an empty database and returns its URL.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", s.count.Add(1))
	if err := s.Make(t.Context(), name); err != nil {
		t.Fatalf("make a database: %v", err)
	}
	return s.URL(name)
}

// Make makes an empty database.
func (s *Server) Make(ctx context.Context, name string) error {
	return Exec(ctx, s.URL("postgres"), "CREATE DATABASE "+name)
}

// Exec runs one statement in the database of a URL.
func Exec(ctx context.Context, url, statement string) (err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", strings.SplitN(statement, "\n", 2)[0], err)
	}
	return nil
}

// engine names the engine that Config takes.
const engine = "FAIRLEAD_TEST_ENGINE"

// Config says where a test keeps its rows: in SQLite in a folder of its own or, with FAIRLEAD_TEST_ENGINE=postgres, in a
// database of its own. So the tests of a package run on both engines, one run each.
func Config(t testing.TB) store.Config {
	t.Helper()
	switch chosen := os.Getenv(engine); chosen {
	case "", "sqlite":
		return store.Config{Dir: t.TempDir()}
	case "postgres":
		return store.Config{URL: Database(t)}
	default:
		t.Fatalf("%s=%q: want sqlite or postgres", engine, chosen)
		return store.Config{}
	}
}

// Chosen reports whether the tests run on PostgreSQL.
func Chosen() bool { return os.Getenv(engine) == "postgres" }

// AskPassword makes a role that may do everything and has to give this password.
func (s *Server) AskPassword(ctx context.Context, role, password string) error {
	err := Exec(ctx, s.URL("postgres"), "CREATE ROLE "+role+" LOGIN SUPERUSER PASSWORD '"+strings.ReplaceAll(password, "'", "''")+"'")
	if err != nil {
		return err
	}
	rules := filepath.Join(s.data(), "pg_hba.conf")
	text, err := os.ReadFile(rules)
	if err != nil {
		return fmt.Errorf("read who may come in: %w", err)
	}
	if err := os.WriteFile(rules, append([]byte("host all "+role+" 127.0.0.1/32 scram-sha-256\n"), text...), 0o600); err != nil {
		return fmt.Errorf("say who may come in: %w", err)
	}
	return Exec(ctx, s.URL("postgres"), "SELECT pg_reload_conf()")
}

// Environment is what the built binary is to be started with: ours without what configures a server or the tests and, with
// FAIRLEAD_TEST_ENGINE=postgres, with a database of its own. Whoever starts it again on the same data uses the same again.
func Environment(t testing.TB) []string {
	t.Helper()
	settings := slices.DeleteFunc(os.Environ(), func(setting string) bool { return strings.HasPrefix(setting, "FAIRLEAD_") })
	if Chosen() {
		settings = append(settings, "FAIRLEAD_STORE_URL="+Database(t))
	}
	return settings
}
