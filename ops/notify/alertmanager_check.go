package notify

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// tree is the file as YAML nodes, which know their lines: Alertmanager's own errors mostly do not.
type tree struct {
	path string
	root *yaml.Node // the mapping of the file
}

// read loads the file, and explains where it cannot be used.
func read(path string) (*config.Config, *tree, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("notify.alertmanager: %w; name the file that your Alertmanager runs with", err)
	}
	t := &tree{path: path, root: &yaml.Node{Kind: yaml.MappingNode}}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err == nil && len(doc.Content) > 0 && doc.Content[0].Kind == yaml.MappingNode {
		t.root = doc.Content[0]
	}
	parsed, err := config.LoadFile(path)
	if err != nil {
		return nil, nil, t.explain(err)
	}
	return parsed, t, nil
}

func (t *tree) errorf(line int, format string, args ...any) error {
	if line == 0 {
		return fmt.Errorf("%s: %s", t.path, fmt.Sprintf(format, args...))
	}
	return fmt.Errorf("%s: line %d: %s", t.path, line, fmt.Sprintf(format, args...))
}

var (
	yamlLine   = regexp.MustCompile(`line (\d+): (.*)`)
	unknownKey = regexp.MustCompile(`^field (\S+) not found in type \S+$`)
	quotedText = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)
	anchored   = regexp.MustCompile("`\\^\\(\\?:(.*)\\)\\$`")
)

// explain turns Alertmanager's error into one with file, line, value and remedy.
func (t *tree) explain(err error) error {
	var problems []error
	for line := range strings.Lines(err.Error()) {
		if m := yamlLine.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			text := m[2]
			if key := unknownKey.FindStringSubmatch(text); key != nil {
				text = fmt.Sprintf("unknown key %q", key[1])
			}
			problems = append(problems, fmt.Errorf("%s: line %s: %s; %s", t.path, m[1], text, remedy(text)))
		}
	}
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := t.locate(text)
	if strings.HasPrefix(text, "undefined receiver") {
		return t.errorf(line, "%s; define it under receivers or write one of %s", text, quoted(t.names("receivers")))
	}
	if strings.HasPrefix(text, "undefined time interval") {
		return t.errorf(line, "%s; define it under time_intervals or write one of %s", text, quoted(append(t.names("time_intervals"), t.names("mute_time_intervals")...)))
	}
	return t.errorf(line, "%s; %s", text, remedy(text))
}

func remedy(text string) string {
	switch {
	case strings.HasPrefix(text, "unknown key"):
		return "remove it or correct its spelling (Alertmanager 0.34 decides which keys there are)"
	case strings.HasPrefix(text, "no route"):
		return "write a route with a receiver"
	case strings.Contains(text, "root route"):
		return "move that into a child route: the root takes every alert"
	case strings.Contains(text, "not unique"):
		return "give each its own name"
	case strings.Contains(text, "regexp"):
		return "correct the regular expression"
	case strings.Contains(text, "missing"), strings.HasPrefix(text, "no "):
		return "set it there or under global"
	}
	return "correct it there; the file has to load in Alertmanager 0.34 too"
}

// locate finds the line that an error without line is about: the smallest part of the file that fails alone, and in it the
// value that the error quotes. 0 means unknown.
func (t *tree) locate(text string) int {
	if line := t.locateReceiver(text); line != 0 {
		return line
	}
	for _, key := range []string{"global", "time_intervals", "mute_time_intervals", "inhibit_rules", "event_recorder", "tracing"} {
		section := child(t.root, key)
		if section == nil {
			continue
		}
		parts := []*yaml.Node{section}
		if section.Kind == yaml.SequenceNode {
			parts = section.Content
		}
		for _, part := range parts {
			alone := part
			if section.Kind == yaml.SequenceNode {
				alone = sequence(part)
			}
			if fails(mapping(key, alone), text) {
				return lineIn(part, text)
			}
		}
	}
	if line := t.locateRoute(child(t.root, "route"), text); line != 0 {
		return line
	}
	if route := child(t.root, "route"); route != nil && strings.Contains(text, "route") {
		return route.Line
	}
	return lineIn(t.root, text)
}

