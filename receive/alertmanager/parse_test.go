package alertmanager

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

var now = time.Date(2026, 11, 24, 23, 56, 0, 0, time.UTC)

func parse(t testing.TB, body string) Batch {
	t.Helper()
	batch, err := Parse([]byte(body), now, DefaultLimits())
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return batch
}

func TestRealSendersAreUnderstood(t *testing.T) {
	t.Run("Prometheus 2.42", func(t *testing.T) {
		body, err := os.ReadFile("testdata/prometheus-2.42.json")
		if err != nil {
			t.Fatal(err)
		}
		want := []signal.Alert{{
			Labels: signal.NewLabels(map[string]string{
				"alertname": "TargetDown", "cluster": "eu-1", "instance": "127.0.0.1:19999", "job": "node", "service": "checkout", "severity": "critical",
			}),
			Annotations: signal.NewLabels(map[string]string{
				"description": "a\nb & <c>", "runbook_url": "https://runbooks.example/target-down?x=1&y=2", "summary": `127.0.0.1:19999 is "down" – ü`,
			}),
			GeneratorURL: "http://prometheus.example:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
			StartsAt:     time.Date(2026, 11, 24, 23, 55, 57, 730e6, time.UTC),
			EndsAt:       time.Date(2026, 11, 24, 23, 56, 17, 730e6, time.UTC),
		}}
		want[0].Identity = want[0].Labels.Fingerprint().String()
		if diff := cmp.Diff(want, parse(t, string(body)).Alerts); diff != "" {
			t.Errorf("alerts (-want +got):\n%s", diff)
		}
	})
	t.Run("amtool 0.34 leaves the times at year 1", func(t *testing.T) {
		body, err := os.ReadFile("testdata/amtool-0.34.json")
		if err != nil {
			t.Fatal(err)
		}
		got := parse(t, string(body)).Alerts
		if len(got) != 1 || !got[0].StartsAt.Equal(now) || !got[0].EndsAt.IsZero() {
			t.Errorf("got %+v, want one alert that begins now and has no end", got)
		}
	})
}

