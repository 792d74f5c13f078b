package receive_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/receive"
)

func TestTextsAreReadFromObjectsAndForms(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	for name, test := range map[string]struct {
		body, contentType string
		want              map[string]string
	}{
		"an object":                    {`{"a":"x","n":12345678901234567890,"b":true,"z":null,"l":[1, 2]}`, "application/json", map[string]string{"a": "x", "n": "12345678901234567890", "b": "true", "z": "", "l": "[1,2]"}},
		"an object that is no form":    {`{"a":"x"}`, form, map[string]string{"a": "x"}},
		"a form":                       {"a=x%20y&b=1%2B1&a=second", form, map[string]string{"a": "x y", "b": "1+1"}},
		"a form without a type":        {"a=x", "", map[string]string{"a": "x"}},
		"an object without a type":     {` {"a":"x"}`, "", map[string]string{"a": "x"}},
		"a type with parameters":       {"a=x", form + "; charset=utf-8", map[string]string{"a": "x"}},
		"a type that nobody can parse": {"a=x", ";;", map[string]string{"a": "x"}},
		"nothing":                      {"", form, map[string]string{}},
	} {
		got, err := receive.Texts([]byte(test.body), test.contentType)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	for body, contentType := range map[string]string{"a=%zz": form, "a=x": "application/json", `{"a"`: form, "[]": "application/json"} {
		_, err := receive.Texts([]byte(body), contentType)
		if problem, ok := errors.AsType[*receive.Problem](err); !ok || len(problem.Errors) != 1 || problem.Errors[0].Field != "body" {
			t.Errorf("%s: got %v, want a problem with the body", body, err)
		}
	}
}
