package notify

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/ops/alert"
)

const wholeFile = `global:
  resolve_timeout: 10m
  smtp_from: fairlead@example.org
route:
  receiver: ops
  routes:
  - match: {team: data}
    group_by: [service]
    group_wait: 10s
    mute_time_intervals: [nights]
receivers:
- name: ops
  webhook_configs:
  - url: http://127.0.0.1:1/secret-path
inhibit_rules:
- source_match: {alertname: NodeDown}
  target_match_re: {alertname: 'Slow|Late'}
  equal: [node]
- name: second
  source_matchers: ['a="b c"', 'd!~"e|f"']
  target_matchers: [g=h]
time_intervals:
- name: nights
  time_intervals: [{times: [{start_time: '22:00', end_time: '24:00'}]}]
tracing: {endpoint: 127.0.0.1:4317, insecure: true}
`

func TestImportExplainsEachPart(t *testing.T) {
	_, dir, err := load(t, map[string]string{"alertmanager.yml": wholeFile})
	if err != nil {
		t.Fatal(err)
	}
	im, err := Explain(dir + "/alertmanager.yml")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range im.Lines {
		what, _, _ := strings.Cut(line.What, ":")
		got = append(got, fmt.Sprintf("%d %t %s", line.Line, line.Taken, what))
	}
	want := []string{
		"2 false resolve_timeout", "3 true smtp_from", `5 true the root route to receiver "ops"`, `7 true route of depth 1 to receiver "ops"`,
		"7 true match", "8 true group_by", "9 true group_wait", "10 true mute_time_intervals", `14 true receiver "ops"`,
		"16 true inhibition rule", "19 true inhibition rule", `23 true time interval "nights"`, "25 false tracing",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the lines (-want +got):\n%s", diff)
	}
	if im.ResolveTimeout != "10m" {
		t.Errorf("the resolve_timeout is %q", im.ResolveTimeout)
	}
}

func TestInhibitRulesBecomeOurs(t *testing.T) {
	plan, _, err := load(t, map[string]string{"alertmanager.yml": wholeFile})
	if err != nil {
		t.Fatal(err)
	}
	want := []alert.InhibitRule{
		{SourceMatch: map[string]string{"alertname": "NodeDown"}, SourceMatchRE: map[string]string{}, TargetMatchRE: map[string]string{"alertname": "Slow|Late"}, Equal: []string{"node"}},
		{Name: "second", SourceMatchers: []string{`a="b c"`, `d!~"e|f"`}, TargetMatchers: []string{`g="h"`}, SourceMatchRE: map[string]string{}, TargetMatchRE: map[string]string{}},
	}
	rules := plan.InhibitRules()
	if diff := cmp.Diff(want, rules); diff != "" {
		t.Errorf("the rules (-want +got):\n%s", diff)
	}
	if _, err := alert.NewInhibitor(rules); err != nil {
		t.Error(err)
	}
	if text := plan.Text(); strings.Contains(text, "secret-path") {
		t.Errorf("the text shows a secret:\n%s", text)
	}
}

func TestErrorsOfTargetsHideTokens(t *testing.T) {
	err := withoutSecrets(fmt.Errorf(`Post "https://api.example.org/bot12345:token/send?key=x": dial tcp 10.0.0.1:443: refused`))
	if got, want := err.Error(), `Post "https://api.example.org/…": dial tcp 10.0.0.1:443: refused`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
