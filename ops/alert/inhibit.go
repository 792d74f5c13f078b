package alert

import (
	"container/list"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/fairlead/fairlead/base/signal"
)

// InhibitRule mutes target alerts while a source alert fires that agrees with them in the labels of Equal. The form and its
// meaning are Alertmanager's, so rules can be copied from an alertmanager.yml.
type InhibitRule struct {
	// Name is shown to people; "" if it has none.
	Name string `yaml:"name,omitempty" json:"name,omitempty"`
	// SourceMatchers select the alerts that mute; each line holds one or more matchers.
	SourceMatchers []string `yaml:"source_matchers,omitempty" json:"source_matchers,omitempty"`
	// TargetMatchers select the alerts that are muted.
	TargetMatchers []string `yaml:"target_matchers,omitempty" json:"target_matchers,omitempty"`
	// Equal names the labels in which both must agree. A label that is missing on both sides agrees, because a missing label
	// counts as an empty one.
	Equal []string `yaml:"equal,omitempty" json:"equal,omitempty"`
	// SourceMatch, SourceMatchRE, TargetMatch and TargetMatchRE are Alertmanager's older way to write matchers.
	SourceMatch   map[string]string `yaml:"source_match,omitempty" json:"source_match,omitempty"`
	SourceMatchRE map[string]string `yaml:"source_match_re,omitempty" json:"source_match_re,omitempty"`
	TargetMatch   map[string]string `yaml:"target_match,omitempty" json:"target_match,omitempty"`
	TargetMatchRE map[string]string `yaml:"target_match_re,omitempty" json:"target_match_re,omitempty"`
}

// RuleError says which part of which rule cannot be used.
type RuleError struct {
	// Field is the path in the configuration, for instance "inhibit_rules[2].source_matchers[0]".
	Field string
	// Value is what stands there.
	Value string
	// Err says what is wrong with it.
	Err error
}

// Error names field, value and what is wrong.
func (e *RuleError) Error() string { return fmt.Sprintf("%s: %q: %v", e.Field, e.Value, e.Err) }

// Unwrap returns what is wrong.
func (e *RuleError) Unwrap() error { return e.Err }

// Inhibitor knows which firing alerts mute which. The engine tells it of every alert that fires or ends. It is
// deterministic and not safe for concurrent use.
//
// As in Alertmanager, an alert that matches both sides of a rule is not muted by another that does so too, and so never by
// itself; a source that is itself muted still mutes. It differs in one case: with several sources that agree in Equal,
// Alertmanager looks only at the one that ends last, and so overlooks that another one mutes; here all are looked at.
//
// Each call costs O(rules) for an alert that no rule names; memory grows with the firing alerts that one names.
type Inhibitor struct {
	rules  []*inhibitRule
	places map[string][]place // by alert id
	key    []byte             // scratch
}

type inhibitRule struct {
	source, target Matchers
	equal          []string
	buckets        map[string]*bucket // by the values of equal
}

// bucket holds the firing alerts of one rule that agree in its equal labels.
type bucket struct {
	plain   *list.List // ids of sources that are no targets, oldest first
	both    *list.List // ids of sources that are targets too, oldest first
	targets map[string]bool
}

// place is where one alert stands in one rule.
type place struct {
	rule    *inhibitRule
	bucket  *bucket
	key     string
	element *list.Element // in plain or both; nil when it is no source
	target  bool
}

// NewInhibitor returns an inhibitor without alerts. The error is a *RuleError.
func NewInhibitor(rules []InhibitRule) (*Inhibitor, error) {
	ih := &Inhibitor{places: make(map[string][]place)}
	for i := range rules {
		rule, err := compileRule(fmt.Sprintf("inhibit_rules[%d]", i), &rules[i])
		if err != nil {
			return nil, err
		}
		ih.rules = append(ih.rules, rule)
	}
	return ih, nil
}

func compileRule(path string, rule *InhibitRule) (*inhibitRule, error) {
	source, err := compileSide(path+".source_match", rule.SourceMatchers, rule.SourceMatch, rule.SourceMatchRE)
	if err != nil {
		return nil, err
	}
	target, err := compileSide(path+".target_match", rule.TargetMatchers, rule.TargetMatch, rule.TargetMatchRE)
	if err != nil {
		return nil, err
	}
	equal := slices.Clone(rule.Equal)
	slices.Sort(equal)
	for i, name := range rule.Equal {
		if name == "" {
			return nil, &RuleError{Field: fmt.Sprintf("%s.equal[%d]", path, i), Value: name, Err: fmt.Errorf("invalid label name %q", name)}
		}
	}
	return &inhibitRule{source: source, target: target, equal: slices.Compact(equal), buckets: make(map[string]*bucket)}, nil
}

