package incident

import (
	"fmt"
	"strconv"
	"strings"
)

func parseNumber(prefix, id string) (uint64, error) {
	digits, found := strings.CutPrefix(id, prefix)
	number, err := strconv.ParseUint(digits, 10, 64)
	if !found || err != nil || number == 0 {
		return 0, fmt.Errorf("id %q: want %s and a number, for instance %s12: %w", id, prefix, prefix, ErrInvalid)
	}
	return number, nil
}

// title says in words what is wrong: the commonest alert and what it hits most.
func title(t *Tally) string {
	names, places := Top(t.Names, 2), Top(t.Entities, 1)
	var text strings.Builder
	switch {
	case len(names) == 0:
		text.WriteString("Unnamed alert")
	case len(names) == 1, t.Names[names[0]] >= 3*t.Names[names[1]]:
		text.WriteString(names[0])
	default:
		text.WriteString(names[0] + ", " + names[1])
	}
	if len(places) > 0 {
		_, place, _ := strings.Cut(places[0], ":")
		text.WriteString(" on " + place)
		if more := len(t.Entities) - 1; more == 1 {
			text.WriteString(" and 1 other")
		} else if more > 1 {
			fmt.Fprintf(&text, " and %d others", more)
		}
	}
	return text.String()
}
