package notify

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/test/need"
)

const (
	peerWait     = 2 * time.Second
	peerInterval = 4 * time.Second
)

const peerRoutes = `
route:
  receiver: all
  group_by: [service]
  group_wait: 2s
  group_interval: 4s
  repeat_interval: 6s
  routes:
  - matchers: [team="b"]
    receiver: b
    group_by: ['...']
    continue: true
  - matchers: [team=~"b|c"]
    receiver: all
    repeat_interval: 1h
inhibit_rules:
- source_matchers: [severity="critical"]
  target_matchers: [severity="info"]
  equal: [service]
receivers:
- name: all
  webhook_configs: [{url: HOOK/all}]
- name: b
  webhook_configs: [{url: HOOK/b, send_resolved: false}]
`

// told is one notification: whom, of which group, what it said and when.
type told struct {
	what string // "receiver group: status names", with "-" behind the names of ended alerts
	at   time.Time
}

// listener is a webhook that keeps what it was told.
type listener struct {
	*httptest.Server
	mu    sync.Mutex
	heard []told // guarded by mu
}

func newListener(t *testing.T) *listener {
	l := &listener{}
	l.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		at := time.Now()
		var m struct {
			Status, Receiver, GroupKey string
			Alerts                     []struct {
				Status string
				Labels map[string]string
			}
		}
		if json.NewDecoder(r.Body).Decode(&m) != nil {
			return
		}
		var names []string
		for _, a := range m.Alerts {
			name := a.Labels["alertname"]
			if a.Status == "resolved" {
				name += "-"
			}
			names = append(names, name)
		}
		slices.Sort(names)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.heard = append(l.heard, told{fmt.Sprintf("%s %s: %s %s", m.Receiver, m.GroupKey, m.Status, strings.Join(names, " ")), at})
	}))
	t.Cleanup(l.Close)
	return l
}

// byGroup returns what was told of each group, in order.
func (l *listener) byGroup() (what map[string][]string, when map[string][]time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	what, when = map[string][]string{}, map[string][]time.Time{}
	for _, one := range l.heard {
		group, text, _ := strings.Cut(one.what, "}: ")
		what[group], when[group] = append(what[group], text), append(when[group], one.at)
	}
	return what, when
}

// startPeer runs an Alertmanager and returns its address.
func startPeer(t *testing.T, tool, config string) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := probe.Addr().String()
	if err := probe.Close(); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(tool, "--config.file="+file, "--storage.path="+dir, "--web.listen-address="+address, "--cluster.listen-address=")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait() // it was killed, and says so
	})
	peer := &server{T: t, url: "http://" + address}
	need.Eventually(t, 60*time.Second, "Alertmanager to be ready", func() bool {
		status, _ := peer.ask(http.MethodGet, "/-/ready", "")
		return status == http.StatusOK
	})
	return peer.url
}

// groupsOf returns the answer of /api/v2/alerts/groups in a form that does not depend on its order, each line a group.
func groupsOf(t *testing.T, url, query string) []string {
	t.Helper()
	one := &server{T: t, url: url}
	status, body := one.ask(http.MethodGet, "/api/v2/alerts/groups?"+query, "")
	type name struct{ Name string }
	var groups []struct {
		Labels   map[string]string
		Receiver name
		Alerts   []struct {
			Fingerprint string
			Labels      map[string]string
			Receivers   []name
			Status      struct {
				State       string
				InhibitedBy []string
				SilencedBy  []string
			}
		}
	}
	if err := json.Unmarshal(body, &groups); status != http.StatusOK || err != nil {
		t.Fatalf("groups of %s: %d %s %v", url, status, body, err)
	}
	var lines []string
	for _, g := range groups {
		var alerts []string
		for _, a := range g.Alerts {
			slices.SortFunc(a.Receivers, func(a, b name) int { return strings.Compare(a.Name, b.Name) })
			text, err := json.Marshal(a)
			if err != nil {
				t.Fatal(err)
			}
			alerts = append(alerts, string(text))
		}
		slices.Sort(alerts)
		labels, err := json.Marshal(g.Labels)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%s %s %s", g.Receiver.Name, labels, strings.Join(alerts, " ")))
	}
	slices.Sort(lines)
	return lines
}

