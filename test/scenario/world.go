package scenario

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/ops/incident"
	"github.com/fairlead/fairlead/ops/topology"
)

// Start is when every scenario starts.
var Start = time.Date(2026, time.March, 2, 3, 0, 0, 0, time.UTC)

// World is one engine with its database, map, silences and inhibition rules, at one moment of a scenario.
type World struct {
	config store.Config
	script *Script
	logger *slog.Logger

	now      time.Time
	sequence uint64
	names    map[string]uint64 // of incidents
	silences map[string]string // name -> id
	starts   map[signal.Fingerprint]time.Time

	db    *store.DB
	muted *alert.Silences
	desk  *incident.Desk
}

// Open returns a World at the scenario's start, with its rows in a database that must be empty.
func Open(ctx context.Context, config store.Config, script *Script) (*World, error) {
	w := &World{
		config: config, script: script, logger: slog.New(slog.DiscardHandler), now: Start,
		names: map[string]uint64{}, silences: map[string]string{}, starts: map[signal.Fingerprint]time.Time{},
	}
	return w, w.open(ctx)
}

func (w *World) open(ctx context.Context) error {
	var err error
	if w.db, err = store.Open(ctx, w.config, "ops", store.Schema(), w.logger); err != nil {
		return err
	}
	if w.muted, err = alert.NewSilences(ctx, alert.NewSilenceRows(w.db)); err != nil {
		return err
	}
	inhibitor, err := alert.NewInhibitor(w.script.Inhibit)
	if err != nil {
		return err
	}
	edges := topology.Inventory{Level: "service", Directed: true}
	for _, edge := range w.script.Edges {
		edges.Edges = append(edges.Edges, topology.Edge{From: edge[0], To: edge[1]})
	}
	places := &topology.Map{}
	places.Set(edges)
	w.desk, err = incident.OpenDesk(ctx, w.db, incident.DeskConfig{
		Engine: incident.DefaultConfig(), Consumer: "scenario", Topology: places, Silences: w.muted, Inhibitor: func() incident.Inhibitor { return inhibitor },
	}, w.logger)
	return err
}

// Close ends the engine and its database.
func (w *World) Close(ctx context.Context) error {
	return errors.Join(w.desk.Close(ctx), w.db.Close())
}

// Run does what lines say, in order. The error is a *Failure when an expectation did not hold or an action went wrong.
func (w *World) Run(ctx context.Context, lines []Line) error {
	for len(lines) > 0 {
		// Reports of one moment arrive in one request.
		reports := 0
		for reports < len(lines) && lines[reports].At == lines[0].At && isReport(lines[reports]) {
			reports++
		}
		var err error
		if reports > 0 {
			err = w.report(ctx, lines[:reports])
		} else {
			reports = 1
			err = w.do(ctx, lines[0])
		}
		if err != nil {
			return &Failure{Line: lines[0], Err: err}
		}
		lines = lines[reports:]
	}
	return nil
}

// Failure says which line of a scenario did not hold, and why.
type Failure struct {
	Line Line
	Err  error
}

// Error names the line, its text and what was found.
func (f *Failure) Error() string {
	return fmt.Sprintf("line %d: %s: %v", f.Line.Number, f.Line.Text, f.Err)
}

// Unwrap returns the reason alone.
func (f *Failure) Unwrap() error { return f.Err }

func isReport(line Line) bool {
	_, is := line.Do.(Report)
	return is
}

// AdvanceTo lets time pass until at since the start, and does what waited until then.
func (w *World) AdvanceTo(ctx context.Context, at time.Duration) error {
	w.now = Start.Add(at)
	return w.desk.Do(ctx, w.now, nil, nil, func(*incident.Engine) error { return nil })
}

func (w *World) report(ctx context.Context, lines []Line) error {
	w.now = Start.Add(lines[0].At)
	batch := signal.AlertBatch{At: w.now}
	for _, line := range lines {
		report := line.Do.(Report)
		a := signal.Alert{
			Source: "prometheus", Identity: report.Labels.Fingerprint().String(), Labels: report.Labels,
			StartsAt: w.now.Add(report.Skew), ResolveTimeout: report.Timeout,
		}
		fingerprint := report.Labels.Fingerprint()
		if report.Resolved {
			a.StartsAt, a.EndsAt = w.starts[fingerprint], w.now.Add(report.Skew)
			if a.StartsAt.IsZero() || a.StartsAt.After(a.EndsAt) {
				a.StartsAt = a.EndsAt
			}
		} else {
			w.starts[fingerprint] = a.StartsAt
		}
		batch.Alerts = append(batch.Alerts, a)
	}
	w.sequence++
	return w.desk.Apply(ctx, []signal.AlertBatch{batch}, w.sequence, nil)
}

func (w *World) do(ctx context.Context, line Line) error {
	if err := w.AdvanceTo(ctx, line.At); err != nil {
		return err
	}
	switch do := line.Do.(type) {
	case Silence:
		return w.silence(ctx, do)
	case Expire:
		if err := w.muted.Expire(ctx, "tester", w.now, w.silences[do.Name]); err != nil {
			return err
		}
		return w.AdvanceTo(ctx, line.At)
	case Restart:
		if err := w.Close(ctx); err != nil {
			return err
		}
		return w.open(ctx)
	case Name:
		return w.name(ctx, do)
	case Person:
		return refusal(do.Refused, w.person(ctx, do))
	case Undo:
		return refusal(do.Refused, w.undoNewest(ctx, do))
	case Expect:
		return w.expect(ctx, do)
	}
	return fmt.Errorf("nothing is known of %T", line.Do)
}

