package model

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/experiment"
	"github.com/fairlead/fairlead/ml/experiment/filter"
)

// Search is what is looked for among registered models, or their versions.
type Search struct {
	Filter string
	Order  []string
	// Most is how many are returned at most.
	Most  int
	Token string
	// Hidden are the names of models that are left out.
	Hidden []string
	// Of is the model whose versions are looked for, prompts also; "" is all.
	Of string
}

// Bounds of pages.
const (
	MaxModels   = 1000
	MaxVersions = 200_000
)

var textual = []filter.Operator{filter.Equal, filter.NotEqual, filter.Like, filter.ILike}

// conditions collects the parts of a statement.
type conditions struct {
	db    store.Querier
	where []string
	args  []any
}

func (c *conditions) and(condition string, args ...any) {
	c.where = append(c.where, condition)
	c.args = append(c.args, args...)
}

// prompts adds what a clause on the tag of prompts means; ok is false if it is about something else.
func (c *conditions) prompts(clause filter.Clause, marked string) (ok bool) {
	if clause.Key != TagPrompt || clause.Prefix != "tags" && clause.Prefix != "tag" || clause.Kind != filter.Text {
		return false
	}
	switch {
	case clause.Operator == filter.Equal && clause.Text == "true":
		c.and(marked, TagPrompt)
	case clause.Operator == filter.NotEqual && clause.Text == "true", clause.Operator == filter.Equal && clause.Text == "false":
		c.and("NOT "+marked, TagPrompt)
	default:
		return false
	}
	return true
}

// SearchModels returns a page of registered models, and the token of the next page or "". Prompts are left out unless the
// filter names their tag.
func (r *Registry) SearchModels(ctx context.Context, search Search) (list []Model, next string, err error) {
	if search.Most < 1 || search.Most > MaxModels {
		return nil, "", invalid("max_results: %d is not between 1 and %d", search.Most, MaxModels)
	}
	const marked = "EXISTS (SELECT 1 FROM registered_model_tags AS t WHERE t.model = m.id AND t.name = ? AND t.value = 'true')"
	c := &conditions{db: r.db.Read()}
	clauses, err := filter.Parse(search.Filter)
	if err != nil {
		return nil, "", invalid("%v", err)
	}
	named := false
	for _, clause := range clauses {
		if c.prompts(clause, marked) {
			named = true
			continue
		}
		if err := c.modelClause(clause); err != nil {
			return nil, "", err
		}
	}
	if !named {
		c.and("NOT "+marked, TagPrompt)
	}
	terms, err := orderBy(search.Order, map[string]string{"name": "m.name", "last_updated_timestamp": "m.updated_at", "timestamp": "m.updated_at"}, filter.Term{SQL: "m.name"})
	if err != nil {
		return nil, "", err
	}
	if err := c.after(terms, search, "m.name"); err != nil {
		return nil, "", err
	}
	rows, err := c.db.QueryContext(ctx, "SELECT "+modelColumns+", "+terms.Select()+" FROM registered_models AS m WHERE "+strings.Join(c.where, " AND ")+
		" ORDER BY "+terms.OrderBy()+" LIMIT "+strconv.Itoa(search.Most+1), c.args...)
	if err != nil {
		return nil, "", fmt.Errorf("search registered models: %w", store.Classify(err))
	}
	if list, next, err = filter.ReadPage(rows, terms, search.Most, (*Model).into); err != nil {
		return nil, "", store.Classify(err)
	}
	return list, next, load(ctx, c.db, list)
}

func (c *conditions) modelClause(clause filter.Clause) error {
	switch {
	case (clause.Prefix == "" || clause.Prefix == "attribute") && clause.Key == "name":
		if err := experiment.Suits(clause, false, textual...); err != nil {
			return err
		}
		condition, args := clause.Condition(c.db, "m.name")
		c.and(condition, args...)
		return nil
	case clause.Prefix == "tags" || clause.Prefix == "tag":
		if err := experiment.Suits(clause, false, textual...); err != nil {
			return err
		}
		return experiment.FilterTag(c.db, clause, c.and, "registered_model_tags", "model", "m.id")
	}
	return invalid("filter: %s: registered models are searched by name and tags", experiment.Cut(clause.Field.String()))
}

// after adds what a token leaves, and leaves out what is hidden.
func (c *conditions) after(terms filter.Terms, search Search, name string) error {
	condition, args, err := terms.After(search.Token)
	if err != nil {
		return invalid("page_token: %v", err)
	}
	if condition != "" {
		c.and(condition, args...)
	}
	if len(search.Hidden) > 0 {
		c.and(name+" NOT IN (?)", store.List(search.Hidden))
	}
	return nil
}

