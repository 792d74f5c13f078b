package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fairlead.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestABadConfigurationIsRefusedByLineValueAndRemedy(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"unknown key":                  {"data:\n  dir: x\n  dirr: y\n", []string{"line 3", `unknown key "dirr"`, "remove it"}},
		"unknown key at the top":       {"dta: {}\n", []string{"line 1", `"dta"`}},
		"bad duration":                 {"alert:\n  return: 5x\n", []string{"line 2", `"5x"`, "a duration such as"}},
		"a number is expected":         {"bus:\n  max_bytes: many\n", []string{"line 2", `"many"`, "a whole number"}},
		"not YAML":                     {"data: [\n", []string{"line 1", "check the YAML"}},
		"a tab":                        {"data:\n\tdir: x\n", []string{"line 2"}},
		"two problems are both named":  {"a: 1\nalert:\n  return: x\n", []string{`unknown key "a"`, "line 3"}},
		"a proxy that is no address":   {"access:\n  trusted_proxies: [nginx]\n", []string{"line 2", "access.trusted_proxies", "nginx", "10.0.0.0/24"}},
		"a host with a scheme":         {"access:\n  hosts: [\"https://x.org\"]\n", []string{"line 2", "access.hosts", "https://x.org", "without scheme"}},
		"a hold that is too long":      {"incident:\n  hold_critical: 31s\n", []string{"line 2", "incident.hold_critical", "31s", "30s"}},
		"a settling time of nothing":   {"incident:\n  settle: 0s\n", []string{"line 2", "incident.settle", "0s", "1s and 24h"}},
		"an unknown clock":             {"clock: sundial\n", []string{"line 1", "sundial", "wall or event"}},
		"a negative time-out":          {"receive:\n  resolve_timeout: -1s\n", []string{"line 2", "-1s"}},
		"a broken matcher":             {"inhibit_rules:\n  - source_matchers: ['a=b']\n    target_matchers: ['=']\n", []string{"inhibit_rules[0].target_matchers[0]"}},
		"a flap constant out of range": {"alert:\n  flap_returns: 0\n", []string{"line 2", "alert.flap_returns", "0"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, test.text)
			_, err := LoadConfig(path, nil)
			if err == nil {
				t.Fatal("it was accepted")
			}
			for _, want := range append(test.want, path) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not contain %q", err, want)
				}
			}
		})
	}
}

func TestTheEnvironmentWinsOverTheFile(t *testing.T) {
	path := write(t, "alert:\n  return: 2m\nlog:\n  level: warn\n")
	cfg, err := LoadConfig(path, []string{"FAIRLEAD_ALERT_RETURN=4m", "FAIRLEAD_HTTP_LISTEN=127.0.0.1:1", "FAIRLEAD_DATA=/elsewhere", "OTHER=1"})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Alert.Return != 4*time.Minute || cfg.HTTP.Listen != "127.0.0.1:1" || cfg.Log.Level != "warn" || cfg.Data.Dir != "fairlead-data" {
		t.Errorf("got %+v", cfg)
	}
}

func TestABadEnvironmentIsRefusedByName(t *testing.T) {
	for pair, want := range map[string]string{
		"FAIRLEAD_ALERT_RETURN=soon": "a duration such as",
		"FAIRLEAD_HTP_LISTEN=x":      "names no key",
		"FAIRLEAD_BUS_MAX_BYTES=1.5": "a whole number",
	} {
		_, err := LoadConfig("", []string{pair})
		name, _, _ := strings.Cut(pair, "=")
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want one with the name and %q", pair, err, want)
		}
	}
}

func TestNoFileIsNeeded(t *testing.T) {
	cfg, err := LoadConfig("", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(Keys(&cfg)); got < 10 {
		t.Errorf("got %d keys, want at least 10", got)
	}
}
