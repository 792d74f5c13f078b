package store_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/base/store/storetest"
	"github.com/fairlead/fairlead/test/need"
	"github.com/fairlead/fairlead/test/postgres"
)

var quiet = slog.New(slog.DiscardHandler)

func openURL(t testing.TB, url string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{URL: url}, "ops", store.Schema(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestPostgres(t *testing.T) {
	storetest.Run(t, storetest.Engine{Place: postgres.Database, Open: openURL})
}

func TestPostgresOverItsSocket(t *testing.T) {
	server := postgres.Start(t, false)
	if err := server.Make(t.Context(), "sock"); err != nil {
		t.Fatal(err)
	}
	db := openURL(t, server.SocketURL("sock"))
	if err := save(db, "a", "1"); err != nil {
		t.Fatal(err)
	}
}

func TestOneProcessWritesAtATime(t *testing.T) {
	url := postgres.Database(t)
	first := openURL(t, url)
	_, err := store.Open(t.Context(), store.Config{URL: url}, "ops", store.Schema(), quiet)
	if !errors.Is(err, store.ErrInUse) || !strings.Contains(err.Error(), "fairlead ops writer") {
		t.Fatalf("got %v, want ErrInUse that says who it is", err)
	}
	t.Log(err)
	if err := save(first, "a", "1"); err != nil {
		t.Errorf("the first was disturbed: %v", err)
	}
	other, err := store.Open(t.Context(), store.Config{URL: url}, "ml", store.Schema(), quiet)
	if err != nil {
		t.Fatalf("another schema: %v", err)
	}
	defer func() { _ = other.Close() }()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := openURL(t, url)
	if err := save(second, "b", "1"); err != nil {
		t.Error(err)
	}
}

// cut ends the sessions of a kind behind their backs.
func cut(t *testing.T, url, kind string) {
	t.Helper()
	err := postgres.Exec(t.Context(), url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'fairlead ops "+kind+"%'")
	if err != nil {
		t.Error(err)
	}
}

func TestWhoLostItsPlaceToAnotherWritesNoMore(t *testing.T) {
	url := postgres.Database(t)
	old := openURL(t, url)
	if err := save(old, "a", "old"); err != nil {
		t.Fatal(err)
	}
	cut(t, url, "writer") // as when the network between them broke
	fresh := openURL(t, url)
	if err := save(fresh, "a", "fresh"); err != nil {
		t.Fatal(err)
	}
	if err := save(old, "a", "old again"); err == nil {
		t.Error("two processes wrote at a time")
	}
	if err := fresh.Close(); err != nil {
		t.Fatal(err)
	}
	if err := save(old, "a", "old again"); !errors.Is(err, store.ErrFenced) {
		t.Errorf("got %v, want ErrFenced", err)
	}
	if value, err := store.LoadState(t.Context(), old.Read(), "a"); err != nil || string(value) != "fresh" {
		t.Errorf("got %s, %v, want what the new one wrote", value, err)
	}
}

// ledger writes from several goroutines until it is told to stop, and remembers what came of it.
type ledger struct {
	mu      sync.Mutex
	stored  map[string]bool
	refused int
}

func (l *ledger) write(t *testing.T, db *store.DB, stop <-chan struct{}) {
	var all sync.WaitGroup
	var number atomic.Int64
	for range 6 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				key := fmt.Sprint("key ", number.Add(1))
				// Not an upsert: a change that was stored although it was said to have failed would be found out.
				err := db.Write(context.Background(), func(ctx context.Context, tx bun.Tx) error {
					_, err := store.Exec(ctx, tx, "INSERT INTO positions (consumer, sequence, epoch) VALUES (?, ?, ?)", key, 1, 1)
					return err
				})
				if err != nil && !errors.Is(err, store.ErrUnavailable) {
					t.Errorf("%s: got %v, want ErrUnavailable", key, err)
				}
				l.mu.Lock()
				l.stored[key] = err == nil
				if err != nil {
					l.refused++
				}
				l.mu.Unlock()
			}
		})
	}
	all.Wait()
}

func (l *ledger) count() (stored int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, ok := range l.stored {
		if ok {
			stored++
		}
	}
	return stored
}

