package alert

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/signal"
)

func TestStoredLabelsReadBackAsTheyWere(t *testing.T) {
	for name, m := range map[string]map[string]string{
		"none":             {},
		"plain":            {"alertname": "Down", "service": "cart"},
		"quotes":           {"a": `he said "no"`, "b": "x"},
		"a back slash":     {"path": `C:\temp`},
		"what looks alike": {"a": `":"`, "b": `","c":"d`},
		"beyond ASCII":     {"名": "å", "b": "\u2028"},
		"control":          {"a": "line\nline\ttab"},
	} {
		t.Run(name, func(t *testing.T) {
			want := signal.NewLabels(m)
			got, err := decodeLabels(encodeLabels(want))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.Map(), got.Map()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzCutLabels(f *testing.F) {
	f.Add("alertname", "Down", "a", `":"`)
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2 string) {
		want := signal.NewLabels(map[string]string{name1: value1, name2: value2})
		plain, ok := cutLabels(encodeLabels(want))
		if !ok {
			return // read by encoding/json
		}
		if diff := cmp.Diff(want.Map(), plain.Map()); diff != "" {
			t.Error(diff)
		}
	})
}