func TestTimesOfAnAlert(t *testing.T) {
	at := func(offset time.Duration) string { return now.Add(offset).Format(time.RFC3339Nano) }
	tests := []struct {
		name, starts, ends     string // as JSON values; "" leaves the field out
		wantStarts, wantEnds   time.Time
		wantNote, wantRejected string
	}{
		{"no times mean now and no end", "", "", now, time.Time{}, "", ""},
		{"null and the empty string mean not known", `null`, `""`, now, time.Time{}, "", ""},
		{"the year 1970 is a start like any other", `"1970-01-01T00:00:00Z"`, "", time.Unix(0, 0).UTC(), time.Time{}, "", ""},
		{"the year 1900 too", `"1900-05-01T00:00:00Z"`, "", time.Date(1900, 5, 1, 0, 0, 0, 0, time.UTC), time.Time{}, "", ""},
		{"a time zone is undone", `"2026-11-24T20:56:00+01:00"`, "", time.Date(2026, 11, 24, 19, 56, 0, 0, time.UTC), time.Time{}, "", ""},
		{"a zone without colon", `"2026-11-24T20:56:00.5+0100"`, "", time.Date(2026, 11, 24, 19, 56, 0, 500e6, time.UTC), time.Time{}, "", ""},
		{"an end in the past is a resolved alert", `"` + at(-time.Hour) + `"`, `"` + at(-time.Minute) + `"`, now.Add(-time.Hour), now.Add(-time.Minute), "", ""},
		{"an end in the future stays", "", `"` + at(4*time.Minute) + `"`, now, now.Add(4 * time.Minute), "", ""},
		{"without a start, an end in the past is the start", "", `"` + at(-time.Minute) + `"`, now.Add(-time.Minute), now.Add(-time.Minute), "", ""},
		{"a start a little in the future is clamped and noted", `"` + at(10*time.Minute) + `"`, "", now, time.Time{}, "startsAt was 10m0s in the future", ""},
		{"a start in 2999 is refused", `"2999-01-01T00:00:00Z"`, "", time.Time{}, time.Time{}, "", "[0].startsAt: it lies more than 10m0s in the future"},
		{"a start just over ten minutes ahead is refused", `"` + at(10*time.Minute+time.Millisecond) + `"`, "", time.Time{}, time.Time{}, "", "[0].startsAt"},
		{"an end before the start is refused", `"` + at(-time.Minute) + `"`, `"` + at(-time.Hour) + `"`, time.Time{}, time.Time{}, "", "[0].endsAt: it lies before startsAt"},
		{"an end equal to the start is fine", `"` + at(-time.Minute) + `"`, `"` + at(-time.Minute) + `"`, now.Add(-time.Minute), now.Add(-time.Minute), "", ""},
		{"a word is no time", `"yesterday"`, "", time.Time{}, time.Time{}, "", "[0].startsAt: not a time"},
		{"a number is no time", `1700000000`, "", time.Time{}, time.Time{}, "", "[0].startsAt: want a string with an RFC 3339 time, got a number"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body := `[{"labels":{"a":"b"}`
			if test.starts != "" {
				body += `,"startsAt":` + test.starts
			}
			if test.ends != "" {
				body += `,"endsAt":` + test.ends
			}
			batch := parse(t, body+`}]`)
			if test.wantRejected != "" {
				if len(batch.Alerts) != 0 || len(batch.Rejected) != 1 {
					t.Fatalf("got %+v, want it rejected", batch)
				}
				p := batch.Rejected[0].Problem
				if got := p.Field + ": " + p.Remedy; !strings.Contains(got, test.wantRejected) {
					t.Errorf("got %q, want %q", got, test.wantRejected)
				}
				return
			}
			if len(batch.Alerts) != 1 {
				t.Fatalf("got %+v, want one alert", batch)
			}
			a := batch.Alerts[0]
			if !a.StartsAt.Equal(test.wantStarts) || !a.EndsAt.Equal(test.wantEnds) {
				t.Errorf("got %s to %s, want %s to %s", a.StartsAt, a.EndsAt, test.wantStarts, test.wantEnds)
			}
			if notes := strings.Join(a.Notes, " "); !strings.Contains(notes, test.wantNote) || (test.wantNote == "") != (notes == "") {
				t.Errorf("got notes %q, want %q", notes, test.wantNote)
			}
		})
	}
}

func manyLabels(n int) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprintf(`"l%d":"v"`, i)
	}
	return strings.Join(parts, ",")
}

