// Package filter reads the filters and orders of MLflow's searches.
//
//	clauses, err := filter.Parse("metrics.acc > 0.9 AND params.opt = 'adam'")
//	item, err := filter.ParseOrder("metrics.acc DESC")
//
// It knows the grammar, not what may be searched for: whoever searches checks the prefix, key, operator and kind of value of
// each clause. The grammar is "clause (AND clause)*" with keywords in any case; a clause is a left side, an operator and,
// but for IS [NOT] NULL, a right side. There is no OR, NOT or grouping. The texts of its errors are for people.
package filter

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Operator is what stands between the sides of a clause.
type Operator string

// The operators.
const (
	Equal          Operator = "="
	NotEqual       Operator = "!="
	Greater        Operator = ">"
	GreaterOrEqual Operator = ">="
	Less           Operator = "<"
	LessOrEqual    Operator = "<="
	Like           Operator = "LIKE"
	ILike          Operator = "ILIKE"
	RLike          Operator = "RLIKE"
	In             Operator = "IN"
	NotIn          Operator = "NOT IN"
	IsNull         Operator = "IS NULL"
	IsNotNull      Operator = "IS NOT NULL"
)

// Kind is what stands on the right of a clause.
type Kind int

// The kinds.
const (
	// None is IS NULL's and IS NOT NULL's.
	None Kind = iota
	// Text is a text in quotes.
	Text
	// Number is a number without quotes.
	Number
	// List is a list of texts in parentheses, with at least one member.
	List
	// Bare is a word that lacks its quotes.
	Bare
)

// Field is what a clause or an order is about: a key below a prefix, or a word without one.
type Field struct {
	// Prefix is what stands before the first dot, as it was written; "" for none.
	Prefix string
	// Key is the rest, without its quotes.
	Key string
}

func (f Field) String() string {
	if f.Prefix == "" {
		return f.Key
	}
	return f.Prefix + "." + f.Key
}

// Clause is one condition.
type Clause struct {
	Field
	Operator Operator
	Kind     Kind
	// Text is a text or word; of a number, the way it was written.
	Text   string
	Number float64
	List   []string
}

// Order is one item of an order.
type Order struct {
	Field
	Descending bool
}

// scanner reads a text from left to right.
type scanner struct {
	text string
	at   int
}

// Parse reads a filter. An empty one has no clauses.
func Parse(text string) ([]Clause, error) {
	if text == "" {
		return nil, nil
	}
	s := scanner{text: text}
	var clauses []Clause
	for {
		c, err := s.clause()
		if err != nil {
			return nil, fmt.Errorf("filter %.200q, at character %d: %w", text, utf8.RuneCountInString(text[:s.at])+1, err)
		}
		clauses = append(clauses, c)
		s.space()
		if s.at == len(text) {
			return clauses, nil
		}
		if !s.keyword("AND") {
			return nil, fmt.Errorf("filter %.200q, at character %d: want AND or the end; OR, NOT and parentheses are not understood", text, utf8.RuneCountInString(text[:s.at])+1)
		}
	}
}

func (s *scanner) clause() (c Clause, err error) {
	s.space()
	if c.Field, err = s.field(); err != nil {
		return c, err
	}
	s.space()
	if c.Operator, err = s.operator(); err != nil {
		return c, err
	}
	s.space()
	switch c.Operator {
	case IsNull, IsNotNull:
		return c, nil
	case In, NotIn:
		c.Kind = List
		c.List, err = s.list()
		return c, err
	default:
		return c, s.value(&c)
	}
}

func (s *scanner) space() {
	for s.at < len(s.text) {
		r, size := utf8.DecodeRuneInString(s.text[s.at:])
		if !unicode.IsSpace(r) {
			return
		}
		s.at += size
	}
}

// word reads letters, digits, "_" and, where dots belong to it, ".".
func (s *scanner) word(dots bool) string {
	begin := s.at
	for s.at < len(s.text) {
		r, size := utf8.DecodeRuneInString(s.text[s.at:])
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && (r != '.' || !dots) {
			break
		}
		s.at += size
	}
	return s.text[begin:s.at]
}

// quoted reads what stands between two of the quote that is next. In a text, two quotes side by side do not end it, and
// stay two.
func (s *scanner) quoted() (string, error) {
	quote := s.text[s.at]
	for end := s.at + 1; ; end++ {
		i := strings.IndexByte(s.text[end:], quote)
		if i < 0 {
			return "", fmt.Errorf("the quote %c is not closed", quote)
		}
		end += i
		if quote != '`' && strings.HasPrefix(s.text[end+1:], string(quote)) {
			end++
			continue
		}
		inside := s.text[s.at+1 : end]
		s.at = end + 1
		return inside, nil
	}
}

