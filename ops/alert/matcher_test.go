package alert

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/common/model"

	"github.com/fairlead/fairlead/base/signal"
)

func TestMatchersMatchAsInAlertmanager(t *testing.T) {
	set := map[string]string{"alertname": "DiskFull", "job": "node", "instance": "db-1:9100", "dc.name": "eu"}
	tests := []struct {
		name, matchers string
		want           bool
	}{
		{"an equal value matches", `job="node"`, true},
		{"another value does not match", `job="api"`, false},
		{"the classic form without quotes matches", `job=node`, true},
		{"a regular expression matches the whole value", `instance=~"db-.*"`, true},
		{"a regular expression is anchored", `instance=~"db"`, false},
		{"an alternative is anchored as one", `job=~"no|node"`, true},
		{"a negative regular expression excludes", `instance!~"db-.*"`, false},
		{"a negative matcher matches a missing label", `team!="infra"`, true},
		{"an empty value matches a missing label", `team=""`, true},
		{"a negative empty value asks for the label", `job!=""`, true},
		{"a negative empty value fails on a missing label", `team!=""`, false},
		{"an optional regular expression matches a missing label", `team=~"infra|"`, true},
		{"all matchers must match", `{job="node",instance="db-2:9100"}`, false},
		{"several matchers that match", `{job="node", alertname=~"Disk.+",}`, true},
		{"a UTF-8 name stands in quotes", `{"dc.name"="eu"}`, true},
		{"escapes in values are undone", `job="no\"de"`, false},
		{"no matcher matches everything", `{}`, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			matchers, err := ParseMatchers(test.matchers)
			if err != nil {
				t.Fatalf("ParseMatchers(%s): %v", test.matchers, err)
			}
			if got := matchers.Matches(signal.NewLabels(set)); got != test.want {
				t.Errorf("%s: got %t, want %t", test.matchers, got, test.want)
			}
		})
	}
}

func TestMatchersThatCannotBeReadAreRefused(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"no operator", "job", "bad matcher"},
		{"a name with a dash, unquoted and classic", "a-b", "bad matcher"},
		{"an open quote", `job="node`, "double quote"},
		{"a regular expression that does not compile", `job=~"("`, "missing closing )"},
		{"a value over 4 KiB", `job="` + strings.Repeat("x", 5000) + `"`, "longer than 4096 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := ParseMatchers(test.text); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
		})
	}
	if _, err := ParseMatcher(`{job="node"}`); err == nil {
		t.Error("ParseMatcher took braces; Alertmanager's filters do not")
	}
}

func TestMatchersPrintInAFormThatReadsBack(t *testing.T) {
	for _, text := range []string{`{a="b"}`, `{a!="b\\n\"x"}`, `{"a b"=~"c|d",e!~"f"}`, `{"übung"="ä"}`} {
		first, err := ParseMatchers(text)
		if err != nil {
			t.Fatalf("ParseMatchers(%s): %v", text, err)
		}
		second, err := ParseMatchers(first.String())
		if err != nil || !first.Equal(second) {
			t.Errorf("%s printed as %s, which reads as %s, %v", text, first, second, err)
		}
	}
}

// FuzzParseMatchers compares parsing and matching with Alertmanager's own.
func FuzzParseMatchers(f *testing.F) {
	for _, text := range []string{`{job="node"}`, `a=b,c!=d`, `a=~"x.*",b!~"y"`, `{"a b"="c"}`, `a="\""`, "a=\n", "{", "a=~("} {
		f.Add(text, "node")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		got, gotErr := ParseMatchers(text)
		want, wantErr := compat.FallbackMatchersParser(slog.New(slog.DiscardHandler))(text, "")
		if len(text) > maxMatcherText {
			return
		}
		if (gotErr == nil) != (wantErr == nil) {
			t.Fatalf("%q: got error %v, Alertmanager says %v", text, gotErr, wantErr)
		}
		if gotErr != nil {
			return
		}
		for i, m := range want {
			if got[i].Name != m.Name || got[i].Value != m.Value || got[i].Type.String() != m.Type.String() {
				t.Fatalf("%q: got %s, Alertmanager says %s", text, got[i], m)
			}
			if got[i].Matches(value) != m.Matches(value) {
				t.Fatalf("%s on %q: got %t, Alertmanager says %t", m, value, got[i].Matches(value), m.Matches(value))
			}
			set := model.LabelSet{model.LabelName(m.Name): model.LabelValue(value)}
			if got.Matches(signal.NewLabels(map[string]string{m.Name: value})) != want.Matches(set) {
				t.Fatalf("%s on %v: not as Alertmanager", got, set)
			}
		}
	})
}
