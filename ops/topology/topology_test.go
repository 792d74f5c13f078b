package topology

import (
	"strings"
	"testing"

	"github.com/fairlead/fairlead/base/entity"
)

func instance(name string) entity.Ref { return entity.Ref{Kind: entity.Instance, Name: name} }

func TestDistanceCountsEdgesInEitherDirection(t *testing.T) {
	inv, err := ParseInventory(strings.NewReader(`{"level":"instance","directed":true,"nodes":["lonely"],
		"edges":[{"from":"web","to":"cart","share":0.5},{"from":"cart","to":"db"},{"from":"web","to":"pay"},{"from":"pay","to":"db","share":0.9}]}`))
	if err != nil {
		t.Fatal(err)
	}
	var m Map
	m.Set(inv)
	for _, test := range []struct {
		a, b       string
		hops       int
		confidence float64
		ok         bool
	}{
		{"web", "web", 0, 1, true},
		{"web", "cart", 1, 0.5, true},
		{"cart", "web", 1, 0.5, true},
		{"web", "db", 2, 0.9, true}, // over pay, the surer way
		{"web", "lonely", 0, 0, false},
		{"web", "unknown", 0, 0, false},
	} {
		hops, confidence, ok := m.Distance(instance(test.a), instance(test.b))
		if hops != test.hops || confidence != test.confidence || ok != test.ok {
			t.Errorf("%s to %s: got %d hops, %v, %t; want %d, %v, %t", test.a, test.b, hops, confidence, ok, test.hops, test.confidence, test.ok)
		}
	}
}

func TestTheEmptyMapKnowsNothing(t *testing.T) {
	var m Map
	if _, _, ok := m.Distance(instance("a"), instance("b")); ok {
		t.Error("got a distance on the empty map")
	}
}

func TestABadInventoryIsRefusedByEdgeAndField(t *testing.T) {
	for text, want := range map[string]string{
		`{"edges":[{"from":"a","to":""}]}`:              "edges[0]: from \"a\", to \"\"",
		`{"edges":[{"from":"a","to":"b","share":1.5}]}`: "edges[0].share: 1.5",
		`{"edges":[`: "edges:",
	} {
		_, err := ParseInventory(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want one with %q", text, err, want)
		}
	}
}
