package k8sevents

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/test/door"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// The same event in both versions, as "kubectl get events -o json" prints them.
const (
	newer = `{"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"name":"checkout-5c9d8f7b6d-x7k2p.17a","namespace":"shop","uid":"e1","creationTimestamp":"2026-03-04T11:40:00Z"},
		"eventTime":null,"series":null,"reportingController":"kubelet","reportingInstance":"node-1","reason":"BackOff","regarding":{"kind":"Pod","namespace":"shop",
		"name":"checkout-5c9d8f7b6d-x7k2p","uid":"p1","apiVersion":"v1","resourceVersion":"5","fieldPath":"spec.containers{checkout}"},
		"note":"Back-off restarting failed container checkout","type":"Warning","deprecatedSource":{"component":"kubelet","host":"node-1"},
		"deprecatedFirstTimestamp":"2026-03-04T11:40:00Z","deprecatedLastTimestamp":"2026-03-04T11:55:00Z","deprecatedCount":14}`
	older = `{"apiVersion":"v1","kind":"Event","metadata":{"name":"checkout-5c9d8f7b6d-x7k2p.17a","namespace":"shop"},"involvedObject":{"kind":"Pod","namespace":"shop",
		"name":"checkout-5c9d8f7b6d-x7k2p","fieldPath":"spec.containers{checkout}"},"reason":"BackOff","message":"Back-off restarting failed container checkout",
		"source":{"component":"kubelet","host":"node-1"},"firstTimestamp":"2026-03-04T11:40:00Z","lastTimestamp":"2026-03-04T11:55:00Z","count":14,"type":"Warning",
		"eventTime":null,"reportingComponent":"","reportingInstance":""}`
)

func TestAWarningBecomesAnAlert(t *testing.T) {
	want := signal.Alert{
		Identity: "eu-1/Pod/shop/checkout-5c9d8f7b6d-x7k2p/BackOff", Keyed: true, StartsAt: noon.Add(-5 * time.Minute),
		Labels: signal.NewLabels(map[string]string{
			"alertname": "BackOff", "severity": "warning", "cluster": "eu-1", "kind": "Pod", "name": "checkout-5c9d8f7b6d-x7k2p", "namespace": "shop",
			"pod": "checkout-5c9d8f7b6d-x7k2p", "container": "checkout", "workload": "checkout", "service": "checkout", "node": "node-1",
		}),
		Annotations: signal.NewLabels(map[string]string{
			"summary": "Back-off restarting failed container checkout", "k8s_event": "checkout-5c9d8f7b6d-x7k2p.17a", "k8s_type": "Warning", "k8s_reported_by": "kubelet",
			"k8s_count": "14",
		}),
	}
	for name, body := range map[string]string{
		"events.k8s.io/v1": newer, "core/v1": older, "a list": "[" + older + "]", "an EventList": `{"kind":"EventList","items":[` + newer + `]}`,
		"a watch": `{"type":"MODIFIED","object":` + newer + `}`,
	} {
		d, err := Parse([]byte(body), "eu-1", resolveTimeout, noon)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff([]signal.Alert{want}, d.Alerts); diff != "" {
			t.Errorf("%s: alerts (-want +got):\n%s", name, diff)
		}
	}
}

