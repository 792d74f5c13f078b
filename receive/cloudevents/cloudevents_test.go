package cloudevents

import (
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/test/door"
)

var (
	noon  = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	early = noon.Add(-time.Minute)
)

// documented is the structured example of the specification.
const documented = `{"specversion":"1.0","type":"com.example.someevent","source":"/mycontext","subject":null,"id":"C234-1234-1234","time":"2018-04-05T17:31:00Z",
	"comexampleextension1":"value","comexampleothervalue":5,"datacontenttype":"application/json","data":{"appinfoA":"abc","appinfoB":123,"appinfoC":true}}`

// detected and resolved are CDEvents of an incident.
const (
	detected = `{"specversion":"1.0","id":"271069a8","source":"/monitoring/prod1","type":"dev.cdevents.incident.detected.0.3.0","time":"2026-03-04T11:59:00Z","datacontenttype":"application/json",
	"data":{"context":{"version":"0.5.0","id":"271069a8","source":"/monitoring/prod1","type":"dev.cdevents.incident.detected.0.3.0","timestamp":"2026-03-04T11:59:00Z"},
	"subject":{"id":"incident-123","source":"/monitoring/prod1","content":{"description":"Response time above 10ms","environment":{"id":"prod1","source":"/iaas/geo1"},"service":{"id":"myApp","source":"/clusterA/namespaceB"},"artifactId":"pkg:oci/myapp@sha256%3A0b31b1c"}}}}`
	resolved = `{"specversion":"1.0","id":"271069a9","source":"/monitoring/prod1","type":"dev.cdevents.incident.resolved.0.3.0","time":"2026-03-04T11:59:00Z",
	"data":{"context":{"timestamp":"2026-03-04T11:59:00Z"},"subject":{"id":"incident-123","content":{"description":"Response time fine again"}}}}`
)

func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