func (t *tree) locateReceiver(text string) int {
	receivers := child(t.root, "receivers")
	if receivers == nil {
		return 0
	}
	seen := map[string]bool{}
	for _, r := range receivers.Content {
		if name := scalar(child(r, "name")); name != "" && strings.Contains(text, "not unique") && strings.Contains(text, `"`+name+`"`) {
			if seen[name] {
				return child(r, "name").Line
			}
			seen[name] = true
		}
		if !fails(t.with("receivers", sequence(r)), text) {
			continue
		}
		for i := 0; i+1 < len(r.Content); i += 2 {
			kind, list := r.Content[i], r.Content[i+1]
			if list.Kind != yaml.SequenceNode {
				continue
			}
			for _, entry := range list.Content {
				alone := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{text2node("name"), text2node("x"), kind, sequence(entry)}}
				if fails(t.with("receivers", sequence(alone)), text) {
					return lineIn(entry, text)
				}
			}
		}
		return lineIn(r, text)
	}
	return 0
}

// with returns a minimal file: global of this one, and one section.
func (t *tree) with(key string, section *yaml.Node) *yaml.Node {
	doc := mapping(key, section)
	if global := child(t.root, "global"); global != nil {
		doc.Content = append(doc.Content, text2node("global"), global)
	}
	return doc
}

// locateRoute looks through the route tree, children first as Alertmanager does.
func (t *tree) locateRoute(route *yaml.Node, text string) int {
	if route == nil || route.Kind != yaml.MappingNode {
		return 0
	}
	if children := child(route, "routes"); children != nil {
		for _, r := range children.Content {
			if line := t.locateRoute(r, text); line != 0 {
				return line
			}
		}
	}
	alone := &yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i+1 < len(route.Content); i += 2 {
		if route.Content[i].Value != "routes" {
			alone.Content = append(alone.Content, route.Content[i], route.Content[i+1])
		}
	}
	m := quotedText.FindStringSubmatch(text)
	switch {
	case strings.HasPrefix(text, "undefined receiver"):
		if r := child(route, "receiver"); m != nil && scalar(r) == m[1] {
			return r.Line
		}
		return 0
	case strings.HasPrefix(text, "undefined time interval"):
		for _, key := range []string{"active_time_intervals", "mute_time_intervals"} {
			if list := child(route, key); list != nil && m != nil {
				for _, name := range list.Content {
					if name.Value == m[1] {
						return name.Line
					}
				}
			}
		}
		return 0
	}
	wrapped := mapping("routes", sequence(alone))
	wrapped.Content = append(wrapped.Content, text2node("receiver"), text2node("x"))
	if fails(mapping("route", wrapped), text) {
		return lineIn(alone, text)
	}
	return 0
}

// fails reports whether a part of the file, with what else is needed, fails with the same words.
func fails(doc *yaml.Node, text string) bool {
	if child(doc, "route") == nil {
		name := "x"
		if list := child(doc, "receivers"); list != nil && len(list.Content) > 0 {
			if own := scalar(child(list.Content[0], "name")); own != "" {
				name = own
			}
		}
		doc.Content = append(doc.Content, text2node("route"), mapping("receiver", text2node(name)))
	}
	if child(doc, "receivers") == nil {
		doc.Content = append(doc.Content, text2node("receivers"), sequence(mapping("name", text2node("x"))))
	}
	data, err := yaml.Marshal(doc)
	if err != nil {
		return false
	}
	_, err = config.Load(string(data))
	return err != nil && strings.TrimPrefix(err.Error(), "yaml: ") == text
}

// lineIn returns the line of the first value in node that the error quotes, else that of node itself.
func lineIn(node *yaml.Node, text string) int {
	var words []string
	for _, m := range quotedText.FindAllStringSubmatch(text, -1) {
		words = append(words, strings.ReplaceAll(m[1], `\"`, `"`))
	}
	for _, m := range anchored.FindAllStringSubmatch(text, -1) {
		words = append(words, m[1])
	}
	line := 0
	walk(node, func(n *yaml.Node) {
		if line == 0 && n.Kind == yaml.ScalarNode && slices.ContainsFunc(words, func(w string) bool { return w != "" && (n.Value == w || strings.Contains(n.Value, w)) }) {
			line = n.Line
		}
	})
	if line == 0 {
		for _, n := range append([]*yaml.Node{node}, node.Content...) {
			if n.Line != 0 {
				return n.Line
			}
		}
	}
	return line
}

func walk(node *yaml.Node, visit func(*yaml.Node)) {
	visit(node)
	for _, c := range node.Content {
		walk(c, visit)
	}
}

func child(node *yaml.Node, key string) *yaml.Node {
	if node == nil || node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}

