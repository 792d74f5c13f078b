package notify

import (
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/config/receiver"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/alertmanager/timeinterval"
	"github.com/prometheus/common/model"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/ops/alert"
)

// Plan is a loaded alertmanager.yml: who is told of what, when and by what. It is immutable and safe for concurrent use.
type Plan struct {
	// Warnings are what works but is probably not meant, each with its line.
	Warnings []string

	perGroup  bool
	path      string
	config    *config.Config
	root      *dispatch.Route
	routes    map[*dispatch.Route]*Route
	byID      map[string]*Route
	receivers map[string][]Integration
	intervals *timeinterval.Intervener
	templates *template.Template
	logger    *slog.Logger
}

// Route is a node of the route tree with what it inherits.
type Route struct {
	// ID is unique in the tree; Key is what Alertmanager's group keys begin with.
	ID, Key string
	// Order is the place in the tree, depth first.
	Order    int
	Receiver string
	// GroupBy are the labels that make groups, sorted; GroupByAll means all.
	GroupBy    []string
	GroupByAll bool
	// GroupWait, GroupInterval and RepeatInterval are as in Alertmanager.
	GroupWait, GroupInterval, RepeatInterval time.Duration
	// Mute and Active name time intervals.
	Mute, Active []string

	labels model.LabelSet
}

// Integration is one way by which a receiver is told.
type Integration struct {
	// Name is the kind and the number among those of that kind, for instance "webhook[0]".
	Name string
	// Kind is "webhook", "slack" and so on.
	Kind string
	// SendResolved says that it is told of ends too.
	SendResolved bool
}

// Load reads an alertmanager.yml with its templates. externalURL is the address in the links of messages. The error names
// file, line, value and remedy, one problem a line.
func Load(cfg Config, externalURL string, logger *slog.Logger) (*Plan, error) {
	parsed, tree, err := read(cfg.Alertmanager)
	if err != nil {
		return nil, err
	}
	p := &Plan{
		perGroup: cfg.Per == PerGroup, path: cfg.Alertmanager, config: parsed, root: dispatch.NewRoute(parsed.Route, nil), logger: logger,
		routes: map[*dispatch.Route]*Route{}, byID: map[string]*Route{}, receivers: map[string][]Integration{},
		intervals: timeinterval.NewIntervener(intervals(parsed)),
	}
	p.root.Walk(func(r *dispatch.Route) {
		own := newRoute(r, len(p.routes))
		p.routes[r], p.byID[own.ID] = own, own
	})
	if p.templates, err = tree.templates(parsed); err != nil {
		return nil, err
	}
	if cfg.ExternalURL != "" {
		externalURL = cfg.ExternalURL
	}
	if p.templates.ExternalURL, err = url.Parse(strings.TrimSuffix(externalURL, "/")); err != nil {
		return nil, fmt.Errorf("notify.external_url: %w", err)
	}
	for i := range parsed.Receivers {
		built, err := receiver.BuildReceiverIntegrations(parsed.Receivers[i], p.templates, slog.New(slog.DiscardHandler))
		if err != nil {
			return nil, tree.atReceiver(i, err)
		}
		list := make([]Integration, len(built))
		for j := range built {
			list[j] = Integration{Name: built[j].String(), Kind: built[j].Name(), SendResolved: built[j].SendResolved()}
		}
		p.receivers[parsed.Receivers[i].Name] = list
	}
	if err := tree.checkTexts(p.templates); err != nil {
		return nil, err
	}
	if err := cfg.check(p); err != nil {
		return nil, err
	}
	p.Warnings = tree.warnings(p, &cfg)
	return p, nil
}

func newRoute(r *dispatch.Route, order int) *Route {
	own := &Route{
		ID: r.ID(), Key: r.Key(), Order: order, Receiver: r.RouteOpts.Receiver, GroupByAll: r.RouteOpts.GroupByAll,
		GroupWait: r.RouteOpts.GroupWait, GroupInterval: r.RouteOpts.GroupInterval, RepeatInterval: r.RouteOpts.RepeatInterval,
		Mute: r.RouteOpts.MuteTimeIntervals, Active: r.RouteOpts.ActiveTimeIntervals, labels: r.RouteOpts.Labels,
	}
	for name := range r.RouteOpts.GroupBy {
		own.GroupBy = append(own.GroupBy, string(name))
	}
	slices.Sort(own.GroupBy)
	return own
}

