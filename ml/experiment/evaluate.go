package experiment

import (
	"cmp"
	"container/heap"
	"context"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/ml/experiment/filter"
)

// plan is a search of runs in memory: what it needs, what must hold, and the order.
type plan struct {
	clauses []planned
	order   []ordered
	needed  []columnKey
	// datasets are conditions, in SQL, that must hold of one and the same input.
	datasets []string
	args     []any
}

// planned is a clause on a column, or on what every row has.
type planned struct {
	filter.Clause
	column columnKey // zero for run_id and start_time
}

// ordered is an item of the order.
type ordered struct {
	column     columnKey // zero for run_id and start_time
	field      string    // run_id or start_time, for those
	descending bool
	nullable   bool
}

// planRuns reads filter and order of a search.
func (s *Store) planRuns(ctx context.Context, search Search) (*plan, error) {
	p := &plan{}
	clauses, err := filter.Parse(search.Filter)
	if err != nil {
		return nil, invalid("%v", err)
	}
	for _, c := range clauses {
		if err := s.planClause(ctx, p, c); err != nil {
			return nil, err
		}
	}
	seen := map[string]bool{}
	for _, item := range search.Order {
		if err := s.planOrder(ctx, p, item, seen); err != nil {
			return nil, err
		}
	}
	p.order = append(p.order, ordered{field: "start_time", descending: true}, ordered{field: "run_id"})
	return p, nil
}

func (p *plan) need(key columnKey) columnKey {
	if key.kind != 0 && !slices.Contains(p.needed, key) {
		p.needed = append(p.needed, key)
	}
	return key
}

// attributeColumn returns the column of an attribute; zero for what every row has.
func attributeColumn(name string) columnKey {
	name = strings.ReplaceAll(strings.ToLower(name), " ", "_")
	if i := slices.Index(attributeNames, name); i >= 0 {
		return columnKey{'a', int64(i)}
	}
	return columnKey{}
}

func (s *Store) planClause(ctx context.Context, p *plan, c filter.Clause) error {
	kind, known := runPrefixes[c.Prefix]
	if !known {
		return invalid("filter: %s: the prefix %q is not known; use metrics, params, tags, attributes or datasets", Cut(c.Field.String()), Cut(c.Prefix))
	}
	switch kind {
	case "":
		if err := checkAttribute(c, runAttributes); err != nil {
			return err
		}
		p.clauses = append(p.clauses, planned{c, p.need(attributeColumn(c.Key))})
	case "datasets":
		condition, args, err := datasetCondition(s.db.Read(), c)
		if err != nil {
			return err
		}
		p.datasets, p.args = append(p.datasets, condition), append(p.args, args...)
	default:
		if err := checkKeyClause(kind, c); err != nil {
			return err
		}
		key, err := s.key(ctx, c.Key)
		if err != nil {
			return err
		}
		p.clauses = append(p.clauses, planned{c, p.need(columnKey{kind[0], key})})
	}
	return nil
}

func (s *Store) planOrder(ctx context.Context, p *plan, item string, seen map[string]bool) error {
	o, kind, err := parseRunOrder(item, seen)
	if err != nil {
		return err
	}
	if kind == "" {
		a := runAttributes[o.Key]
		one := ordered{column: p.need(attributeColumn(o.Key)), field: "start_time", descending: o.Descending, nullable: a.nullable}
		if o.Key == "run_id" {
			one.field = "run_id"
		}
		p.order = append(p.order, one)
		return nil
	}
	key, err := s.key(ctx, o.Key)
	if err != nil {
		return err
	}
	p.order = append(p.order, ordered{column: p.need(columnKey{kind[0], key}), descending: o.Descending, nullable: true})
	return nil
}

// holds reports whether a clause holds of a row.
func (c *planned) holds(t *table, i int) bool {
	row := &t.rows[i]
	if c.column.kind == 0 {
		if c.Kind == filter.Number {
			return compare(c.Operator, cmp.Compare(float64(row.started), c.Number))
		}
		return c.Matches(row.id)
	}
	col := t.columns[c.column]
	state := col.state[i]
	switch {
	case c.Operator == filter.IsNull:
		return state == absent
	case c.Operator == filter.IsNotNull:
		return state != absent
	case state != present:
		return false
	case col.numbers != nil:
		return compare(c.Operator, cmp.Compare(col.numbers[i], c.Number))
	case col.whole != nil:
		return compare(c.Operator, cmp.Compare(float64(col.whole[i]), c.Number))
	}
	return c.Matches(col.texts[i])
}

