package bus_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/bus"
)

// open starts a bus in dir that is closed at the end of the test.
func open(t testing.TB, config bus.Config) *bus.Bus {
	t.Helper()
	b, err := bus.Open(t.Context(), config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// eventually polls until done returns true.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(20 * time.Second)
	for !done() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

func publish(t testing.TB, b *bus.Bus, texts ...string) (last uint64) {
	t.Helper()
	for _, text := range texts {
		sequence, err := b.Publish(t.Context(), bus.AlertSubject("main", 0), []byte(text))
		if err != nil {
			t.Fatalf("publish %.20q: %v", text, err)
		}
		last = sequence
	}
	return last
}

var errEnough = errors.New("enough")

// read consumes behind after until it has count messages, and returns them as "sequence data".
func read(t testing.TB, b *bus.Bus, after uint64, count, maxBatch int) []string {
	t.Helper()
	var got []string
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := b.Consume(ctx, bus.SignalStream, []string{bus.AlertSubjects("main")}, after, maxBatch,
		func(_ context.Context, batch []bus.Message) error {
			if len(batch) == 0 || len(batch) > maxBatch {
				t.Errorf("batch of %d messages, want 1 to %d", len(batch), maxBatch)
			}
			for _, message := range batch {
				got = append(got, fmt.Sprintf("%d %s", message.Sequence, message.Data))
			}
			if len(got) >= count {
				return errEnough
			}
			return nil
		})
	if !errors.Is(err, errEnough) {
		t.Fatalf("consume: %v after %d of %d messages", err, len(got), count)
	}
	return got
}

func TestMessagesComeInOrderBehindThePosition(t *testing.T) {
	b := open(t, bus.Config{Dir: t.TempDir()})
	publish(t, b, "a", "b", "c", "d")
	for after, want := range [][]string{
		{"1 a", "2 b", "3 c", "4 d"},
		{"2 b", "3 c", "4 d"},
		{"3 c", "4 d"},
		{"4 d"},
	} {
		for _, maxBatch := range []int{1, 3, 64} {
			if diff := cmp.Diff(want, read(t, b, uint64(after), len(want), maxBatch)); diff != "" {
				t.Errorf("after %d, batches of %d (-want +got):\n%s", after, maxBatch, diff)
			}
		}
	}
}

func TestConsumerWaitsForWhatIsPublishedLater(t *testing.T) {
	b := open(t, bus.Config{Dir: t.TempDir()})
	got := make(chan string)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- b.Consume(ctx, bus.SignalStream, []string{bus.AlertSubjects("main")}, 0, 8,
			func(_ context.Context, batch []bus.Message) error {
				for _, message := range batch {
					got <- string(message.Data)
				}
				return nil
			})
	}()
	for _, text := range []string{"one", "two", "three"} {
		publish(t, b, text)
		if message := <-got; message != text {
			t.Fatalf("got %q, want %q", message, text)
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("consume ended with %v, want context.Canceled", err)
	}
}

func TestConsumerTakesOnlyItsSubjects(t *testing.T) {
	b := open(t, bus.Config{Dir: t.TempDir()})
	for _, tenant := range []string{"other", "main", "other", "main"} {
		if _, err := b.Publish(t.Context(), bus.AlertSubject(tenant, 1), []byte(tenant)); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"2 main", "4 main"}, read(t, b, 0, 2, 64)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOneGoroutineKeepsItsOrderWithManyInFlight(t *testing.T) {
	b := open(t, bus.Config{Dir: t.TempDir()})
	const count = 3 * bus.MaxInFlight
	var want []string
	var pending []*bus.Pending
	for i := range count {
		text := fmt.Sprint("message ", i)
		want = append(want, fmt.Sprintf("%d %s", i+1, text))
		p, err := b.PublishAsync(t.Context(), bus.AlertSubject("main", i%2), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		pending = append(pending, p)
	}
	for i, p := range pending {
		if sequence, err := p.Wait(t.Context()); err != nil || sequence != uint64(i+1) {
			t.Fatalf("message %d: sequence %d, error %v", i, sequence, err)
		}
	}
	if diff := cmp.Diff(want, read(t, b, 0, count, 100)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAcknowledgedMessagesSurviveACrash(t *testing.T) {
	dir := t.TempDir()
	b := open(t, bus.Config{Dir: dir})
	var want []string
	for round := range 5 {
		for i := range 7 {
			text := fmt.Sprintf("round %d message %d", round, i)
			want = append(want, fmt.Sprintf("%d %s", publish(t, b, text), text))
		}
		// What lies in the folder now is what a process finds that starts after kill -9.
		copied := t.TempDir()
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, read(t, open(t, bus.Config{Dir: copied}), 0, len(want), 64)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestPurgeKeepsCountingAcrossACrash(t *testing.T) {
	dir := t.TempDir()
	b := open(t, bus.Config{Dir: dir})
	last := publish(t, b, strings.Split(strings.Repeat("x", 100), "")...)
	if err := b.Purge(t.Context(), bus.SignalStream, "", last); err != nil {
		t.Fatal(err)
	}
	stats, err := b.Stats(t.Context(), bus.SignalStream)
	if err != nil {
		t.Fatal(err)
	}
	if stats.First != last || stats.Last != last || stats.Messages != 1 {
		t.Errorf("after the purge: %+v, want only message %d", stats, last)
	}
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	again := open(t, bus.Config{Dir: copied})
	if sequence := publish(t, again, "next"); sequence != last+1 {
		t.Errorf("the first message after the crash has sequence %d, want %d", sequence, last+1)
	}
	if diff := cmp.Diff([]string{fmt.Sprint(last+1, " next")}, read(t, again, last, 1, 64)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPurgeBehindTheConsumerIsUnnoticed(t *testing.T) {
	b := open(t, bus.Config{Dir: t.TempDir()})
	const count = 300
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := range count {
			if _, err := b.Publish(t.Context(), bus.AlertSubject("main", 0), fmt.Append(nil, i)); err != nil {
				t.Error(err)
				return
			}
		}
	})
	want := uint64(1)
	err := b.Consume(t.Context(), bus.SignalStream, []string{bus.AlertSubjects("main")}, 0, 16,
		func(ctx context.Context, batch []bus.Message) error {
			for _, message := range batch {
				if message.Sequence != want {
					t.Errorf("got message %d, want %d", message.Sequence, want)
				}
				want++
			}
			if want > count {
				return errEnough
			}
			return b.Purge(ctx, bus.SignalStream, "", want-1)
		})
	writer.Wait()
	if !errors.Is(err, errEnough) {
		t.Error(err)
	}
}

func TestFullStreamRefusesAndTakesAgainAfterAPurge(t *testing.T) {
	b := open(t, bus.Config{Dir: t.TempDir(), MaxBytes: 4 << 20})
	data := make([]byte, 500<<10)
	subject := bus.AlertSubject("main", 0)
	var last uint64
	var err error
	for range 20 {
		var sequence uint64
		if sequence, err = b.Publish(t.Context(), subject, data); err != nil {
			break
		}
		last = sequence
	}
	if !errors.Is(err, bus.ErrFull) {
		t.Fatalf("got %v after message %d, want ErrFull", err, last)
	}
	if last != 8 {
		t.Errorf("%d messages of 500 KiB fit in 4 MiB, want 8", last)
	}
	if err := b.Purge(t.Context(), bus.SignalStream, "", 4); err != nil {
		t.Fatal(err)
	}
	sequence, err := b.Publish(t.Context(), subject, data)
	if err != nil || sequence != last+1 {
		t.Errorf("after the purge: sequence %d, error %v; want %d and none", sequence, err, last+1)
	}
}

func TestTooLargeMessageIsRefused(t *testing.T) {
	b := open(t, bus.Config{Dir: t.TempDir()})
	subject := bus.AlertSubject("main", 0)
	if _, err := b.Publish(t.Context(), subject, make([]byte, bus.MaxMessage)); err != nil {
		t.Errorf("largest message: %v", err)
	}
	if _, err := b.Publish(t.Context(), subject, make([]byte, bus.MaxMessage+1)); !errors.Is(err, bus.ErrTooLarge) {
		t.Errorf("one byte more: got %v, want ErrTooLarge", err)
	}
}

func TestSubjectWithoutAStreamIsRefused(t *testing.T) {
	b := open(t, bus.Config{Dir: t.TempDir()})
	if _, err := b.Publish(t.Context(), "nobody.listens", []byte("x")); !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
}

func TestPositionBeyondTheStreamIsAnError(t *testing.T) {
	b := open(t, bus.Config{Dir: t.TempDir()})
	last := publish(t, b, "a")
	err := b.Consume(t.Context(), bus.SignalStream, []string{bus.AlertSubjects("main")}, last+1, 1,
		func(context.Context, []bus.Message) error { return nil })
	if !errors.Is(err, bus.ErrAhead) {
		t.Errorf("got %v, want ErrAhead", err)
	}
}

func TestNewStreamStartsBehindTheStoredPosition(t *testing.T) {
	b := open(t, bus.Config{Dir: t.TempDir(), After: 41})
	if last, err := b.Last(t.Context(), bus.SignalStream); err != nil || last != 41 {
		t.Errorf("last is %d, error %v; want 41", last, err)
	}
	if sequence := publish(t, b, "a"); sequence != 42 {
		t.Errorf("first sequence is %d, want 42", sequence)
	}
	if diff := cmp.Diff([]string{"42 a"}, read(t, b, 41, 1, 1)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSecondProcessIsKeptOut(t *testing.T) {
	dir := t.TempDir()
	b := open(t, bus.Config{Dir: dir})
	if _, err := bus.Open(t.Context(), bus.Config{Dir: dir}, slog.New(slog.DiscardHandler)); !errors.Is(err, bus.ErrLocked) {
		t.Errorf("got %v, want ErrLocked", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	publish(t, open(t, bus.Config{Dir: dir}), "a")
}

func TestClosedBusRefuses(t *testing.T) {
	b := open(t, bus.Config{Dir: t.TempDir()})
	ended := make(chan error)
	started := make(chan struct{})
	publish(t, b, "a")
	go func() {
		ended <- b.Consume(t.Context(), bus.SignalStream, []string{bus.AlertSubjects("main")}, 0, 1,
			func(context.Context, []bus.Message) error { close(started); return nil })
	}()
	<-started
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, bus.ErrClosed) {
		t.Errorf("consume ended with %v, want ErrClosed", err)
	}
	if _, err := b.Publish(t.Context(), bus.AlertSubject("main", 0), nil); err == nil {
		t.Error("publish on a closed bus worked")
	}
	if err := b.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

func TestConfigSaysWhatIsWrong(t *testing.T) {
	for _, test := range []struct {
		name   string
		config bus.Config
		want   string // in the error; "" for none
	}{
		{"a folder is enough", bus.Config{Dir: "d"}, ""},
		{"a cluster is enough", bus.Config{URL: "nats://n:4222", Replicas: 3}, ""},
		{"nowhere to live", bus.Config{}, "neither"},
		{"negative limit", bus.Config{Dir: "d", MaxBytes: -1}, "max_bytes"},
		{"limit below two messages", bus.Config{Dir: "d", MaxBytes: 1000}, "max_bytes"},
		{"replicas of the embedded server", bus.Config{Dir: "d", Replicas: 3}, "replicas"},
		{"too many replicas", bus.Config{URL: "nats://n:4222", Replicas: 7}, "replicas"},
		{"several servers", bus.Config{URL: "tls://a:4222, tls://b:4222"}, ""},
		{"no host", bus.Config{URL: "nats://"}, "url"},
		{"another protocol", bus.Config{URL: "http://n:4222"}, "want nats://HOST:PORT"},
		{"a host alone", bus.Config{URL: "n"}, "url"},
		{"a URL that cannot be read", bus.Config{URL: "nats://u:secret@n:port"}, "cannot be read"},
		{"credentials of nothing", bus.Config{Dir: "d", CredentialsFile: "f"}, "credentials_file"},
		{"certificates of nothing", bus.Config{Dir: "d", CAFile: "f"}, "ca_file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.config.Validate()
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestUnusableFolderIsAClearError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := bus.Open(t.Context(), bus.Config{Dir: file}, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("opened a bus in a file")
	}
}

func BenchmarkPublish(b *testing.B) {
	for _, size := range []int{1 << 10, 16 << 10, 64 << 10, 256 << 10} {
		for _, flight := range []int{1, 4, 16} {
			b.Run(fmt.Sprintf("bytes=%d/inflight=%d", size, flight), func(b *testing.B) {
				s := open(b, bus.Config{Dir: b.TempDir(), MaxBytes: 64 << 30})
				data := make([]byte, size)
				b.SetBytes(int64(size))
				b.ResetTimer()
				var pending []*bus.Pending
				for range b.N {
					p, err := s.PublishAsync(b.Context(), bus.AlertSubject("main", 0), data)
					if err != nil {
						b.Fatal(err)
					}
					if pending = append(pending, p); len(pending) == flight {
						if _, err := pending[0].Wait(b.Context()); err != nil {
							b.Fatal(err)
						}
						pending = pending[1:]
					}
				}
				for _, p := range pending {
					if _, err := p.Wait(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	for range b.N {
		s, err := bus.Open(b.Context(), bus.Config{Dir: dir}, slog.New(slog.DiscardHandler))
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
