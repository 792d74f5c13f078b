package audit_test

import (
	"strings"
	"testing"

	"github.com/fairlead/fairlead/base/audit"
)

func TestANameIsMaskedOnlyAsAWordOfItsOwn(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "",
		"ann":                        "P",
		"Acknowledged by ann: on it": "Acknowledged by P: on it",
		`{"actor":"ann","x":"ann."}`: `{"actor":"P","x":"P."}`,
		"@ann, look":                 "@P, look",
		"annual joann ann_b Ann":     "annual joann ann_b Ann",
		"ann.smith ann@x.org a@ann":  "ann.smith ann@x.org a@ann",
		"ann-ann":                    "ann-ann",
		"ann ann\nann":               "P P\nP",
		"ann (pagerduty)":            "P (pagerduty)",
		"annä":                       "annä",
		"ask ann...":                 "ask P...",
	} {
		if got := audit.Mask(text, "ann", "P"); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func FuzzMask(f *testing.F) {
	f.Add("Acknowledged by ann", "ann")
	f.Fuzz(func(t *testing.T, text, name string) {
		once := audit.Mask(text, name, "person:x")
		if strings.Count(text, name) == 0 && once != text {
			t.Errorf("%q without %q became %q", text, name, once)
		}
	})
}
