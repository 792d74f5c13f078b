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

// LoggedModelSearch is what is looked for among logged models.
type LoggedModelSearch struct {
	Experiments []int64
	Filter      string
	// Datasets limits clauses on metrics to scores on these.
	Datasets []DatasetName
	Order    []ModelOrder
	// Most is how many are returned at most.
	Most  int
	Token string
}

// DatasetName is a data set, with an empty digest any of that name.
type DatasetName struct{ Name, Digest string }

// ModelOrder is an item of the order of logged models; of a metric, Dataset says whose.
type ModelOrder struct {
	Field      string
	Descending bool
	Dataset    DatasetName
}

const loggedStatus = "REPLACE(m.status, 'LOGGED_MODEL_', '')"

var loggedAttributes = map[string]attribute{
	"name":                   {column: "m.name", lists: true},
	"model_id":               {column: "m.id", lists: true},
	"model_type":             {column: "m.kind", lists: true},
	"status":                 {column: loggedStatus, lists: true},
	"source_run_id":          {column: "m.run", lists: true},
	"creation_timestamp":     {column: "m.created_at", number: true},
	"creation_time":          {column: "m.created_at", number: true},
	"last_updated_timestamp": {column: "m.updated_at", number: true},
	"last_updated_time":      {column: "m.updated_at", number: true},
}

// SearchLoggedModels returns a page of logged models, and the token of the next page or "".
func (s *Store) SearchLoggedModels(ctx context.Context, search LoggedModelSearch) (list []LoggedModel, next string, err error) {
	q := &query{db: s.db.Read()}
	q.and("m.removed_at = 0")
	if err := filterLoggedModels(q, search); err != nil {
		return nil, "", err
	}
	joined := &query{db: q.db}
	terms, err := orderLoggedModels(joined, search.Order)
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
	if len(search.Experiments) == 0 {
		return nil, "", nil
	}
	q.and("m.experiment IN (?)", store.List(search.Experiments))
	text := "SELECT " + loggedColumns + ", " + terms.Select() + " FROM logged_models AS m " + strings.Join(joined.joins, " ") +
		" WHERE " + strings.Join(q.where, " AND ") + " ORDER BY " + terms.OrderBy() + " LIMIT " + strconv.Itoa(search.Most+1)
	rows, err := q.db.QueryContext(ctx, text, append(joined.args, q.args...)...)
	if err != nil {
		return nil, "", fmt.Errorf("search logged models: %w", store.Classify(err))
	}
	if list, next, err = filter.ReadPage(rows, terms, search.Most, (*LoggedModel).into); err != nil {
		return nil, "", store.Classify(err)
	}
	return list, next, loadLoggedModels(ctx, q.db, list)
}

// among returns a condition on the data set of a score; "" for none.
func among(datasets []DatasetName) (condition string, args []any) {
	var parts []string
	for _, d := range datasets {
		part := "s.dataset = ?"
		args = append(args, d.Name)
		if d.Digest != "" {
			part += " AND s.digest = ?"
			args = append(args, d.Digest)
		}
		parts = append(parts, "("+part+")")
	}
	if len(parts) == 0 {
		return "", nil
	}
	return " AND (" + strings.Join(parts, " OR ") + ")", args
}

func filterLoggedModels(q *query, search LoggedModelSearch) error {
	for _, d := range search.Datasets {
		if d.Name == "" {
			return invalid("datasets: dataset_name is missing; a digest alone names no data set")
		}
	}
	clauses, err := filter.Parse(search.Filter)
	if err != nil {
		return invalid("%v", err)
	}
	on, args := among(search.Datasets)
	scored := false
	for _, c := range clauses {
		if c.Kind == filter.Bare { // as MLflow has it here
			c.Kind = filter.Text
		}
		switch runPrefixes[c.Prefix] {
		case "":
			if _, known := runPrefixes[c.Prefix]; !known {
				return invalid("filter: %s: the prefix is not known; use metrics, params, tags or attributes", Cut(c.Field.String()))
			}
			if c.Key == "status" {
				c.Text = strings.TrimPrefix(c.Text, "LOGGED_MODEL_")
				c.List = slices.Clone(c.List)
				for i := range c.List {
					c.List[i] = strings.TrimPrefix(c.List[i], "LOGGED_MODEL_")
				}
			}
			err = filterAttribute(q, c, loggedAttributes)
		case "metrics":
			scored = true
			if err = Suits(c, true, comparisons...); err == nil {
				condition, more := c.Condition(q.db, "s.value")
				q.and("EXISTS (SELECT 1 FROM logged_model_metrics AS s WHERE s.model = m.id AND s.name = ? AND s.nan = 0 AND "+condition+on+")",
					slices.Concat([]any{c.Key}, more, args)...)
			}
		case "params", "tags":
			if c.Operator == filter.IsNull || c.Operator == filter.IsNotNull {
				return invalid("filter: %s cannot be used here", c.Operator)
			}
			err = FilterTag(q.db, c, q.and, "logged_model_"+runPrefixes[c.Prefix], "model", "m.id")
		default:
			err = invalid("filter: %s cannot be searched for here", Cut(c.Field.String()))
		}
		if err != nil {
			return err
		}
	}
	if on != "" && !scored {
		q.and("EXISTS (SELECT 1 FROM logged_model_metrics AS s WHERE s.model = m.id"+on+")", args...)
	}
	return nil
}

func orderLoggedModels(joined *query, items []ModelOrder) (filter.Terms, error) {
	var terms filter.Terms
	for _, item := range items {
		o, err := filter.ParseOrder(item.Field)
		if err != nil {
			return nil, invalid("order_by: field_name: %v", err)
		}
		switch runPrefixes[o.Prefix] {
		case "metrics":
			on := ""
			args := []any{o.Key}
			if item.Dataset.Name != "" {
				var more []any
				on, more = among([]DatasetName{item.Dataset})
				args = append(args, more...)
			}
			alias := "o" + strconv.Itoa(len(joined.joins))
			joined.joins = append(joined.joins, "LEFT JOIN (SELECT s.model, s.value, s.nan, ROW_NUMBER() OVER (PARTITION BY s.model ORDER BY s.step DESC, s.at DESC, s.value DESC, s.dataset, s.digest, s.run) AS place FROM logged_model_metrics AS s WHERE s.name = ?"+
				on+") AS "+alias+" ON "+alias+".model = m.id AND "+alias+".place = 1")
			joined.args = append(joined.args, args...)
			terms = append(terms, filter.Term{SQL: "COALESCE(" + alias + ".nan, 2)"}, filter.Term{SQL: "COALESCE(" + alias + ".value, 0)", Descending: item.Descending})
		case "":
			a, known := loggedAttributes[o.Key]
			if _, prefix := runPrefixes[o.Prefix]; !known || !prefix {
				return nil, invalid("order_by: field_name: %q is not known; use an attribute or metrics", Cut(item.Field))
			}
			terms = append(terms, filter.Term{SQL: a.column, Descending: item.Descending})
		default:
			return nil, invalid("order_by: field_name: logged models cannot be ordered by %q; use an attribute or metrics", Cut(item.Field))
		}
	}
	return append(terms, filter.Term{SQL: "m.created_at", Descending: true}, filter.Term{SQL: "m.id"}), nil
}
