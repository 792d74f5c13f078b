package nagios

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/test/door"
)

const form = "application/x-www-form-urlencoded"

var (
	noon    = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	service = map[string]string{
		"NOTIFICATIONTYPE": "PROBLEM", "HOSTNAME": "web-1", "HOSTALIAS": "Web server 1", "HOSTADDRESS": "10.0.0.7", "HOSTSTATE": "UP", "HOSTGROUPNAMES": "web,linux",
		"SERVICEDESC": "HTTP", "SERVICESTATE": "CRITICAL", "SERVICESTATETYPE": "HARD", "SERVICEOUTPUT": "CRITICAL - Socket timeout after 10 seconds", "LONGSERVICEOUTPUT": `first\nsecond`,
		"SERVICEPERFDATA": "time=10s", "SERVICEATTEMPT": "4", "SERVICEPROBLEMID": "217", "LASTSERVICEPROBLEMID": "190", "SERVICENOTESURL": "https://runbooks/http",
		"SERVICEACTIONURL": "https://nagios/web-1/http", "TIMET": "1772625000", "LASTSERVICESTATECHANGE": "1772624820", "LASTSERVICESTATE": "OK", "_HOSTENV": "prod",
		"_SERVICEOWNER": "ann", "_SERVICETEAM": "shop", "NOTIFICATIONAUTHOR": "", "NOTIFICATIONCOMMENT": "$NOTIFICATIONCOMMENT$",
	}
	host = map[string]string{
		"NOTIFICATIONTYPE": "PROBLEM", "HOSTNAME": "db-1", "HOSTSTATE": "DOWN", "HOSTSTATETYPE": "HARD", "HOSTOUTPUT": "PING CRITICAL - Packet loss = 100%", "HOSTPROBLEMID": "218",
		"TIMET": "1772625000",
	}
)

// body writes macros, some of them changed, as a form.
func body(macros map[string]string, changes ...string) []byte {
	values := url.Values{}
	for name, text := range macros {
		values.Set(name, text)
	}
	for i := 0; i < len(changes); i += 2 {
		values.Set(changes[i], changes[i+1])
	}
	return []byte(values.Encode())
}

func TestAServicesProblemBecomesAnAlert(t *testing.T) {
	want := []signal.Alert{{
		Identity: "web-1;HTTP", Keyed: true, StartsAt: time.Unix(1772624820, 0).UTC(), GeneratorURL: "https://nagios/web-1/http",
		Labels: signal.NewLabels(map[string]string{"alertname": "HTTP", "severity": "critical", "host": "web-1", "environment": "prod", "team": "shop"}),
		Annotations: signal.NewLabels(map[string]string{
			"summary": "CRITICAL - Socket timeout after 10 seconds", "description": "first\nsecond", "runbook_url": "https://runbooks/http", "nagios_problem_id": "217",
			"nagios_state": "CRITICAL", "nagios_host_alias": "Web server 1", "nagios_host_address": "10.0.0.7", "nagios_perfdata": "time=10s",
			"nagios_host_groups": "web,linux", "nagios_attempt": "4", "nagios_host_state": "UP", "owner": "ann",
		}),
	}}
	exported := map[string]string{}
	for name, text := range service {
		exported["NAGIOS_"+name] = text
	}
	object, err := json.Marshal(exported)
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string][]byte{
		"as a form":                      body(service),
		"as JSON with the core's prefix": object,
		"as JSON with Checkmk's prefix":  []byte(strings.ReplaceAll(string(object), `"NAGIOS_`, `"NOTIFY_`)),
	} {
		d, err := Parse(body, noon)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, d.Alerts); diff != "" {
			t.Errorf("%s: alerts (-want +got):\n%s", name, diff)
		}
	}
}

