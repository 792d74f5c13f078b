package experiment

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/experiment/filter"
)

// Search is what is looked for among runs.
type Search struct {
	Experiments []int64
	Filter      string
	View        View // "" means ActiveOnly
	Order       []string
	// Most is how many runs are returned at most, 1 to 50000.
	Most  int
	Token string
}

// MaxResults is the largest page of runs or experiments.
const MaxResults = 50_000

// runPrefixes are what may stand before a key, and its meaning.
var runPrefixes = map[string]string{
	"metric": "metrics", "metrics": "metrics", "param": "params", "params": "params", "parameter": "params", "parameters": "params",
	"tag": "tags", "tags": "tags", "attribute": "", "attributes": "", "attr": "", "run": "", "": "",
	"dataset": "datasets", "datasets": "datasets",
}

// attribute is a column that is searched by a name.
type attribute struct {
	column   string
	number   bool
	lists    bool // IN and NOT IN
	nullable bool
}

var runAttributes = map[string]attribute{
	"run_id":       {column: "r.uuid", lists: true},
	"run_name":     {column: "r.name"},
	"run name":     {column: "r.name"},
	"Run name":     {column: "r.name"},
	"status":       {column: "r.status"},
	"user_id":      {column: "r.owner"},
	"artifact_uri": {column: "r.location"},
	"start_time":   {column: "r.started_at", number: true},
	"created":      {column: "r.started_at", number: true},
	"Created":      {column: "r.started_at", number: true},
	"end_time":     {column: "r.ended_at", number: true, nullable: true},
}

var datasetAttributes = map[string]string{"name": "d.name", "digest": "d.digest", "context": "i.context"}

var (
	comparisons = []filter.Operator{filter.Equal, filter.NotEqual, filter.Greater, filter.GreaterOrEqual, filter.Less, filter.LessOrEqual}
	textual     = []filter.Operator{filter.Equal, filter.NotEqual, filter.Like, filter.ILike}
)

// Suits refuses a clause whose operator or kind of value does not suit what it is about.
func Suits(c filter.Clause, number bool, operators ...filter.Operator) error {
	if !slices.Contains(operators, c.Operator) {
		names := make([]string, len(operators))
		for i, o := range operators {
			names[i] = string(o)
		}
		return invalid("filter: %s cannot be used with %s; use one of %s", c.Operator, c.Field, strings.Join(names, ", "))
	}
	switch {
	case c.Kind == filter.None || c.Kind == filter.List:
	case number && c.Kind != filter.Number:
		return invalid("filter: %s is compared with a number, without quotes; %q was given", c.Field, Cut(c.Text))
	case !number && c.Kind != filter.Text:
		return invalid("filter: %s is compared with a text in quotes; %q was given", c.Field, Cut(c.Text))
	}
	return nil
}

// query collects the parts of a statement.
type query struct {
	db    store.Querier
	joins []string
	where []string
	args  []any
	// keyed are the aliases of what was joined for a kind and key.
	keyed map[string]string
}

func (q *query) and(condition string, args ...any) {
	q.where = append(q.where, condition)
	q.args = append(q.args, args...)
}

// join makes what runs have under a key available and returns its alias; of runs without it, all columns are NULL. Key is a
// number, so it stands in the text.
func (q *query) join(kind string, key int64) string {
	name := kind + strconv.FormatInt(key, 10)
	if alias, ok := q.keyed[name]; ok {
		return alias
	}
	alias := "k" + strconv.Itoa(len(q.keyed))
	q.keyed[name] = alias
	q.joins = append(q.joins, fmt.Sprintf("LEFT JOIN %s AS %s ON %s.id = r.id * 16777216 + %d", kind, alias, alias, key))
	return alias
}