func TestBadAlertsAreNamedAndGoodOnesKept(t *testing.T) {
	long := strings.Repeat("x", 5000)
	tests := []struct{ name, alert, field, value, remedy string }{
		{"no labels", `{}`, "[1].labels", "", "at least one label"},
		{"labels that are all empty", `{"labels":{"a":""}}`, "[1].labels", "", "at least one label"},
		{"labels null", `{"labels":null}`, "[1].labels", "", "at least one label"},
		{"labels as an array", `{"labels":["a"]}`, "[1].labels", `["a"]`, "want an object of names and values, got an array"},
		{"a label that is a number", `{"labels":{"a":"b","code":500}}`, "[1].labels.code", "500", "want a string, got a number"},
		{"a label that is an object", `{"labels":{"a":{"b":[1,{"c":null}]}}}`, "[1].labels.a", `{"b":[1,{"c":null}]}`, "want a string, got an object"},
		{"an annotation that is true", `{"labels":{"a":"b"},"annotations":{"x":true}}`, "[1].annotations.x", "true", "want a string, got true or false"},
		{"a generator that is a list", `{"labels":{"a":"b"},"generatorURL":[]}`, "[1].generatorURL", "[]", "want a string with a link, got an array"},
		{"an alert that is a string", `"down"`, "[1]", `"down"`, "want an object with labels, got a string"},
		{"an alert that is null", `null`, "[1]", "null", "want an object with labels, got null"},
		{"a control character in a name", `{"labels":{"a\u0007b":"c"}}`, `[1].labels."a\ab"`, `"a\ab"`, "control characters"},
		{"a C1 control character in a name", `{"labels":{"a\u0085b":"c"}}`, `[1].labels."a\u0085b"`, "", "control characters"},
		{"an empty name", `{"labels":{"":"c"}}`, "[1].labels", "", "empty name"},
		{"a name that is no UTF-8", "{\"labels\":{\"a\xff\":\"c\"}}", "[1].labels.a\uFFFD", "a\uFFFD", "valid UTF-8"},
		{"a name over 1 KiB", `{"labels":{"` + long + `":"c"}}`, "[1].labels.xxx", "5000 bytes", "at most 1024 bytes"},
		{"a value over 4 KiB", `{"labels":{"a":"` + long + `"}}`, "[1].labels.a", "xxx", "at most 4096 bytes"},
		{"65 labels", `{"labels":{` + manyLabels(65) + `}}`, "[1].labels", "65 labels", "at most 64 labels"},
		{"10,000 labels", `{"labels":{` + manyLabels(10_000) + `}}`, "[1].labels", "10000 labels", "at most 64 labels"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			batch := parse(t, `[{"labels":{"n":"0"}}, `+test.alert+` ,{"labels":{"n":"2"}}]`)
			if len(batch.Alerts) != 2 || batch.Alerts[0].Labels.Get("n") != "0" || batch.Alerts[1].Labels.Get("n") != "2" {
				t.Fatalf("got alerts %+v, want the two good ones", batch.Alerts)
			}
			if batch.RejectedCount != 1 || len(batch.Rejected) != 1 {
				t.Fatalf("got rejected %+v, want one", batch.Rejected)
			}
			r := batch.Rejected[0]
			if !strings.HasPrefix(r.Problem.Field, test.field) || !strings.Contains(r.Problem.Value, test.value) || !strings.Contains(r.Problem.Remedy, test.remedy) {
				t.Errorf("got %+v, want field %s, value %s, remedy %s", r.Problem, test.field, test.value, test.remedy)
			}
			if r.Index != 1 || r.Raw != test.alert {
				t.Errorf("got index %d and raw %.60q, want 1 and %.60q", r.Index, r.Raw, test.alert)
			}
			if len(r.Problem.Value) > 200 || len(r.Problem.Field) > 200 {
				t.Errorf("field or value is not cut: %d and %d bytes", len(r.Problem.Field), len(r.Problem.Value))
			}
		})
	}
}