func (s *scanner) next(chars string) bool {
	return s.at < len(s.text) && strings.IndexByte(chars, s.text[s.at]) >= 0
}

var errField = errors.New("want a field, such as metrics.accuracy; a key with other characters than letters, digits, _ and . stands in back-ticks")

func (s *scanner) field() (f Field, err error) {
	if s.next("`\"") {
		f.Key, err = s.quoted()
		return f, err
	}
	word := s.word(false)
	if word == "" {
		return f, errField
	}
	if !s.next(".") {
		return Field{Key: word}, nil
	}
	s.at++
	f.Prefix = word
	if s.next("`\"") {
		f.Key, err = s.quoted()
	} else {
		f.Key = s.word(true)
	}
	if err == nil && f.Key == "" {
		err = errField
	}
	return f, err
}

// keyword reads word if it is next, in any case, and ends there.
func (s *scanner) keyword(word string) bool {
	end := s.at + len(word)
	if end > len(s.text) || !strings.EqualFold(s.text[s.at:end], word) {
		return false
	}
	if r, _ := utf8.DecodeRuneInString(s.text[end:]); end < len(s.text) && (r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r)) {
		return false
	}
	s.at = end
	return true
}

func (s *scanner) operator() (Operator, error) {
	for _, symbol := range []Operator{NotEqual, GreaterOrEqual, LessOrEqual, Equal, Greater, Less} {
		if strings.HasPrefix(s.text[s.at:], string(symbol)) {
			s.at += len(symbol)
			if s.next("=<>!") {
				break
			}
			return symbol, nil
		}
	}
	for _, word := range []Operator{Like, ILike, RLike, In} {
		if s.keyword(string(word)) {
			return word, nil
		}
	}
	if s.keyword("NOT") {
		if s.space(); s.keyword("IN") {
			return NotIn, nil
		}
	}
	if s.keyword("IS") {
		s.space()
		not := s.keyword("NOT")
		if s.space(); s.keyword("NULL") {
			if not {
				return IsNotNull, nil
			}
			return IsNull, nil
		}
	}
	return "", errors.New("want an operator: = != > >= < <= LIKE ILIKE IN, NOT IN, IS NULL, IS NOT NULL")
}

var number = regexp.MustCompile(`^-?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?`)

func (s *scanner) value(c *Clause) (err error) {
	if s.next(`'"`) {
		c.Kind = Text
		c.Text, err = s.quoted()
		return err
	}
	if text := number.FindString(s.text[s.at:]); text != "" {
		if r, _ := utf8.DecodeRuneInString(s.text[s.at+len(text):]); r == '_' || r == '.' || unicode.IsLetter(r) {
			return errors.New("want a number such as 5, -3, 0.5 or 5e-1, or a text in quotes")
		}
		c.Kind, c.Text = Number, text
		c.Number, err = strconv.ParseFloat(text, 64)
		if errors.Is(err, strconv.ErrRange) {
			err = nil // beyond all numbers, on its side
		}
		s.at += len(text)
		return err
	}
	if c.Text = s.word(true); c.Text == "" {
		return errors.New("want a number, or a text in quotes")
	}
	c.Kind = Bare
	return nil
}

func (s *scanner) list() ([]string, error) {
	want := errors.New("want a list of texts in quotes, such as ('a', 'b')")
	if !s.next("(") {
		return nil, want
	}
	s.at++
	var list []string
	for {
		s.space()
		if !s.next(`'"`) {
			return nil, want
		}
		text, err := s.quoted()
		if err != nil {
			return nil, err
		}
		list = append(list, text)
		s.space()
		switch {
		case s.next(","):
			s.at++
		case s.next(")"):
			s.at++
			return list, nil
		default:
			return nil, want
		}
	}
}

// ParseOrder reads one item of an order: a field and, behind exactly one space, ASC or DESC in any case.
func ParseOrder(item string) (Order, error) {
	wrong := fmt.Errorf("order %.200q: want a field, and behind one space ASC or DESC", item)
	s := scanner{text: item}
	field, err := s.field()
	if err != nil {
		return Order{}, wrong
	}
	o := Order{Field: field}
	switch strings.ToUpper(item[s.at:]) {
	case "", " ASC":
	case " DESC":
		o.Descending = true
	default:
		return Order{}, wrong
	}
	return o, nil
}