// line writes what an alert says in one line.
func line(a *signal.Alert) string {
	act := map[signal.Act]string{signal.Report: "fires", signal.Acknowledge: "acknowledged", signal.Comment: "comment", signal.End: "closed"}[a.Act]
	if !a.EndsAt.IsZero() && a.Act == signal.Report {
		act = "ended " + a.EndsAt.Format("15:04")
	}
	return strings.Join(strings.Fields(strings.Join([]string{a.Identity, act, a.Labels.Get("alertname"), a.Labels.Get("severity"), a.Annotations.Get("nagios_problem_id"), a.Actor, a.Text}, " ")), " ")
}

func TestTypesSayWhatHappened(t *testing.T) {
	const flapping = "It is flapping; the core tells of no changes until it is steady."
	for name, test := range map[string]struct {
		body []byte
		want []string
	}{
		"a service's warning":       {body(service, "SERVICESTATE", "WARNING"), []string{"web-1;HTTP fires HTTP warning 217"}},
		"a service's unknown state": {body(service, "SERVICESTATE", "UNKNOWN"), []string{"web-1;HTTP fires HTTP warning 217"}},
		"a service's recovery": {
			body(service, "NOTIFICATIONTYPE", "RECOVERY", "SERVICESTATE", "OK", "SERVICEPROBLEMID", "0", "LASTSERVICEPROBLEMID", "217", "LASTSERVICESTATE", "CRITICAL"),
			[]string{"web-1;HTTP ended 11:50 HTTP critical 217"},
		},
		"a host's problem":                            {body(host), []string{"db-1 fires Host down critical 218"}},
		"a host that is unreachable":                  {body(host, "HOSTSTATE", "UNREACHABLE"), []string{"db-1 fires Host unreachable error 218"}},
		"a host's recovery":                           {body(host, "NOTIFICATIONTYPE", "RECOVERY", "HOSTSTATE", "UP", "HOSTPROBLEMID", "0", "LASTHOSTPROBLEMID", "218"), []string{"db-1 ended 11:50 Host down 218"}},
		"macros of a service that stayed as they are": {body(host, "SERVICEDESC", "$SERVICEDESC$", "SERVICESTATE", "$SERVICESTATE$"), []string{"db-1 fires Host down critical 218"}},
		"an acknowledgement": {
			body(service, "NOTIFICATIONTYPE", "ACKNOWLEDGEMENT", "NOTIFICATIONAUTHOR", "Ann", "NOTIFICATIONCOMMENT", "I look"),
			[]string{"web-1;HTTP fires HTTP critical 217", "web-1;HTTP acknowledged Ann I look"},
		},
		"flapping begins":                 {body(service, "NOTIFICATIONTYPE", "FLAPPINGSTART"), []string{"web-1;HTTP fires HTTP critical 217", "web-1;HTTP comment " + flapping}},
		"flapping begins in a good state": {body(service, "NOTIFICATIONTYPE", "FLAPPINGSTART", "SERVICESTATE", "OK"), []string{"web-1;HTTP comment " + flapping}},
		"flapping ends in a good state":   {body(service, "NOTIFICATIONTYPE", "FLAPPINGSTOP", "SERVICESTATE", "OK"), []string{"web-1;HTTP comment It has stopped flapping.", "web-1;HTTP closed"}},
		"Icinga's word for it":            {body(service, "NOTIFICATIONTYPE", "FlappingEnd", "SERVICESTATE", "OK"), []string{"web-1;HTTP comment It has stopped flapping.", "web-1;HTTP closed"}},
		"a downtime":                      {body(service, "NOTIFICATIONTYPE", "DOWNTIMESTART", "NOTIFICATIONCOMMENT", "disks"), []string{"web-1;HTTP comment A planned downtime has begun. disks"}},
		"a downtime is over":              {body(host, "NOTIFICATIONTYPE", "DOWNTIMEEND"), []string{"db-1 comment The planned downtime is over."}},
		"a custom notification": {
			body(service, "NOTIFICATIONTYPE", "CUSTOM", "NOTIFICATIONCOMMENT", "look at this", "NOTIFICATIONAUTHOR", "Bob"),
			[]string{"web-1;HTTP fires HTTP critical 217", "web-1;HTTP comment Bob look at this"},
		},
		"a soft state":              {body(service, "SERVICESTATETYPE", "SOFT"), nil},
		"a soft recovery":           {body(service, "SERVICESTATETYPE", "SOFT", "NOTIFICATIONTYPE", "", "SERVICESTATE", "OK"), nil},
		"an event handler, hard":    {body(service, "NOTIFICATIONTYPE", ""), []string{"web-1;HTTP fires HTTP critical 217"}},
		"an event handler, hard ok": {body(service, "NOTIFICATIONTYPE", "", "SERVICESTATE", "OK"), []string{"web-1;HTTP ended 11:50 HTTP 217"}},
		"a clock ahead":             {body(service, "NOTIFICATIONTYPE", "RECOVERY", "SERVICESTATE", "OK", "TIMET", "1772628600"), []string{"web-1;HTTP ended 12:00 HTTP 217"}},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Parse(test.body, noon)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range d.Alerts {
				got = append(got, line(&d.Alerts[i]))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestABadNotificationNamesTheField(t *testing.T) {
	for name, test := range map[string]struct {
		body  []byte
		field string
	}{
		"nothing":              {nil, "HOSTNAME"},
		"no form":              {[]byte("a=%zz"), "body"},
		"another product":      {[]byte(`{"alerts":[]}`), "HOSTNAME"},
		"no state":             {body(service, "SERVICESTATE", ""), "SERVICESTATE"},
		"a strange state":      {body(host, "HOSTSTATE", "SIDEWAYS"), "HOSTSTATE"},
		"a strange type":       {body(host, "NOTIFICATIONTYPE", "PARTY"), "NOTIFICATIONTYPE"},
		"a macro that is none": {body(host, "HOSTNAME", "$HOSTNAME$"), "HOSTNAME"},
	} {
		_, err := Parse(test.body, noon)
		problem, ok := errors.AsType[*receive.Problem](err)
		if !ok || len(problem.Errors) != 1 || problem.Errors[0].Field != test.field || problem.Errors[0].Remedy == "" {
			t.Errorf("%s: got %v, want a problem with field %s", name, err, test.field)
		}
	}
}

func TestAnActIsTakenOnce(t *testing.T) {
	s := door.New(t, map[string]receive.Protocol{"POST /in/nagios/{integration}": Notification()})
	acknowledged := string(body(service, "NOTIFICATIONTYPE", "ACKNOWLEDGEMENT"))
	for range 2 {
		if status, text := s.Post("/in/nagios/prod", acknowledged, "Content-Type", form); status != 200 || strings.TrimSpace(text) != `{"accepted":2,"status":"ok"}` {
			t.Errorf("got %d %s", status, text)
		}
	}
	if len(s.Alerts()) != 2 {
		t.Errorf("%d reports were published, want 2", len(s.Alerts()))
	}
	if status, text := s.Post("/in/nagios/prod", string(body(service, "SERVICESTATETYPE", "SOFT")), "Content-Type", form); status != 200 || !strings.Contains(text, `"accepted":0`) {
		t.Errorf("a soft state: got %d %s", status, text)
	}
	if status, text := s.Post("/in/nagios/prod", "x=y", "Content-Type", form); status != 400 || !strings.Contains(text, "HOSTNAME") || len(s.Letters()) != 1 {
		t.Errorf("another form: got %d %s", status, text)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(body(service))
	f.Add(body(host, "NOTIFICATIONTYPE", "FLAPPINGSTOP", "HOSTSTATE", "UP"))
	f.Add([]byte(`{"NAGIOS_HOSTNAME":1,"hostname":"x","HOSTSTATE":"up"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := Parse(body, noon)
		if err != nil {
			if _, ok := errors.AsType[*receive.Problem](err); !ok {
				t.Errorf("%s: %v is no problem", body, err)
			}
			return
		}
		for i := range d.Alerts {
			if a := &d.Alerts[i]; a.Identity == "" || a.Act == signal.Report && (a.Name() == "" || a.StartsAt.IsZero()) {
				t.Errorf("%s: got %+v", body, a)
			}
		}
	})
}