func TestWhatAnEventIsAbout(t *testing.T) {
	for name, test := range map[string]struct {
		event            string
		identity, labels string
	}{
		"a node": {
			`{"type":"Warning","reason":"NodeNotReady","metadata":{"namespace":"default"},"regarding":{"kind":"Node","name":"node-1"},"clusterName":"us-1"}`,
			"us-1/Node//node-1/NodeNotReady", "alertname=NodeNotReady cluster=us-1 kind=Node name=node-1 node=node-1 severity=warning",
		},
		"a pod with labels and owners, from an exporter": {
			`{"type":"Warning","reason":"Unhealthy","involvedObject":{"kind":"Pod","namespace":"shop","name":"odd","labels":{"app":"cart"},"ownerReferences":[{"kind":"ReplicaSet","name":"cart-web-6b7f9d8c5"}]}}`,
			"/Pod/shop/odd/Unhealthy", "alertname=Unhealthy kind=Pod name=odd namespace=shop pod=odd service=cart severity=warning workload=cart-web",
		},
		"a deployment, its namespace in the metadata": {
			`{"type":"Warning","reason":"ProgressDeadlineExceeded","metadata":{"namespace":"shop"},"regarding":{"kind":"Deployment","name":"cart"},"series":{"count":3,"lastObservedTime":"2026-03-04T12:00:00.000000Z"}}`,
			"/Deployment/shop/cart/ProgressDeadlineExceeded", "alertname=ProgressDeadlineExceeded kind=Deployment name=cart namespace=shop service=cart severity=warning workload=cart",
		},
		"a type of somebody's own": {
			`{"type":"Error","reason":"Boom","regarding":{"kind":"Widget","name":"w"}}`,
			"/Widget//w/Boom", "alertname=Boom kind=Widget name=w service=w severity=warning workload=w",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Parse([]byte(test.event), "", resolveTimeout, noon)
			if err != nil {
				t.Fatal(err)
			}
			var labels []string
			for _, l := range d.Alerts[0].Labels {
				labels = append(labels, l.Name+"="+l.Value)
			}
			if a := &d.Alerts[0]; a.Identity != test.identity || strings.Join(labels, " ") != test.labels || !a.StartsAt.Equal(noon) {
				t.Errorf("got %s %s at %s", a.Identity, labels, a.StartsAt)
			}
		})
	}
}

func TestWorkloadsAreReadFromNames(t *testing.T) {
	for _, test := range []struct{ kind, name, want string }{
		{"Pod", "checkout-5c9d8f7b6d-x7k2p", "checkout"},
		{"Pod", "my-api-7f8d9c6b5-2xvzq", "my-api"},
		{"Pod", "db-0", "db"},
		{"Pod", "db-12", "db"},
		{"Pod", "fluentd-x7k2p", "fluentd"},
		{"Pod", "backup-28912345-x7k2p", "backup"},
		{"Pod", "kube-proxy-abcde", "kube-proxy-abcde"}, // a and e are never drawn
		{"Pod", "debug", "debug"},
		{"Pod", "-", "-"},
		{"ReplicaSet", "checkout-5c9d8f7b6d", "checkout"},
		{"ReplicaSet", "checkout-web", "checkout-web"},
		{"Job", "backup-28912345", "backup"},
		{"Job", "migrate-2", "migrate-2"},
		{"StatefulSet", "db-0", "db-0"},
		{"Deployment", "checkout-5c9d8f7b6d", "checkout-5c9d8f7b6d"},
	} {
		if got := workload(&object{Kind: test.kind, Name: test.name}); got != test.want {
			t.Errorf("%s %s: got %s, want %s", test.kind, test.name, got, test.want)
		}
	}
}

func TestAnEventThatIsToldLateIsOver(t *testing.T) {
	d, err := Parse([]byte(older), "", time.Minute, noon)
	if err != nil || !d.Alerts[0].EndsAt.Equal(noon.Add(-4*time.Minute)) || len(d.Alerts[0].Notes) != 1 {
		t.Errorf("got %+v, error %v", d, err)
	}
	if d, err := Parse([]byte(older), "", 0, noon); err != nil || !d.Alerts[0].EndsAt.IsZero() {
		t.Errorf("without a timeout: got %+v, error %v", d, err)
	}
}