// searchInSQL returns the numbers of a page of runs, and the token of the next page or "".
func (s *Store) searchInSQL(ctx context.Context, search Search) (order []int64, next string, err error) {
	q := &query{db: s.db.Read(), keyed: map[string]string{}}
	if err := s.filterRuns(ctx, q, search.Filter); err != nil {
		return nil, "", err
	}
	terms, err := s.orderRuns(ctx, q, search.Order)
	if err != nil {
		return nil, "", err
	}
	after, args, err := terms.After(search.Token)
	if err != nil {
		return nil, "", invalid("page_token: %v", err)
	}
	if len(search.Experiments) == 1 {
		q.and("r.experiment = ?", search.Experiments[0])
	} else {
		q.and("r.experiment IN (?)", store.List(search.Experiments))
	}
	switch search.View {
	case ActiveOnly, "":
		q.and("r.stage = 0")
	case DeletedOnly:
		q.and("r.stage = 1")
	case All:
	}
	if after != "" {
		q.and(after, args...)
	}
	return s.page(ctx, q, terms, search.Most)
}

// page runs the query, for the numbers of the runs that are wanted.
func (s *Store) page(ctx context.Context, q *query, terms filter.Terms, most int) (order []int64, next string, err error) {
	text := "SELECT r.id, " + terms.Select() + " FROM runs AS r " + strings.Join(q.joins, " ") + " WHERE " + strings.Join(q.where, " AND ") +
		" ORDER BY " + terms.OrderBy() + " LIMIT " + strconv.Itoa(most+1)
	rows, err := q.db.QueryContext(ctx, text, q.args...)
	if err != nil {
		return nil, "", fmt.Errorf("search runs: %w", store.Classify(err))
	}
	defer rows.Close()
	values, into := make([]any, len(terms)), make([]any, len(terms)+1)
	var number int64
	into[0] = &number
	for i := range values {
		into[i+1] = &values[i]
	}
	for rows.Next() {
		if len(order) == most {
			next = terms.Token(values) // those of the last row
			break
		}
		if err := rows.Scan(into...); err != nil {
			return nil, "", err
		}
		order = append(order, number)
	}
	if err := rows.Err(); err != nil {
		return nil, "", fmt.Errorf("search runs: %w", store.Classify(err))
	}
	return order, next, nil
}

// scanner is what reads a row.
type scanner func(into ...any) error

// Scan reads the row.
func (s scanner) Scan(into ...any) error { return s(into...) }

