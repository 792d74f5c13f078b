package alert

import (
	"strings"
	"testing"
	"time"

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

// TestAnyFlippedBitOfADecisionRecordChangesItsHash flips each bit of a stored record, among them the case of its keys.
func TestAnyFlippedBitOfADecisionRecordChangesItsHash(t *testing.T) {
	at := time.Date(2026, 11, 1, 9, 0, 0, int(250*time.Millisecond), time.UTC)
	text := encodeLines([]Line{
		{At: at, Stage: "receive", Outcome: "accepted", Reason: "Reported by \"prometheus\" <b>&\u2028\x01\u00fc\n."},
		{At: at.Add(time.Hour), Stage: "incident", Outcome: "INC-1", Reason: ""},
	})
	whole, err := chainOf(text)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(text) * 8 {
		flipped := []byte(text)
		flipped[i/8] ^= 1 << (i % 8)
		if chain, err := chainOf(string(flipped)); err == nil && chain == whole {
			t.Errorf("byte %d: %q has the hash of %q", i/8, flipped, text)
		}
	}
	for _, other := range []string{text + "\n", " " + text, text + "{}\n", strings.ReplaceAll(text, ":", ": ")} {
		if chain, err := chainOf(other); err == nil && chain == whole {
			t.Errorf("%q has the hash of %q", other, text)
		}
	}
}
