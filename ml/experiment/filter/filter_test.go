package filter_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/ml/experiment/filter"
)

func TestParse(t *testing.T) {
	field := func(prefix, key string) filter.Field { return filter.Field{Prefix: prefix, Key: key} }
	for _, test := range []struct {
		text string
		want []filter.Clause
	}{
		{"", nil},
		{"metrics.acc > 0.9", []filter.Clause{{Field: field("metrics", "acc"), Operator: filter.Greater, Kind: filter.Number, Text: "0.9", Number: 0.9}}},
		{"params.`my param`='x' And tags.my.tag liKe \"%y\"", []filter.Clause{
			{Field: field("params", "my param"), Operator: filter.Equal, Kind: filter.Text, Text: "x"},
			{Field: field("tags", "my.tag"), Operator: filter.Like, Kind: filter.Text, Text: "%y"},
		}},
		{"run_id not in ('a', \"b'\")", []filter.Clause{{Field: field("", "run_id"), Operator: filter.NotIn, Kind: filter.List, List: []string{"a", "b'"}}}},
		{"tags.t is not null", []filter.Clause{{Field: field("tags", "t"), Operator: filter.IsNotNull}}},
		{"name = cls", []filter.Clause{{Field: field("", "name"), Operator: filter.Equal, Kind: filter.Bare, Text: "cls"}}},
		{"params.p = '%''%'", []filter.Clause{{Field: field("params", "p"), Operator: filter.Equal, Kind: filter.Text, Text: "%''%"}}},
		{"tags.t = ''", []filter.Clause{{Field: field("tags", "t"), Operator: filter.Equal, Kind: filter.Text}}},
	} {
		got, err := filter.Parse(test.text)
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.text, diff)
		}
	}
}

func TestATokenLeadsOn(t *testing.T) {
	terms := filter.Terms{{SQL: "a", Descending: true}, {SQL: "b"}}
	token := terms.Token([]any{int64(5), "x"})
	condition, args, err := terms.After(token)
	if err != nil {
		t.Fatal(err)
	}
	if want := "a <= ? AND (a < ? OR a = ? AND b > ?)"; condition != want || len(args) != 4 || args[0] != int64(5) || args[3] != "x" {
		t.Errorf("%s with %v, want %s", condition, args, want)
	}
	for _, bad := range []string{"garbage!", "W10", token + "x", "WzEsMiwzXQ"} {
		if _, _, err := terms.After(bad); err == nil {
			t.Errorf("the token %q was taken", bad)
		}
	}
}

// FuzzParse looks for filters that panic, and for clauses that do not mean what they say.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"metrics.acc > 0.9 AND params.`a b` = 'x'", "run_id IN ('a','b')", "tags.t IS NOT NULL", "a='", "x.y.z ILIKE \"%\"", "é = 'ж'", "\x00", "((("} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		clauses, err := filter.Parse(text)
		if err != nil {
			return
		}
		for _, c := range clauses {
			if c.Key == "" && !strings.ContainsAny(text, "`\"") {
				t.Errorf("%q has a clause about nothing", text)
			}
			if c.Kind == filter.List && len(c.List) == 0 {
				t.Errorf("%q has an empty list", text)
			}
			c.Matches("text") // must not panic, nor take long
		}
		if _, err := filter.ParseOrder(text); err == nil && strings.HasPrefix(text, " ") {
			t.Errorf("the order %q begins with a space", text)
		}
	})
}
