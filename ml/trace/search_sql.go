package trace

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/uptrace/bun/dialect"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/experiment"
	"github.com/fairlead/fairlead/ml/experiment/filter"
)

// Search is what is looked for among traces.
type Search struct {
	Experiments []int64
	Filter      string
	Order       []string
	// Most is how many are returned at most, 1 to 500.
	Most  int
	Token string
}

// MaxResults is the largest page.
const MaxResults = 500

// field is what a clause may be about.
type field struct {
	column string
	number bool
}

const (
	nameSQL = "(SELECT n.value FROM trace_tags AS n WHERE n.trace = t.id AND n.name = '" + tagName + "')"
	endSQL  = "(t.started_at + t.took)"
)

var fields = map[string]field{
	"request_id": {column: "t.id"}, "trace_id": {column: "t.id"}, "name": {column: nameSQL}, "status": {column: "t.state"}, "state": {column: "t.state"},
	"client_request_id": {column: "NULLIF(t.client, '')"},
	"timestamp":         {"t.started_at", true}, "timestamp_ms": {"t.started_at", true}, "request_time": {"t.started_at", true},
	"execution_time": {"t.took", true}, "execution_time_ms": {"t.took", true}, "execution_duration": {"t.took", true},
	"end_time": {endSQL, true}, "end_time_ms": {endSQL, true},
}

var (
	comparisons = []filter.Operator{filter.Equal, filter.NotEqual, filter.Greater, filter.GreaterOrEqual, filter.Less, filter.LessOrEqual}
	textual     = []filter.Operator{filter.Equal, filter.NotEqual, filter.Like, filter.ILike, filter.RLike}
	listed      = []filter.Operator{filter.Equal, filter.NotEqual, filter.Like, filter.ILike, filter.RLike, filter.In, filter.NotIn}
)

// query collects the conditions.
type query struct {
	db    store.Querier
	where []string
	args  []any
}

func (q *query) and(condition string, args ...any) {
	q.where = append(q.where, condition)
	q.args = append(q.args, args...)
}

// Search returns a page of traces without spans, and the token of the next page or "".
func (s *Store) Search(ctx context.Context, search Search) (list []Info, next string, err error) {
	if search.Most < 1 || search.Most > MaxResults {
		return nil, "", invalid("max_results: %d is not between 1 and %d", search.Most, MaxResults)
	}
	q := &query{db: s.db.Read()}
	if err := q.filter(search.Filter); err != nil {
		return nil, "", err
	}
	joins, joinArgs, terms, err := order(search.Order)
	if err != nil {
		return nil, "", err
	}
	after, args, err := terms.After(search.Token)
	if err != nil {
		return nil, "", invalid("page_token: %v", err)
	}
	if len(search.Experiments) == 0 {
		return nil, "", nil
	}
	q.and("t.experiment IN (?)", store.List(search.Experiments))
	if after != "" {
		q.and(after, args...)
	}
	rows, err := q.db.QueryContext(ctx, "SELECT "+columns+", "+terms.Select()+" FROM traces AS t "+joins+" WHERE "+strings.Join(q.where, " AND ")+
		" ORDER BY "+terms.OrderBy()+" LIMIT "+strconv.Itoa(search.Most), append(joinArgs, q.args...)...)
	if err != nil {
		return nil, "", fmt.Errorf("search traces: %w", store.Classify(err))
	}
	defer rows.Close()
	values := make([]any, len(terms))
	for rows.Next() {
		var info Info
		into := make([]any, len(values))
		for i := range values {
			into[i] = &values[i]
		}
		if err := info.scan(rows, into...); err != nil {
			return nil, "", err
		}
		list = append(list, info)
	}
	if err := rows.Err(); err != nil {
		return nil, "", store.Classify(err)
	}
	if len(list) == search.Most { // a full page has a next one, perhaps an empty one, as MLflow has it
		next = terms.Token(values)
	}
	return list, next, load(ctx, q.db, list)
}

func (q *query) filter(text string) error {
	clauses, err := filter.Parse(text)
	if err != nil {
		return invalid("%v", err)
	}
	for _, c := range clauses {
		if c.Operator == filter.RLike {
			if _, err := regexp.Compile(c.Text); err != nil {
				return invalid("filter: %s: %q is not a regular expression: %v", c.Field, experiment.Cut(c.Text), err)
			}
		}
		if err := q.clause(c); err != nil {
			return err
		}
	}
	return nil
}

func (q *query) clause(c filter.Clause) error {
	switch c.Prefix {
	case "", "attribute", "attributes", "attr", "trace":
		return q.attribute(c)
	case "tag", "tags":
		return experiment.FilterTag(q.db, c, q.and, "trace_tags", "trace", "t.id", filter.RLike)
	case "metadata", "request_metadata":
		return experiment.FilterTag(q.db, c, q.and, "trace_metadata", "trace", "t.id", filter.RLike)
	case "span":
		return q.span(c)
	case "feedback", "expectation":
		return q.assessment(c)
	}
	return invalid("filter: %s: the prefix is not known; use attributes, tags, metadata, span, feedback, expectation or trace", experiment.Cut(c.Field.String()))
}

