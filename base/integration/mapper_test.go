package integration

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/base/signal"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func none(string) string { return "" }

func TestPayloadsOfAnyShapeBecomeAlerts(t *testing.T) {
	for name, test := range map[string]struct {
		mapper  Mapper
		payload string
		want    []string
	}{
		"guessed": {
			payload: `{"id":17,"title":"Disk full","priority":"P1","status":"open","host":"db-1","service":{"name":"orders"},"url":"http://x/17","timestamp":1772625600}`,
			want:    []string{"17 Disk full critical firing service=orders host=db-1 at 2026-03-04T12:00:00Z"},
		},
		"guessed in an envelope": {
			payload: `{"event":{"alert_id":"a-1","name":"High load","level":"warning","state":"OK","hostname":"web-2"}}`,
			want:    []string{"a-1 High load warning resolved service= host=web-2 at 2026-03-04T12:00:00Z"},
		},
		"a list": {
			payload: `[{"key":"a","name":"A"},{"key":"b","name":"B","status":"ack"}]`,
			want:    []string{"a A none firing service= host= at 2026-03-04T12:00:00Z", "b B none acknowledged service= host= at 2026-03-04T12:00:00Z"},
		},
		"expressions": {
			mapper: Mapper{
				Each: `body.checks`, Identity: `body.site + "/" + item.check`, Name: `item.check`, State: `item.code >= 2 ? "firing" : "resolved"`,
				Severity: `header("X-Level")`, Labels: map[string]string{"service": `lower(body.site)`},
			},
			payload: `{"site":"Shop","checks":[{"check":"http","code":2},{"check":"tls","code":0}]}`,
			want:    []string{"Shop/http http error firing service=shop host= at 2026-03-04T12:00:00Z", "Shop/tls tls error resolved service=shop host= at 2026-03-04T12:00:00Z"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			program, err := test.mapper.Compile()
			if err != nil {
				t.Fatal(err)
			}
			header := func(name string) string { return map[string]string{"X-Level": "error"}[name] }
			alerts, err := program.Alerts([]byte(test.payload), header, noon)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range alerts {
				a := &alerts[i]
				state := "firing"
				if !a.EndsAt.IsZero() {
					state = "resolved"
				}
				if a.Act == signal.Acknowledge {
					state = "acknowledged"
				}
				got = append(got, strings.Join([]string{
					a.Identity, a.Name(), a.Severity().String(), state, "service=" + a.Labels.Get("service"), "host=" + a.Labels.Get("host"),
					"at " + a.StartsAt.Format(time.RFC3339),
				}, " "))
			}
			if strings.Join(got, "\n") != strings.Join(test.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

func TestABadMapperOrPayloadSaysWhatIsWrong(t *testing.T) {
	for _, m := range []Mapper{{Name: "item."}, {Each: "unknown(1)"}, {Labels: map[string]string{"a": "1 +"}}, {Name: strings.Repeat("1+", 600) + "1"}} {
		if _, err := m.Compile(); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "mapper.") {
			t.Errorf("%+v: got %v, want an error that names the field", m, err)
		}
	}
	for payload, test := range map[string]struct {
		mapper Mapper
		want   string
	}{
		`{`:                            {Mapper{}, "no JSON"},
		`[]`:                           {Mapper{}, "no item"},
		`{}`:                           {Mapper{}, "mapper.name"},
		`{"name":"x","status":"blue"}`: {Mapper{}, `mapper.state: "blue"`},
		`{"name":"x","time":"soon"}`:   {Mapper{}, `mapper.startsAt: "soon"`},
		`{"a":1}`:                      {Mapper{Each: "body.a"}, "mapper.each: gives a int, want a list"},
		`{"name":"y"}`:                 {Mapper{Name: `repeat("x", 10000000)`}, "mapper.name"},
	} {
		program, err := test.mapper.Compile()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := program.Alerts([]byte(payload), none, noon); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want an error with %q", payload, err, test.want)
		}
	}
}

func FuzzMapperGuesses(f *testing.F) {
	f.Add([]byte(`{"id":17,"title":"Disk full","priority":"P1","status":"open"}`))
	f.Add([]byte(`[{"event":{"name":"x"}},1,null]`))
	program, err := (&Mapper{}).Compile()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		alerts, err := program.Alerts(payload, none, noon)
		for i := range alerts {
			if err == nil && (alerts[i].Identity == "" || alerts[i].Name() == "") {
				t.Errorf("%s: alert %d has no identity or name", payload, i)
			}
		}
	})
}