// step is what happens at a time of the stream.
type step struct {
	after  time.Duration
	ended  bool
	alerts []string
}

// stream begins and ends alerts far from the moments at which groups are flushed: 2, 6, 10, 14 and 18 s.
var stream = []step{
	{0, false, []string{"alertname=Down service=cart", "alertname=Slow service=cart severity=warning", "alertname=Blip service=search severity=warning"}},
	{0, false, []string{"alertname=Down service=pay team=b severity=warning", "alertname=Full service=disk team=c severity=warning", "alertname=Note service=cart severity=info"}},
	{500 * time.Millisecond, true, []string{"alertname=Blip service=search severity=warning"}},
	{4 * time.Second, false, []string{"alertname=Full service=cart severity=warning"}},
	{8 * time.Second, true, []string{"alertname=Slow service=cart severity=warning"}},
	{8 * time.Second, true, []string{"alertname=Full service=disk team=c severity=warning"}},
	{12 * time.Second, true, []string{"alertname=Down service=cart", "alertname=Full service=cart severity=warning"}},
	{16 * time.Second, true, []string{"alertname=Note service=cart severity=info"}}, // which Down inhibited
}

// TestGroupsAreToldAsARealAlertmanagerTells sends one small stream to a real Alertmanager and to the built binary in group
// mode: both tell the same of each group, in the same order, less than a group_interval apart, and show the same groups.
func TestGroupsAreToldAsARealAlertmanagerTells(t *testing.T) {
	for _, name := range []string{"prometheus-alertmanager", "alertmanager"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tool := need.Tool(t, name)
			theirs, ours := newListener(t), newListener(t)
			peer := &server{T: t, url: startPeer(t, tool, strings.ReplaceAll(peerRoutes, "HOOK", theirs.URL))}
			s := newServer(t, map[string]string{
				"alertmanager.yml": strings.ReplaceAll(peerRoutes, "HOOK", ours.URL),
				"fairlead.yml":     "notify: {alertmanager: alertmanager.yml, per: group}\n",
			})
			begin := time.Now()
			until := func(after time.Duration) { <-time.After(time.Until(begin.Add(after))) }
			same := func(when, query string) {
				t.Helper()
				if diff := cmp.Diff(groupsOf(t, peer.url, query), groupsOf(t, s.url, query)); diff != "" {
					t.Errorf("groups %s, asked for %q (-Alertmanager +Fairlead):\n%s", when, query, diff)
				}
			}
			for i, step := range stream {
				until(step.after)
				for _, labels := range step.alerts {
					if !peer.alert(step.ended, labels) || !s.alert(step.ended, labels) {
						t.Fatalf("%s was not taken", labels)
					}
				}
				if i == len(stream)-2 {
					until(13 * time.Second)
					same("before the end", "")
				}
				if i == 2 {
					until(peerWait + peerInterval/4) // Alertmanager of old knows what is inhibited once it has flushed
					for _, query := range []string{"", "receiver=b", "inhibited=false", "active=false", "filter=" + url.QueryEscape(`service=~"cart|pay"`)} {
						same("after group_wait", query)
					}
				}
			}
			until(19 * time.Second)
			theirWhat, theirWhen := theirs.byGroup()
			ourWhat, ourWhen := ours.byGroup()
			if diff := cmp.Diff(theirWhat, ourWhat); diff != "" {
				t.Fatalf("told by group (-Alertmanager +Fairlead):\n%s", diff)
			}
			for group, times := range theirWhen {
				for i, at := range times {
					apart := ourWhen[group][i].Sub(at)
					t.Logf("%s: %s: Alertmanager after %.1fs, Fairlead %+.1fs", group, theirWhat[group][i], at.Sub(begin).Seconds(), apart.Seconds())
					if apart.Abs() >= peerInterval {
						t.Errorf("%s: %s: told %s apart", group, theirWhat[group][i], apart)
					}
				}
			}
		})
	}
}