func TestBadEventsNameTheField(t *testing.T) {
	for body, field := range map[string]string{
		`{`:    "body",
		`"x"`:  "body",
		`{}`:   "regarding",
		`[{}]`: "items[0].regarding",
		`{"type":"Warning","reason":"x","regarding":{"kind":"Pod"}}`: "regarding",
		`{"type":"Warning","regarding":{"kind":"Pod","name":"a"}}`:   "reason",
		`{"reason":"x","regarding":{"kind":"Pod","name":"a"}}`:       "type",
		`{"items":[{"type":"Warning","reason":7}]}`:                  "items[0].reason",
		`{"items":[7]}`: "items[0]",
		`{"routing_key":"x","event_action":"trigger","payload":{"summary":"y"}}`: "regarding",
	} {
		_, err := Parse([]byte(body), "", resolveTimeout, noon)
		problem, ok := errors.AsType[*receive.Problem](err)
		if !ok || len(problem.Errors) != 1 || problem.Errors[0].Field != field || problem.Errors[0].Remedy == "" {
			t.Errorf("%s: got %v, want a problem with field %s", body, err, field)
		}
	}
}

func TestNormalEventsAreAcceptedAndMakeNothing(t *testing.T) {
	s := door.New(t, map[string]receive.Protocol{"POST /in/k8s-events/{integration}": Events(), "POST /in/k8s-events": Events()})
	fresh := strings.ReplaceAll(older, "2026-03-04T11:55:00Z", time.Now().UTC().Format(time.RFC3339))
	normal := strings.Replace(fresh, "Warning", "Normal", 1)
	for _, test := range []struct{ path, body, want string }{
		{"/in/k8s-events/prod?cluster=eu-1", normal, `{"accepted":0,"normal":1}`},
		{"/in/k8s-events/prod?cluster=eu-1", "[" + normal + "," + fresh + "]", `{"accepted":1,"normal":1}`},
		{"/in/k8s-events", fresh, `{"accepted":1,"normal":0}`},
	} {
		if status, text := s.Post(test.path, test.body); status != 200 || strings.TrimSpace(text) != test.want {
			t.Errorf("%s: got %d %s, want 200 %s", test.path, status, text, test.want)
		}
	}
	alerts := s.Alerts()
	if len(alerts) != 2 || alerts[0].Source != "prod" || alerts[0].ResolveTimeout != 10*time.Minute || alerts[0].Labels.Get("cluster") != "eu-1" || alerts[1].Source != "prod" {
		t.Errorf("got %+v", alerts)
	}
	if _, _, captures, err := s.Doors.Find("prod"); err != nil || len(captures) != 3 {
		t.Errorf("%d payloads were captured, error %v", len(captures), err)
	}
	if status, text := s.Post("/in/k8s-events/prod", "["+fresh+`,{"type":"Warning"}]`); status != 400 || !strings.Contains(text, "items[1].regarding") || len(s.Alerts()) != 3 || len(s.Letters()) != 1 {
		t.Errorf("a mixed list: got %d %s, %d alerts, %d dead letters", status, text, len(s.Alerts()), len(s.Letters()))
	}
}

func TestTheIntegrationsTimeoutDecidesWhatIsLate(t *testing.T) {
	s := door.New(t, map[string]receive.Protocol{"POST /in/k8s-events/{integration}": Events()})
	if _, err := s.Doors.Create(t.Context(), &integration.Integration{Name: "prod", Kind: Kind, ResolveTimeout: "0"}, "ann", ""); err != nil {
		t.Fatal(err)
	}
	s.Post("/in/k8s-events/prod", older)
	if alerts := s.Alerts(); len(alerts) != 1 || !alerts[0].EndsAt.IsZero() || alerts[0].ResolveTimeout != 0 {
		t.Errorf("got %+v", alerts)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(newer))
	f.Add([]byte(older))
	f.Add([]byte(`{"items":[null,{"type":"Normal"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := Parse(body, "", resolveTimeout, noon)
		if err != nil {
			if _, ok := errors.AsType[*receive.Problem](err); !ok {
				t.Errorf("%s: %v is no problem", body, err)
			}
			return
		}
		for i := range d.Alerts {
			if a := &d.Alerts[i]; a.Identity == "" || a.Name() == "" || a.StartsAt.IsZero() {
				t.Errorf("%s: got %+v", body, a)
			}
		}
	})
}