func scalar(node *yaml.Node) string {
	if node == nil {
		return ""
	}
	return node.Value
}

func text2node(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

func sequence(nodes ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Content: nodes}
}

func mapping(key string, value *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{text2node(key), value}}
}

// names returns the names of a section's entries.
func (t *tree) names(section string) []string {
	var names []string
	if list := child(t.root, section); list != nil {
		for _, entry := range list.Content {
			names = append(names, scalar(child(entry, "name")))
		}
	}
	return names
}

// atReceiver says which receiver cannot be built.
func (t *tree) atReceiver(i int, err error) error {
	line := 0
	if list := child(t.root, "receivers"); list != nil && i < len(list.Content) {
		line = lineIn(list.Content[i], err.Error())
	}
	return t.errorf(line, "receiver %q: %v; correct it there", t.names("receivers")[i], err)
}

var templateLine = regexp.MustCompile(`^template: ([^:]+):(\d+):(?:\d+:)? ?(.*)$`)

// templates reads the template files. A broken one is named with its line.
func (t *tree) templates(cfg *config.Config) (*template.Template, error) {
	all, err := template.FromGlobs(cfg.Templates)
	if err == nil {
		return all, nil
	}
	m := templateLine.FindStringSubmatch(err.Error())
	for i, pattern := range cfg.Templates {
		line := 0
		if list := child(t.root, "templates"); list != nil && i < len(list.Content) {
			line = list.Content[i].Line
		}
		files, globErr := filepath.Glob(pattern)
		if globErr != nil {
			return nil, t.errorf(line, "templates: %q: %v; write a path or a pattern such as templates/*.tmpl", pattern, globErr)
		}
		for _, file := range files {
			if m != nil && filepath.Base(file) == m[1] {
				return nil, fmt.Errorf("%s: line %s: %s; correct the template, which %s names in line %d", file, m[2], m[3], t.path, line)
			}
		}
	}
	return nil, t.errorf(0, "templates: %v; correct the template", err)
}

// checkTexts renders each template that stands in a receiver with an alert that has no labels, to find those that are broken or
// use a template that is not defined.
func (t *tree) checkTexts(templates *template.Template) error {
	sample := &alert.Alert{Alert: model.Alert{Labels: model.LabelSet{"alertname": "Sample"}}}
	data := templates.Data("sample", model.LabelSet{"alertname": "Sample"}, nil, "unknown", sample)
	var problems []error
	receivers := child(t.root, "receivers")
	if receivers == nil {
		return nil
	}
	walk(receivers, func(n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || !strings.Contains(n.Value, "{{") {
			return
		}
		_, err := templates.ExecuteTextString(n.Value, data)
		if err == nil || strings.Contains(err.Error(), ": executing ") && !strings.Contains(err.Error(), "not defined") {
			return // it may work with the labels of real alerts
		}
		text := err.Error()
		if m := templateLine.FindStringSubmatch(text); m != nil {
			text = m[3]
		}
		problems = append(problems, t.errorf(n.Line, "template %q: %s; correct it, or define what it uses in one of the files under templates", shorten(n.Value), text))
	})
	return errors.Join(problems...)
}

func shorten(text string) string {
	text, _, more := strings.Cut(strings.TrimSpace(text), "\n")
	if r := []rune(text); len(r) > 60 {
		text, more = string(r[:60]), true
	}
	if more {
		text += "…"
	}
	return text
}

// warnings lists what loads and is probably not meant.
func (t *tree) warnings(p *Plan, cfg *Config) []string {
	var texts []string
	warn := func(line int, format string, args ...any) {
		texts = append(texts, t.errorf(line, format, args...).Error())
	}
	used := map[string]bool{}
	for _, r := range p.routes {
		used[r.Receiver] = true
	}
	for _, e := range cfg.Escalation {
		used[e.Receiver] = true
	}
	if list := child(t.root, "receivers"); list != nil {
		for _, r := range list.Content {
			if name := scalar(child(r, "name")); !used[name] {
				warn(r.Line, "no route leads to receiver %q", name)
			}
		}
	}
	if list := child(t.root, "templates"); list != nil {
		for i, pattern := range p.config.Templates {
			if files, err := filepath.Glob(pattern); err == nil && len(files) == 0 {
				warn(list.Content[i].Line, "templates: no file matches %q", pattern)
			}
		}
	}
	return texts
}
