package incident

import (
	"strings"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/ops/alert"
)

// act takes over what somebody did with an alert at its sender. What is said of an alert that nobody here knows, or that
// does not fit the state of its incident, changes nothing: senders repeat themselves, and come late.
func (e *Engine) act(a *signal.Alert) {
	episode := e.tracker.Find(a)
	if episode == nil {
		return
	}
	if a.Act == signal.End {
		e.handle(e.tracker.End(e.now, episode, a))
		return
	}
	e.tracker.Hear(e.now, episode, said(a))
	e.recount(episode)
	inc := e.Root(episode.Incident)
	if inc == nil || !inc.Current() {
		return
	}
	// The incident is in the state that each needs, so there is no error.
	switch {
	case a.Act == signal.Acknowledge && inc.State != Acknowledged:
		_, _ = e.Acknowledge(inc.Number, actorOf(a), a.Text)
	case a.Act == signal.Unacknowledge && inc.State == Acknowledged:
		_, _ = e.Unacknowledge(inc.Number, actorOf(a), a.Text)
	case a.Act == signal.Comment && strings.TrimSpace(a.Text) != "":
		_, _ = e.Comment(inc.Number, actorOf(a), a.Text)
	}
}

// actorOf names who acted: a person at a sender, for instance "ann (opsgenie)".
func actorOf(a *signal.Alert) string {
	if a.Actor == "" {
		return a.Source
	}
	return a.Actor + " (" + a.Source + ")"
}

// said returns the line of an act in the alert's decision record.
func said(a *signal.Alert) alert.Line {
	line := alert.Line{Stage: alert.StageReceive, Outcome: "acknowledged", Reason: "By " + actorOf(a) + "."}
	switch a.Act {
	case signal.Unacknowledge:
		line.Outcome = "unacknowledged"
	case signal.Comment:
		line.Outcome, line.Reason = "commented", actorOf(a)+": "+a.Text
	case signal.Report, signal.End, signal.Acknowledge:
	}
	return line
}