func TestWhatIsTakenWithANoteOrWithout(t *testing.T) {
	tests := []struct {
		name, alert string
		want        signal.Alert
		note        string
	}{
		{"64 labels", `{"labels":{` + manyLabels(64) + `}}`, signal.Alert{}, ""},
		{"empty values are dropped", `{"labels":{"z":"1","a":"","b":"2"}}`, signal.Alert{Labels: signal.NewLabels(map[string]string{"z": "1", "b": "2"})}, ""},
		{"the last of two labels counts", `{"labels":{"a":"1","b":"2","a":"3"}}`, signal.Alert{Labels: signal.NewLabels(map[string]string{"a": "3", "b": "2"})}, ""},
		{"a last empty value drops the label", `{"labels":{"a":"1","b":"2","a":""}}`, signal.Alert{Labels: signal.NewLabels(map[string]string{"b": "2"})}, ""},
		{"UTF-8 names", `{"labels":{"übung.x":"ä"}}`, signal.Alert{Labels: signal.NewLabels(map[string]string{"übung.x": "ä"})}, ""},
		{"escapes and pairs", `{"labels":{"a":"\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00"}}`, signal.Alert{Labels: signal.NewLabels(map[string]string{"a": "\"\\/\b\f\n\r\tä😀"})}, ""},
		{"half a pair is repaired", `{"labels":{"a":"x\ud83dy"}}`, signal.Alert{Labels: signal.NewLabels(map[string]string{"a": "x\uFFFDy"})}, "not valid UTF-8"},
		{"unknown fields are ignored", `{"status":{"a":[1,2.5e3,-0,true,false,null,"x",{}]},"labels":{"a":"b"},"version":"99"}`, signal.Alert{Labels: signal.NewLabels(map[string]string{"a": "b"})}, ""},
		{"field names in other case", `{"Labels":{"a":"b"},"generatorUrl":"https://x/y"}`, signal.Alert{Labels: signal.NewLabels(map[string]string{"a": "b"}), GeneratorURL: "https://x/y"}, ""},
		{"a script as link is left out", `{"labels":{"a":"b"},"generatorURL":"javascript:alert(1)"}`, signal.Alert{Labels: signal.NewLabels(map[string]string{"a": "b"})}, "generatorURL was left out"},
		{"a long annotation is cut", `{"labels":{"a":"b"},"annotations":{"d":"` + strings.Repeat("ä", 10_000) + `"}}`, signal.Alert{Labels: signal.NewLabels(map[string]string{"a": "b"}), Annotations: signal.NewLabels(map[string]string{"d": strings.Repeat("ä", 8192)})}, "Annotations were cut"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			batch := parse(t, "["+test.alert+"]")
			if len(batch.Alerts) != 1 {
				t.Fatalf("got %+v, want one alert", batch)
			}
			got := batch.Alerts[0]
			if notes := strings.Join(got.Notes, " "); !strings.Contains(notes, test.note) || (test.note == "") != (notes == "") {
				t.Errorf("got notes %q, want %q", notes, test.note)
			}
			if test.want.Labels == nil {
				return
			}
			test.want.Identity, test.want.StartsAt = test.want.Labels.Fingerprint().String(), now
			got.Notes = nil
			if len(got.Annotations) == 0 {
				got.Annotations = nil
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("alert (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBodiesThatAreRefusedAsAWhole(t *testing.T) {
	tests := []struct {
		name, body string
		status     int
		want       string
	}{
		{"an empty body", "", 400, "byte 0: want"},
		{"an object", `{"alerts":[]}`, 400, "want an array of alerts, got an object"},
		{"null", `null`, 400, "want an array of alerts, got null"},
		{"a word", `hello`, 400, "byte 0"},
		{"an array that ends early", `[{"labels":{"a":"b"}}`, 400, "byte 21"},
		{"an object that ends early", `[{"labels":{"a":"b"`, 400, "byte 19"},
		{"a string that ends early", `[{"labels":{"a":"b`, 400, "byte 18"},
		{"a comma too many", `[{"labels":{"a":"b"}},]`, 400, "byte 22"},
		{"a comma too few", `[{"labels":{"a":"b"}} {"labels":{"a":"b"}}]`, 400, "byte 22"},
		{"single quotes", `[{'labels':{}}]`, 400, "byte 2"},
		{"a line feed within a string", "[{\"labels\":{\"a\":\"b\nc\"}}]", 400, "no control character"},
		{"a bad escape", `[{"labels":{"a":"\x"}}]`, 400, "byte 18"},
		{"a bad number", `[{"x":01}]`, 400, "byte 7"},
		{"something behind the array", `[] []`, 400, "byte 3: want the end of the body"},
		{"nesting without end", `[{"x":` + strings.Repeat("[", 100_000), 400, "at most 64 values in one another"},
		{"too many alerts", "[" + strings.Repeat("{},", 1<<16) + "{}]", 413, "more than 65536 alerts"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse([]byte(test.body), now, DefaultLimits())
			var problem *receive.Problem
			if !errors.As(err, &problem) || problem.Status != test.status {
				t.Fatalf("got %v, want a problem with status %d", err, test.status)
			}
			if !strings.Contains(problem.Detail, test.want) {
				t.Errorf("got %q, want %q in it", problem.Detail, test.want)
			}
			if len(problem.Errors) != 1 || problem.Errors[0].Field != "body" || problem.Errors[0].Remedy == "" {
				t.Errorf("got errors %+v, want one that names the body and a remedy", problem.Errors)
			}
		})
	}
	if batch := parse(t, " [\n] "); len(batch.Alerts)+batch.RejectedCount != 0 {
		t.Errorf("an empty array gave %+v", batch)
	}
}

func TestManyBadAlertsTakeBoundedMemory(t *testing.T) {
	batch := parse(t, "["+strings.Repeat("{},", 50_000)+"{}]")
	if batch.RejectedCount != 50_001 || len(batch.Rejected) != DefaultLimits().Rejected {
		t.Errorf("got %d of %d described, want %d of 50001", len(batch.Rejected), batch.RejectedCount, DefaultLimits().Rejected)
	}
}

// FuzzParse compares with encoding/json: same verdict about the syntax, same labels, annotations and links.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"testdata/prometheus-2.42.json", "testdata/amtool-0.34.json"} {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	for _, body := range []string{`[]`, `[{"labels":{"a":"b","a":""}}]`, `[{"x":[1.5e-3,{"y":null}]}]`, `[{"labels":{"a":"\ud800\u0061"}},null,3]`, "[{\"labels\":{\"a\":\"\xff\"}}]"} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		limits := DefaultLimits()
		batch, err := Parse(body, now, limits)
		var elements []json.RawMessage
		wantErr := json.Unmarshal(body, &elements)
		if err != nil {
			// Fewer levels and fewer alerts than encoding/json, and no null in place of the array.
			if wantErr == nil && elements != nil && !strings.Contains(err.Error(), "at most 64 values") && !strings.Contains(err.Error(), "more than 65536") {
				t.Fatalf("got %v for a body that encoding/json reads", err)
			}
			return
		}
		if wantErr != nil {
			t.Fatalf("took a body of which encoding/json says: %v", wantErr)
		}
		if len(batch.Alerts)+batch.RejectedCount != len(elements) {
			t.Fatalf("got %d good and %d bad alerts of %d", len(batch.Alerts), batch.RejectedCount, len(elements))
		}
		rejected := make(map[int]bool)
		for _, r := range batch.Rejected {
			rejected[r.Index] = true
		}
		good := 0
		for i, element := range elements {
			if rejected[i] {
				continue
			}
			got := batch.Alerts[good]
			good++
			compareAlert(t, element, got)
		}
	})
}

