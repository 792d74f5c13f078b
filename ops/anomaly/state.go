package anomaly

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"

	"github.com/fairlead/fairlead/base/signal"
)

// boardState is a Board as it is kept.
type boardState struct {
	Teams map[string]Budget `json:"teams"`
	Open  []openState       `json:"open"`
}

// openState is a group that goes on.
type openState struct {
	Group    Group              `json:"group"`
	Active   map[string]float64 `json:"active"`
	Past     []weight           `json:"past"`
	Reported int                `json:"reported"`
	Labels   map[string]string  `json:"labels,omitempty"`
	Findings []findingRow       `json:"findings"`
}

// State returns what a Board knows, for Restore.
func (b *Board) State() ([]byte, error) {
	state := boardState{Teams: make(map[string]Budget, len(b.teams))}
	for name, t := range b.teams {
		state.Teams[name] = t.budget
	}
	for _, g := range b.Open() {
		o := openState{Group: *g, Active: make(map[string]float64, len(g.active)), Past: g.past, Reported: g.reported}
		o.Group.Findings = nil
		for id, evidence := range g.active {
			o.Active[id.String()] = evidence
		}
		if g.labels != nil {
			o.Labels = g.labels.Map()
		}
		for i := range g.Findings {
			o.Findings = append(o.Findings, g.Findings[i].row())
		}
		state.Open = append(state.Open, o)
	}
	data, err := json.Marshal(state)
	if err != nil {
		return nil, fmt.Errorf("keep what is known of anomalies: %w", err)
	}
	return data, nil
}

// Restore makes a Board know what State returned.
func (b *Board) Restore(data []byte) error {
	var state boardState
	if err := json.Unmarshal(data, &state); err != nil {
		return fmt.Errorf("restore what is known of anomalies: %w", err)
	}
	clear(b.teams)
	clear(b.open)
	for name, budget := range state.Teams {
		b.teams[name] = &teamState{budget: budget}
	}
	for i := range state.Open {
		o := &state.Open[i]
		g := &o.Group
		g.active, g.past, g.reported, g.known = make(map[signal.SeriesID]float64, len(o.Active)), o.Past, o.Reported, true
		for text, evidence := range maps.All(o.Active) {
			id, err := strconv.ParseUint(text, 16, 64)
			if err != nil {
				return fmt.Errorf("restore what is known of anomalies: series %q: %w", text, err)
			}
			g.active[signal.SeriesID(id)] = evidence
		}
		if o.Labels != nil {
			g.labels = signal.NewLabels(o.Labels)
		}
		for j := range o.Findings {
			g.Findings = append(g.Findings, o.Findings[j].finding())
		}
		b.open[g.Team+"\x00"+g.Entity] = g
		if t := b.team(g.Team); !g.ToldAt.IsZero() && (t.burst == nil || g.ToldAt.After(t.burst.ToldAt)) {
			t.burst = g
		}
	}
	return nil
}
