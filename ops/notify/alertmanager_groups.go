package notify

import (
	"time"

	amalert "github.com/prometheus/alertmanager/alert"
	amnotify "github.com/prometheus/alertmanager/notify"

	"github.com/fairlead/fairlead/base/signal"
)

// AlertGroup is a group of alerts as the route tree makes it.
type AlertGroup struct {
	// ID tells groups apart: of two routes they are two, also with the same receiver and labels.
	ID       string
	Receiver string
	// Labels are those of group_by.
	Labels signal.Labels

	route *Route
}

// GroupsOf returns the groups of an alert with these labels, in the order of the tree; nil when people are told by incident.
func (p *Plan) GroupsOf(labels signal.Labels) []AlertGroup {
	if !p.perGroup {
		return nil
	}
	routes := p.Match(labels)
	groups := make([]AlertGroup, len(routes))
	for i, r := range routes {
		own := r.groupLabels(labels)
		groups[i] = AlertGroup{ID: labelSet(own).String() + "\x00" + r.Receiver + "\x00" + r.ID, Receiver: r.Receiver, Labels: own, route: r}
	}
	return groups
}

// MutedGroup returns the names of the time intervals that keep a group quiet at a time; none when it may tell.
func (p *Plan) MutedGroup(g *AlertGroup, now time.Time) []string { return p.MutedBy(g.route, now) }

// RouteLabels returns the labels of a group's route, rendered for these alerts of it.
func (p *Plan) RouteLabels(g *AlertGroup, told []Told) map[string]string {
	labels := map[string]string{}
	if len(g.route.labels) == 0 {
		return labels
	}
	alerts := make([]*amalert.Alert, len(told))
	for i := range told {
		alerts[i] = toAlert(&told[i], told[i].StartsAt)
	}
	for name, value := range p.routeLabels(g.route, labelSet(g.Labels), amnotify.ReasonUnknown, alerts) {
		labels[string(name)] = string(value)
	}
	return labels
}
