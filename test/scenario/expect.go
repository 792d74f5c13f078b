package scenario

import (
	"context"
	"fmt"
	"strings"

	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/ops/incident"
)

// maxRows bounds what one question reads; a scenario is smaller.
const maxRows = 100_000

func contains(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}

// alerts returns the stored alerts that carry all labels of ref, newest first; an error when there is none.
func (w *World) alerts(ctx context.Context, ref AlertRef) ([]*alert.Row, error) {
	rows, err := alert.List(ctx, w.db.Read(), alert.Filter{Limit: maxRows, Decision: true})
	if err != nil {
		return nil, err
	}
	var found []*alert.Row
	for _, row := range rows {
		matches := true
		for name, value := range ref {
			matches = matches && row.Episode.Labels.Get(name) == value
		}
		if matches {
			found = append(found, row)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no alert carries %v", map[string]string(ref))
	}
	return found, nil
}

// Incidents returns all stored incidents that were not merged into another.
func (w *World) Incidents(ctx context.Context) ([]*incident.Incident, error) {
	incidents, _, err := incident.List(ctx, w.db.Read(), incident.Filter{Limit: maxRows})
	return incidents, err
}

func (w *World) expect(ctx context.Context, e Expect) error {
	switch {
	case e.Count != nil:
		return w.expectCount(ctx, e.Count)
	case e.Incident != nil:
		return w.expectIncident(ctx, e.Incident)
	}
	return w.expectAlert(ctx, e.Alert)
}

func (w *World) expectCount(ctx context.Context, e *ExpectCount) error {
	incidents, err := w.Incidents(ctx)
	if err != nil {
		return err
	}
	n := 0
	var all []string
	for _, inc := range incidents {
		all = append(all, fmt.Sprintf("%s %s %q (%d alerts)", inc.ID(), inc.State, inc.Title, inc.Total.Alerts))
		switch {
		case e.State == "", e.State == string(inc.State),
			e.State == "shown" && !inc.ShownAt.IsZero(), e.State == "current" && inc.Current():
			n++
		}
	}
	if n != e.N {
		return fmt.Errorf("got %d, want %d; there are: %s", n, e.N, strings.Join(all, "; "))
	}
	return nil
}

func (w *World) expectIncident(ctx context.Context, e *ExpectIncident) error {
	number, err := w.number(e.Incident)
	if err != nil {
		return err
	}
	inc, err := incident.Find(ctx, w.db.Read(), number)
	if err != nil {
		return err
	}
	if e.Gone != "" {
		into, err := w.number(e.Gone)
		if err != nil {
			return err
		}
		if inc.MergedInto != into {
			return fmt.Errorf("got %s merged into %s, want %s", inc.ID(), incident.ID(inc.MergedInto), incident.ID(into))
		}
	} else if inc.MergedInto != 0 {
		return fmt.Errorf("%s was merged into %s", inc.ID(), incident.ID(inc.MergedInto))
	}
	if e.State != "" && e.State != string(inc.State) {
		return fmt.Errorf("got %s %s, want %s", inc.ID(), inc.State, e.State)
	}
	if e.Severity != "" && e.Severity != inc.Severity.String() {
		return fmt.Errorf("got %s with severity %s, want %s", inc.ID(), inc.Severity, e.Severity)
	}
	if !contains(inc.Title, e.Title) {
		return fmt.Errorf("got %s titled %q, want %q in it", inc.ID(), inc.Title, e.Title)
	}
	if e.About != "" && inc.Total.Entities[e.About] == 0 {
		return fmt.Errorf("got %s about %v, want %s among them", inc.ID(), incident.Top(inc.Total.Entities, 10), e.About)
	}
	if err := compareCounts(inc.ID(), e.Counts, map[string]int{
		"alerts": inc.Total.Alerts, "reports": inc.Total.Reports, "firing": inc.Total.Firing,
		"silenced": inc.Total.Silenced, "inhibited": inc.Total.Inhibited, "flapping": inc.Total.Flapping,
	}); err != nil {
		return err
	}
	return w.expectTimeline(ctx, inc, e.Says)
}

func (w *World) expectTimeline(ctx context.Context, inc *incident.Incident, want string) error {
	if want == "" {
		return nil
	}
	steps, err := incident.Timeline(ctx, w.db.Read(), inc.Number, incident.Window{})
	if err != nil {
		return err
	}
	var texts []string
	for _, step := range steps {
		if contains(step.Text, want) {
			return nil
		}
		texts = append(texts, step.Text)
	}
	return fmt.Errorf("got the timeline %q of %s, want %q in it", texts, inc.ID(), want)
}

func compareCounts(what string, want, got map[string]int) error {
	for noun, n := range want {
		if got[noun] != n {
			return fmt.Errorf("got %s with %d %s, want %d (all counts: %v)", what, got[noun], noun, n, got)
		}
	}
	return nil
}

func (w *World) expectAlert(ctx context.Context, e *ExpectAlert) error {
	rows, err := w.alerts(ctx, e.Alert)
	if err != nil {
		return err
	}
	counts := map[string]int{"episodes": len(rows)}
	for _, row := range rows {
		counts["reports"] += row.Episode.Reports
		counts["flaps"] += row.Episode.Flaps
		if err := w.expectRow(row, e); err != nil {
			return err
		}
	}
	return compareCounts("the alert", e.Counts, counts)
}

func (w *World) expectRow(row *alert.Row, e *ExpectAlert) error {
	who := fmt.Sprintf("%s %v", row.Episode.ID, row.Episode.Labels.Map())
	for _, word := range e.Is {
		var is bool
		switch word {
		case "firing", "resolved":
			is = string(row.Episode.State) == word
		case "silenced":
			is = len(row.Episode.SilencedBy) > 0
		case "inhibited":
			is = len(row.Episode.InhibitedBy) > 0
		case "flapping":
			is = row.Episode.Flapping
		case "told":
			is = row.Disposition() == alert.Told
		case "untold":
			is = row.Disposition() != alert.Told
		}
		if !is {
			return fmt.Errorf("%s is not %s: it is %s, %s, in %s (%s)", who, word, row.Episode.State, row.Disposition(), incident.ID(row.Root), row.IncidentState)
		}
	}
	for name, inside := range map[string]bool{e.In: true, e.NotIn: false} {
		if name == "" {
			continue
		}
		number, err := w.number(name)
		if err != nil {
			return err
		}
		if (row.Root == number) != inside {
			return fmt.Errorf("%s is in %s; %s is %s", who, incident.ID(row.Root), name, incident.ID(number))
		}
	}
	if e.Says == "" {
		return nil
	}
	var lines []string
	for _, line := range row.Decision {
		text := line.Stage + ": " + line.Outcome + ": " + line.Reason
		if contains(text, e.Says) {
			return nil
		}
		lines = append(lines, text)
	}
	return fmt.Errorf("got the decision record %q of %s, want %q in it", lines, who, e.Says)
}
