// Package badinput_test sends what nobody should send to the built binary, and looks at the answer, at what was kept, and at
// whether others were slowed.
//
// The table of TestBadRequests is the contract for wrong requests; docs/reference/bad-input.md is written from it
// (go test ./test/badinput -update). The other tests are about what is not one request: floods, senders that stop half-way,
// wrong configuration, dead letters, and disks that are full or read-only.
package badinput_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

// server is one running fairlead serve.
type server struct {
	url     string
	dir     string
	log     *safeBuffer
	command *exec.Cmd
	done    chan error
}

// safeBuffer is a buffer that a process writes and a test reads.
type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

// Write is io.Writer's.
func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// String returns what was written so far.
func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// environment returns ours without what configures a server, and with more.
func environment(more ...string) []string {
	ours := slices.DeleteFunc(os.Environ(), func(setting string) bool { return strings.HasPrefix(setting, "FAIRLEAD_") })
	return append(ours, more...)
}

// launch starts the binary on a data folder without waiting for it to be ready.
func launch(t *testing.T, dir string, settings []string, args ...string) *server {
	t.Helper()
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("find a free port: %v", err)
	}
	address := probe.Addr().String()
	if err := probe.Close(); err != nil {
		t.Fatalf("find a free port: %v", err)
	}
	s := &server{url: "http://" + address, dir: dir, log: &safeBuffer{}, done: make(chan error, 1)}
	args = append([]string{"serve", "--dev", "--data.dir", dir, "--http.listen", address, "--otlp.grpc.listen", "", "--otlp.http.listen", ""}, args...)
	s.command = exec.Command(need.Binary(t), args...)
	s.command.Stdout, s.command.Stderr, s.command.Env = s.log, s.log, environment(settings...)
	if err := s.command.Start(); err != nil {
		t.Fatalf("start the server: %v", err)
	}
	go func() { s.done <- s.command.Wait() }()
	t.Cleanup(func() {
		_ = s.command.Process.Kill()
		<-s.done
		if t.Failed() {
			t.Logf("the server's log:\n%s", s.log)
		}
	})
	return s
}

// serve starts the binary and waits until it is ready.
func serve(t *testing.T, dir string, settings []string, args ...string) *server {
	t.Helper()
	s := launch(t, dir, settings, args...)
	need.Eventually(t, 20*time.Second, "the server to be ready", func() bool {
		answer, err := http.Get(s.url + "/-/ready")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	return s
}

// ended waits for the server to end by itself and returns its exit code.
func (s *server) ended(t *testing.T, limit time.Duration) int {
	t.Helper()
	select {
	case err := <-s.done:
		s.done <- err // for the clean-up
		return s.command.ProcessState.ExitCode()
	case <-time.After(limit):
		t.Fatalf("the server still runs after %v", limit)
		return 0
	}
}

// problem is an answer other than success.
type problem struct {
	Status int
	Detail string
	Errors []struct {
		Field, Remedy string
		Value         any
	}
}

// answer is what came back for one request.
type answer struct {
	status int
	header http.Header
	body   string
	took   time.Duration
}

// problem decodes the answer's problem details.
func (a answer) problem(t *testing.T) problem {
	t.Helper()
	var p problem
	if kind := a.header.Get("Content-Type"); kind != "application/problem+json" {
		t.Errorf("got Content-Type %q with %d %s, want application/problem+json", kind, a.status, a.body)
		return p
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Errorf("got a body that is no JSON: %v: %s", err, a.body)
	}
	return p
}

// send sends one request; headers are "Name: value".
func (s *server) send(t *testing.T, client *http.Client, method, path string, body io.Reader, headers ...string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, s.url+path, body)
	if err != nil {
		t.Fatalf("make a request: %v", err)
	}
	request.Header.Set("Content-Type", "application/json")
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		if name == "Host" {
			request.Host = value
		}
		request.Header.Set(name, value)
	}
	started := time.Now()
	response, err := client.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: read the answer: %v", method, path, err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: string(text), took: time.Since(started)}
}

// get decodes the answer of our API.
func (s *server) get(t *testing.T, path string, into any) {
	t.Helper()
	a := s.send(t, http.DefaultClient, http.MethodGet, "/api/fairlead/v1"+path, http.NoBody)
	if a.status != http.StatusOK {
		t.Fatalf("GET %s: got %d: %s", path, a.status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), into); err != nil {
		t.Fatalf("GET %s: %v: %s", path, err, a.body)
	}
}

// alertRow is what we read of an alert.
type alertRow struct {
	ID, Name string
	Labels   map[string]string
}

// names returns the names of all stored alerts whose name contains part.
func (s *server) names(t *testing.T, part string) []string {
	t.Helper()
	var page struct{ Items []alertRow }
	s.get(t, "/alerts?limit=200&q="+part, &page)
	var names []string
	for _, item := range page.Items {
		if strings.Contains(item.Name, part) {
			names = append(names, item.Name)
		}
	}
	slices.Sort(names)
	return names
}

// letter is a dead letter.
type letter struct{ ID, Receiver, Reason, Payload string }

// letters returns the newest dead letters.
func (s *server) letters(t *testing.T) []letter {
	t.Helper()
	var page struct{ Items []letter }
	s.get(t, "/dead-letters?limit=200", &page)
	return page.Items
}

// resident returns how much memory the server holds, in bytes.
func (s *server) resident(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(s.command.Process.Pid), "status"))
	if err != nil {
		t.Skipf("how much memory a process holds cannot be told here: %v", err)
	}
	var kilobytes int64
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
				t.Fatalf("read %q: %v", line, err)
			}
		}
	}
	return kilobytes << 10
}

// alerts encodes alerts of the given names that fire.
func alerts(names ...string) string {
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = fmt.Sprintf(`{"labels":{"alertname":%q,"severity":"warning"}}`, name)
	}
	return "[" + strings.Join(parts, ",") + "]"
}
