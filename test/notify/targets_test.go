package notify

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

const fairlead = `
incident: {hold_critical: 0s, settle: 1s}
notify:
  alertmanager: alertmanager.yml
  per: group
  external_url: https://fairlead.example.org
  escalation: [{after: 2s, receiver: boss}]
`

const alertmanager = `
global:
  smtp_smarthost: SMTP
  smtp_from: fairlead@example.org
  smtp_require_tls: false
  pagerduty_url: TARGETS/v2/enqueue
route:
  receiver: hook
  group_by: [alertname, service]
  group_wait: 100ms
  group_interval: 500ms
  repeat_interval: 1h
  routes:
  - matchers: ['team="pages"']
    receiver: pages
    continue: true
    routes:
    - matchers: ['service=~"pay.*"']
      receiver: pages
  - matchers: ['team=~"pages|chat"']
    receiver: chat
  - matchers: ['team="post"']
    receiver: post
  - matchers: ['team="asleep"']
    receiver: hook
    mute_time_intervals: [always]
  - matchers: ['team="stuck"']
    receiver: stuck
receivers:
- name: hook
  webhook_configs: [{url: TARGETS/hook/all}]
- name: pages
  pagerduty_configs: [{routing_key: 0123456789abcdef0123456789abcdef, severity: '{{ .CommonLabels.severity }}'}]
- name: chat
  slack_configs:
  - api_url: TARGETS/slack
    channel: '#ops'
    title: '{{ template "own.title" . }}'
    send_resolved: true
- name: post
  email_configs: [{to: ann@example.org, send_resolved: false}]
- name: stuck
  webhook_configs: [{url: TARGETS/hang}]
- name: boss
  webhook_configs: [{url: TARGETS/hook/boss, send_resolved: false}]
templates: ['*.tmpl']
inhibit_rules:
- source_matchers: [alertname=NodeDown]
  target_matchers: [alertname=Slow]
  equal: [node]
time_intervals:
- name: always
  time_intervals: [{weekdays: ['sunday:saturday']}]
`

const template = `{{ define "own.title" }}{{ .Status | toUpper }} {{ .GroupLabels.service }}: {{ range .Alerts }}{{ .Labels.alertname }}: {{ .Annotations.summary }}{{ end }}{{ end }}`

func files() map[string]string {
	return map[string]string{"fairlead.yml": fairlead, "alertmanager.yml": alertmanager, "own.tmpl": template}
}