// compileSide reads the matchers of one side. path ends in "_match", which both spellings begin with.
func compileSide(path string, lines []string, equal, re map[string]string) (Matchers, error) {
	var side Matchers
	for _, old := range []struct {
		suffix string
		kind   MatchType
		match  map[string]string
	}{{"", MatchEqual, equal}, {"_re", MatchRegexp, re}} {
		for _, label := range signal.NewLabels(old.match) {
			m, err := NewMatcher(old.kind, label.Name, label.Value)
			if err != nil {
				return nil, &RuleError{Field: path + old.suffix + "." + label.Name, Value: label.Value, Err: err}
			}
			side = append(side, m)
		}
	}
	for i, line := range lines {
		matchers, err := ParseMatchers(line)
		if err != nil {
			return nil, &RuleError{Field: fmt.Sprintf("%sers[%d]", path, i), Value: line, Err: err}
		}
		side = append(side, matchers...)
	}
	return side, nil
}

// Fire tells that an alert fires. It returns the ids of other firing alerts, sorted, for which Inhibited may answer otherwise
// than before. Firing twice without Resolve between is a repeat and changes nothing.
func (ih *Inhibitor) Fire(id string, set signal.Labels) []string {
	if _, known := ih.places[id]; known {
		return nil
	}
	var touched []string
	var places []place
	for _, rule := range ih.rules {
		isTarget, isSource := rule.target.Matches(set), rule.source.Matches(set)
		if !isTarget && !isSource {
			continue
		}
		key := string(ih.equalKey(rule, set))
		b := rule.buckets[key]
		if b == nil {
			b = &bucket{plain: list.New(), both: list.New(), targets: make(map[string]bool)}
			rule.buckets[key] = b
		}
		p := place{rule: rule, bucket: b, key: key, target: isTarget}
		if isSource {
			sources := b.sources(isTarget)
			p.element = sources.PushBack(id)
			if sources.Len() == 1 {
				touched = b.appendTargets(touched, id)
			}
		}
		if isTarget {
			b.targets[id] = true
		}
		places = append(places, p)
	}
	if places != nil {
		ih.places[id] = places
	}
	return sorted(touched)
}

// Resolve tells that an alert ended. It returns the ids of firing alerts, sorted, for which Inhibited may answer otherwise
// than before.
func (ih *Inhibitor) Resolve(id string) []string {
	var touched []string
	for _, p := range ih.places[id] {
		b := p.bucket
		delete(b.targets, id)
		if p.element != nil {
			sources := b.sources(p.target)
			if sources.Front() == p.element {
				touched = b.appendTargets(touched, id)
			}
			sources.Remove(p.element)
		}
		if len(b.targets) == 0 && b.plain.Len() == 0 && b.both.Len() == 0 {
			delete(p.rule.buckets, p.key)
		}
	}
	delete(ih.places, id)
	return sorted(touched)
}

// Inhibited returns the ids of firing alerts that mute an alert with these labels, one per rule that applies, sorted; nil when
// none does. The alert itself need not be known.
func (ih *Inhibitor) Inhibited(set signal.Labels) []string {
	var by []string
	for _, rule := range ih.rules {
		if len(rule.buckets) == 0 || !rule.target.Matches(set) {
			continue
		}
		b := rule.buckets[string(ih.equalKey(rule, set))]
		if b == nil {
			continue
		}
		if id, found := b.first(rule.source.Matches(set)); found {
			by = append(by, id)
		}
	}
	return sorted(by)
}

// Len returns how many firing alerts are known as source or target of a rule.
func (ih *Inhibitor) Len() int { return len(ih.places) }

// equalKey returns the values of the rule's equal labels, each with its length before it, in memory that the next call
// overwrites.
func (ih *Inhibitor) equalKey(rule *inhibitRule, set signal.Labels) []byte {
	ih.key = ih.key[:0]
	for _, name := range rule.equal {
		value := set.Get(name)
		ih.key = binary.AppendUvarint(ih.key, uint64(len(value)))
		ih.key = append(ih.key, value...)
	}
	return ih.key
}

func (b *bucket) sources(alsoTarget bool) *list.List {
	if alsoTarget {
		return b.both
	}
	return b.plain
}

// first returns the source that has fired longest. onlyPlain leaves out those that are targets too.
func (b *bucket) first(onlyPlain bool) (string, bool) {
	front := b.plain.Front()
	if front == nil && !onlyPlain {
		front = b.both.Front()
	}
	if front == nil {
		return "", false
	}
	id, ok := front.Value.(string)
	return id, ok
}

func (b *bucket) appendTargets(ids []string, except string) []string {
	for id := range b.targets {
		if id != except {
			ids = append(ids, id)
		}
	}
	return ids
}

func sorted(ids []string) []string {
	slices.Sort(ids)
	return slices.Compact(ids)
}
