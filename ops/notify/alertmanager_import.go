package notify

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ImportLine says what becomes of one part of an alertmanager.yml.
type ImportLine struct {
	// Line is where it stands.
	Line int
	// Taken says that it works here as it does there; else What says what to do instead.
	Taken bool
	What  string
}

// Import is what an alertmanager.yml will do here.
type Import struct {
	Lines    []ImportLine
	Warnings []string
	// ResolveTimeout is the file's, for instance "10m", which is a key of Fairlead's own configuration; "" when the file does
	// not set it.
	ResolveTimeout string
}

// Explain reads an alertmanager.yml and says line by line what is taken over, and what is not and why. The error is that of Load.
func Explain(path string) (*Import, error) {
	plan, err := Load(Config{Alertmanager: path, Per: PerIncident}, "http://127.0.0.1:8460", slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	_, t, err := read(path)
	if err != nil {
		return nil, err
	}
	im := &Import{Warnings: plan.Warnings}
	for i := 0; i+1 < len(t.root.Content); i += 2 {
		key, value := t.root.Content[i], t.root.Content[i+1]
		switch key.Value {
		case "global":
			im.global(value, plan)
		case "route":
			im.route(value, "", 0)
		case "receivers":
			im.receivers(value)
		case "templates":
			im.templates(value, plan)
		case "inhibit_rules":
			for _, rule := range value.Content {
				im.taken(rule.Line, "inhibition rule: in force for all alerts, beside inhibit_rules of fairlead.yml")
			}
		case "time_intervals", "mute_time_intervals":
			for _, interval := range value.Content {
				im.taken(interval.Line, "time interval %q", scalar(child(interval, "name")))
			}
		case "tracing":
			im.left(key.Line, "tracing: not taken over; Fairlead sends no traces of itself yet")
		case "event_recorder":
			im.left(key.Line, "event_recorder: not taken over; Fairlead keeps its own record: GET /api/fairlead/v1/deliveries, and the decisions of each alert")
		default:
			im.left(key.Line, "%s: not known here", key.Value)
		}
	}
	slices.SortStableFunc(im.Lines, func(a, b ImportLine) int { return a.Line - b.Line })
	return im, nil
}

func (im *Import) taken(line int, format string, args ...any) {
	im.Lines = append(im.Lines, ImportLine{Line: line, Taken: true, What: fmt.Sprintf(format, args...)})
}

func (im *Import) left(line int, format string, args ...any) {
	im.Lines = append(im.Lines, ImportLine{Line: line, What: fmt.Sprintf(format, args...)})
}

func (im *Import) global(node *yaml.Node, plan *Plan) {
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		if key.Value == "resolve_timeout" {
			im.ResolveTimeout = plan.config.Global.ResolveTimeout.String()
			im.left(key.Line, "resolve_timeout: becomes receive.resolve_timeout: %s of fairlead.yml", im.ResolveTimeout)
			continue
		}
		im.taken(key.Line, "%s: default for the receivers", key.Value)
	}
}

func (im *Import) route(node *yaml.Node, receiver string, depth int) {
	if own := scalar(child(node, "receiver")); own != "" {
		receiver = own
	}
	what := "the root route"
	if depth > 0 {
		what = fmt.Sprintf("route of depth %d", depth)
	}
	what += fmt.Sprintf(" to receiver %q", receiver)
	if scalar(child(node, "continue")) == "true" {
		what += ", and on to the next"
	}
	im.taken(node.Line, "%s", what)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		switch key.Value {
		case "routes":
			for _, r := range node.Content[i+1].Content {
				im.route(r, receiver, depth+1)
			}
		case "match", "match_re":
			im.taken(key.Line, "%s: works; Alertmanager calls it deprecated, write matchers instead", key.Value)
		case "group_by":
			im.taken(key.Line, "group_by: with notify.per: group it makes the groups; with notify.per: incident an incident is the group, and those of these labels that all its alerts share are GroupLabels in templates")
		case "group_wait":
			im.taken(key.Line, "group_wait: the time that an incident is held counts as part of it")
		case "group_interval", "repeat_interval":
			im.taken(key.Line, "%s: as there; what is acknowledged is not repeated", key.Value)
		case "mute_time_intervals", "active_time_intervals":
			im.taken(key.Line, "%s: as there; each time somebody is not told because of it is recorded, and told when it is over", key.Value)
		}
	}
}

func (im *Import) receivers(node *yaml.Node) {
	for _, r := range node.Content {
		integrations := 0
		for i := 0; i+1 < len(r.Content); i += 2 {
			kind, isKind := strings.CutSuffix(r.Content[i].Value, "_configs")
			if !isKind {
				continue
			}
			for j, entry := range r.Content[i+1].Content {
				integrations++
				im.taken(entry.Line, "receiver %q: %s[%d], told by Alertmanager's own notifier", scalar(child(r, "name")), kind, j)
			}
		}
		if integrations == 0 {
			im.taken(r.Line, "receiver %q: tells nobody, it has no integration", scalar(child(r, "name")))
		}
	}
}

func (im *Import) templates(node *yaml.Node, plan *Plan) {
	for i, pattern := range node.Content {
		files, err := filepath.Glob(plan.config.Templates[i])
		if err != nil {
			continue // Load has refused it
		}
		im.taken(pattern.Line, "templates: %d files match", len(files))
	}
}