// TestEachKindOfTargetIsTold sends alerts to the built binary and looks at what webhook, Slack, PagerDuty and a mail server were
// told, with the file that Alertmanager would run with.
func TestEachKindOfTargetIsTold(t *testing.T) {
	s := newServer(t, files())
	soon := func(what string, ok func() bool) {
		t.Helper()
		need.Eventually(t, 20*time.Second, what, ok)
	}

	// First one that never answers: it may delay nobody.
	s.fire("alertname=Stuck team=stuck service=stuck")
	soon("the delivery that hangs to be stored", func() bool { return len(s.deliveries("receiver=stuck&state=pending")) == 1 })

	began := time.Now()
	s.fire("alertname=Down team=pages service=payment")
	soon("PagerDuty to have an incident", func() bool { return s.targets.paged("open") == 1 })
	soon("Slack to be told", func() bool { return len(s.targets.to("/slack")) == 1 })
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("beside a target that hangs it took %s", took)
	}
	slack := s.targets.to("/slack")[0]
	if got, want := slack.text("attachments", 0, "title"), "FIRING payment: Down: it is bad"; got != want || slack.text("channel") != "#ops" {
		t.Errorf("Slack got the title %q in %q, want %q in #ops", got, slack.text("channel"), want)
	}
	page := s.targets.to("/v2/enqueue")[0]
	if !strings.Contains(page.text("payload", "summary"), "Down payment") || page.text("payload", "severity") != "critical" || !strings.HasPrefix(page.text("client_url"), "https://fairlead.example.org") {
		t.Errorf("PagerDuty got %v", page.Body)
	}
	if slack.Key == "" || page.Key == "" || slack.Key == page.Key {
		t.Errorf("the keys are %q and %q", slack.Key, page.Key)
	}

	s.fire("alertname=Full team=post service=disk")
	soon("an e-mail", func() bool { return len(s.post.received()) == 1 })
	mail := s.post.received()[0]
	key := mail.Header.Get("Fairlead-Delivery")
	if mail.To[0] != "ann@example.org" || mail.From != "fairlead@example.org" || !strings.Contains(mail.Header.Get("Subject"), "Full") ||
		!strings.Contains(mail.HTML, "it is bad") || key == "" || mail.Header.Get("Message-Id") != "<"+key+"@fairlead>" {
		t.Errorf("got the e-mail %+v", mail)
	}

	s.fire("alertname=Night team=asleep service=night")
	soon("muting to be recorded", func() bool { return len(s.deliveries("state=muted")) == 1 })
	if muted := s.deliveries("state=muted")[0]; !strings.Contains(muted.Reason, "always") || muted.Receiver != "hook" {
		t.Errorf("muted is %+v", muted)
	}

	s.fire("alertname=NodeDown team=chat node=n1 service=nodes")
	soon("Slack to be told of the node", func() bool { return len(s.targets.to("/slack")) == 2 })
	s.fire("alertname=Slow team=chat node=n1 service=web")
	s.fire("alertname=Slow team=chat node=n2 service=shop")
	soon("Slack to be told of the alert that nothing inhibits", func() bool {
		return strings.Contains(titles(s.targets.to("/slack")), "shop: Slow")
	})
	if got := titles(s.targets.to("/slack")); strings.Contains(got, " web: ") {
		t.Errorf("Slack was told of the inhibited alert too:\n%s", got)
	}

	s.fire("alertname=Odd service=odd")
	soon("the webhook to be told", func() bool { return len(s.targets.to("/hook/all")) == 1 })
	soon("escalation to tell the boss of it", func() bool {
		for _, c := range s.targets.to("/hook/boss") {
			alerts, _ := c.Body["alerts"].([]any)
			for i := range alerts {
				if c.text("alerts", i, "labels", "alertname") == "Odd" {
					return true
				}
			}
		}
		return false
	})

	s.end("alertname=Down team=pages service=payment")
	soon("PagerDuty's incident to be resolved", func() bool { return s.targets.paged("resolved") == 1 })
	soon("Slack to be told of the end", func() bool {
		return strings.Contains(titles(s.targets.to("/slack")), "RESOLVED payment: Down")
	})
	decisions(t, s, "A2", "Told chat by slack[0]", "Told pages by pagerduty[0]")
	decisions(t, s, "A4", "muted by the time interval always")
	alertmanagersView(t, s)
}

func titles(calls []call) string {
	var text []string
	for i := range calls {
		text = append(text, calls[i].text("attachments", 0, "title"))
	}
	return strings.Join(text, "\n")
}

// decisions looks for lines of stage notify in an alert's decision record.
func decisions(t *testing.T, s *server, alert string, wants ...string) {
	t.Helper()
	_, body := s.ask(http.MethodGet, "/api/fairlead/v1/alerts/"+alert+"/decisions", "")
	var d struct {
		Lines []struct{ Stage, Reason string }
	}
	if err := json.Unmarshal(body, &d); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, line := range d.Lines {
		if line.Stage == "notify" {
			text.WriteString(line.Reason + "\n")
		}
	}
	for _, want := range wants {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the decisions of %s say %q, want %q in them", alert, text.String(), want)
		}
	}
}

