package experiment

import (
	"cmp"
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
		one := ordered{column: p.need(attributeColumn(o.Key)), field: "start_time", descending: o.Descending}
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
	p.order = append(p.order, ordered{column: p.need(columnKey{kind[0], key}), descending: o.Descending})
	return nil
}

// source is a table that is searched, with the columns of the plan's clauses and order, nil for what every row has.
type source struct {
	*table
	clauses, order []*column
}

// on returns a table as a source. It must be ready for the plan, and stay locked.
func (p *plan) on(t *table) *source {
	s := &source{table: t}
	for i := range p.clauses {
		s.clauses = append(s.clauses, t.columns[p.clauses[i].column])
	}
	for i := range p.order {
		s.order = append(s.order, t.columns[p.order[i].column])
	}
	return s
}

// holds reports whether a clause holds of a row; col is its column.
func (c *planned) holds(row *tableRow, col *column, i int) bool {
	if col == nil {
		if c.Kind == filter.Number {
			return compare(c.Operator, cmp.Compare(float64(row.started), c.Number))
		}
		return c.Matches(row.id)
	}
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
	switch operator {
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
	source *source
	row    int32
}

// value is what a row is ordered by, in one item: by rank, then in the item's direction by what is set of the rest.
type value struct {
	rank   uint8
	number float64
	whole  int64
	text   string
}

// at returns the value of the item number i of the order.
func (p *plan) at(i int, at spot) value {
	row, c := &at.source.rows[at.row], at.source.order[i]
	switch {
	case c == nil && p.order[i].field == "run_id":
		return value{text: row.id}
	case c == nil:
		return value{whole: row.started}
	case c.state[at.row] == absent:
		return value{rank: absent}
	case c.numbers != nil:
		return value{rank: c.state[at.row], number: c.numbers[at.row]}
	case c.whole != nil:
		return value{whole: c.whole[at.row]}
	}
	return value{text: c.texts[at.row]}
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

// compare orders two rows. The first item, which mostly decides, is compared without making values of it where it can be.
func (p *plan) compare(a, b spot) int {
	i := 0
	if x, y := a.source.order[0], b.source.order[0]; x != nil && x.numbers != nil && x.state[a.row] == present && y.state[b.row] == present {
		if v, w := x.numbers[a.row], y.numbers[b.row]; v != w {
			if (v < w) != p.order[0].descending {
				return -1
			}
			return 1
		}
		i = 1
	} else if x == nil && p.order[0].field == "start_time" {
		if v, w := a.source.rows[a.row].started, b.source.rows[b.row].started; v != w {
			if (v < w) != p.order[0].descending {
				return -1
			}
			return 1
		}
		i = 1
	}
	for ; i < len(p.order); i++ {
		if order := p.order[i].compare(p.at(i, a), p.at(i, b)); order != 0 {
			return order
		}
	}
	return 0
}

// nearest keeps the first rows of an order, in a heap with the last of them on top.
type nearest struct {
	plan  *plan
	spots []spot
}

// keep takes a row if it belongs to the first most.
func (n *nearest) keep(at spot, most int) {
	if len(n.spots) < most {
		n.spots = append(n.spots, at)
		for i := len(n.spots) - 1; i > 0; { // up
			parent := (i - 1) / 2
			if n.plan.compare(n.spots[i], n.spots[parent]) <= 0 {
				return
			}
			n.spots[i], n.spots[parent] = n.spots[parent], n.spots[i]
			i = parent
		}
		return
	}
	if n.plan.compare(at, n.spots[0]) >= 0 {
		return
	}
	n.spots[0] = at
	for i := 0; ; { // down
		child := 2*i + 1
		if child >= len(n.spots) {
			return
		}
		if child+1 < len(n.spots) && n.plan.compare(n.spots[child+1], n.spots[child]) > 0 {
			child++
		}
		if n.plan.compare(n.spots[child], n.spots[i]) <= 0 {
			return
		}
		n.spots[i], n.spots[child] = n.spots[child], n.spots[i]
		i = child
	}
}

// look looks through a table for the first rows of the order behind a token.
func (p *plan) look(s *source, view View, in map[int64]struct{}, after []value, into *nearest, most int) {
	for i := len(s.rows) - 1; i >= 0; i-- { // mostly the newest first
		row := &s.rows[i]
		if row.gone || view != All && row.deleted != (view == DeletedOnly) {
			continue
		}
		if in != nil {
			if _, ok := in[row.number]; !ok {
				continue
			}
		}
		if !p.matches(s, row, i) {
			continue
		}
		at := spot{s, int32(i)} //nolint:gosec // rows are few enough
		if after != nil && !p.behind(at, after) {
			continue
		}
		into.keep(at, most)
	}
}

func (p *plan) matches(s *source, row *tableRow, i int) bool {
	for c := range p.clauses {
		if !p.clauses[c].holds(row, s.clauses[c], i) {
			return false
		}
	}
	return true
}

// behind reports whether a row comes behind a token's.
func (p *plan) behind(at spot, token []value) bool {
	for i := range p.order {
		if order := p.order[i].compare(p.at(i, at), token[i]); order != 0 {
			return order > 0
		}
	}
	return false
}
