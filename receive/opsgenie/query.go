package opsgenie

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
)

// maxQuery bounds a search query, in bytes; maxNesting its parentheses and negations.
const (
	maxQuery   = 1000
	maxNesting = 20
)

// predicate says whether an alert is searched for.
type predicate func(a *Alert) bool

// parseQuery reads Opsgenie's search language: terms like status:open, priority: P1, createdAt > 1700000000000, and words for the
// message, joined by AND (which may be left out), OR, NOT and parentheses. "" selects everything. The error is a
// *receive.Problem.
func parseQuery(text, integration string) (predicate, error) {
	if len(text) > maxQuery {
		return nil, invalid("query.query", text, fmt.Sprintf("it is longer than %d bytes", maxQuery))
	}
	p := &queryParser{words: words(text), integration: integration, text: text}
	if len(p.words) == 0 {
		return func(*Alert) bool { return true }, nil
	}
	found, err := p.or(0)
	if err == nil && len(p.words) > 0 {
		err = p.bad("unexpected " + strconv.Quote(p.words[0].text))
	}
	return found, err
}

// word is one piece of a query.
type word struct {
	text   string
	quoted bool
}

// words cuts a query into words, quoted texts, operators and parentheses.
func words(text string) []word {
	var list []word
	for len(text) > 0 {
		switch c := text[0]; {
		case c == ' ' || c == '\t' || c == '\n':
			text = text[1:]
		case c == '"':
			quoted, rest, _ := strings.Cut(text[1:], `"`)
			list = append(list, word{quoted, true})
			text = rest
		case strings.HasPrefix(text, "<=") || strings.HasPrefix(text, ">=") || strings.HasPrefix(text, "!="):
			list, text = append(list, word{text[:2], false}), text[2:]
		case strings.IndexByte(":=<>()", c) >= 0:
			list, text = append(list, word{text[:1], false}), text[1:]
		default:
			end := strings.IndexAny(text, " \t\n\"()<>=:!")
			if end <= 0 {
				end = len(text)
				if c == '!' {
					end = 1
				}
			}
			// After an operator a value may hold colons, as times do.
			if n := len(list); n > 0 && !list[n-1].quoted && strings.IndexByte(":=<>", list[n-1].text[len(list[n-1].text)-1]) >= 0 {
				if end = strings.IndexAny(text, " \t\n()"); end < 0 {
					end = len(text)
				}
			}
			list, text = append(list, word{text[:end], false}), text[end:]
		}
	}
	return list
}

type queryParser struct {
	words             []word
	integration, text string
}

func (p *queryParser) bad(what string) error {
	return invalid("query.query", p.text, what+"; write for instance status:open AND priority:P1")
}

// next takes a word if it is text.
func (p *queryParser) next(text string) bool {
	if len(p.words) > 0 && !p.words[0].quoted && strings.EqualFold(p.words[0].text, text) {
		p.words = p.words[1:]
		return true
	}
	return false
}

func (p *queryParser) or(depth int) (predicate, error) {
	left, err := p.and(depth)
	for err == nil && p.next("OR") {
		var right predicate
		before := left
		if right, err = p.and(depth); err == nil {
			left = func(a *Alert) bool { return before(a) || right(a) }
		}
	}
	return left, err
}

func (p *queryParser) and(depth int) (predicate, error) {
	left, err := p.not(depth)
	for err == nil {
		joined := p.next("AND")
		if !joined && (len(p.words) == 0 || !p.words[0].quoted && (p.words[0].text == ")" || strings.EqualFold(p.words[0].text, "OR"))) {
			break
		}
		var right predicate
		before := left
		if right, err = p.not(depth); err == nil {
			left = func(a *Alert) bool { return before(a) && right(a) }
		}
	}
	return left, err
}

func (p *queryParser) not(depth int) (predicate, error) {
	if depth > maxNesting {
		return nil, p.bad("it is nested too deeply")
	}
	if p.next("NOT") {
		inner, err := p.not(depth + 1)
		return func(a *Alert) bool { return !inner(a) }, err
	}
	if p.next("(") {
		inner, err := p.or(depth + 1)
		if err == nil && !p.next(")") {
			err = p.bad("a closing parenthesis is missing")
		}
		return inner, err
	}
	return p.term()
}

// operators compare a field with a value.
var operators = []string{":", "=", "!=", "<=", ">=", "<", ">"}

func (p *queryParser) term() (predicate, error) {
	if len(p.words) == 0 {
		return nil, p.bad("it ends too early")
	}
	field := p.words[0]
	p.words = p.words[1:]
	if len(p.words) == 0 || p.words[0].quoted || !slices.Contains(operators, p.words[0].text) {
		if !field.quoted && (slices.Contains(operators, field.text) || field.text == ")" || field.text == "!") {
			return nil, p.bad("unexpected " + strconv.Quote(field.text))
		}
		return func(a *Alert) bool { return contains(a.message(), field.text) || contains(a.Identity, field.text) }, nil
	}
	operator := p.words[0].text
	p.words = p.words[1:]
	if len(p.words) == 0 {
		return nil, p.bad("a value is missing after " + field.text)
	}
	value := p.words[0].text
	p.words = p.words[1:]
	return p.compare(field.text, operator, value)
}

