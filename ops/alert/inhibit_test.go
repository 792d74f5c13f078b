package alert

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/signal"
)

func labelSet(pairs ...string) signal.Labels {
	set := make(map[string]string)
	for i := 0; i < len(pairs); i += 2 {
		set[pairs[i]] = pairs[i+1]
	}
	return signal.NewLabels(set)
}

func mustInhibitor(t testing.TB, rules ...InhibitRule) *Inhibitor {
	t.Helper()
	ih, err := NewInhibitor(rules)
	if err != nil {
		t.Fatalf("NewInhibitor: %v", err)
	}
	return ih
}

var criticalMutesWarning = InhibitRule{
	SourceMatchers: []string{`severity="critical"`}, TargetMatchers: []string{`severity=~"warning|info"`}, Equal: []string{"cluster", "service"},
}

func TestASourceMutesTargetsThatAgreeInEqual(t *testing.T) {
	tests := []struct {
		name           string
		source, target signal.Labels
		want           []string
	}{
		{"same equal labels", labelSet("severity", "critical", "cluster", "a", "service", "s"), labelSet("severity", "warning", "cluster", "a", "service", "s"), []string{"A1"}},
		{"another value of an equal label", labelSet("severity", "critical", "cluster", "a", "service", "s"), labelSet("severity", "warning", "cluster", "b", "service", "s"), nil},
		{"an equal label missing on both sides counts as equal", labelSet("severity", "critical", "cluster", "a"), labelSet("severity", "warning", "cluster", "a"), []string{"A1"}},
		{"an equal label missing on one side differs", labelSet("severity", "critical", "cluster", "a", "service", "s"), labelSet("severity", "warning", "cluster", "a"), nil},
		{"values that only agree when joined", labelSet("severity", "critical", "cluster", "ab", "service", "c"), labelSet("severity", "warning", "cluster", "a", "service", "bc"), nil},
		{"the target does not match", labelSet("severity", "critical"), labelSet("severity", "critical", "x", "y"), nil},
		{"the source does not match", labelSet("severity", "error"), labelSet("severity", "warning"), nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ih := mustInhibitor(t, criticalMutesWarning)
			ih.Fire("A1", test.source)
			if diff := cmp.Diff(test.want, ih.Inhibited(test.target)); diff != "" {
				t.Errorf("Inhibited (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnAlertOnBothSidesOfARuleIsNotMutedByItsLike(t *testing.T) {
	ih := mustInhibitor(t, InhibitRule{SourceMatchers: []string{`kind=~"link|node"`}, TargetMatchers: []string{`kind=~"link|pod"`}})
	link, pod := labelSet("kind", "link"), labelSet("kind", "pod")
	ih.Fire("A1", link)
	if got := ih.Inhibited(link); got != nil {
		t.Errorf("an alert that is source and target is muted by %v, want by nobody", got)
	}
	if diff := cmp.Diff([]string{"A1"}, ih.Inhibited(pod)); diff != "" {
		t.Errorf("a mere target (-want +got):\n%s", diff)
	}
	ih.Fire("A2", labelSet("kind", "node"))
	if diff := cmp.Diff([]string{"A2"}, ih.Inhibited(link)); diff != "" {
		t.Errorf("muted by a mere source (-want +got):\n%s", diff)
	}
}

func TestFireAndResolveNameTheTargetsToLookAtAgain(t *testing.T) {
	ih := mustInhibitor(t, criticalMutesWarning)
	critical, warning := labelSet("severity", "critical", "cluster", "a"), labelSet("severity", "warning", "cluster", "a")
	steps := []struct {
		name string
		do   func() []string
		want []string
		by   []string // what mutes the warning afterwards
	}{
		{"targets alone touch nobody", func() []string { return append(ih.Fire("A1", warning), ih.Fire("A2", warning)...) }, nil, nil},
		{"an alert that no rule names touches nobody", func() []string { return ih.Fire("A9", labelSet("severity", "none")) }, nil, nil},
		{"the first source touches all targets", func() []string { return ih.Fire("A3", critical) }, []string{"A1", "A2"}, []string{"A3"}},
		{"a repeat touches nobody", func() []string { return ih.Fire("A3", critical) }, nil, []string{"A3"}},
		{"a second source touches nobody", func() []string { return ih.Fire("A4", critical) }, nil, []string{"A3"}},
		{"the end of the named source touches all targets", func() []string { return ih.Resolve("A3") }, []string{"A1", "A2"}, []string{"A4"}},
		{"the end of a target touches nobody", func() []string { return ih.Resolve("A1") }, nil, []string{"A4"}},
		{"the end of the last source touches the targets", func() []string { return ih.Resolve("A4") }, []string{"A2"}, nil},
		{"the end of an unknown alert touches nobody", func() []string { return ih.Resolve("A77") }, nil, nil},
	}
	for _, step := range steps {
		if diff := cmp.Diff(step.want, step.do()); diff != "" {
			t.Errorf("%s: touched (-want +got):\n%s", step.name, diff)
		}
		if diff := cmp.Diff(step.by, ih.Inhibited(warning)); diff != "" {
			t.Errorf("%s: Inhibited (-want +got):\n%s", step.name, diff)
		}
	}
	ih.Resolve("A2")
	if ih.Len() != 0 || len(ih.rules[0].buckets) != 0 {
		t.Errorf("got %d alerts and %d buckets when nothing fires, want none", ih.Len(), len(ih.rules[0].buckets))
	}
}

func TestRulesThatCannotBeUsedNameTheField(t *testing.T) {
	tests := []struct {
		name  string
		rule  InhibitRule
		field string
	}{
		{"a matcher without operator", InhibitRule{SourceMatchers: []string{`a="b"`, "severity"}}, "inhibit_rules[0].source_matchers[1]"},
		{"a bad target expression", InhibitRule{TargetMatchers: []string{`a=~"("`}}, "inhibit_rules[0].target_matchers[0]"},
		{"a bad expression of the old form", InhibitRule{TargetMatchRE: map[string]string{"a": "("}}, "inhibit_rules[0].target_match_re.a"},
		{"an empty equal label", InhibitRule{Equal: []string{"a", ""}}, "inhibit_rules[0].equal[1]"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := NewInhibitor([]InhibitRule{test.rule})
			var ruleErr *RuleError
			if !errors.As(err, &ruleErr) || ruleErr.Field != test.field {
				t.Errorf("got %v, want a RuleError for %s", err, test.field)
			}
		})
	}
}

// TestTheInhibitorAgreesWithLookingAtEveryPair compares with the definition, and checks that Fire and Resolve name every alert
// whose answer has changed.
func TestTheInhibitorAgreesWithLookingAtEveryPair(t *testing.T) {
	rules := []InhibitRule{
		criticalMutesWarning,
		{SourceMatch: map[string]string{"kind": "x"}, TargetMatchRE: map[string]string{"kind": "x|y"}, Equal: []string{"cluster"}},
		{SourceMatchers: []string{`kind="y"`}, TargetMatchers: []string{`severity!="critical"`}},
	}
	var compiled []*inhibitRule
	for i := range rules {
		rule, err := compileRule("", &rules[i])
		if err != nil {
			t.Fatal(err)
		}
		compiled = append(compiled, rule)
	}
	for seed := range uint64(10) {
		random := rand.New(rand.NewPCG(seed, 1))
		ih := mustInhibitor(t, rules...)
		firing := map[string]signal.Labels{}
		muted := map[string]bool{}
		pick := func(values ...string) string { return values[random.IntN(len(values))] }
		for step := range 200 {
			id := fmt.Sprintf("A%d", random.IntN(25))
			var touched []string
			if _, on := firing[id]; on {
				delete(firing, id)
				delete(muted, id)
				touched = ih.Resolve(id)
			} else {
				firing[id] = labelSet("severity", pick("critical", "warning", "info", ""), "kind", pick("x", "y", ""), "cluster", pick("a", "b", ""), "service", pick("s", ""))
				touched = append(ih.Fire(id, firing[id]), id)
			}
			for other, set := range firing {
				want := mutedByDefinition(compiled, firing, set)
				if got := ih.Inhibited(set) != nil; got != want {
					t.Fatalf("seed %d step %d: %v muted: got %t, want %t", seed, step, set, got, want)
				}
				if want != muted[other] && !slices.Contains(touched, other) {
					t.Fatalf("seed %d step %d: muted of %s became %t, but it was not named", seed, step, other, want)
				}
				muted[other] = want
			}
		}
	}
}

func mutedByDefinition(rules []*inhibitRule, firing map[string]signal.Labels, target signal.Labels) bool {
	for _, rule := range rules {
		if !rule.target.Matches(target) {
			continue
		}
		for _, source := range firing {
			agree := !slices.ContainsFunc(rule.equal, func(name string) bool { return source.Get(name) != target.Get(name) })
			bothTwoSided := rule.source.Matches(target) && rule.target.Matches(source)
			if rule.source.Matches(source) && agree && !bothTwoSided {
				return true
			}
		}
	}
	return false
}

func BenchmarkInhibited(b *testing.B) {
	ih := mustInhibitor(b, criticalMutesWarning)
	for i := range 10_000 {
		ih.Fire(fmt.Sprintf("A%d", i), labelSet("severity", "critical", "cluster", fmt.Sprintf("c%d", i), "service", "s"))
	}
	target := labelSet("alertname", "High", "severity", "warning", "cluster", "c77", "service", "s", "instance", "i-1")
	b.ReportAllocs()
	for b.Loop() {
		ih.Inhibited(target)
	}
}