func compare(operator filter.Operator, order int) bool {
	switch operator { //nolint:exhaustive // those of numbers
	case filter.Equal:
		return order == 0
	case filter.NotEqual:
		return order != 0
	case filter.Greater:
		return order > 0
	case filter.GreaterOrEqual:
		return order >= 0
	case filter.Less:
		return order < 0
	default:
		return order <= 0
	}
}

// spot is a row of one of the tables that are searched.
type spot struct {
	table *table
	row   int32
}

// value is what a row is ordered by, in one item: by rank, then in the item's direction by what is set of the rest.
type value struct {
	rank   int
	number float64
	whole  int64
	text   string
}

// at returns the value of an item of the order.
func (o *ordered) at(at spot) value {
	row := &at.table.rows[at.row]
	if o.column.kind == 0 {
		if o.field == "run_id" {
			return value{text: row.id}
		}
		return value{whole: row.started}
	}
	c := at.table.columns[o.column]
	v := value{rank: int(c.state[at.row])}
	if v.rank == int(absent) {
		return v
	}
	switch {
	case c.numbers != nil:
		v.number = c.numbers[at.row]
	case c.whole != nil:
		v.whole = c.whole[at.row]
	default:
		v.text = c.texts[at.row]
	}
	return v
}

func (o *ordered) compare(a, b value) int {
	if a.rank != b.rank {
		return cmp.Compare(a.rank, b.rank)
	}
	order := cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.whole, b.whole), strings.Compare(a.text, b.text))
	if o.descending {
		return -order
	}
	return order
}

// comparePlan orders two rows.
func (p *plan) compare(a, b spot) int {
	for i := range p.order {
		o := &p.order[i]
		if order := o.compare(o.at(a), o.at(b)); order != 0 {
			return order
		}
	}
	return 0
}

// nearest keeps the first rows of an order: the last of them is at the top of a heap.
type nearest struct {
	plan  *plan
	spots []spot
}

// Len, Less, Swap, Push and Pop make it a heap.
func (n *nearest) Len() int           { return len(n.spots) }
func (n *nearest) Less(i, j int) bool { return n.plan.compare(n.spots[i], n.spots[j]) > 0 }
func (n *nearest) Swap(i, j int)      { n.spots[i], n.spots[j] = n.spots[j], n.spots[i] }
func (n *nearest) Push(x any)         { n.spots = append(n.spots, x.(spot)) } //nolint:forcetypeassert // it holds nothing else
func (n *nearest) Pop() any {
	last := n.spots[len(n.spots)-1]
	n.spots = n.spots[:len(n.spots)-1]
	return last
}

// keep takes a row if it belongs to the first most.
func (n *nearest) keep(at spot, most int) {
	switch {
	case len(n.spots) < most:
		heap.Push(n, at)
	case n.plan.compare(at, n.spots[0]) < 0:
		n.spots[0] = at
		heap.Fix(n, 0)
	}
}

// look looks through a table for the first rows of the order behind a token.
func (p *plan) look(t *table, view View, in map[int64]struct{}, after []value, into *nearest, most int) {
	for i := len(t.rows) - 1; i >= 0; i-- { // mostly the newest first
		row := &t.rows[i]
		if row.gone || view != All && row.deleted != (view == DeletedOnly) {
			continue
		}
		if in != nil {
			if _, ok := in[row.number]; !ok {
				continue
			}
		}
		if !p.matches(t, i) {
			continue
		}
		at := spot{t, int32(i)} //nolint:gosec // rows are few enough
		if after != nil && !p.behind(at, after) {
			continue
		}
		into.keep(at, most)
	}
}

func (p *plan) matches(t *table, i int) bool {
	for c := range p.clauses {
		if !p.clauses[c].holds(t, i) {
			return false
		}
	}
	return true
}

// behind reports whether a row comes behind a token's.
func (p *plan) behind(at spot, token []value) bool {
	for i := range p.order {
		o := &p.order[i]
		if order := o.compare(o.at(at), token[i]); order != 0 {
			return order > 0
		}
	}
	return false
}
