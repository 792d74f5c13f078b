package bus_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/fairlead/fairlead/base/bus"
)

// smallDisk mounts a file system of size (for instance "12m") that is gone after the test. It skips the test where that is
// not allowed.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size="+size, "tmpfs", dir).CombinedOutput(); err != nil {
		if os.Getenv("FAIRLEAD_REQUIRE_ALL") != "" {
			t.Fatalf("mount a small disk: %v: %s", err, out)
		}
		t.Skipf("cannot mount a small disk here: %v: %s", err, out)
	}
	t.Cleanup(func() { remount(t, "umount", "-l", dir) })
	return dir
}

func remount(t *testing.T, command ...string) {
	t.Helper()
	if out, err := exec.CommandContext(context.Background(), command[0], command[1:]...).CombinedOutput(); err != nil {
		t.Errorf("%v: %v: %s", command, err, out)
	}
}

// follow consumes everything into a list that the returned function reads.
func follow(t *testing.T, b *bus.Bus) (sequences func() map[uint64]string) {
	t.Helper()
	got := make(chan map[uint64]string, 1)
	got <- map[uint64]string{}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		last := uint64(0)
		_ = b.Consume(ctx, bus.SignalStream, []string{bus.AlertSubjects("main")}, 0, 8,
			func(_ context.Context, batch []bus.Message) error {
				m := <-got
				for _, message := range batch {
					if message.Sequence <= last {
						t.Errorf("message %d came behind %d", message.Sequence, last)
					}
					last = message.Sequence
					m[message.Sequence] = string(message.Data[:10])
				}
				got <- m
				return nil
			})
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return func() map[uint64]string {
		m := <-got
		defer func() { got <- m }()
		return maps.Clone(m)
	}
}

// trouble runs the same story for a disk that is broken by breakIt and repaired by mendIt: clear errors while it lasts,
// service afterwards, nothing lost that was acknowledged.
func trouble(t *testing.T, dir string, breakIt, mendIt func()) {
	t.Helper()
	b := open(t, bus.Config{Dir: filepath.Join(dir, "bus")})
	consumed := follow(t, b)
	ledger := map[uint64]string{}
	number := 0
	store := func() error {
		number++
		text := fmt.Sprintf("%010d", number)
		data := append([]byte(text), make([]byte, 64<<10)...)
		sequence, err := b.Publish(t.Context(), bus.AlertSubject("main", 0), data)
		if err == nil {
			ledger[sequence] = text
		}
		return err
	}
	for round := range 3 {
		for range 5 {
			if err := store(); err != nil {
				t.Fatalf("round %d: %v on a good disk", round, err)
			}
		}
		breakIt()
		var err error
		eventually(t, "an error on a bad disk", func() bool { err = store(); return err != nil })
		if !errors.Is(err, bus.ErrUnavailable) {
			t.Fatalf("round %d: got %v, want ErrUnavailable", round, err)
		}
		t.Logf("round %d: %v", round, err)
		if err := store(); !errors.Is(err, bus.ErrUnavailable) {
			t.Errorf("round %d: second message: got %v, want ErrUnavailable", round, err)
		}
		mendIt()
		eventually(t, "service on a mended disk", func() bool { return store() == nil })
	}
	eventually(t, "the consumer has everything that was acknowledged", func() bool {
		got := consumed()
		for sequence, text := range ledger {
			if got[sequence] != text {
				return false
			}
		}
		return true
	})
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	again := follow(t, open(t, bus.Config{Dir: filepath.Join(dir, "bus")}))
	eventually(t, "everything is there after a restart", func() bool {
		got := again()
		for sequence, text := range ledger {
			if got[sequence] != text {
				return false
			}
		}
		return true
	})
}

func TestFullDiskIsAClearErrorAndHeals(t *testing.T) {
	dir := smallDisk(t, "64m")
	filler := filepath.Join(dir, "filler")
	trouble(t, dir, func() {
		file, err := os.Create(filler)
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			_, err = file.Write(make([]byte, 16<<10))
		}
		_ = file.Close()
	}, func() {
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
	})
}

func TestReadOnlyDiskIsAClearErrorAtTheStart(t *testing.T) {
	dir := smallDisk(t, "64m")
	remount(t, "mount", "-o", "remount,ro", dir)
	_, err := bus.Open(t.Context(), bus.Config{Dir: filepath.Join(dir, "bus")}, slog.New(slog.DiscardHandler))
	if !errors.Is(err, bus.ErrUnavailable) {
		t.Fatalf("got %v, want ErrUnavailable", err)
	}
	t.Log(err)
	remount(t, "mount", "-o", "remount,rw", dir)
	publish(t, open(t, bus.Config{Dir: filepath.Join(dir, "bus")}), "a")
}