// runsByNumber returns runs in the order of their numbers' list; one that is gone meanwhile is left out.
func (s *Store) runsByNumber(ctx context.Context, db store.Querier, order []int64) ([]*Run, error) {
	found := make(map[int64]*Run, len(order))
	for rest := order; len(rest) > 0; {
		some := rest[:min(loadBatch, len(rest))]
		rest = rest[len(some):]
		err := store.Each(ctx, db, "SELECT "+runColumns+" FROM runs AS r WHERE r.id IN (?)", []any{store.List(some)}, func(scan func(into ...any) error) error {
			run, err := scanRun(scanner(scan))
			if err == nil {
				found[run.number] = run
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	runs := make([]*Run, 0, len(order))
	for _, number := range order {
		if run, ok := found[number]; ok {
			runs = append(runs, run)
		}
	}
	return runs, s.load(ctx, db, runs)
}

// filterRuns adds the conditions of a filter.
func (s *Store) filterRuns(ctx context.Context, q *query, text string) error {
	clauses, err := filter.Parse(text)
	if err != nil {
		return invalid("%v", err)
	}
	var datasets []string
	var args []any
	for _, c := range clauses {
		kind, known := runPrefixes[c.Prefix]
		if !known {
			return invalid("filter: %s: the prefix %q is not known; use metrics, params, tags, attributes or datasets", Cut(c.Field.String()), Cut(c.Prefix))
		}
		switch kind {
		case "":
			err = filterAttribute(q, c, runAttributes)
		case "datasets":
			condition, more, err := datasetCondition(q.db, c)
			if err != nil {
				return err
			}
			datasets, args = append(datasets, condition), append(args, more...)
		default:
			err = s.filterKey(ctx, q, kind, c)
		}
		if err != nil {
			return err
		}
	}
	if len(datasets) > 0 { // all of one and the same input
		q.and("EXISTS (SELECT 1 FROM inputs AS i JOIN datasets AS d ON d.id = i.dataset WHERE i.run = r.id AND "+strings.Join(datasets, " AND ")+")", args...)
	}
	return nil
}

func filterAttribute(q *query, c filter.Clause, attributes map[string]attribute) error {
	if err := checkAttribute(c, attributes); err != nil {
		return err
	}
	condition, args := c.Condition(q.db, attributes[c.Key].column)
	q.and(condition, args...)
	return nil
}

// checkAttribute refuses a clause on an attribute that is none, or that does not suit it.
func checkAttribute(c filter.Clause, attributes map[string]attribute) error {
	a, known := attributes[c.Key]
	if !known {
		return invalid("filter: the attribute %q is not known", Cut(c.Key))
	}
	operators := textual
	switch {
	case a.number:
		operators = comparisons
	case a.lists:
		operators = append(slices.Clone(textual), filter.In, filter.NotIn)
	}
	return Suits(c, a.number, operators...)
}

func datasetCondition(db store.Querier, c filter.Clause) (string, []any, error) {
	column, known := datasetAttributes[c.Key]
	if !known {
		return "", nil, invalid("filter: of data sets, name, digest and context are known, not %q", Cut(c.Key))
	}
	if err := Suits(c, false, append(slices.Clone(textual), filter.In, filter.NotIn)...); err != nil {
		return "", nil, err
	}
	condition, args := c.Condition(db, column)
	return condition, args, nil
}

// checkKeyClause refuses a clause that does not suit metrics, params or tags.
func checkKeyClause(kind string, c filter.Clause) error {
	operators := comparisons
	if kind != "metrics" {
		operators = append(slices.Clone(textual), filter.IsNull, filter.IsNotNull)
	}
	return Suits(c, kind == "metrics", operators...)
}

func (s *Store) filterKey(ctx context.Context, q *query, kind string, c filter.Clause) error {
	if err := checkKeyClause(kind, c); err != nil {
		return err
	}
	key, err := s.key(ctx, c.Key)
	if err != nil {
		return err
	}
	alias := q.join(kind, key)
	condition, args := c.Condition(q.db, alias+".value")
	if kind == "metrics" {
		condition += " AND " + alias + ".nan = 0" // NaN is neither more nor less nor something else
	}
	q.and(condition, args...)
	return nil
}

// parseRunOrder reads an item of the order of runs: kind is metrics, params, tags or, for an attribute, "". Seen holds what
// was there before.
func parseRunOrder(item string, seen map[string]bool) (o filter.Order, kind string, err error) {
	if o, err = filter.ParseOrder(item); err != nil {
		return o, "", invalid("%v", err)
	}
	kind, known := runPrefixes[o.Prefix]
	if !known || kind == "datasets" {
		return o, "", invalid("order: runs cannot be ordered by %q; use metrics, params, tags or attributes", Cut(item))
	}
	mark := kind + "." + o.Key
	if seen[mark] {
		return o, "", invalid("order: %q is there twice", Cut(o.Field.String()))
	}
	seen[mark] = true
	if _, known := runAttributes[o.Key]; kind == "" && (!known || strings.EqualFold(o.Key, "run name")) {
		return o, "", invalid("order: the attribute %q is not known", Cut(o.Key))
	}
	return o, kind, nil
}

// orderRuns returns what runs are ordered by.
func (s *Store) orderRuns(ctx context.Context, q *query, items []string) (filter.Terms, error) {
	var terms filter.Terms
	seen := map[string]bool{}
	for _, item := range items {
		o, kind, err := parseRunOrder(item, seen)
		if err != nil {
			return nil, err
		}
		if kind == "" {
			if a := runAttributes[o.Key]; a.nullable {
				terms = append(terms, filter.Optional(a.column, "0", o.Descending)...)
			} else {
				terms = append(terms, filter.Term{SQL: a.column, Descending: o.Descending})
			}
			continue
		}
		key, err := s.key(ctx, o.Key)
		if err != nil {
			return nil, err
		}
		alias := q.join(kind, key)
		if kind == "metrics" { // numbers, then NaN, then nothing, in both directions
			terms = append(terms, filter.Term{SQL: "COALESCE(" + alias + ".nan, 2)"},
				filter.Term{SQL: "COALESCE(" + alias + ".value, 0)", Descending: o.Descending})
		} else {
			terms = append(terms, filter.Optional(alias+".value", "''", o.Descending)...)
		}
	}
	return append(terms, filter.Term{SQL: "r.started_at", Descending: true}, filter.Term{SQL: "r.uuid"}), nil
}