func intervals(cfg *config.Config) map[string][]timeinterval.TimeInterval {
	all := map[string][]timeinterval.TimeInterval{}
	for _, i := range cfg.MuteTimeIntervals {
		all[i.Name] = i.TimeIntervals
	}
	for _, i := range cfg.TimeIntervals {
		all[i.Name] = i.TimeIntervals
	}
	return all
}

// Match returns the routes that an alert with these labels takes, in the order of the tree.
func (p *Plan) Match(labels signal.Labels) []*Route {
	matched := p.root.Match(labelSet(labels))
	routes := make([]*Route, len(matched))
	for i, r := range matched {
		routes[i] = p.routes[r]
	}
	return routes
}

// ReceiversOf returns the names of the receivers of an alert with these labels, each once, in the order of the tree.
func (p *Plan) ReceiversOf(labels signal.Labels) []string {
	var names []string
	for _, r := range p.Match(labels) {
		if !slices.Contains(names, r.Receiver) {
			names = append(names, r.Receiver)
		}
	}
	return names
}

// Receivers returns the names of all receivers, in the order of the file.
func (p *Plan) Receivers() []string {
	names := make([]string, len(p.config.Receivers))
	for i := range p.config.Receivers {
		names[i] = p.config.Receivers[i].Name
	}
	return names
}

// Integrations returns by what a receiver is told; none for an unknown one.
func (p *Plan) Integrations(receiver string) []Integration { return p.receivers[receiver] }

// MutedBy returns the names of the time intervals that keep a route quiet at a time; none when it may tell.
func (p *Plan) MutedBy(r *Route, now time.Time) []string {
	if len(r.Active) > 0 {
		active, _, err := p.intervals.Mutes(r.Active, now)
		if err == nil && !active { // an unknown name cannot be: the file was checked
			return r.Active
		}
	}
	if len(r.Mute) > 0 {
		if muted, by, err := p.intervals.Mutes(r.Mute, now); err == nil && muted {
			return by
		}
	}
	return nil
}

// Text returns the configuration with secrets replaced, as Alertmanager shows it.
func (p *Plan) Text() string { return p.config.String() }

// Path returns the path of the file.
func (p *Plan) Path() string { return p.path }

// InhibitRules returns the file's rules in our own form.
func (p *Plan) InhibitRules() []alert.InhibitRule {
	rules := make([]alert.InhibitRule, len(p.config.InhibitRules))
	for i := range p.config.InhibitRules {
		from := &p.config.InhibitRules[i]
		to := alert.InhibitRule{
			Name: from.Name, Equal: slices.Clone(from.Equal), SourceMatch: maps.Clone(from.SourceMatch), TargetMatch: maps.Clone(from.TargetMatch),
			SourceMatchRE: map[string]string{}, TargetMatchRE: map[string]string{},
		}
		for _, m := range from.SourceMatchers {
			to.SourceMatchers = append(to.SourceMatchers, m.String())
		}
		for _, m := range from.TargetMatchers {
			to.TargetMatchers = append(to.TargetMatchers, m.String())
		}
		for name, re := range from.SourceMatchRE {
			to.SourceMatchRE[name] = re.Original
		}
		for name, re := range from.TargetMatchRE {
			to.TargetMatchRE[name] = re.Original
		}
		rules[i] = to
	}
	return rules
}

// groupLabels returns those labels by which a route groups an alert.
func (r *Route) groupLabels(labels signal.Labels) signal.Labels {
	if r.GroupByAll {
		return labels
	}
	var group signal.Labels
	for _, l := range labels {
		if _, found := slices.BinarySearch(r.GroupBy, l.Name); found {
			group = append(group, l)
		}
	}
	return group
}

// groupKey is Alertmanager's key of the group, so that what it began (an incident at PagerDuty, say) goes on.
func (r *Route) groupKey(group signal.Labels) string {
	return r.Key + ":" + labelSet(group).String()
}

func labelSet(labels signal.Labels) model.LabelSet {
	set := make(model.LabelSet, len(labels))
	for _, l := range labels {
		set[model.LabelName(l.Name)] = model.LabelValue(l.Value)
	}
	return set
}

func quoted(names []string) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = fmt.Sprintf("%q", name)
	}
	return strings.Join(texts, ", ")
}
