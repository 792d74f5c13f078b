package scenario

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/ops/alert"
)

func labels(pairs ...string) signal.Labels {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return signal.NewLabels(m)
}

func TestLinesMeanWhatTheySay(t *testing.T) {
	high := labels("alertname", "HighLatency", "service", "cart")
	tests := []struct {
		name string
		text string
		want []any
	}{
		{"an alert fires", `at 1m fire HighLatency service=cart`, []any{Report{Labels: high}}},
		{"an alert fires for a while", `at 1m fire HighLatency service=cart for 5m`, []any{Report{Labels: high}, Report{Labels: high, Resolved: true}}},
		{
			"an alert is sent again until it ends", `at 0s fire HighLatency service=cart resend 1m for 2m`,
			[]any{Report{Labels: high}, Report{Labels: high, Skew: -time.Minute}, Report{Labels: high, Resolved: true}},
		},
		{
			"a sender that dies sends no end", `at 0s fire HighLatency service=cart resend 1m for 2m timeout 5m`,
			[]any{Report{Labels: high, Timeout: 5 * time.Minute}, Report{Labels: high, Timeout: 5 * time.Minute, Skew: -time.Minute}},
		},
		{
			"an alert flaps", `at 0s fire HighLatency service=cart for 10s every 1m times 2`,
			[]any{Report{Labels: high}, Report{Labels: high, Resolved: true}, Report{Labels: high}, Report{Labels: high, Resolved: true}},
		},
		{
			"many alerts fire", `at 0s fire 2 x Down pod=web-{n} over 10s`,
			[]any{Report{Labels: labels("alertname", "Down", "pod", "web-1")}, Report{Labels: labels("alertname", "Down", "pod", "web-2")}},
		},
		{"a clock is wrong", `at 0s fire HighLatency service=cart started 2h ago`, []any{Report{Labels: high, Skew: -2 * time.Hour}}},
		{"a name may be missing and a value may have blanks", `at 0s fire job="a b"`, []any{Report{Labels: labels("job", "a b")}}},
		{"an end that is reported late", `at 9m resolve HighLatency service=cart ended 4m ago`, []any{Report{Labels: high, Resolved: true, Skew: -4 * time.Minute}}},
		{"a silence", `at 1m silence S1: HighLatency service=~"ca.*" for 1h`, []any{Silence{Name: "S1", Matchers: []string{`alertname="HighLatency"`, `service=~"ca.*"`}, For: time.Hour}}},
		{"a silence's end", `at 2m expire S1`, []any{Expire{Name: "S1"}}},
		{"a restart", `at 2m restart # now`, []any{Restart{}}},
		{"a name", `at 2m name A: HighLatency`, []any{Name{Incident: "A", Alert: AlertRef{"alertname": "HighLatency"}}}},
		{"an acknowledgement", `at 2m alice acknowledges A "on it"`, []any{Person{Who: "alice", Verb: "acknowledges", Incident: "A", Text: "on it"}}},
		{"a merge", `at 2m alice merges B into A`, []any{Person{Who: "alice", Verb: "merges", Incident: "A", Other: "B"}}},
		{"a split", `at 2m alice splits HighLatency service=cart from A as B`, []any{Person{Who: "alice", Verb: "splits", Incident: "A", Other: "B", Alert: AlertRef{"alertname": "HighLatency", "service": "cart"}}}},
		{"a move", `at 2m alice moves HighLatency into A`, []any{Person{Who: "alice", Verb: "moves", Incident: "A", Alert: AlertRef{"alertname": "HighLatency"}}}},
		{"a note", `at 2m alice notes "looks like DNS" on A`, []any{Person{Who: "alice", Verb: "notes", Incident: "A", Text: "looks like DNS"}}},
		{"a refused action", `at 2m alice merges A into A, refused "other"`, []any{Person{Who: "alice", Verb: "merges", Incident: "A", Other: "A", Refused: "other"}}},
		{"an undo", `at 2m alice undoes the merge of A`, []any{Undo{Who: "alice", Kind: "merge", Incident: "A"}}},
		{"a refused undo", `at 2m alice undoes the note of A, refused "cannot"`, []any{Undo{Who: "alice", Kind: "note", Incident: "A", Refused: "cannot"}}},
		{"a count of incidents", `at 2m expect 1 incident shown`, []any{Expect{Count: &ExpectCount{N: 1, State: "shown"}}}},
		{
			"an incident's properties", `at 2m expect A is open, critical, 12 alerts, 1 firing, about service:cart, titled "Cart", saying "joined"`,
			[]any{Expect{Incident: &ExpectIncident{
				Incident: "A", State: "open", Severity: "critical", Counts: map[string]int{"alerts": 12, "firing": 1},
				About: "service:cart", Title: "Cart", Says: "joined",
			}}},
		},
		{"a merged incident", `at 2m expect B is part of A`, []any{Expect{Incident: &ExpectIncident{Incident: "B", Gone: "A", Counts: map[string]int{}}}}},
		{
			"an alert's properties", `at 2m expect alert HighLatency is told, in A, outside B, 3 reports, saying "Opened"`,
			[]any{Expect{Alert: &ExpectAlert{
				Alert: AlertRef{"alertname": "HighLatency"}, Is: []string{"told"}, In: "A", NotIn: "B", Says: "Opened",
				Counts: map[string]int{"reports": 3},
			}}},
		},
		{"a comment and an empty line", "# at 1m restart\n\n", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			script, err := Parse(test.text)
			if err != nil {
				t.Fatalf("parse: %v", err)
			}
			var got []any
			for _, line := range script.Lines {
				got = append(got, line.Do)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("lines differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReportsAreOrderedByTime(t *testing.T) {
	script, err := Parse("at 0s fire A for 10m\nat 1m fire 2 x B pod={n} over 2m\nat 1m expect 1 incident")
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	var got []string
	for _, line := range script.Lines {
		got = append(got, line.At.String()+" "+line.Text[:len("at 0s fire A")])
	}
	want := []string{"0s at 0s fire A", "1m0s at 1m fire 2", "1m0s at 1m expect", "2m0s at 1m fire 2", "10m0s at 0s fire A"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order differs (-want +got):\n%s", diff)
	}
}

func TestTheMapAndInhibitionStandOutsideOfTime(t *testing.T) {
	script, err := Parse("map checkout -> orders -> postgres\ninhibit severity=warning while ClusterDown severity=critical equal cluster region")
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	want := &Script{
		Edges: [][2]string{{"checkout", "orders"}, {"orders", "postgres"}},
		Inhibit: []alert.InhibitRule{{
			TargetMatchers: []string{`severity="warning"`}, SourceMatchers: []string{`alertname="ClusterDown"`, `severity="critical"`},
			Equal: []string{"cluster", "region"},
		}},
	}
	if diff := cmp.Diff(want, script); diff != "" {
		t.Errorf("script differs (-want +got):\n%s", diff)
	}
}

func TestMistakesAreNamedWithTheirLine(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"an unknown first word", "after 1m fire A", `"after" begins no line`},
		{"a time that is none", "at noon fire A", `"noon" is no duration`},
		{"a negative time", "at -1s fire A", `"-1s" is no duration`},
		{"lines out of order", "at 2m fire A\nat 1m fire B", "line 2: 1m0s is before the line above"},
		{"an unknown verb", "at 1m alice fixes A", `nothing is called "fixes"`},
		{"an unknown modifier", "at 1m fire A during 5m", `"during" is no label`},
		{"many alerts that are all the same", "at 1m fire 3 x A", "put {n} into one of them"},
		{"no alerts at all", "at 1m fire 0 x A", `"0" is no whole number from 1`},
		{"too many reports", "at 1m fire 5000 x A pod={n} every 1s times 5000", "more than 100000 reports"},
		{"too many repeats", "at 1m fire A resend 1ms for 1h", "more than 100000 reports"},
		{"times without every", "at 1m fire A times 3", "times needs every"},
		{"resend without an end", "at 1m fire A resend 1m", "resend needs for"},
		{"no alert", "at 1m fire", "want an alert's name or labels"},
		{"a silence without a matcher", "at 1m silence S1: for 5m", "no matcher"},
		{"an unknown state", "at 1m expect 2 incidents broken", `"broken" is no state`},
		{"an unknown property", "at 1m expect A is purple", `"purple" is no property`},
		{"an unknown count", "at 1m expect A is 3 apples", `"apples" is not counted`},
		{"words that are too many", "at 1m restart please", `"please" is too much`},
		{"an open quote", `at 1m fire A job="x`, "a quote is not closed"},
		{"a map without an arrow", "map a b", `want "->"`},
		{"a rule without a source", "inhibit A while", "want matchers on both sides"},
		{"an end in the middle", "at 1m alice merges A", `want "into", got the end of the line`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse(test.text)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "line ") {
				t.Errorf("got error %v, want one with a line and %q", err, test.want)
			}
		})
	}
}

func FuzzParseNeverPanics(f *testing.F) {
	f.Add("at 0s fire 2 x A pod={n} over 1m for 10m resend 1m\nat 1m alice undoes the merge of A, refused \"x\"")
	f.Add("map a -> b\ninhibit a=b while c=~d equal e\nat 1s expect alert A is told, in B")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 200 {
			t.Skip("long texts only repeat what short ones do")
		}
		_, _ = Parse(text)
	})
}