func (q *query) attribute(c filter.Clause) error {
	switch {
	case c.Key == "run_id":
		if err := experiment.Suits(c, false, listed...); err != nil {
			return err
		}
		linked, args := c.Condition(q.db, "l.run")
		told, more := c.Condition(q.db, "m.value")
		q.and("(EXISTS (SELECT 1 FROM trace_runs AS l WHERE l.trace = t.id AND "+linked+") OR EXISTS (SELECT 1 FROM trace_metadata AS m WHERE m.trace = t.id AND m.name = '"+metaRun+"' AND "+told+"))", append(args, more...)...)
		return nil
	case c.Key == "text" && c.Prefix == "trace":
		if err := experiment.Suits(c, false, filter.Like, filter.ILike, filter.RLike, filter.Equal); err != nil {
			return err
		}
		condition, args := c.Condition(q.db, "s.text")
		request, _ := c.Condition(q.db, "t.request")
		response, _ := c.Condition(q.db, "t.response")
		q.and("(EXISTS (SELECT 1 FROM trace_spans AS s WHERE s.trace = t.id AND "+condition+") OR "+request+" OR "+response+")", slices.Concat(args, args, args)...)
		return nil
	case c.Key == "prompt":
		if err := experiment.Suits(c, false, filter.Equal); err != nil {
			return err
		}
		q.and("EXISTS (SELECT 1 FROM trace_tags AS p WHERE p.trace = t.id AND p.name = 'mlflow.linkedPrompts' AND p.value LIKE ?)", linkedPrompt(c.Text))
		return nil
	}
	f, known := fields[c.Key]
	if !known {
		return invalid("filter: the attribute %q is not known", experiment.Cut(c.Key))
	}
	operators := listed
	if f.number {
		operators = comparisons
	}
	if err := experiment.Suits(c, f.number, operators...); err != nil {
		return err
	}
	condition, args := c.Condition(q.db, f.column)
	q.and(condition, args...)
	return nil
}

// linkedPrompt is the pattern of what stands in the tag of linked prompts, for "name/version".
func linkedPrompt(text string) string {
	name, version, _ := strings.Cut(text, "/")
	return `%"name": "` + name + `", "version": "` + version + `"%`
}

var spanFields = map[string]string{"name": "s.name", "type": "s.kind", "status": "s.status", "content": "s.text"}

func (q *query) span(c filter.Clause) error {
	key, isAttribute := strings.CutPrefix(c.Key, "attributes.")
	column, known := spanFields[c.Key]
	if !known && !isAttribute {
		return invalid("filter: of spans, name, type, status, content and attributes.KEY are known, not %q", experiment.Cut(c.Key))
	}
	if err := experiment.Suits(c, false, listed...); err != nil {
		return err
	}
	var before []any
	if isAttribute {
		if q.db.Dialect().Name() == dialect.PG {
			column, before = "(CAST(s.attributes AS json) ->> ?)", []any{key}
		} else {
			column, before = "(s.attributes ->> ?)", []any{`$."` + strings.ReplaceAll(key, `"`, `\"`) + `"`}
		}
	}
	condition, args := c.Condition(q.db, column)
	q.and("EXISTS (SELECT 1 FROM trace_spans AS s WHERE s.trace = t.id AND "+condition+")", append(before, args...)...)
	return nil
}

func (q *query) assessment(c filter.Clause) error {
	if c.Operator == filter.IsNull || c.Operator == filter.IsNotNull {
		not := ""
		if c.Operator == filter.IsNull {
			not = "NOT "
		}
		q.and(not+"EXISTS (SELECT 1 FROM assessments AS a WHERE a.trace = t.id AND a.kind = ? AND a.name = ?)", c.Prefix, c.Key)
		return nil
	}
	if c.Kind == filter.Number { // a value is JSON, and compared as its text
		c.Kind = filter.Text
	}
	if err := experiment.Suits(c, false, textual...); err != nil {
		return err
	}
	condition, args := c.Condition(q.db, "a.value")
	q.and("EXISTS (SELECT 1 FROM assessments AS a WHERE a.trace = t.id AND a.kind = ? AND a.name = ? AND "+condition+")", append([]any{c.Prefix, c.Key}, args...)...)
	return nil
}

// order returns what traces are ordered by, and the joins that it needs.
func order(items []string) (joins string, args []any, terms filter.Terms, err error) {
	for i, item := range items {
		o, err := filter.ParseOrder(item)
		if err != nil {
			return "", nil, nil, invalid("%v", err)
		}
		alias := "o" + strconv.Itoa(i)
		switch f, known := fields[o.Key]; {
		case o.Prefix == "tag" || o.Prefix == "tags", o.Prefix == "metadata" || o.Prefix == "request_metadata":
			table := "trace_metadata"
			if strings.HasPrefix(o.Prefix, "tag") {
				table = "trace_tags"
			}
			joins += " LEFT JOIN " + table + " AS " + alias + " ON " + alias + ".trace = t.id AND " + alias + ".name = ?"
			args = append(args, o.Key)
			terms = append(terms, filter.Optional(alias+".value", "''", o.Descending)...)
		case o.Prefix != "" && o.Prefix != "attributes" && o.Prefix != "attribute" && o.Prefix != "trace":
			return "", nil, nil, invalid("order: traces cannot be ordered by %q", experiment.Cut(item))
		case o.Key == "experiment_id":
			terms = append(terms, filter.Term{SQL: "t.experiment", Descending: o.Descending})
		case o.Key == "run_id":
			joins += " LEFT JOIN trace_metadata AS " + alias + " ON " + alias + ".trace = t.id AND " + alias + ".name = '" + metaRun + "'"
			terms = append(terms, filter.Optional(alias+".value", "''", o.Descending)...)
		case !known:
			return "", nil, nil, invalid("order: traces cannot be ordered by %q", experiment.Cut(item))
		case f.number:
			terms = append(terms, filter.Optional(f.column, "0", o.Descending)...)
		default:
			terms = append(terms, filter.Optional(f.column, "''", o.Descending)...)
		}
	}
	return joins, args, append(terms, filter.Term{SQL: "t.started_at", Descending: true}, filter.Term{SQL: "t.id"}), nil
}