// orderBy returns the terms of an order, by the columns of its fields; rest are the terms behind it, and the whole order
// when there is none.
func orderBy(items []string, columns map[string]string, rest ...filter.Term) (filter.Terms, error) {
	var terms filter.Terms
	for _, item := range items {
		o, err := filter.ParseOrder(item)
		if err != nil {
			return nil, invalid("%v", err)
		}
		column, known := columns[o.Key]
		if slices.ContainsFunc(terms, func(t filter.Term) bool { return t.SQL == column }) {
			return nil, invalid("order: %q is there twice", experiment.Cut(item))
		}
		if !known || o.Prefix != "" {
			return nil, invalid("order: %q cannot be ordered by", experiment.Cut(item))
		}
		terms = append(terms, filter.Term{SQL: column, Descending: o.Descending})
	}
	return append(terms, rest...), nil
}

// SearchVersions returns a page of versions, and the token of the next page or "". Prompts are left out unless the filter
// names their tag.
func (r *Registry) SearchVersions(ctx context.Context, search Search) (list []Version, next string, err error) {
	if search.Most < 1 || search.Most > MaxVersions {
		return nil, "", invalid("max_results: %d is not between 1 and %d", search.Most, MaxVersions)
	}
	const marked = "EXISTS (SELECT 1 FROM model_version_tags AS t WHERE t.model = v.model AND t.version = v.version AND t.name = ? AND t.value = 'true')"
	c := &conditions{db: r.db.Read()}
	clauses, err := filter.Parse(search.Filter)
	if err != nil {
		return nil, "", invalid("%v", err)
	}
	named := search.Of != ""
	if named {
		c.and("m.name = ?", search.Of)
	}
	for _, clause := range clauses {
		if c.prompts(clause, marked) {
			named = true
			continue
		}
		if err := c.versionClause(clause); err != nil {
			return nil, "", err
		}
	}
	if !named {
		c.and("NOT "+marked, TagPrompt)
	}
	terms, err := orderBy(search.Order, map[string]string{
		"name": "m.name", "version_number": "v.version", "creation_timestamp": "v.created_at", "last_updated_timestamp": "v.updated_at",
	}, filter.Term{SQL: "m.name"}, filter.Term{SQL: "v.version", Descending: true})
	if err != nil {
		return nil, "", err
	}
	if len(search.Order) == 0 {
		terms = append(filter.Terms{{SQL: "v.updated_at", Descending: true}}, terms...)
	}
	if err := c.after(terms, search, "m.name"); err != nil {
		return nil, "", err
	}
	rows, err := c.db.QueryContext(ctx, "SELECT "+versionColumns+", "+terms.Select()+" FROM model_versions AS v JOIN registered_models AS m ON m.id = v.model WHERE "+strings.Join(c.where, " AND ")+
		" ORDER BY "+terms.OrderBy()+" LIMIT "+strconv.Itoa(search.Most+1), c.args...)
	if err != nil {
		return nil, "", fmt.Errorf("search versions: %w", store.Classify(err))
	}
	if list, next, err = filter.ReadPage(rows, terms, search.Most, (*Version).into); err != nil {
		return nil, "", store.Classify(err)
	}
	return list, next, loadVersions(ctx, c.db, list)
}

func (c *conditions) versionClause(clause filter.Clause) error {
	if clause.Prefix == "tags" || clause.Prefix == "tag" {
		if err := experiment.Suits(clause, false, textual...); err != nil {
			return err
		}
		condition, args := clause.Condition(c.db, "t.value")
		c.and("EXISTS (SELECT 1 FROM model_version_tags AS t WHERE t.model = v.model AND t.version = v.version AND t.name = ? AND "+condition+")", append([]any{clause.Key}, args...)...)
		return nil
	}
	if clause.Prefix != "" && clause.Prefix != "attribute" {
		return invalid("filter: %s: versions are searched by name, run_id, source_path, version_number and tags", experiment.Cut(clause.Field.String()))
	}
	operators, column, number := textual, "", false
	switch clause.Key {
	case "name":
		column = "m.name"
	case "source_path":
		column = "v.source"
	case "run_id":
		column = "v.run"
		operators = append([]filter.Operator{filter.In}, textual...)
	case "version_number":
		column, number = "v.version", true
		operators = []filter.Operator{filter.Equal, filter.NotEqual, filter.Greater, filter.GreaterOrEqual, filter.Less, filter.LessOrEqual}
		if n, err := strconv.ParseInt(clause.Text, 10, 64); err == nil && clause.Kind == filter.Text {
			clause.Kind, clause.Number = filter.Number, float64(n)
		}
	default:
		return invalid("filter: %s: versions are searched by name, run_id, source_path, version_number and tags", experiment.Cut(clause.Field.String()))
	}
	if err := experiment.Suits(clause, number, operators...); err != nil {
		return err
	}
	condition, args := clause.Condition(c.db, column)
	c.and(condition, args...)
	return nil
}