func (w *World) silence(ctx context.Context, do Silence) error {
	s := alert.Silence{EndsAt: w.now.Add(do.For), CreatedBy: "tester", Comment: do.Name}
	for _, text := range do.Matchers {
		matchers, err := alert.ParseMatchers(text)
		if err != nil {
			return err
		}
		s.Matchers = append(s.Matchers, matchers...)
	}
	id, err := w.muted.Set(ctx, "tester", w.now, s)
	if err != nil {
		return err
	}
	w.silences[do.Name] = id
	// The server wakes the engine when a silence changes; so do we.
	return w.desk.Do(ctx, w.now, nil, nil, func(*incident.Engine) error { return nil })
}

// name gives the incident of an alert a name.
func (w *World) name(ctx context.Context, do Name) error {
	rows, err := w.alerts(ctx, do.Alert)
	if err != nil {
		return err
	}
	root := rows[0].Root
	for _, row := range rows {
		if row.Root != root {
			return fmt.Errorf("%s is in %s, %s in %s", rows[0].Episode.Labels.Map(), incident.ID(root), row.Episode.Labels.Map(), incident.ID(row.Root))
		}
	}
	w.names[do.Incident] = root
	return nil
}

// refusal returns an error when what happened is not what the line says.
func refusal(want string, err error) error {
	switch {
	case want == "":
		return err
	case err == nil:
		return fmt.Errorf("it was done, want it refused with %q", want)
	case !contains(err.Error(), want):
		return fmt.Errorf("it was refused, but without %q: %w", want, err)
	}
	return nil
}

// number returns the number of the incident with a name of the scenario's.
func (w *World) number(name string) (uint64, error) {
	number, known := w.names[name]
	if !known {
		return 0, fmt.Errorf("no incident was named %s; use: name %s: ALERT", name, name)
	}
	return number, nil
}

func (w *World) person(ctx context.Context, do Person) error {
	number, err := w.number(do.Incident)
	if err != nil {
		return err
	}
	var other uint64
	if do.Verb == "merges" {
		if other, err = w.number(do.Other); err != nil {
			return err
		}
	}
	ids, err := w.ids(ctx, do.Alert, do.Verb, number)
	if err != nil {
		return err
	}
	return w.desk.Do(ctx, w.now, append([]uint64{number}, nonZero(other)...), ids, func(e *incident.Engine) error {
		switch do.Verb {
		case "acknowledges":
			_, err = e.Acknowledge(number, do.Who, do.Text)
		case "unacknowledges":
			_, err = e.Unacknowledge(number, do.Who, do.Text)
		case "takes":
			_, err = e.Own(number, do.Who, do.Who, "")
		case "gives":
			_, err = e.Own(number, strings.TrimPrefix(do.Other, "nobody"), do.Who, "")
		case "resolves":
			_, err = e.Resolve(number, do.Who, do.Text)
		case "reopens":
			_, err = e.Reopen(number, do.Who, do.Text)
		case "merges":
			_, err = e.Merge(number, []uint64{other}, do.Who)
		case "moves":
			_, err = e.Assign(number, ids, do.Who)
		case "notes":
			_, err = e.Comment(number, do.Who, do.Text)
		case "splits":
			var step *incident.Step
			if step, err = e.Split(number, ids, do.Who); err == nil && do.Other != "" {
				w.names[do.Other] = step.Incident
			}
		}
		return err
	})
}

func nonZero(number uint64) []uint64 {
	if number == 0 {
		return nil
	}
	return []uint64{number}
}

// ids returns the alerts that a split or move is about: for a split those in the incident.
func (w *World) ids(ctx context.Context, ref AlertRef, verb string, number uint64) ([]string, error) {
	if ref == nil {
		return nil, nil
	}
	rows, err := w.alerts(ctx, ref)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, row := range rows {
		if verb != "splits" || row.Root == number {
			ids = append(ids, row.Episode.ID)
		}
	}
	return ids, nil
}

func (w *World) undoNewest(ctx context.Context, do Undo) error {
	number, err := w.number(do.Incident)
	if err != nil {
		return err
	}
	steps, err := incident.Timeline(ctx, w.db.Read(), number, incident.Window{})
	if err != nil {
		return err
	}
	for _, step := range slices.Backward(steps) {
		if step.Kind == incident.StepKind(do.Kind) && step.UndoneAt.IsZero() {
			return w.Undo(ctx, step.Number, do.Who)
		}
	}
	return fmt.Errorf("no %s of %s is there to undo", do.Kind, incident.ID(number))
}

// Undo takes back the step with this number.
func (w *World) Undo(ctx context.Context, number uint64, who string) error {
	step, err := incident.FindStep(ctx, w.db.Read(), number)
	if err != nil {
		return err
	}
	incidents, alerts := step.Needs()
	return w.desk.Do(ctx, w.now, incidents, alerts, func(e *incident.Engine) error {
		_, err := e.Undo(step, who)
		return err
	})
}
