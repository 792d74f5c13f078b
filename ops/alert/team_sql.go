package alert

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
)

// TeamLabel is the label by which an alert says whose it is.
const TeamLabel = "team"

// TeamOf returns the team that matchers are about for certain: the value of the matcher team="..."; "" when there is none.
func (ms Matchers) TeamOf() string {
	for i := range ms {
		if ms[i].Name == TeamLabel && ms[i].Type == MatchEqual {
			return ms[i].Value
		}
	}
	return ""
}

// anyTeam is how the stored labels of an alert with a team look; the quotes of other values are escaped there.
const anyTeam = `"` + TeamLabel + `":"`

// hasTeam returns a condition on a column of labels: one of teams is in it.
func hasTeam(column string, teams []string) (condition string, args []any) {
	parts := make([]string, len(teams))
	for i, team := range teams {
		text := encodeLabels(signal.Labels{{Name: TeamLabel, Value: team}})
		parts[i] = "replace(" + column + ", ?, '') <> " + column // contains, in both engines and in this case
		args = append(args, strings.Trim(text, "{}"))
	}
	if len(parts) == 0 {
		return "1 = 0", nil
	}
	return "(" + strings.Join(parts, " OR ") + ")", args
}

// SeenBy returns a condition on the number of an incident that others may have been merged into: people of teams see it,
// because an alert in it belongs to one of them, or none in it to any. number is SQL.
func SeenBy(number string, teams []string) (condition string, args []any) {
	const of = "SELECT 1 FROM alerts ta JOIN incidents ti ON ti.number = ta.incident WHERE ti.root = "
	own, args := hasTeam("ta.labels", teams)
	condition = "(EXISTS (" + of + number + " AND " + own + ") OR NOT EXISTS (" + of + number + " AND replace(ta.labels, ?, '') <> ta.labels))"
	return condition, append(args, anyTeam)
}

// seenAlert is SeenBy for alerts: those in an incident are seen with it, others by their own label.
func seenAlert(teams []string) (condition string, args []any) {
	seen, args := SeenBy("r.number", teams)
	own, more := hasTeam("a.labels", teams)
	condition = "((r.number IS NOT NULL AND " + seen + ") OR (r.number IS NULL AND (" + own + " OR replace(a.labels, ?, '') = a.labels)))"
	return condition, append(append(args, more...), anyTeam)
}

// Unseen returns how many of some alerts people of teams do not see; unknown ones count too.
func Unseen(ctx context.Context, db store.Querier, ids, teams []string) (int, error) {
	numbers := make([]int64, 0, len(ids))
	unknown := 0
	for _, id := range ids {
		n, err := ParseID(id)
		if err != nil {
			unknown++
			continue
		}
		numbers = append(numbers, int64(n)) //nolint:gosec // far below 2^63
	}
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	for part := range slices.Chunk(numbers, 500) {
		condition, args := seenAlert(teams)
		var seen int
		err := db.NewRaw("SELECT count(*) FROM alerts a LEFT JOIN incidents h ON h.number = a.incident LEFT JOIN incidents r ON r.number = h.root"+
			" WHERE a.seq IN (?) AND "+condition, append([]any{store.List(part)}, args...)...).Scan(ctx, &seen)
		if err != nil {
			return 0, fmt.Errorf("look who sees alerts: %w", store.Classify(err))
		}
		unknown += len(part) - seen
	}
	return unknown, nil
}
