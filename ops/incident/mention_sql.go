package incident

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/store"
)

// Mention says that somebody was named in what a person wrote on an incident.
type Mention struct {
	// Step is the number of the step that holds the text.
	Step     uint64
	Incident uint64
	At       time.Time
	Actor    string
	Text     string
	// SeenAt is zero until the named person has seen it.
	SeenAt time.Time
}

// named finds "@ann" behind a space, a bracket or a comma, but not in an e-mail address.
var named = regexp.MustCompile(`(?:^|[\s(\[,;:])@([a-z0-9][a-z0-9._@+-]{0,63})`)

// maxMentions bounds how many people one text names.
const maxMentions = 20

// Names returns whom a text names with an "@", each once, without it.
func Names(text string) []string {
	var names []string
	for _, match := range named.FindAllStringSubmatch(strings.ToLower(text), -1) {
		name := strings.TrimRight(match[1], "._@+-")
		if len(names) < maxMentions && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// saveMentions stores whom people's steps name, but for themselves.
func saveMentions(ctx context.Context, tx store.Tx, steps []*Step) error {
	var rows [][]any
	for _, s := range steps {
		if s.Actor == engineActor {
			continue
		}
		for _, name := range Names(s.Text) {
			if name != s.Actor {
				rows = append(rows, []any{int64(s.Number), name, int64(s.Incident), store.Millis(s.At), 0}) //nolint:gosec // numbers far below 2^63
			}
		}
	}
	return store.Insert(ctx, tx, "mentions", []string{"step", "name", "incident", "at", "seen_at"}, "", rows)
}

// Mentions returns where somebody was named, newest first, at most limit; unseen leaves out what was seen. The incident is
// the one that stands for the text's after merges.
func Mentions(ctx context.Context, db store.Querier, name string, unseen bool, limit int) ([]Mention, error) {
	where := "m.name = ?"
	if unseen {
		where += " AND m.seen_at = 0"
	}
	rows, err := db.QueryContext(ctx, `SELECT m.step, coalesce(i.root, m.incident), m.at, m.seen_at FROM mentions m
		LEFT JOIN incidents i ON i.number = m.incident WHERE `+where+" ORDER BY m.step DESC LIMIT ?", name, limit)
	if err != nil {
		return nil, fmt.Errorf("read mentions: %w", store.Classify(err))
	}
	defer rows.Close()
	var list []Mention
	var numbers []uint64
	for rows.Next() {
		var m Mention
		var at, seen int64
		if err := rows.Scan(&m.Step, &m.Incident, &at, &seen); err != nil {
			return nil, fmt.Errorf("read mention: %w", err)
		}
		m.At, m.SeenAt = store.Time(at), store.Time(seen)
		list, numbers = append(list, m), append(numbers, m.Step)
	}
	if err := rows.Err(); err != nil || len(list) == 0 {
		return nil, err
	}
	found, err := steps(ctx, db, "number IN (?)", store.List(numbers))
	if err != nil {
		return nil, err
	}
	for _, s := range found {
		for i := range list {
			if list[i].Step == s.Number {
				list[i].Actor, list[i].Text = s.Actor, s.Text
			}
		}
	}
	return list, nil
}

// SeeMentions says within tx that somebody has seen where they were named in these steps; all of them when there are none.
func SeeMentions(ctx context.Context, tx store.Tx, name string, numbers []uint64, now time.Time) error {
	query, args := "UPDATE mentions SET seen_at = ? WHERE name = ? AND seen_at = 0", []any{store.Millis(now), name}
	if len(numbers) > 0 {
		query, args = query+" AND step IN (?)", append(args, store.List(numbers))
	}
	if _, err := tx.NewRaw(query, args...).Exec(ctx); err != nil {
		return fmt.Errorf("see mentions: %w", store.Classify(err))
	}
	return nil
}
