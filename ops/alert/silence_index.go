package alert

import (
	"slices"
	"time"

	"github.com/fairlead/fairlead/base/signal"
)

// silenceIndex finds the silences for a label set. It is immutable.
type silenceIndex struct {
	byID map[string]*Silence
	// byLabel holds each silence under one of its equality matchers: name, then value.
	byLabel map[string]map[string][]*Silence
	// rest has no matcher to be looked up by.
	rest []*Silence
	// edges are the times at which a silence begins or ends, in order, each once.
	edges []time.Time
}

// overForGood is how long after its end a silence is still looked up, for messages that are processed again after a crash.
const overForGood = time.Hour

// newSilenceIndex indexes all silences but those that are over for good at now. byID must not be changed afterwards.
func newSilenceIndex(byID map[string]*Silence, now time.Time) *silenceIndex {
	index := &silenceIndex{byID: byID, byLabel: make(map[string]map[string][]*Silence)}
	for _, silence := range byID {
		if !silence.StartsAt.Before(silence.EndsAt) || silence.EndsAt.Before(now.Add(-overForGood)) {
			continue // the first is one that expired before it began
		}
		index.edges = append(index.edges, silence.StartsAt, silence.EndsAt)
		if m := index.narrowest(silence.Matchers); m != nil {
			values := index.byLabel[m.Name]
			if values == nil {
				values = make(map[string][]*Silence)
				index.byLabel[m.Name] = values
			}
			values[m.Value] = append(values[m.Value], silence)
		} else {
			index.rest = append(index.rest, silence)
		}
	}
	slices.SortFunc(index.edges, time.Time.Compare)
	index.edges = slices.CompactFunc(index.edges, time.Time.Equal)
	return index
}

// narrowest returns the equality matcher under which the fewest silences stand so far, nil if there is none.
func (x *silenceIndex) narrowest(matchers Matchers) *Matcher {
	var best *Matcher
	fewest := 0
	for i := range matchers {
		m := &matchers[i]
		if m.Type != MatchEqual || m.Value == "" {
			continue
		}
		if n := len(x.byLabel[m.Name][m.Value]); best == nil || n < fewest {
			best, fewest = m, n
		}
	}
	return best
}

func (x *silenceIndex) match(set signal.Labels, now time.Time) []string {
	var ids []string
	if len(x.byLabel) > 0 {
		for i := range set {
			if values := x.byLabel[set[i].Name]; values != nil {
				ids = appendMatching(ids, values[set[i].Value], set, now)
			}
		}
	}
	ids = appendMatching(ids, x.rest, set, now)
	slices.Sort(ids)
	return ids
}

func appendMatching(ids []string, silences []*Silence, set signal.Labels, now time.Time) []string {
	for _, silence := range silences {
		if silence.State(now) == SilenceActive && silence.Matchers.Matches(set) {
			ids = append(ids, silence.ID)
		}
	}
	return ids
}