// check compares the rows with what was said of them.
func (l *ledger) check(t *testing.T, db *store.DB) {
	t.Helper()
	var rows []string
	if err := db.Read().NewRaw("SELECT consumer FROM positions").Scan(t.Context(), &rows); err != nil {
		t.Fatal(err)
	}
	lost, invented := l.count(), 0
	for _, row := range rows {
		if l.stored[row] {
			lost--
		} else {
			invented++
		}
	}
	t.Logf("%d writes were stored, %d refused", l.count(), l.refused)
	if lost != 0 || invented != 0 || l.count() == 0 {
		t.Errorf("%d writes that succeeded are lost, %d that failed are stored", lost, invented)
	}
}

// under puts a load on db while trouble happens, lets it heal, and checks that nothing was lost or said wrongly.
func under(t *testing.T, db *store.DB, trouble func(l *ledger)) {
	t.Helper()
	l := &ledger{stored: map[string]bool{}}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() { defer close(done); l.write(t, db, stop) }()
	trouble(l)
	healed := l.count()
	need.Eventually(t, 20*time.Second, "writes after the trouble", func() bool { return l.count() > healed+20 })
	close(stop)
	<-done
	l.check(t, db)
}

func TestABrokenConnectionNeverLeavesDoubt(t *testing.T) {
	url := postgres.Database(t)
	db := openURL(t, url)
	under(t, db, func(l *ledger) {
		for range 40 {
			before := l.count()
			need.Eventually(t, 20*time.Second, "a write", func() bool { return l.count() > before })
			cut(t, url, "")
		}
	})
}

