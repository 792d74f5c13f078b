package incident

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Pins returns all pins in a stable order, for storing.
func (g *Grouping) Pins() []Pin {
	pins := make([]Pin, 0, len(g.pins))
	for pin := range g.pins {
		pins = append(pins, pin)
	}
	slices.SortFunc(pins, func(a, b Pin) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Other, b.Other),
			cmp.Compare(a.Member, b.Member), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	return pins
}

// Restore puts a fresh Grouping back to where it was before a restart. Call it once, before anything else. Members of
// groups that are not given are left out. The error says that Learned cannot be read.
func (g *Grouping) Restore(now time.Time, state Restored) error {
	if err := g.marks.restore(state.Learned); err != nil {
		return fmt.Errorf("restore what grouping has learned: %w", err)
	}
	g.now = now
	for _, pin := range state.Pins {
		g.pins[pin] = true
	}
	groups := slices.Clone(state.Groups)
	slices.SortFunc(groups, func(a, b RestoredGroup) int {
		return cmp.Or(a.OpenedAt.Compare(b.OpenedAt), cmp.Compare(a.ID, b.ID))
	})
	for _, r := range groups {
		gr := &group{
			id: r.ID, state: r.State, shown: !r.ShownAt.IsZero(), openedAt: r.OpenedAt, shownAt: r.ShownAt, endedAt: r.EndedAt,
			quietAt: r.OpenedAt, onset: r.OpenedAt, lastOn: r.OpenedAt, members: map[string]*member{},
		}
		g.groups[r.ID] = gr
		g.next = max(g.next, r.ID+1)
		g.note(gr)
	}
	g.next = max(g.next, state.NextGroup)
	g.restoreMembers(state.Members)
	for _, r := range groups {
		gr := g.groups[r.ID]
		if due, _, _ := g.due(gr); !due.IsZero() {
			g.wake(gr, due)
		}
	}
	return nil
}

func (g *Grouping) restoreMembers(members []RestoredMember) {
	members = slices.Clone(members)
	slices.SortFunc(members, func(a, b RestoredMember) int {
		return cmp.Or(a.FiredAt.Compare(b.FiredAt), cmp.Compare(a.Member.ID, b.Member.ID))
	})
	for i := range members {
		r := &members[i]
		gr := g.groups[r.Group]
		if gr == nil || g.members[r.Member.ID] != nil {
			continue
		}
		m := &member{
			Member: r.Member, firing: r.ResolvedAt.IsZero(), at: r.FiredAt, lastFired: r.LastFiredAt, endedAt: r.ResolvedAt,
			returned: r.LastFiredAt.After(r.FiredAt),
		}
		m.traits = g.marks.look(&m.Member)
		before := g.prints[m.Fingerprint]
		g.members[m.ID] = m
		g.prints[m.Fingerprint] = m
		g.put(r.FiredAt, gr, m, before == nil || before.group != gr)
		if !m.firing {
			g.gone = append(g.gone, m)
			if gr.firing == 0 && gr.quietAt.Before(m.endedAt) {
				gr.quietAt = m.endedAt
			}
		}
	}
	slices.SortStableFunc(g.gone, func(a, b *member) int { return a.endedAt.Compare(b.endedAt) })
}

// learned is the stored form of marks.
type learned struct {
	Total float64                     `json:"total"`
	Seen  map[string]float64          `json:"seen"`
	Vague [traitKinds][vagues]float64 `json:"vague"`
}

// maxLearned bounds the traits whose counts are stored.
const maxLearned = 10_000

// Learned returns what the Grouping has learned (how common each trait is, how vague each kind of trait is), for storing.
// The most common 10,000 traits are kept.
func (g *Grouping) Learned() []byte {
	k := g.marks
	type entry struct {
		key string
		n   float64
	}
	entries := make([]entry, 0, len(k.ids))
	for key, id := range k.ids {
		entries = append(entries, entry{key, k.seen[id]})
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.key, b.key)) })
	entries = entries[:min(len(entries), maxLearned)]
	out := learned{Total: k.total, Seen: make(map[string]float64, len(entries))}
	for _, e := range entries {
		out.Seen[e.key] = e.n
	}
	for kind := range k.vague {
		out.Vague[kind] = k.vague[kind].score
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil // only a weight that is no number
	}
	return data
}

func (k *marks) restore(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	var in learned
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	k.total = in.Total
	keys := make([]string, 0, len(in.Seen))
	for key := range in.Seen {
		if key != "" {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		if id := k.intern(key[0], key[1:]); id >= 0 {
			k.seen[id] = in.Seen[key]
		}
	}
	for kind := range k.vague {
		k.vague[kind].score = in.Vague[kind]
		k.vague[kind].settle()
	}
	return nil
}
