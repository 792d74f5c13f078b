package scenario

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/ops/topology"
)

// ReadStream makes a Script of a recorded alert stream, lines of {"at", "alerts"} as Prometheus posts them, and its map. The
// first line is at the scenario's start.
func ReadStream(stream, edges io.Reader) (*Script, error) {
	inventory, err := topology.ParseInventory(edges)
	if err != nil {
		return nil, err
	}
	script := &Script{}
	for i := range inventory.Edges {
		script.Edges = append(script.Edges, [2]string{inventory.Edges[i].From, inventory.Edges[i].To})
	}
	scanner := bufio.NewScanner(stream)
	scanner.Buffer(nil, 64<<20)
	var first time.Time
	for number := 1; scanner.Scan(); number++ {
		var line streamLine
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if first.IsZero() {
			first = line.At
		}
		for _, a := range line.Alerts {
			report := Report{Labels: signal.NewLabels(a.Labels), Skew: a.StartsAt.Sub(line.At)}
			switch {
			case a.EndsAt.IsZero():
			case a.EndsAt.After(line.At):
				report.Timeout = a.EndsAt.Sub(line.At)
			default:
				report.Resolved, report.Skew = true, a.EndsAt.Sub(line.At)
			}
			script.Lines = append(script.Lines, Line{Number: number, At: line.At.Sub(first), Text: a.Labels["alertname"], Do: report})
		}
	}
	slices.SortStableFunc(script.Lines, func(a, b Line) int { return int(a.At - b.At) })
	return script, scanner.Err()
}

// streamLine is one line of a recording.
type streamLine struct {
	At     time.Time
	Alerts []struct {
		Labels           map[string]string
		StartsAt, EndsAt time.Time
	}
}