// compare returns the predicate of one term.
func (p *queryParser) compare(field, operator, value string) (predicate, error) {
	if times := timeFields[strings.ToLower(field)]; times != nil {
		at, err := timeOf(value)
		if err != nil {
			return nil, invalid("query.query", value, field+" needs a time: milliseconds since 1970, dd-mm-yyyy or ISO 8601")
		}
		return ordered(operator, func(a *Alert) int { return times(a).Compare(at) }), nil
	}
	if strings.EqualFold(field, "count") {
		n, err := strconv.Atoi(value)
		if err != nil {
			return nil, invalid("query.query", value, "count needs a number")
		}
		return ordered(operator, func(a *Alert) int { return a.Reports - n }), nil
	}
	texts := textFields[strings.ToLower(field)]
	detail, isDetail := strings.CutPrefix(field, "details.")
	switch {
	case isDetail:
		texts = func(_ string, a *Alert) []string { return []string{a.details()[detail]} }
	case texts == nil:
		return nil, invalid("query.query", field, "there is no such field; known are status, priority, message, description, alias, tinyId, alertId, entity, source, tag, acknowledged, count, createdAt, updatedAt, lastOccurredAt and details.NAME")
	case strings.ContainsAny(operator, "<>"):
		return nil, invalid("query.query", field+operator, "only count and times can be compared by < and >")
	}
	whole := wholeFields[strings.ToLower(field)]
	is := func(a *Alert) bool {
		return slices.ContainsFunc(texts(p.integration, a), func(text string) bool {
			switch prefix, wild := strings.CutSuffix(value, "*"); {
			case wild:
				return strings.HasPrefix(strings.ToLower(text), strings.ToLower(prefix))
			case whole || operator != ":":
				return strings.EqualFold(text, value)
			}
			return contains(text, value)
		})
	}
	if operator == "!=" {
		return func(a *Alert) bool { return !is(a) }, nil
	}
	return is, nil
}

// ordered returns the predicate of a comparison.
func ordered(operator string, compare func(a *Alert) int) predicate {
	return func(a *Alert) bool {
		c := compare(a)
		switch operator {
		case "<":
			return c < 0
		case "<=":
			return c <= 0
		case ">":
			return c > 0
		case ">=":
			return c >= 0
		case "!=":
			return c != 0
		}
		return c == 0
	}
}

var timeFields = map[string]func(a *Alert) time.Time{
	"createdat":      func(a *Alert) time.Time { return a.CreatedAt },
	"updatedat":      (*Alert).changedAt,
	"lastoccurredat": func(a *Alert) time.Time { return a.UpdatedAt },
}

// textFields are the fields of text; those in wholeFields are compared as a whole, others by a part.
var textFields = map[string]func(integration string, a *Alert) []string{
	"status":       func(_ string, a *Alert) []string { return []string{a.status()} },
	"priority":     func(_ string, a *Alert) []string { return []string{a.priority()} },
	"message":      func(_ string, a *Alert) []string { return []string{a.message()} },
	"description":  func(_ string, a *Alert) []string { return []string{a.Annotations.Get("description")} },
	"alias":        func(_ string, a *Alert) []string { return []string{a.Identity} },
	"tinyid":       func(_ string, a *Alert) []string { return []string{strconv.FormatUint(a.Number, 10)} },
	"alertid":      func(i string, a *Alert) []string { return []string{alertID(i, fingerprintOf(a.Identity))} },
	"entity":       func(_ string, a *Alert) []string { return []string{a.Labels.Get("entity")} },
	"source":       func(_ string, a *Alert) []string { return []string{a.Annotations.Get("source")} },
	"tag":          func(_ string, a *Alert) []string { return a.tags() },
	"tags":         func(_ string, a *Alert) []string { return a.tags() },
	"acknowledged": func(_ string, a *Alert) []string { return []string{strconv.FormatBool(a.Acknowledged)} },
	"isseen":       func(_ string, a *Alert) []string { return []string{strconv.FormatBool(a.Acknowledged)} },
	"snoozed":      func(string, *Alert) []string { return []string{"false"} },
	"responders":   func(_ string, a *Alert) []string { return []string{a.Annotations.Get("responders")} },
	"teams":        func(_ string, a *Alert) []string { return []string{a.Annotations.Get("responders")} },
	"integration":  func(i string, _ *Alert) []string { return []string{i} },
	"severity":     func(_ string, a *Alert) []string { return []string{severityOf(a.Severity)} },
}

var wholeFields = map[string]bool{
	"status": true, "priority": true, "alias": true, "tinyid": true, "alertid": true, "tag": true, "tags": true, "acknowledged": true,
	"isseen": true, "snoozed": true, "integration": true, "severity": true,
}

func severityOf(s signal.Severity) string { return s.String() }

func contains(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}

func timeOf(text string) (time.Time, error) {
	if millis, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.UnixMilli(millis).UTC(), nil
	}
	for _, layout := range []string{"02-01-2006", "02-01-2006T15:04:05"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Parse(time.RFC3339, text)
}
