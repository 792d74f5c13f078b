// Package e2e runs the built binary together with the real tools that people use beside it: Debian's Prometheus, Nagios, Icinga and
// Alertmanager's amtool. Everything is in its tests; this file starts and stops the processes.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
	"github.com/fairlead/fairlead/test/postgres"
)

// logs collects what a process prints.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

// Write is io.Writer's.
func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns what was printed so far.
func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// start runs a process until the test ends. Its log is shown when the test failed.
func start(t *testing.T, name, path string, args ...string) {
	t.Helper()
	startWith(t, nil, name, path, args...)
}

// startWith is start with an environment; nil is ours.
func startWith(t *testing.T, environment []string, name, path string, args ...string) {
	t.Helper()
	log := &logs{}
	command := exec.Command(path, args...)
	command.Stdout, command.Stderr = log, log
	command.Env = environment
	// A group of its own, so that what it starts ends with it.
	command.SysProcAttr, command.WaitDelay = &syscall.SysProcAttr{Setpgid: true}, 5*time.Second
	if err := command.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL) // it may have ended by itself
		_ = command.Wait()
		if t.Failed() {
			t.Logf("the log of %s:\n%s", name, log)
		}
	})
}

// freeAddress returns a loopback address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("find a free port: %v", err)
	}
	defer func() { _ = probe.Close() }()
	return probe.Addr().String()
}

// serve runs the built binary with more arguments and returns its address, host:port, once it is ready.
func serve(t *testing.T, args ...string) string {
	t.Helper()
	address := freeAddress(t)
	startWith(t, postgres.Environment(t), "fairlead", need.Binary(t), append([]string{
		"serve", "--dev", "--data.dir", t.TempDir(), "--http.listen", address, "--otlp.grpc.listen", "", "--otlp.http.listen", "",
	}, args...)...)
	ready(t, "http://"+address+"/-/ready")
	return address
}

// ready waits until url answers 200.
func ready(t *testing.T, url string) {
	t.Helper()
	need.Eventually(t, 60*time.Second, url+" to answer", func() bool {
		status, _ := get(t.Context(), url)
		return status == http.StatusOK
	})
}

// get returns status and body; status 0 when nobody answered.
func get(ctx context.Context, url string) (int, []byte) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, nil
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, nil
	}
	return answer.StatusCode, body
}

// list returns the items of one of our API's lists.
func list[T any](t *testing.T, url string) []T {
	t.Helper()
	status, body := get(t.Context(), url)
	var page struct {
		Items []T `json:"items"`
	}
	if err := json.Unmarshal(body, &page); status != http.StatusOK || err != nil {
		t.Fatalf("get %s: %d %s %v", url, status, body, err)
	}
	return page.Items
}

// run runs a command to its end and returns what it printed.
func run(t *testing.T, path string, args ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), err
}
