package badinput_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

// mount makes a small disk of its own; the test skips where that is not allowed.
func mount(t *testing.T, size string) string {
	t.Helper()
	folder := t.TempDir()
	if err := syscall.Mount("fairlead-test", folder, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v (needs root on Linux)", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return folder
}

// accepted sends one alert and reports whether it was taken; a refusal must be a 503 that says when to try again.
func (s *server) accepted(t *testing.T, name string) bool {
	t.Helper()
	got := s.send(t, http.DefaultClient, http.MethodPost, "/api/v2/alerts", strings.NewReader(alerts(name)))
	switch {
	case got.status == http.StatusOK:
		return true
	case got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "":
		t.Errorf("%s: got %d %s with Retry-After %q, want 200, or 503 with a time", name, got.status, got.body, got.header.Get("Retry-After"))
	case got.problem(t).Detail == "":
		t.Errorf("%s: the refusal has no reason", name)
	}
	return false
}

func TestAFullDiskLosesNothingAndHeals(t *testing.T) {
	disk := mount(t, "48m")
	s := serve(t, filepath.Join(disk, "data"), nil)
	var taken []string
	send := func(name string) bool {
		ok := s.accepted(t, name)
		if ok {
			taken = append(taken, name)
		}
		return ok
	}
	if !send("BeforeFull") {
		t.Fatal("the first alert was refused")
	}
	need.Eventually(t, 10*time.Second, "the first alert", func() bool { return len(s.names(t, "BeforeFull")) == 1 })

	ballast := filepath.Join(disk, "ballast")
	fill(t, ballast)
	refused := false
	for i := 0; i < 3000 && !refused; i++ {
		refused = !send(fmt.Sprintf("WhileFull%04d", i))
	}
	if !refused {
		t.Fatal("3000 alerts were taken on a full disk")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatalf("make room: %v", err)
	}
	need.Eventually(t, 60*time.Second, "alerts to be taken again", func() bool { return send("AfterFull") })
	for _, name := range taken {
		need.Eventually(t, 30*time.Second, "what was answered with 200: "+name, func() bool { return len(s.names(t, name)) == 1 })
	}
}

// fill writes a file until the disk has no room.
func fill(t *testing.T, name string) {
	t.Helper()
	file, err := os.Create(name)
	if err != nil {
		t.Fatalf("fill the disk: %v", err)
	}
	defer file.Close()
	block := make([]byte, 64<<10)
	for err == nil {
		_, err = file.Write(block)
	}
	for err = nil; err == nil; { // the last bytes too
		_, err = file.Write(block[:512])
	}
}

func TestAReadOnlyDiskIsAClearErrorAndLosesNothing(t *testing.T) {
	disk := mount(t, "64m")
	folder := filepath.Join(disk, "data")
	first := serve(t, folder, nil)
	if !first.accepted(t, "BeforeReadOnly") {
		t.Fatal("the first alert was refused")
	}
	if err := first.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("end the server: %v", err)
	}
	if code := first.ended(t, 20*time.Second); code != 0 {
		t.Errorf("got exit code %d after SIGTERM, want 0", code)
	}
	// A disk can only become read-only while nobody writes to it.
	remount := func(flags uintptr) error {
		return syscall.Mount("fairlead-test", disk, "tmpfs", syscall.MS_REMOUNT|flags, "size=64m")
	}
	if err := remount(syscall.MS_RDONLY); err != nil {
		t.Skipf("a disk cannot be made read-only here: %v", err)
	}
	second := launch(t, folder, nil)
	if code := second.ended(t, 20*time.Second); code != 1 {
		t.Errorf("got exit code %d on a read-only disk, want 1", code)
	}
	if log := second.log.String(); !strings.Contains(log, folder) || !strings.Contains(log, "read-only") {
		t.Errorf("got the output %q, want the folder and read-only in it", log)
	}
	if err := remount(0); err != nil {
		t.Fatalf("make the disk writable: %v", err)
	}
	third := serve(t, folder, nil)
	if !third.accepted(t, "AfterReadOnly") {
		t.Error("an alert was refused after the disk had become writable")
	}
	need.Eventually(t, 30*time.Second, "the alerts", func() bool {
		return len(third.names(t, "BeforeReadOnly")) == 1 && len(third.names(t, "AfterReadOnly")) == 1
	})
}

func TestASecondServerOnTheSameFolderIsRefused(t *testing.T) {
	folder := t.TempDir()
	serve(t, folder, nil)
	second := launch(t, folder, nil)
	if code := second.ended(t, 20*time.Second); code != 1 {
		t.Errorf("got exit code %d, want 1", code)
	}
	if log := second.log.String(); !strings.Contains(log, folder) {
		t.Errorf("got the output %q, want the folder in it", log)
	}
}
