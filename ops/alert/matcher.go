package alert

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/fairlead/fairlead/base/signal"
)

// MatchType says how a Matcher compares.
type MatchType uint8

// The ways to compare, as in Alertmanager. A label that is missing counts as one with the empty value.
const (
	MatchEqual     MatchType = iota // =
	MatchNotEqual                   // !=
	MatchRegexp                     // =~
	MatchNotRegexp                  // !~
)

var matchSigns = [...]string{"=", "!=", "=~", "!~"}

// String returns the sign: =, !=, =~ or !~.
func (t MatchType) String() string { return matchSigns[min(int(t), len(matchSigns)-1)] }

// maxMatcherText bounds a matcher's name and value, in bytes.
const maxMatcherText = 4 << 10

// Matcher compares one label. Build it with NewMatcher or ParseMatchers; it is immutable and safe for concurrent use.
type Matcher struct {
	Type  MatchType
	Name  string
	Value string

	re *regexp.Regexp // anchored; only for the two regular expressions
}

// NewMatcher returns a matcher. Regular expressions are anchored at both ends, as in Alertmanager.
func NewMatcher(kind MatchType, name, value string) (Matcher, error) {
	switch {
	case name == "" || !utf8.ValidString(name):
		return Matcher{}, fmt.Errorf("invalid label name %q", name)
	case len(name) > maxMatcherText || len(value) > maxMatcherText:
		return Matcher{}, fmt.Errorf("matcher for %.40q is longer than %d bytes", name, maxMatcherText)
	case !utf8.ValidString(value):
		return Matcher{}, fmt.Errorf("invalid label value %q", value)
	case kind > MatchNotRegexp:
		return Matcher{}, fmt.Errorf("unknown kind of matcher %d", kind)
	}
	m := Matcher{Type: kind, Name: name, Value: value}
	if kind == MatchRegexp || kind == MatchNotRegexp {
		re, err := regexp.Compile("^(?:" + value + ")$")
		if err != nil {
			return Matcher{}, fmt.Errorf("invalid regular expression %q: %w", value, err)
		}
		m.re = re
	}
	return m, nil
}

// Matches reports whether value, "" for a missing label, is what the matcher asks for.
func (m *Matcher) Matches(value string) bool {
	switch m.Type {
	case MatchEqual:
		return value == m.Value
	case MatchNotEqual:
		return value != m.Value
	case MatchRegexp:
		return m.re.MatchString(value)
	default:
		return !m.re.MatchString(value)
	}
}

// String returns the matcher in Alertmanager's syntax, so that ParseMatchers reads it back.
func (m Matcher) String() string {
	shown := labels.Matcher{Type: labels.MatchType(m.Type), Name: m.Name, Value: m.Value}
	return shown.String()
}

// same reports whether both ask for the same.
func (m *Matcher) same(other *Matcher) bool {
	return m.Type == other.Type && m.Name == other.Name && m.Value == other.Value
}

// Matchers is a list of matchers that must all match.
type Matchers []Matcher

// Matches reports whether all matchers match set. The empty list matches everything.
func (ms Matchers) Matches(set signal.Labels) bool {
	for i := range ms {
		if !ms[i].Matches(set.Get(ms[i].Name)) {
			return false
		}
	}
	return true
}

// Equal reports whether both lists hold the same matchers in the same order.
func (ms Matchers) Equal(other Matchers) bool {
	return slices.EqualFunc(ms, other, func(a, b Matcher) bool { return a.same(&b) })
}

// String returns the list in Alertmanager's syntax, for instance {alertname="Down",job=~"a|b"}.
func (ms Matchers) String() string {
	texts := make([]string, len(ms))
	for i := range ms {
		texts[i] = ms[i].String()
	}
	return "{" + strings.Join(texts, ",") + "}"
}

// errBraces is what Alertmanager says of {a="b"} where one matcher stands.
var errBraces = errors.New("unexpected open or close brace")

// ParseMatcher reads one matcher, for instance job=~"a|b", in Alertmanager's syntax: the UTF-8 form first, the classic form
// (unquoted values) where the first cannot read it.
func ParseMatcher(text string) (Matcher, error) {
	if strings.HasPrefix(text, "{") || strings.HasSuffix(text, "}") {
		return Matcher{}, fmt.Errorf("%w: %s", errBraces, text)
	}
	parsed, err := compat.FallbackMatcherParser(slog.New(slog.DiscardHandler))(text, "")
	if err != nil {
		return Matcher{}, fmt.Errorf("parse matcher %q: %w", text, err)
	}
	return NewMatcher(MatchType(parsed.Type), parsed.Name, parsed.Value)
}

// ParseMatchers reads one or more matchers, for instance {job="a", instance!~"b.*"} or job=a, in Alertmanager's syntax.
func ParseMatchers(text string) (Matchers, error) {
	parsed, err := compat.FallbackMatchersParser(slog.New(slog.DiscardHandler))(text, "")
	if err != nil {
		return nil, fmt.Errorf("parse matchers %q: %w", text, err)
	}
	matchers := make(Matchers, len(parsed))
	for i, m := range parsed {
		if matchers[i], err = NewMatcher(MatchType(m.Type), m.Name, m.Value); err != nil {
			return nil, err
		}
	}
	return matchers, nil
}