func TestFormsOfEvents(t *testing.T) {
	binary := header("Ce-Specversion", "1.0", "Ce-Type", "com.example.someevent", "Ce-Source", "/mycontext", "Ce-Id", "1234-1234-1234", "Ce-Time", "2018-04-05T03:56:24Z")
	with := func(pairs ...string) http.Header {
		h := maps.Clone(binary)
		maps.Copy(h, header(pairs...))
		return h
	}
	event := Event{ID: "1234-1234-1234", Source: "/mycontext", Type: "com.example.someevent", Time: time.Date(2018, 4, 5, 3, 56, 24, 0, time.UTC)}
	data := func(e Event, data any) Event { e.Data = data; return e }
	subject := func(e Event, text string) Event { e.Subject = text; return e }
	for name, test := range map[string]struct {
		header http.Header
		body   string
		want   []Event
	}{
		"binary":                          {with("Content-Type", "application/json; charset=utf-8"), `{"a":1}`, []Event{data(event, map[string]any{"a": 1.0})}},
		"binary without data":             {binary, "", []Event{event}},
		"binary text":                     {with("Content-Type", "text/plain"), "disk is full", []Event{data(event, "disk is full")}},
		"percent-encoding is undone once": {with("Ce-Subject", "Euro%20%E2%82%AC%20%2525 100%"), "", []Event{subject(event, "Euro € %25 100%")}},
		"a quoted string":                 {with("Ce-Subject", `"say \"hi\" \\ %22"`), "", []Event{subject(event, `say "hi" \ "`)}},
		"structured": {header("Content-Type", "application/cloudevents+json; charset=utf-8"), documented, []Event{{
			ID: "C234-1234-1234", Source: "/mycontext", Type: "com.example.someevent", Time: time.Date(2018, 4, 5, 17, 31, 0, 0, time.UTC),
			Data: map[string]any{"appinfoA": "abc", "appinfoB": 123.0, "appinfoC": true},
		}}},
		"structured as plain JSON": {header("Content-Type", "application/json"), `{"specversion":"1.0","id":"i","source":"s","type":"t"}`, []Event{{ID: "i", Source: "s", Type: "t"}}},
		"structured base64":        {header("Content-Type", "application/cloudevents+json"), `{"specversion":"1.0","id":"i","source":"s","type":"t","data_base64":"eyJhIjoxfQ=="}`, []Event{{ID: "i", Source: "s", Type: "t", Data: map[string]any{"a": 1.0}}}},
		"batch":                    {header("Content-Type", "application/cloudevents-batch+json"), `[{"specversion":"1.0","id":"i","source":"s","type":"t"},{"specversion":"1.0","id":"j","source":"s","type":"t"}]`, []Event{{ID: "i", Source: "s", Type: "t"}, {ID: "j", Source: "s", Type: "t"}}},
		"an empty batch":           {header("Content-Type", "application/cloudevents-batch+json"), `[]`, nil},
		"a later version":          {header("Content-Type", "application/cloudevents+json"), `{"specversion":"1.1","id":"i","source":"s","type":"t","x":[1]}`, []Event{{ID: "i", Source: "s", Type: "t"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, rejected, err := Read(test.header, []byte(test.body))
			if err != nil || len(rejected) > 0 {
				t.Fatalf("got error %v, rejected %+v", err, rejected)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	structured := header("Content-Type", "application/cloudevents+json")
	for name, test := range map[string]struct {
		header http.Header
		body   string
		status int
		field  string
	}{
		"no CloudEvent":       {header("Content-Type", "application/json"), `{"id":"i"}`, 415, "Content-Type"},
		"a form":              {header("Content-Type", "application/x-www-form-urlencoded"), `a=b`, 415, "Content-Type"},
		"nothing":             {http.Header{}, ``, 415, "Content-Type"},
		"another encoding":    {header("Content-Type", "application/cloudevents+avro"), `x`, 415, "Content-Type"},
		"no JSON":             {structured, `{`, 400, "body"},
		"no id":               {structured, `{"specversion":"1.0","source":"s","type":"t"}`, 400, "id"},
		"no version":          {structured, `{"id":"i","source":"s","type":"t"}`, 400, "specversion"},
		"bad base64":          {structured, `{"specversion":"1.0","id":"i","source":"s","type":"t","data_base64":"%"}`, 400, "data_base64"},
		"base64 of a number":  {structured, `{"specversion":"1.0","id":"i","source":"s","type":"t","data_base64":5}`, 400, "data_base64"},
		"bad time":            {with("Ce-Time", "noon"), ``, 400, "ce-time"},
		"no source":           {header("Ce-Id", "i", "Ce-Type", "t", "Ce-Specversion", "1.0"), ``, 400, "ce-source"},
		"no UTF-8":            {with("Ce-Subject", "%FF"), ``, 400, "ce-subject"},
		"JSON that is none":   {with("Content-Type", "application/json"), `{`, 400, "body"},
		"a batch that is one": {header("Content-Type", "application/cloudevents-batch+json"), documented, 400, "body"},
		"an endless batch":    {header("Content-Type", "application/cloudevents-batch+json"), "[" + strings.Repeat("1,", maxBatch) + "1]", 400, "body"},
	} {
		_, _, err := Read(test.header, []byte(test.body))
		problem, ok := errors.AsType[*receive.Problem](err)
		if !ok || problem.Status != test.status || len(problem.Errors) != 1 || problem.Errors[0].Field != test.field {
			t.Errorf("%s: got %v %+v, want %d and field %s", name, err, problem, test.status, test.field)
		}
	}
	_, rejected, err := Read(header("Content-Type", "application/cloudevents-batch+json"), []byte(`[{"specversion":"1.0","id":"i","source":"s","type":"t"},{"id":"j"}]`))
	if err != nil || len(rejected) != 1 || rejected[0].Problem.Field != "[1].specversion" || string(rejected[0].Raw) != `{"id":"j"}` {
		t.Errorf("got %+v, error %v", rejected, err)
	}
}

func TestEventsBecomeAlerts(t *testing.T) {
	event := func(kind, subject string, data any) Event {
		return Event{ID: "i", Source: "/s", Type: kind, Subject: subject, Time: early, Data: data}
	}
	about := func(kind, subject string, more map[string]string) signal.Labels {
		m := map[string]string{"ce_source": "/s", "ce_type": kind, "ce_subject": subject}
		maps.Copy(m, more)
		return signal.NewLabels(m)
	}
	named := func(name string) signal.Labels { return signal.NewLabels(map[string]string{"alertname": name}) }
	for name, test := range map[string]struct {
		event  Event
		mapper integration.Mapper
		want   []signal.Alert
	}{
		"no alert":            {event("com.example.someevent", "", map[string]any{"appinfoA": "abc"}), integration.Mapper{}, nil},
		"a CDEvent of others": {event("dev.cdevents.service.deployed.0.2.0", "", map[string]any{"subject": map[string]any{"id": "x"}}), integration.Mapper{}, nil},
		"an alert by its type": {event("com.acme.alert.triggered.v1", "db-1", map[string]any{"title": "Disk full", "severity": "critical"}), integration.Mapper{}, []signal.Alert{{
			Identity: "/s#db-1#com.acme.alert", Keyed: true, StartsAt: early, Labels: signal.NewLabels(map[string]string{"alertname": "Disk full", "severity": "critical"}), Annotations: about("com.acme.alert.triggered.v1", "db-1", nil),
		}}},
		"its end by its type": {event("com.acme.alert.resolved.v1", "db-1", map[string]any{"title": "Disk full"}), integration.Mapper{}, []signal.Alert{{
			Identity: "/s#db-1#com.acme.alert", Keyed: true, StartsAt: early, EndsAt: early, Labels: named("Disk full"), Annotations: about("com.acme.alert.resolved.v1", "db-1", nil),
		}}},
		"an acknowledgement by its type": {event("com.acme.alert.acknowledged", "db-1", nil), integration.Mapper{}, []signal.Alert{{
			Act: signal.Acknowledge, Identity: "/s#db-1#com.acme.alert", Keyed: true, StartsAt: early, Labels: named("com.acme.alert.acknowledged"), Annotations: about("com.acme.alert.acknowledged", "db-1", nil),
		}}},
		"an alert by its data": {event("com.acme.message", "", map[string]any{"dedup_key": "k", "name": "Disk", "status": "resolved"}), integration.Mapper{}, []signal.Alert{{
			Identity: "k", Keyed: true, StartsAt: early, EndsAt: early, Labels: named("Disk"), Annotations: about("com.acme.message", "", nil),
		}}},
		"data without a name": {event("com.acme.alarm", "db-1", map[string]any{"value": 7.0}), integration.Mapper{}, []signal.Alert{{
			Identity: "/s#db-1#com.acme.alarm", Keyed: true, StartsAt: early, Labels: named("com.acme.alarm"), Annotations: about("com.acme.alarm", "db-1", nil),
		}}},
		"text": {event("com.acme.alarm", "", "disk is full"), integration.Mapper{}, []signal.Alert{{
			Identity: "/s##com.acme.alarm", Keyed: true, StartsAt: early, Labels: named("com.acme.alarm"), Annotations: about("com.acme.alarm", "", map[string]string{"summary": "disk is full"}),
		}}},
		"a mapper": {event("com.example.someevent", "x", map[string]any{"appinfoA": "abc", "on": true}), integration.Mapper{Name: "item.appinfoA", Identity: `body.subject`, State: `item.on ? "firing" : "ok"`}, []signal.Alert{{
			Identity: "x", Keyed: true, StartsAt: early, Labels: named("abc"), Annotations: about("com.example.someevent", "x", nil),
		}}},
		"a mapper over a list": {event("com.example.someevent", "", []any{map[string]any{"n": "a"}, map[string]any{"n": "b"}}), integration.Mapper{Name: "item.n", Identity: "item.n"}, []signal.Alert{
			{Identity: "a", Keyed: true, StartsAt: early, Labels: named("a"), Annotations: about("com.example.someevent", "", nil)},
			{Identity: "b", Keyed: true, StartsAt: early, Labels: named("b"), Annotations: about("com.example.someevent", "", nil)},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := test.event.Alerts(&test.mapper, noon)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for name, e := range map[string]Event{
		"a state that nobody knows":     event("com.acme.alert", "", map[string]any{"name": "x", "state": "purple"}),
		"an incident without a subject": event("dev.cdevents.incident.detected.0.3.0", "", map[string]any{}),
		"an incident without data":      event("dev.cdevents.incident.detected.0.3.0", "", nil),
	} {
		if _, err := e.Alerts(&integration.Mapper{}, noon); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestCDEventsOfIncidents(t *testing.T) {
	read := func(body string) signal.Alert {
		t.Helper()
		events, _, err := Read(header("Content-Type", "application/cloudevents+json"), []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		alerts, err := events[0].Alerts(&integration.Mapper{}, noon)
		if err != nil || len(alerts) != 1 {
			t.Fatalf("got %+v, error %v", alerts, err)
		}
		return alerts[0]
	}
	want := signal.Alert{
		Identity: "incident-123", Keyed: true, StartsAt: early,
		Labels: signal.NewLabels(map[string]string{"alertname": "Response time above 10ms", "severity": "critical", "environment": "prod1", "service": "myApp"}),
		Annotations: signal.NewLabels(map[string]string{
			"summary": "Response time above 10ms", "artifact": "pkg:oci/myapp@sha256%3A0b31b1c", "ce_type": "dev.cdevents.incident.detected.0.3.0", "ce_source": "/monitoring/prod1",
		}),
	}
	if diff := cmp.Diff(want, read(detected)); diff != "" {
		t.Error(diff)
	}
	end := signal.Alert{Act: signal.End, Identity: "incident-123", Keyed: true, StartsAt: early, EndsAt: early, Text: "Response time fine again"}
	if diff := cmp.Diff(end, read(resolved)); diff != "" {
		t.Error(diff)
	}
}

func TestEventsOverHTTP(t *testing.T) {
	d := door.New(t, map[string]receive.Protocol{
		"POST /in/cloudevents": Events(), "OPTIONS /in/cloudevents": Events(), "POST /in/cloudevents/{integration}": Events(), "OPTIONS /in/cloudevents/{integration}": Events(),
	})
	structured, batch := "application/cloudevents+json", "application/cloudevents-batch+json"
	for _, path := range []string{"/in/cloudevents", "/in/cloudevents/ci"} {
		for range 2 { // the second time changes nothing
			if got := d.Send(http.MethodPost, path, detected, "Content-Type", structured); got.Status != http.StatusAccepted || got.Body != "" {
				t.Errorf("got %+v", got)
			}
		}
		if alerts := d.Taken(); len(alerts) != 1 || alerts[0].Identity != "incident-123" {
			t.Errorf("got %+v", alerts)
		}
		if got := d.Send(http.MethodPost, path, "["+detected+","+resolved+","+documented+"]", "Content-Type", batch); got.Status != http.StatusAccepted {
			t.Errorf("got %+v", got)
		}
		if alerts := d.Taken(); len(alerts) != 1 || alerts[0].Act != signal.End {
			t.Errorf("of a batch with one known and one without alert: got %+v", alerts)
		}
		if got := d.Send(http.MethodPost, path, "[]", "Content-Type", batch); got.Status != http.StatusAccepted {
			t.Errorf("an empty batch: got %+v", got)
		}
		mixed := d.Send(http.MethodPost, path, `[{"id":"broken"},{"specversion":"1.0","id":"good","source":"s","type":"com.acme.alert","data":{"name":"x"}}]`, "Content-Type", batch)
		if alerts := d.Taken(); mixed.Status != http.StatusBadRequest || len(alerts) != 1 {
			t.Errorf("a mixed batch: got %+v with %+v", mixed, alerts)
		}
		if got := d.Send(http.MethodPost, path, `a=b`, "Content-Type", "application/x-www-form-urlencoded"); got.Status != http.StatusUnsupportedMediaType {
			t.Errorf("no CloudEvent: got %+v", got)
		}
	}
	if got := d.Send(http.MethodOptions, "/in/cloudevents/ci", "", "WebHook-Request-Origin", "eventgrid.azure.net", "WebHook-Request-Rate", "120", "WebHook-Request-Callback", "http://127.0.0.1:1/never-opened"); got.Status != http.StatusOK ||
		got.Header.Get("WebHook-Allowed-Origin") != "eventgrid.azure.net" || got.Header.Get("WebHook-Allowed-Rate") != "*" || got.Header.Get("Allow") != "POST" {
		t.Errorf("the handshake: got %+v", got)
	}
	if got := d.Send(http.MethodOptions, "/in/cloudevents/ci", ""); got.Header.Get("WebHook-Allowed-Origin") != "" {
		t.Errorf("without origin: got %+v", got)
	}
	secret, _, err := d.Doors.Rotate(t.Context(), "ci", 0, "ann")
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Send(http.MethodOptions, "/in/cloudevents/ci", "", "WebHook-Request-Origin", "evil.example"); got.Status != http.StatusUnauthorized || got.Header.Get("WebHook-Allowed-Origin") != "" {
		t.Errorf("a handshake without key: got %+v", got)
	}
	if got := d.Send(http.MethodPost, "/in/cloudevents/ci?access_token="+secret, "", "Ce-Specversion", "1.0", "Ce-Id", "b", "Ce-Source", "s", "Ce-Type", "com.acme.alarm"); got.Status != http.StatusAccepted {
		t.Errorf("with the key in the query: got %+v", got)
	}
	letters := d.Letters()
	if len(letters) == 0 || string(letters[0].Payload) != `{"id":"broken"}` {
		t.Errorf("got %+v", letters)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("application/cloudevents+json", "", []byte(documented))
	f.Add("application/cloudevents-batch+json", "", []byte("["+detected+"]"))
	f.Add("application/json", "a%20b", []byte(`{"name":"x"}`))
	f.Fuzz(func(t *testing.T, media, subject string, body []byte) {
		h := header("Content-Type", media)
		if subject != "" {
			h = header("Content-Type", media, "Ce-Specversion", "1.0", "Ce-Id", subject, "Ce-Source", subject, "Ce-Type", "alert."+subject, "Ce-Subject", subject)
		}
		events, rejected, err := Read(h, body)
		if err != nil {
			if _, ok := errors.AsType[*receive.Problem](err); !ok {
				t.Errorf("%v is no problem", err)
			}
			return
		}
		for i := range rejected {
			if rejected[i].Problem.Remedy == "" {
				t.Errorf("rejected without a reason: %+v", rejected[i])
			}
		}
		for i := range events {
			alerts, err := events[i].Alerts(&integration.Mapper{}, noon)
			if _, ok := errors.AsType[*receive.Problem](err); err != nil && !ok {
				t.Errorf("%v is no problem", err)
			}
			for n := range alerts {
				if alerts[n].Identity == "" {
					t.Errorf("alert without identity: %+v", alerts[n])
				}
			}
		}
	})
}
