// Package topology is the map: which entities there are and who depends on whom.
//
// A Map is filled from an inventory of edges (the file of `fairlead eval incidents --edges`, PUT /map/edges) and answers how
// far apart two entities are. Entities meet by name: an edge names "cart-1", an alert's instance or service label does
// too. Later issues add what spans, resources and Kubernetes events tell. A Map is safe for concurrent use.
package topology

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/fairlead/fairlead/base/entity"
)

// Inventory is a list of edges as people and other tools write it.
type Inventory struct {
	// Level says what the names are: "service" or "instance". It is kept for display.
	Level string `json:"level,omitempty"`
	// Directed is false when each edge stands for both directions.
	Directed bool `json:"directed"`
	// Nodes lists names, also those without an edge.
	Nodes []string `json:"nodes,omitempty"`
	Edges []Edge   `json:"edges"`
}

// Edge says that From depends on To.
type Edge struct {
	From string `json:"from"`
	To   string `json:"to"`
	// Kind is "call" unless said otherwise.
	Kind string `json:"kind,omitempty"`
	// Share is how sure the edge is, 0 to 1; missing means 1.
	Share *float64 `json:"share,omitempty"`
}

// Confidence returns Share, 1 when it is missing.
func (e *Edge) Confidence() float64 {
	if e.Share == nil {
		return 1
	}
	return *e.Share
}

// maxEdges bounds an inventory.
const maxEdges = 1_000_000

// ParseInventory reads an inventory in JSON. The error names the edge and the field.
func ParseInventory(r io.Reader) (Inventory, error) {
	var inv Inventory
	if err := json.NewDecoder(r).Decode(&inv); err != nil {
		return inv, fmt.Errorf("edges: %w", err)
	}
	return inv, inv.Validate()
}

// Validate returns an error that names the first edge that makes no sense.
func (inv *Inventory) Validate() error {
	if len(inv.Edges) > maxEdges {
		return fmt.Errorf("edges: %d are too many; send at most %d", len(inv.Edges), maxEdges)
	}
	for i := range inv.Edges {
		e := &inv.Edges[i]
		if strings.TrimSpace(e.From) == "" || strings.TrimSpace(e.To) == "" {
			return fmt.Errorf("edges[%d]: from %q, to %q: name both ends", i, e.From, e.To)
		}
		if c := e.Confidence(); !(c >= 0 && c <= 1) {
			return fmt.Errorf("edges[%d].share: %v is not between 0 and 1", i, c)
		}
	}
	return nil
}

// Map knows the edges. The zero value is an empty map.
type Map struct {
	mu       sync.RWMutex
	version  uint64
	inv      Inventory
	near     map[string]map[string]float64 // neighbours in either direction, with confidence
	distance map[[2]string]answer          // filled as asked
}

type answer struct {
	hops       int
	confidence float64
	ok         bool
}

// maxHops is how far Distance looks. Beyond that, alerts say little about each other.
const maxHops = 4

// maxAnswers bounds the answers that are remembered.
const maxAnswers = 1 << 18

// Set replaces the edges.
func (m *Map) Set(inv Inventory) {
	near := map[string]map[string]float64{}
	link := func(a, b string, confidence float64) {
		if near[a] == nil {
			near[a] = map[string]float64{}
		}
		near[a][b] = max(near[a][b], confidence)
	}
	for _, node := range inv.Nodes {
		if near[node] == nil {
			near[node] = map[string]float64{}
		}
	}
	for i := range inv.Edges {
		e := &inv.Edges[i]
		link(e.From, e.To, e.Confidence())
		link(e.To, e.From, e.Confidence())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.inv, m.near, m.distance = inv, near, map[[2]string]answer{}
	m.version++
}

// Inventory returns the edges as they were set.
func (m *Map) Inventory() Inventory {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.inv
}

// Version changes with every Set.
func (m *Map) Version() uint64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.version
}

// Distance returns the number of edges on the surest of the shortest paths between a and b, in either direction, and the
// product of its edges' confidences; ok is false when one of them is not on the map or no path has at most 4 edges.
func (m *Map) Distance(a, b entity.Ref) (hops int, confidence float64, ok bool) {
	if a.IsZero() || b.IsZero() {
		return 0, 0, false
	}
	k := [2]string{a.Name, b.Name}
	if k[0] > k[1] {
		k[0], k[1] = k[1], k[0]
	}
	m.mu.RLock()
	known, found := m.distance[k]
	m.mu.RUnlock()
	if found {
		return known.hops, known.confidence, known.ok
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	known = m.search(k[0], k[1])
	if m.distance == nil || len(m.distance) >= maxAnswers {
		m.distance = map[[2]string]answer{}
	}
	m.distance[k] = known
	return known.hops, known.confidence, known.ok
}

// search is a breadth-first search that keeps the surest way to each node of a level.
func (m *Map) search(from, to string) answer {
	if m.near[from] == nil || m.near[to] == nil {
		return answer{}
	}
	if from == to {
		return answer{hops: 0, confidence: 1, ok: true}
	}
	seen := map[string]bool{from: true}
	level := map[string]float64{from: 1}
	for hops := 1; hops <= maxHops && len(level) > 0; hops++ {
		next := map[string]float64{}
		for node, sure := range level {
			for other, confidence := range m.near[node] {
				if !seen[other] {
					next[other] = max(next[other], sure*confidence)
				}
			}
		}
		if sure, found := next[to]; found {
			return answer{hops: hops, confidence: sure, ok: true}
		}
		for node := range next {
			seen[node] = true
		}
		level = next
	}
	return answer{}
}

// Nodes returns all names on the map, sorted.
func (m *Map) Nodes() []string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	names := make([]string, 0, len(m.near))
	for name := range m.near {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
