package crash

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// entry is what the client knows of one alert, by its label set.
type entry struct {
	// accepted counts the reports that the server answered with 200, open those whose answer never came: the server may
	// have stored them or not.
	accepted, open int
	// ended says that the server accepted the alert's end; maybeEnded that an end was sent and not answered.
	ended, maybeEnded bool
}

// ledger is the client's own account of what the server accepted. It may be used from several goroutines.
type ledger struct {
	mu      sync.Mutex // guards entries
	entries map[string]*entry
}

func newLedger() *ledger { return &ledger{entries: map[string]*entry{}} }

// note enters one request: the keys of its alerts, those of them that it ended, and whether it was answered with 200.
func (l *ledger) note(keys []string, ends map[string]bool, accepted bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range keys {
		e := l.entries[key]
		if e == nil {
			e = &entry{}
			l.entries[key] = e
		}
		if accepted {
			e.accepted++
			e.ended = e.ended || ends[key]
		} else {
			e.open++
			e.maybeEnded = e.maybeEnded || ends[key]
		}
	}
}

// counts returns how many alerts were accepted for certain, and how many reports.
func (l *ledger) counts() (alerts, reports int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.entries {
		if e.accepted > 0 {
			alerts++
		}
		reports += e.accepted
	}
	return alerts, reports
}

// stored is what the server has of one alert.
type stored struct {
	ID       string
	Key      string
	State    string
	Reports  int
	Incident string
}

// compare returns what is wrong with the stored alerts, one sentence each: lost, doubled, invented or in a wrong state.
func (l *ledger) compare(alerts []stored) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var problems []string
	rows := map[string][]stored{}
	for _, a := range alerts {
		rows[a.Key] = append(rows[a.Key], a)
		if l.entries[a.Key] == nil {
			problems = append(problems, fmt.Sprintf("invented: %s (%s) was never sent", a.ID, a.Key))
		}
	}
	for key, e := range l.entries {
		found := rows[key]
		switch {
		case len(found) == 0 && e.accepted > 0:
			problems = append(problems, fmt.Sprintf("lost: %s was accepted %d times and is not stored", key, e.accepted))
			continue
		case len(found) > 1:
			problems = append(problems, fmt.Sprintf("doubled: %s is stored as %d alerts: %v", key, len(found), found))
			continue
		case len(found) == 0:
			continue
		}
		a := found[0]
		if a.Reports < e.accepted {
			problems = append(problems, fmt.Sprintf("lost: %s was accepted %d times, %s counts %d reports", key, e.accepted, a.ID, a.Reports))
		}
		if a.Reports > e.accepted+e.open {
			problems = append(problems, fmt.Sprintf("doubled: %s was sent %d times, %s counts %d reports", key, e.accepted+e.open, a.ID, a.Reports))
		}
		switch {
		case e.ended && a.State != "resolved":
			problems = append(problems, fmt.Sprintf("lost: the end of %s was accepted, %s is %s", key, a.ID, a.State))
		case !e.ended && !e.maybeEnded && a.State != "firing":
			problems = append(problems, fmt.Sprintf("wrong: %s never ended, %s is %s", key, a.ID, a.State))
		}
	}
	slices.Sort(problems)
	return problems
}

// shorten joins problems, at most n of them.
func shorten(problems []string, n int) string {
	text := strings.Join(problems[:min(n, len(problems))], "\n")
	if len(problems) > n {
		text += fmt.Sprintf("\n... and %d more", len(problems)-n)
	}
	return text
}
