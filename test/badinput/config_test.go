package badinput_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

func TestWrongConfigurationIsRefusedWithItsLine(t *testing.T) {
	binary := need.Binary(t)
	tests := []struct {
		name, file string
		want       []string
	}{
		{"an unknown key", "log:\n  level: info\n  colour: red\n", []string{"line 3", "colour", "unknown key"}},
		{"a bad duration", "receive:\n  resolve_timeout: soon\n", []string{"line 2", "soon", "duration"}},
		{"a number where a text is wanted", "http:\n  listen: [1]\n", []string{"line 2"}},
		{"a value out of bounds", "incident:\n  hold_critical: 5m\n", []string{"line 2", "hold_critical", "30s"}},
		{"a proxy that is no address", "access:\n  trusted_proxies: [nginx]\n", []string{"line 2", "trusted_proxies", "10.0.0.0/24"}},
		{"a bad matcher", "inhibit_rules:\n  - source_matchers: ['a=~\"(\"']\n    target_matchers: [b=c]\n", []string{"inhibit_rules[0].source_matchers[0]"}},
		{"no YAML at all", "log: [\n", []string{"line"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "fairlead.yml")
			if err := os.WriteFile(file, []byte(test.file), 0o600); err != nil {
				t.Fatalf("write: %v", err)
			}
			for command, code := range map[string]int{"check-config": 1, "serve": 2} {
				args := []string{command, file}
				if command == "serve" {
					args = []string{command, "--config", file, "--data.dir", t.TempDir()}
				}
				process := exec.Command(binary, args...)
				process.Env = environment()
				output, _ := process.CombinedOutput() // the exit code says it
				if got := process.ProcessState.ExitCode(); got != code {
					t.Errorf("%s: got exit code %d, want %d: %s", command, got, code, output)
				}
				for _, part := range test.want {
					if !strings.Contains(string(output), part) {
						t.Errorf("%s: got %q, want %q in it", command, output, part)
					}
				}
			}
		})
	}
}

func TestAGoodConfigurationIsFine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "fairlead.yml")
	if err := os.WriteFile(file, []byte("receive:\n  resolve_timeout: 10m\n"), 0o600); err != nil {
		t.Fatalf("write: %v", err)
	}
	process := exec.Command(need.Binary(t), "check-config", file)
	process.Env = environment()
	if output, err := process.CombinedOutput(); err != nil {
		t.Errorf("got %v: %s, want success", err, output)
	}
}

func TestABadReloadKeepsTheRunningConfiguration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "fairlead.yml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatalf("write: %v", err)
		}
	}
	rule := "inhibit_rules:\n  - {source_matchers: [alertname=\"ClusterDown\"], target_matchers: [severity=\"warning\"]}\n"
	write(rule)
	s := serve(t, t.TempDir(), nil, "--config", file)

	write("inhibit_rules:\n  - {source: nonsense}\n")
	got := s.send(t, http.DefaultClient, http.MethodPost, "/-/reload", http.NoBody)
	if got.status/100 == 2 || !strings.Contains(got.body, "line 2") {
		t.Errorf("reload by HTTP: got %d %s, want a refusal with line 2", got.status, got.body)
	}
	if err := s.command.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatalf("signal: %v", err)
	}
	need.Eventually(t, 10*time.Second, "the log to say that the file was refused", func() bool { return strings.Contains(s.log.String(), "not reloaded") })

	// The rule of the first file still mutes.
	s.send(t, http.DefaultClient, http.MethodPost, "/api/v2/alerts", strings.NewReader(`[{"labels":{"alertname":"ClusterDown"}}]`))
	s.send(t, http.DefaultClient, http.MethodPost, "/api/v2/alerts", strings.NewReader(alerts("Inhibited")))
	need.Eventually(t, 10*time.Second, "the alert to be inhibited by the rule of the first file", func() bool {
		return s.disposition(t, "Inhibited") == "inhibited"
	})

	// And a good file is taken.
	write("{}\n")
	if got := s.send(t, http.DefaultClient, http.MethodPost, "/-/reload", http.NoBody); got.status/100 != 2 {
		t.Errorf("reload of a good file: got %d %s, want success", got.status, got.body)
	}
	need.Eventually(t, 10*time.Second, "the alert to be inhibited no longer", func() bool {
		return s.disposition(t, "Inhibited") != "inhibited"
	})
}

// disposition returns what became of the alert with this name.
func (s *server) disposition(t *testing.T, name string) string {
	t.Helper()
	var page struct {
		Items []struct{ Name, Disposition string }
	}
	s.get(t, "/alerts?q="+name, &page)
	for _, item := range page.Items {
		if item.Name == name {
			return item.Disposition
		}
	}
	return ""
}