func compareAlert(t *testing.T, element []byte, got signal.Alert) {
	t.Helper()
	// Unmarshal merges maps of fields that come twice; Parse takes the last. Such alerts are not compared.
	if lower := bytes.ToLower(element); bytes.Count(lower, []byte(`labels"`)) > 1 || bytes.Contains(lower, []byte(`\u`)) && !bytes.Contains(lower, []byte(`"labels"`)) {
		return
	}
	var want struct {
		Labels map[string]string `json:"labels"`
	}
	if err := json.Unmarshal(element, &want); err != nil {
		return // a kind that matters in another field only
	}
	if diff := cmp.Diff(signal.NewLabels(want.Labels), got.Labels); diff != "" {
		t.Fatalf("labels of %q (-encoding/json +got):\n%s", element, diff)
	}
	if got.Identity != got.Labels.Fingerprint().String() || got.StartsAt.IsZero() || len(got.Labels) > 64 {
		t.Fatalf("unsound alert %+v", got)
	}
}

// benchmarkBody is a batch as Prometheus sends it.
func benchmarkBody(n int) []byte {
	var body bytes.Buffer
	body.WriteByte('[')
	for i := range n {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"annotations":{"description":"Pod checkout/checkout-%d has been restarting 3 times within the last 10 minutes.\nLook at it.","runbook_url":"https://runbooks.example/crash?x=1\u0026y=2","summary":"Pod is crash looping."},"endsAt":"2026-11-24T23:59:57.730Z","startsAt":"2026-11-24T23:55:57.730Z","generatorURL":"http://prometheus.example:9090/graph?g0.expr=increase%%28kube_pod_container_status_restarts_total%%5B10m%%5D%%29+%%3E+3\u0026g0.tab=1","labels":{"alertname":"KubePodCrashLooping","cluster":"eu-1","container":"checkout","instance":"10.0.%d.%d:8080","job":"kube-state-metrics","namespace":"checkout","pod":"checkout-%d","prometheus":"monitoring/k8s","service":"checkout","severity":"warning"}}`, i, i/256, i%256, i)
	}
	body.WriteByte(']')
	return body.Bytes()
}

func BenchmarkParse(b *testing.B) {
	for _, n := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("%d alerts", n), func(b *testing.B) {
			body := benchmarkBody(n)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				batch, err := Parse(body, now, DefaultLimits())
				if err != nil || len(batch.Alerts) != n {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/alert")
		})
	}
}

func BenchmarkEncodingJSON(b *testing.B) {
	body := benchmarkBody(256)
	b.ReportAllocs()
	for b.Loop() {
		var alerts []struct {
			Labels, Annotations map[string]string
			StartsAt, EndsAt    time.Time
			GeneratorURL        string
		}
		if err := json.Unmarshal(body, &alerts); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*256), "ns/alert")
}
