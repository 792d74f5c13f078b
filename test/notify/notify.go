// Package notify tests telling people with the real tools: routing beside Alertmanager's amtool, and the built binary with
// fakes of the targets that keep state: a webhook, Slack, PagerDuty and an SMTP server. Everything is in its tests; this file
// and its neighbours make configurations and fake targets.
package notify

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// names and values are what generated labels are made of.
var (
	names  = []string{"severity", "team", "service", "env"}
	values = []string{"", "a", "b", "ab", "critical", "with space", "ünïcode", `quo"te`}
)

// generator makes alertmanager.yml files and label sets out of a seed.
type generator struct {
	*rand.Rand
	receivers int
	lines     []string
}

// configuration returns a file with nested routes, continue, and matchers in all spellings.
func (g *generator) configuration() string {
	g.receivers = 2 + g.IntN(6)
	g.lines = []string{"route:", "  receiver: r0"}
	if g.IntN(2) == 0 {
		g.lines = append(g.lines, "  group_by: [alertname]")
	}
	g.routes(1, 2+g.IntN(4))
	g.lines = append(g.lines, "receivers:")
	for i := range g.receivers {
		g.lines = append(g.lines, fmt.Sprintf("- name: r%d", i))
	}
	return strings.Join(g.lines, "\n") + "\n"
}

func (g *generator) routes(depth, n int) {
	if n == 0 || depth > 4 {
		return
	}
	indent := strings.Repeat("  ", depth)
	g.lines = append(g.lines, indent+"routes:")
	for range n {
		g.lines = append(g.lines, fmt.Sprintf("%s- continue: %t", indent, g.IntN(3) == 0))
		if g.IntN(4) != 0 { // else the parent's
			g.lines = append(g.lines, fmt.Sprintf("%s  receiver: r%d", indent, g.IntN(g.receivers)))
		}
		switch g.IntN(4) {
		case 0:
			g.lines = append(g.lines, fmt.Sprintf("%s  match: {%s: %s}", indent, g.name(), yamlText(g.value())))
		case 1:
			g.lines = append(g.lines, fmt.Sprintf("%s  match_re: {%s: %s}", indent, g.name(), yamlText(g.expression())))
		default:
			g.lines = append(g.lines, indent+"  matchers:")
			for range 1 + g.IntN(2) {
				g.lines = append(g.lines, fmt.Sprintf("%s  - %s", indent, yamlText(g.matcher())))
			}
		}
		g.routes(depth+1, g.IntN(3))
	}
}

func (g *generator) name() string { return names[g.IntN(len(names))] }

func (g *generator) value() string { return values[g.IntN(len(values))] }

func (g *generator) expression() string {
	return []string{"a|b", "a.*", ".*", ".+", "crit.*|ab", "[ab]+", "", "with space"}[g.IntN(8)]
}

func (g *generator) matcher() string {
	switch g.IntN(5) {
	case 0:
		return fmt.Sprintf("%s=%q", g.name(), g.value())
	case 1:
		return fmt.Sprintf("%s!=%q", g.name(), g.value())
	case 2:
		return fmt.Sprintf("%s=~%q", g.name(), g.expression())
	case 3:
		return fmt.Sprintf("%s!~%q", g.name(), g.expression())
	}
	return g.name() + " = " + []string{"a", "b", "critical"}[g.IntN(3)] // without quotes
}

// labels returns a random label set.
func (g *generator) labels() map[string]string {
	set := map[string]string{"alertname": "High"}
	for _, name := range names {
		if value := g.value(); value != "" && g.IntN(3) != 0 {
			set[name] = value
		}
	}
	return set
}

// yamlText writes a text so that YAML reads it back.
func yamlText(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
