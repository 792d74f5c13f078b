package notify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
	"github.com/fairlead/fairlead/test/postgres"
)

// server is the built binary with a configuration, and the targets that it tells.
type server struct {
	*testing.T
	dir, url string
	command  *exec.Cmd
	// environment is the process's.
	environment []string
	log         bytes.Buffer
	targets     *targets
	http        *httptest.Server
	post        *postOffice
}

// newServer writes the files, in which TARGETS and SMTP stand for the addresses of the targets, and starts the binary.
func newServer(t *testing.T, files map[string]string) *server {
	t.Helper()
	s := &server{T: t, dir: t.TempDir(), targets: newTargets(), environment: postgres.Environment(t)}
	s.http = httptest.NewServer(s.targets)
	t.Cleanup(func() {
		close(s.targets.done)
		s.http.Close()
	})
	var err error
	if s.post, err = openPostOffice(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.post.close() })
	s.write(files)
	s.start()
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("the server's log:\n%s", &s.log)
		}
	})
	return s
}

func (s *server) write(files map[string]string) {
	s.Helper()
	for name, text := range files {
		text = strings.NewReplacer("TARGETS", s.http.URL, "SMTP", s.post.listener.Addr().String()).Replace(text)
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			s.Fatal(err)
		}
	}
}

func (s *server) start() {
	s.Helper()
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.Fatal(err)
	}
	address := probe.Addr().String()
	if err := probe.Close(); err != nil {
		s.Fatal(err)
	}
	s.url = "http://" + address
	s.command = exec.Command(need.Binary(s.T), "serve", "--dev", "--config", filepath.Join(s.dir, "fairlead.yml"), "--data.dir", filepath.Join(s.dir, "data"),
		"--http.listen", address, "--otlp.grpc.listen", "", "--otlp.http.listen", "")
	s.command.Env = s.environment
	s.command.Stdout, s.command.Stderr = &s.log, &s.log
	if err := s.command.Start(); err != nil {
		s.Fatal(err)
	}
	need.Eventually(s.T, 60*time.Second, "the server to be ready", func() bool {
		status, _ := s.ask(http.MethodGet, "/-/ready", "")
		return status == http.StatusOK
	})
}

// kill ends the server without a word.
func (s *server) kill() {
	_ = s.command.Process.Kill()
	_ = s.command.Wait() // it was killed, and says so
}

// ask returns status and body; status 0 when nobody answered.
func (s *server) ask(method, path, body string) (int, []byte) {
	r, err := http.NewRequestWithContext(s.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		return 0, nil
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, nil
	}
	return answer.StatusCode, text
}

// alert sends an alert, "name=value ..."; with ended it has ended.
func (s *server) alert(ended bool, labels string) bool {
	set := map[string]string{"severity": "critical"}
	for word := range strings.FieldsSeq(labels) {
		name, value, _ := strings.Cut(word, "=")
		set[name] = value
	}
	one := map[string]any{"labels": set, "annotations": map[string]string{"summary": "it is bad"}, "generatorURL": "http://prometheus.example.org/graph"}
	if ended {
		one["endsAt"] = time.Now().UTC().Format(time.RFC3339Nano)
	}
	text, err := json.Marshal([]any{one})
	if err != nil {
		s.Fatal(err)
	}
	status, _ := s.ask(http.MethodPost, "/api/v2/alerts", string(text))
	return status == http.StatusOK
}

func (s *server) fire(labels string) {
	s.Helper()
	if !s.alert(false, labels) {
		s.Fatalf("the alert %s was not accepted", labels)
	}
}

func (s *server) end(labels string) {
	s.Helper()
	if !s.alert(true, labels) {
		s.Fatalf("the end of the alert %s was not accepted", labels)
	}
}

// delivery is one of our API.
type delivery struct {
	ID, Key, Receiver, Integration, Incident, Why, State, Reason string
	AlertCount, Attempts                                         int
	NextAttemptAt                                                *time.Time
}

func (s *server) deliveries(query string) []delivery {
	s.Helper()
	var all []delivery
	for cursor := ""; ; {
		var page struct {
			Items []delivery
			Next  string
		}
		status, body := s.ask(http.MethodGet, fmt.Sprintf("/api/fairlead/v1/deliveries?limit=500&cursor=%s&%s", cursor, query), "")
		if err := json.Unmarshal(body, &page); status != http.StatusOK || err != nil {
			s.Fatalf("list deliveries: %d %s %v", status, body, err)
		}
		all = append(all, page.Items...)
		if cursor = page.Next; cursor == "" {
			return all
		}
	}
}