// alertmanagersView looks at the API that amtool and karma read.
func alertmanagersView(t *testing.T, s *server) {
	t.Helper()
	_, body := s.ask(http.MethodGet, "/api/v2/status", "")
	if !strings.Contains(string(body), "repeat_interval: 1h") || strings.Contains(string(body), "0123456789abcdef") {
		t.Errorf("the status is %s, want the file without its secrets", body)
	}
	_, body = s.ask(http.MethodGet, "/api/v2/receivers", "")
	if got, want := strings.TrimSpace(string(body)), `[{"name":"hook","labels":{}},{"name":"pages","labels":{}},{"name":"chat","labels":{}},{"name":"post","labels":{}},{"name":"stuck","labels":{}},{"name":"boss","labels":{}}]`; got != want {
		t.Errorf("the receivers are %s, want %s", got, want)
	}
	_, body = s.ask(http.MethodGet, "/api/v2/alerts?receiver=post", "")
	if !strings.Contains(string(body), `"receivers":[{"name":"post"}]`) || strings.Contains(string(body), "Odd") {
		t.Errorf("the alerts of a receiver are %s", body)
	}
}

// TestABadFileIsRefused checks what check-config, start and reload say of a broken alertmanager.yml, and that the running
// configuration stays.
func TestABadFileIsRefused(t *testing.T) {
	s := newServer(t, files())
	broken := files()
	broken["alertmanager.yml"] = strings.Replace(alertmanager, "receiver: post\n", "receiver: pots\n", 1)
	s.write(broken)
	before, _, _ := strings.Cut(broken["alertmanager.yml"], "receiver: pots")
	want := fmt.Sprintf("alertmanager.yml: line %d: undefined receiver \"pots\" used in route; define it under receivers", 1+strings.Count(before, "\n"))
	out, err := exec.CommandContext(t.Context(), need.Binary(t), "check-config", filepath.Join(s.dir, "fairlead.yml")).CombinedOutput()
	if err == nil || !strings.Contains(string(out), want) {
		t.Errorf("check-config says %v %s, want %q by line", err, out, want)
	}
	if status, body := s.ask(http.MethodPost, "/-/reload", ""); status != http.StatusBadRequest || !strings.Contains(string(body), "undefined receiver") {
		t.Errorf("reload answers %d %s", status, body)
	}
	s.fire("alertname=Full team=post service=disk")
	need.Eventually(t, 20*time.Second, "an e-mail by the running configuration", func() bool { return len(s.post.received()) == 1 })

	changed := files()
	changed["alertmanager.yml"] = strings.Replace(alertmanager, "url: TARGETS/hook/all", "url: TARGETS/hook/new", 1)
	s.write(changed)
	if status, body := s.ask(http.MethodPost, "/-/reload", ""); status != http.StatusOK {
		t.Fatalf("reload of a good file answers %d %s", status, body)
	}
	s.fire("alertname=Odd service=odd")
	need.Eventually(t, 20*time.Second, "the new webhook to be told", func() bool { return len(s.targets.to("/hook/new")) == 1 })
}

// TestATargetThatIsDownIsTriedAgain looks at back-off, and that the key stays.
func TestATargetThatIsDownIsTriedAgain(t *testing.T) {
	s := newServer(t, files())
	s.targets.mu.Lock()
	s.targets.fail["/hook/all"] = 2
	s.targets.mu.Unlock()
	s.fire("alertname=Odd service=odd")
	need.Eventually(t, 20*time.Second, "a first attempt that failed", func() bool {
		waiting := s.deliveries("state=pending&receiver=hook")
		return len(waiting) == 1 && waiting[0].Attempts == 1 && waiting[0].NextAttemptAt != nil && strings.Contains(waiting[0].Reason, "503")
	})
	need.Eventually(t, 20*time.Second, "the third attempt to work", func() bool {
		sent := s.deliveries("state=sent&receiver=hook")
		return len(sent) == 1 && sent[0].Attempts == 3
	})
	if calls := s.targets.to("/hook/all"); len(calls) != 1 || calls[0].Key != s.deliveries("receiver=hook")[0].Key {
		t.Errorf("the webhook got %+v", calls)
	}
}