func TestARestartOfTheServerLosesNothing(t *testing.T) {
	for _, how := range []string{"INT", "QUIT"} {
		t.Run(how, func(t *testing.T) {
			server := postgres.Start(t, true)
			db := openURL(t, server.Database(t))
			under(t, db, func(l *ledger) {
				for range 3 {
					before := l.count()
					need.Eventually(t, 20*time.Second, "writes", func() bool { return l.count() > before+50 })
					if err := server.Stop(how); err != nil {
						t.Fatal(err)
					}
					need.Eventually(t, 10*time.Second, "a refusal", func() bool {
						ctx, cancel := context.WithTimeout(t.Context(), time.Second)
						defer cancel()
						return errors.Is(db.Ping(ctx), store.ErrUnavailable)
					})
					if err := server.Run(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			})
		})
	}
}

func TestACommandWritesBesideTheServer(t *testing.T) {
	url := postgres.Database(t)
	if _, err := store.OpenReader(t.Context(), store.Config{URL: url}, "ops", store.Schema(), quiet); err != nil {
		t.Errorf("read before there is anything: %v", err)
	}
	server := openURL(t, url)
	const count = 50
	add := func(db *store.DB) error {
		return db.Write(context.Background(), func(ctx context.Context, tx bun.Tx) error {
			var n int // read, decide and write: as the number of an audit leaf
			if err := tx.NewRaw("SELECT count(*) FROM positions").Scan(ctx, &n); err != nil {
				return err
			}
			_, err := store.Exec(ctx, tx, "INSERT INTO positions (consumer, sequence, epoch) VALUES (?, ?, ?)", fmt.Sprint(n), n, 1)
			return err
		})
	}
	var all sync.WaitGroup
	for i := range 2 {
		all.Go(func() {
			db := server
			if i == 1 {
				var err error
				if db, err = store.OpenBeside(t.Context(), store.Config{URL: url}, "ops", store.Schema(), quiet); err != nil {
					t.Error(err)
					return
				}
				defer func() { _ = db.Close() }()
			}
			for range count {
				if err := add(db); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	reader, err := store.OpenReader(t.Context(), store.Config{URL: url}, "ops", store.Schema(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := reader.Read().NewRaw("SELECT count(*) FROM positions").Scan(t.Context(), &n); err != nil || n != 2*count {
		t.Errorf("%d rows, %v; want %d", n, err, 2*count)
	}
	if err := save(reader, "a", "1"); !errors.Is(err, store.ErrClosed) {
		t.Errorf("a reader wrote: %v", err)
	}
	if err := reader.Close(); err != nil {
		t.Error(err)
	}
}

func TestThePasswordIsReadFromItsFileAndNeverShown(t *testing.T) {
	server := postgres.Start(t, false)
	url := strings.Replace(server.Database(t), "fairlead@", "app@", 1)
	if err := server.AskPassword(t.Context(), "app", "s3cr3t:/@?#"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "password")
	open := func(password string) error {
		if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := store.Open(t.Context(), store.Config{URL: url, PasswordFile: file}, "ops", store.Schema(), quiet)
		if err == nil {
			err = errors.Join(save(db, "a", "1"), db.Close())
		}
		return err
	}
	if err := open("s3cr3t:/@?#"); err != nil {
		t.Error(err)
	}
	began := time.Now()
	if err := open("Wr0ng"); !errors.Is(err, store.ErrUnavailable) || strings.Contains(err.Error(), "Wr0ng") || !strings.Contains(err.Error(), "password") {
		t.Errorf("got %v", err)
	} else if took := time.Since(began); took > 3*time.Second {
		t.Errorf("a wrong password was tried for %s", took)
	}
}

func TestURLsAreCheckedAndPasswordsNeverShown(t *testing.T) {
	for _, test := range []struct{ url, shown, want string }{
		{"postgres://ann:s3cr3t@db.example:5432/fairlead?sslmode=verify-full", "postgres://ann:xxxxx@db.example:5432/fairlead?sslmode=verify-full", ""},
		{"postgresql:///fairlead?host=/run/postgresql&user=ann&password=s3cr3t", "postgresql:///fairlead?host=/run/postgresql&user=ann&password=xxxxx", ""},
		{"postgres://ann@db/fairlead?sslpassword=s3cr3t", "postgres://ann@db/fairlead?sslpassword=xxxxx", ""},
		{"postgres://ann@db/fairlead", "postgres://ann@db/fairlead", ""},
		{"mysql://ann:s3cr3t@db/fairlead", "mysql://ann:xxxxx@db/fairlead", "want postgres://"},
		{"postgres://ann:s3c%r3t@db/fairlead", "postgres://ann:xxxxx@db/fairlead", "cannot be read"},
		{"postgres://ann:s3cr3t@db:none/fairlead", "postgres://ann:xxxxx@db:none/fairlead", "cannot be read"},
		{"postgres://ann:s3cr3t@db/fairlead?sslmode=maybe", "postgres://ann:xxxxx@db/fairlead?sslmode=maybe", "cannot be read"},
	} {
		if got := store.Redact(test.url); got != test.shown {
			t.Errorf("%s is shown as %s, want %s", test.url, got, test.shown)
		}
		err := store.Config{URL: test.url}.Validate()
		if (test.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.url, err, test.want)
		}
		if err != nil && (strings.Contains(err.Error(), "s3c") || !strings.Contains(err.Error(), "store.url")) {
			t.Errorf("%s: %v", test.url, err)
		}
	}
	if err := (store.Config{URL: "postgres://db/x", MaxConnections: 2}).Validate(); err == nil || !strings.Contains(err.Error(), "store.max_connections: 2") {
		t.Errorf("two connections: %v", err)
	}
	for url, clear := range map[string]bool{
		"postgres://db.example/x": true, "postgres://db.example/x?sslmode=require": true, "postgres://db.example/x?sslmode=verify-full": false,
		"postgres://127.0.0.1/x": false, "postgres:///x?host=/run/postgresql": false, "postgres://localhost/x": false,
	} {
		if got := store.InClear(url); got != clear {
			t.Errorf("%s could go unencrypted: %v, want %v", url, got, clear)
		}
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("postgres://ann:", "@db/x")
	f.Add("postgres://db/x?password=", "&a=b")
	f.Add("host=db password=", " user=x")
	f.Fuzz(func(t *testing.T, before, after string) {
		const secret = "s3cr3tw0rd"
		url := before + secret + after
		err := store.Config{URL: url, MaxConnections: 1}.Validate()
		if !strings.HasSuffix(before, ":") && !strings.HasSuffix(before, "password=") || !strings.HasPrefix(after, "@") {
			return // not a password's place
		}
		if err != nil && strings.Contains(err.Error(), secret) && strings.Contains(url, "://") {
			t.Errorf("%q shows its password: %v", url, err)
		}
	})
}
