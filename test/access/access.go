// Package access tests who may do what through the built binary: the first link, sessions, tokens, requests from foreign
// pages, and logging in through a real provider of OpenID Connect (test/oidc). Everything is in its tests; this file starts
// and stops the processes.
package access

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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

func freeAddress(t *testing.T) string {
	t.Helper()
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = probe.Close() }()
	return probe.Addr().String()
}

// process is something that runs until the test ends.
type process struct {
	command  *exec.Cmd
	out, err *logs
}

func start(t *testing.T, environment []string, path string, args ...string) *process {
	t.Helper()
	p := &process{out: &logs{}, err: &logs{}}
	p.command = exec.Command(path, args...)
	p.command.Stdout, p.command.Stderr, p.command.Env = p.out, p.err, environment
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s:\n%s%s", filepath.Base(path), p.out, p.err)
		}
	})
	return p
}

// kill ends the process at once, as kill -9.
func (p *process) kill() {
	_ = p.command.Process.Signal(syscall.SIGKILL) // it may have ended by itself
	_ = p.command.Wait()
}

// server is a Fairlead that needs a login.
type server struct {
	*process
	t    *testing.T
	dir  string
	url  string
	args []string
	// environment is the process's and that of commands beside it.
	environment []string
}

const prefix = "/api/fairlead/v1"

// serve starts the built binary in an empty folder, with a configuration if that is not "".
func serve(t *testing.T, config string, args ...string) *server {
	t.Helper()
	s := &server{t: t, dir: t.TempDir(), environment: postgres.Environment(t)}
	address := freeAddress(t)
	s.url = "http://" + address
	s.args = append([]string{"serve", "--data.dir", filepath.Join(s.dir, "data"), "--http.listen", address, "--otlp.grpc.listen", "", "--otlp.http.listen", ""}, args...)
	if config != "" {
		file := filepath.Join(s.dir, "fairlead.yml")
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(config, "URL", s.url)), 0o600); err != nil {
			t.Fatal(err)
		}
		s.args = append(s.args, "--config", file)
	}
	s.start()
	return s
}

func (s *server) start() {
	s.t.Helper()
	s.process = start(s.t, s.environment, need.Binary(s.t), s.args...)
	need.Eventually(s.t, 60*time.Second, "the server to be ready", func() bool {
		answer, err := http.Get(s.url + "/-/ready") //nolint:noctx // it answers or refuses at once
		if err != nil {
			return false
		}
		_ = answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
}

// command prepares a command of the binary on the server's data folder.
func (s *server) command(words ...string) *exec.Cmd {
	c := exec.CommandContext(s.t.Context(), need.Binary(s.t), append(words, "--data.dir", filepath.Join(s.dir, "data"))...)
	c.Env = s.environment
	return c
}

var linkText = regexp.MustCompile(`fll_[A-Za-z0-9_-]{43}`)

// firstLink returns the secret of the link that the server has printed.
func (s *server) firstLink() string {
	s.t.Helper()
	var link string
	need.Eventually(s.t, 20*time.Second, "the first link", func() bool {
		link = linkText.FindString(s.out.String())
		return link != ""
	})
	return link
}

// browser keeps cookies and shows the CSRF token that it was given.
type browser struct {
	*http.Client
	s    *server
	csrf string
}

func (s *server) browser() *browser {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{Client: &http.Client{Jar: jar, Timeout: 30 * time.Second}, s: s}
}

// do sends JSON to our API and decodes the answer, if into is not nil.
func (b *browser) do(method, path, body string, into any, headers ...string) (int, string) {
	b.s.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, b.s.url+prefix+path, strings.NewReader(body))
	if err != nil {
		b.s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if b.csrf != "" {
		r.Header.Set("Fairlead-CSRF", b.csrf)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
	}
	answer, err := b.Do(r)
	if err != nil {
		b.s.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.s.t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(text, into); err != nil {
			b.s.t.Fatalf("%s %s: %d %s", method, path, answer.StatusCode, text)
		}
	}
	return answer.StatusCode, string(text)
}

// must is do with a status that must be.
func (b *browser) must(want int, method, path, body string, into any, headers ...string) string {
	b.s.t.Helper()
	status, text := b.do(method, path, body, into, headers...)
	if status != want {
		b.s.t.Fatalf("%s %s: %d %s, want %d", method, path, status, text, want)
	}
	return text
}

// me is what the server says of who asks.
type me struct {
	User, Via, CSRF, Session string
	Roles                    []string
	Grants                   []struct {
		Role  string
		Teams []string
	}
}

const password = "violet tractor nine lamp"

// admin opens the first link as ann.
func (s *server) admin() *browser {
	s.t.Helper()
	b := s.browser()
	var who me
	b.must(200, http.MethodPost, "/links/open", `{"link":"`+s.firstLink()+`","name":"ann","password":"`+password+`"}`, &who)
	b.csrf = who.CSRF
	return b
}

// user lets an admin make a user, who opens the link.
func (b *browser) user(name, grants string) *browser {
	b.s.t.Helper()
	var made struct{ Link struct{ Path string } }
	b.must(200, http.MethodPost, "/users", `{"name":"`+name+`","grants":`+grants+`}`, &made)
	other := b.s.browser()
	var who me
	other.must(200, http.MethodPost, "/links/open", `{"link":"`+linkText.FindString(made.Link.Path)+`","password":"`+password+`"}`, &who)
	other.csrf = who.CSRF
	return other
}
