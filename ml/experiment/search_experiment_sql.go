package experiment

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/experiment/filter"
)

// Listing is what is looked for among experiments.
type Listing struct {
	Filter string
	View   View
	Order  []string
	// Most is how many are returned at most, 1 to 50000.
	Most  int
	Token string
	// Hidden are experiments that are left out.
	Hidden []int64
}

var experimentAttributes = map[string]attribute{
	"name":             {column: "e.name"},
	"creation_time":    {column: "e.created_at", number: true},
	"last_update_time": {column: "e.updated_at", number: true},
}

// SearchExperiments returns a page of experiments, and the token of the next page or "".
func (s *Store) SearchExperiments(ctx context.Context, search Listing) (list []Experiment, next string, err error) {
	if search.Most < 1 || search.Most > MaxResults {
		return nil, "", invalid("max_results: %d is not between 1 and %d", search.Most, MaxResults)
	}
	q := &query{db: s.db.Read()}
	q.and("1 = 1")
	if err := filterExperiments(q, search.Filter); err != nil {
		return nil, "", err
	}
	terms, err := orderExperiments(search.Order)
	if err != nil {
		return nil, "", err
	}
	after, args, err := terms.After(search.Token)
	if err != nil {
		return nil, "", invalid("page_token: %v", err)
	}
	if after != "" {
		q.and(after, args...)
	}
	switch search.View {
	case ActiveOnly, "":
		q.and("e.stage = 0")
	case DeletedOnly:
		q.and("e.stage = 1")
	case All:
	}
	if len(search.Hidden) > 0 {
		q.and("e.id NOT IN (?)", store.List(search.Hidden))
	}
	rows, err := q.db.QueryContext(ctx, "SELECT "+experimentColumns+", "+terms.Select()+" FROM experiments AS e WHERE "+strings.Join(q.where, " AND ")+
		" ORDER BY "+terms.OrderBy()+" LIMIT "+strconv.Itoa(search.Most+1), q.args...)
	if err != nil {
		return nil, "", fmt.Errorf("search experiments: %w", store.Classify(err))
	}
	if list, next, err = filter.ReadPage(rows, terms, search.Most, (*Experiment).into); err != nil {
		return nil, "", store.Classify(err)
	}
	return list, next, loadExperimentTags(ctx, q.db, list)
}

func filterExperiments(q *query, text string) error {
	clauses, err := filter.Parse(text)
	if err != nil {
		return invalid("%v", err)
	}
	for _, c := range clauses {
		switch c.Prefix {
		case "", "attribute":
			err = filterAttribute(q, c, experimentAttributes)
		case "tags", "tag":
			err = FilterTag(q.db, c, q.and, "experiment_tags", "experiment", "e.id")
		default:
			err = invalid("filter: %s: use name, creation_time, last_update_time or tags", Cut(c.Field.String()))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// FilterTag adds the condition of a clause on a tag, which stands in a table with the columns name and value; owner is the
// table's column of whose tag it is, and is is SQL of who that must be.
func FilterTag(db store.Querier, c filter.Clause, and func(condition string, args ...any), table, owner, is string, more ...filter.Operator) error {
	if err := Suits(c, false, append(append([]filter.Operator{filter.IsNull, filter.IsNotNull}, textual...), more...)...); err != nil {
		return err
	}
	exists := "EXISTS (SELECT 1 FROM " + table + " AS tagged WHERE tagged." + owner + " = " + is + " AND tagged.name = ?"
	switch c.Operator {
	case filter.IsNull:
		and("NOT "+exists+")", c.Key)
	case filter.IsNotNull:
		and(exists+")", c.Key)
	default:
		condition, args := c.Condition(db, "tagged.value")
		and(exists+" AND "+condition+")", append([]any{c.Key}, args...)...)
	}
	return nil
}

func orderExperiments(items []string) (filter.Terms, error) {
	var terms filter.Terms
	for _, item := range items {
		o, err := filter.ParseOrder(item)
		if err != nil {
			return nil, invalid("%v", err)
		}
		column := experimentAttributes[o.Key].column
		if o.Key == "experiment_id" {
			column = "e.id"
		}
		if column == "" || o.Prefix != "" && o.Prefix != "attribute" {
			return nil, invalid("order: experiments cannot be ordered by %q; use name, creation_time, last_update_time or experiment_id", Cut(item))
		}
		terms = append(terms, filter.Term{SQL: column, Descending: o.Descending})
	}
	if len(items) == 0 {
		terms = append(terms, filter.Term{SQL: "e.created_at", Descending: true})
	}
	return append(terms, filter.Term{SQL: "e.id", Descending: true}), nil
}
