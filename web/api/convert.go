package api

import (
	"encoding/json"
	"time"

	"github.com/fairlead/fairlead/base/entity"
	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/ops/incident"
)

const maxEntities = 20

func toIncident(inc *incident.Incident) Incident {
	t := &inc.Total
	out := Incident{
		ID: inc.ID(), Title: inc.Title, State: string(inc.State), Severity: inc.Severity.String(),
		StartedAt: inc.StartedAt, ShownAt: optional(inc.ShownAt), LastSeenAt: inc.LastSeenAt, EndedAt: optional(inc.EndedAt),
		AcknowledgedAt: optional(inc.AcknowledgedAt),
		AcknowledgedBy: inc.AcknowledgedBy, Owner: inc.Owner,
		AlertCount: t.Alerts, FiringCount: t.Firing, Reports: t.Reports,
		Silenced: t.Silenced, Inhibited: t.Inhibited, Flapping: t.Flapping,
		Entities: []EntityCount{}, Services: []string{}, MergedInto: incident.ID(inc.MergedInto),
		Spark: t.Spark.Count[:], SparkFrom: t.Spark.From, SparkTo: t.Spark.From.Add(time.Duration(len(t.Spark.Count)) * t.Spark.Width),
	}
	if inc.State == incident.Forming || inc.State == incident.Suppressed {
		out.HeldBack = max(0, t.Alerts-t.Silenced-t.Inhibited-t.Flapping)
	}
	for _, name := range incident.Top(t.Entities, maxEntities) {
		ref, err := entity.Parse(name)
		if err != nil {
			continue
		}
		out.Entities = append(out.Entities, EntityCount{Kind: string(ref.Kind), Name: ref.Name, Alerts: t.Entities[name]})
		if ref.Kind == entity.Service {
			out.Services = append(out.Services, ref.Name)
		}
	}
	return out
}

func toIncidents(list []*incident.Incident) []Incident {
	out := make([]Incident, len(list))
	for i, inc := range list {
		out[i] = toIncident(inc)
	}
	return out
}

func toAlert(r *alert.Row) Alert {
	at := r.Entity()
	return Alert{
		ID: r.ID, Fingerprint: r.Fingerprint.String(), Name: r.Name(), State: string(r.State), Severity: r.Severity.String(),
		Labels: r.Labels.Map(), Annotations: r.Annotations.Map(), GeneratorURL: r.GeneratorURL, Source: r.Source, TemplateKey: r.TemplateKey,
		StartsAt: r.StartsAt, EndsAt: optional(r.EndsAt), ReceivedAt: r.ReceivedAt, LastReceivedAt: r.LastReceivedAt,
		Reports: r.Reports, Flaps: r.Flaps, Incident: incident.ID(r.Root), Disposition: string(r.Disposition()),
		SilencedBy: r.SilencedBy, InhibitedBy: r.InhibitedBy, Entity: EntityRef{Kind: string(at.Kind), Name: at.Name}, Why: toWhy(r.Why),
	}
}

func toAlerts(rows []*alert.Row) []Alert {
	out := make([]Alert, len(rows))
	for i, r := range rows {
		out[i] = toAlert(r)
	}
	return out
}

func toWhy(data []byte) []Term {
	var terms []incident.Term
	if len(data) > 0 && json.Unmarshal(data, &terms) != nil {
		return []Term{}
	}
	return toTerms(terms)
}

func toTerms(terms []incident.Term) []Term {
	out := make([]Term, len(terms))
	for i, t := range terms {
		out[i] = Term(t)
	}
	return out
}

const maxStepAlerts = 50

func toStep(s *incident.Step) Step {
	out := Step{
		ID: s.ID(), At: s.At, Incident: incident.ID(s.Incident), Kind: string(s.Kind), Actor: s.Actor, Text: s.Text,
		Alerts: append([]string{}, s.Alerts[:min(maxStepAlerts, len(s.Alerts))]...), AlertCount: len(s.Alerts),
		Other: incident.ID(s.Other), Terms: toTerms(s.Terms), UndoneAt: optional(s.UndoneAt), UndoneBy: s.UndoneBy,
		Undo: StepUndo{Possible: s.Kind.Undoable() && s.UndoneAt.IsZero()},
	}
	if s.Undoes != 0 {
		out.Undoes = (&incident.Step{Number: s.Undoes}).ID()
	}
	switch {
	case !s.Kind.Undoable():
		out.Undo.Reason = "A " + string(s.Kind) + " cannot be undone."
	case !s.UndoneAt.IsZero():
		out.Undo.Reason = "It was undone already by " + s.UndoneBy + "."
	}
	return out
}

func toSteps(steps []*incident.Step) []Step {
	out := make([]Step, len(steps))
	for i, s := range steps {
		out[i] = toStep(s)
	}
	return out
}

// decisionSteps are the kinds of steps that say whether the alerts of an incident were told.
var decisionSteps = []incident.StepKind{incident.StepShow, incident.StepSuppress, incident.StepMerge}

// toDecision joins the alert's own record with what happened to its incident.
func toDecision(r *alert.Row, steps []*incident.Step) Decision {
	d := Decision{Alert: r.ID, Told: r.Disposition() == alert.Told, Lines: []DecisionLine{}}
	for _, line := range r.Decision {
		d.Lines = append(d.Lines, DecisionLine(line))
	}
	shown := time.Time{}
	for _, s := range steps {
		var outcome string
		switch s.Kind {
		case incident.StepShow:
			outcome = "told"
			if s.UndoneAt.IsZero() {
				shown = s.At
			}
		case incident.StepSuppress:
			outcome = "suppressed"
		case incident.StepMerge:
			outcome = "merged"
		default:
			continue
		}
		if s.At.Before(r.ReceivedAt) && s.Kind != incident.StepShow {
			continue
		}
		d.Lines = insertLine(d.Lines, DecisionLine{At: s.At, Stage: alert.StageHold, Outcome: outcome, Reason: incident.ID(s.Incident) + ": " + s.Text})
	}
	d.Summary = summary(r, shown)
	return d
}

func insertLine(lines []DecisionLine, line DecisionLine) []DecisionLine {
	i := len(lines)
	for i > 0 && lines[i-1].At.After(line.At) {
		i--
	}
	lines = append(lines, DecisionLine{})
	copy(lines[i+1:], lines[i:])
	lines[i] = line
	return lines
}

func summary(r *alert.Row, shown time.Time) string {
	id := incident.ID(r.Root)
	switch r.Disposition() {
	case alert.Told:
		if shown.After(r.ReceivedAt) {
			return "You were told with " + id + ", " + shown.Sub(r.ReceivedAt).Round(time.Second).String() + " after this alert was received."
		}
		return "It is part of " + id + ", which you were told about already."
	case alert.Held:
		return "You were not told yet: " + id + " is forming and may still clear by itself."
	case alert.Silenced:
		return "You were not told: a silence mutes it."
	case alert.Inhibited:
		return "You were not told: another alert that fires inhibits it."
	case alert.Flapping:
		return "You were not told of its changes: it flaps, and they are held until it is calm."
	case alert.Suppressed:
	}
	if id == "" {
		return "You were not told: it had ended before it was first reported."
	}
	return "You were not told: " + id + " cleared before anybody had to know."
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
