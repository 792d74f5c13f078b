package badinput_test

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

// The keys of the integrations of TestBadRequests' second table, and one that is none of them.
const (
	goodKey  = "a-key-of-the-test-1234"
	wrongKey = "a-wrong-key-987654321"
)

// sender is how one kind of sender writes. In its texts KEY stands for the key and ANAME for an alert's name.
type sender struct {
	name, kind, path string
	headers          []string
	method           string
	// good is a payload that is accepted; version the same with a version or field that nobody knows.
	good, version string
	// wrong is a payload in which a field is of the wrong type, and wrongField what the answer must name.
	wrong, wrongField string
	// foreign is a payload of another product, and foreignField what the answer must name; other is Alertmanager's.
	foreign, foreignField string
	// refused is the status for a wrong key; 401 if 0.
	refused int
	// accepted is the status for success; 200 if 0.
	accepted int
	// mapped says that what is not the sender's own goes to the mapper.
	mapped bool
	// quiet says that a good payload makes no alert; bare that there is no body to be wrong.
	quiet, bare bool
	// broken is what is malformed, if that is not broken JSON; brokenField what the answer must name, body if "".
	broken, brokenField string
}

var bearer = []string{"Authorization: Bearer KEY", "Content-Type: application/json"}

const (
	fromAlertmanager = `{"version":"4","status":"firing","receiver":"x","groupKey":"{}","alerts":[{"status":"firing","labels":{"alertname":"ANAME"},"startsAt":"2026-01-01T00:00:00Z"}]}`
	fromPagerDuty    = `{"event_action":"trigger","payload":{"summary":"ANAME","source":"web-1","severity":"error"}}`
)

// senders are all receivers of webhooks and the like.
func senders() []sender {
	return []sender{
		{
			name: "Alertmanager webhook", kind: "alertmanager", path: "/in/alertmanager/bad-alertmanager", headers: bearer, mapped: true,
			good: fromAlertmanager, version: strings.Replace(fromAlertmanager, `"4"`, `"99","colour":"red"`, 1),
			wrong: `{"alerts":[{"labels":5}]}`, wrongField: "labels", foreign: fromPagerDuty, foreignField: "alerts",
		},
		{
			name: "Alertmanager event recorder", kind: "am-events", path: "/in/am-events/bad-am-events", headers: bearer, quiet: true,
			good:    `[{"@timestamp":"2026-01-01T00:00:00Z","instance":"a","data":{"alertCreated":{"alert":{"fingerprint":"1","labels":{"labels":[{"key":"alertname","value":"ANAME"}]}}}}}]`,
			version: `[{"@timestamp":"2026-01-01T00:00:00Z","instance":"a","version":99,"data":{"somethingNew":{"x":1}}}]`,
			wrong:   `[{"data":5}]`, wrongField: "data", foreign: fromPagerDuty, foreignField: "data",
		},
		{
			name: "Grafana", kind: "grafana", path: "/in/grafana/bad-grafana", headers: bearer, mapped: true,
			good: fromAlertmanager, version: strings.Replace(fromAlertmanager, `"4"`, `"99","colour":"red"`, 1),
			wrong: `{"alerts":[{"labels":[]}]}`, wrongField: "labels", foreign: fromPagerDuty, foreignField: "alerts",
		},
		{
			name: "PagerDuty Events v2", kind: "pagerduty", path: "/v2/enqueue", headers: []string{"X-Routing-Key: KEY"}, refused: 400, accepted: 202,
			good: fromPagerDuty, version: strings.Replace(fromPagerDuty, `{`, `{"version":99,"colour":"red",`, 1),
			wrong: `{"event_action":"trigger","payload":{"summary":7}}`, wrongField: "payload.summary", foreign: fromAlertmanager, foreignField: "event_action",
		},
		{
			name: "PagerDuty create_event", kind: "pagerduty", path: "/generic/2010-04-15/create_event.json", refused: 400,
			good:    `{"service_key":"KEY","event_type":"trigger","description":"ANAME"}`,
			version: `{"service_key":"KEY","event_type":"trigger","description":"ANAME","version":99}`,
			wrong:   `{"service_key":"KEY","event_type":"trigger","description":7}`, wrongField: "description",
			foreign: strings.Replace(fromPagerDuty, `{`, `{"service_key":"KEY",`, 1), foreignField: "event_type",
		},
		{
			name: "Opsgenie", kind: "opsgenie", path: "/v2/alerts", headers: []string{"Authorization: GenieKey KEY"}, accepted: 202,
			good: `{"message":"ANAME"}`, version: `{"message":"ANAME","version":99,"colour":"red"}`,
			wrong: `{"message":"m","tags":"a,b"}`, wrongField: "tags", foreign: fromAlertmanager, foreignField: "message",
		},
		{
			name: "Opsgenie, an edit", kind: "opsgenie", method: http.MethodPut, path: "/v2/alerts/any/priority?identifierType=alias", headers: []string{"Authorization: GenieKey KEY"}, accepted: 202, quiet: true,
			good: `{"priority":"P1"}`, version: `{"priority":"P1","version":99}`,
			wrong: `{"priority":1}`, wrongField: "priority", foreign: fromAlertmanager, foreignField: "priority",
		},
		{
			name: "OnCall", kind: "oncall", path: "/integrations/v1/formatted_webhook/KEY/", refused: 403, mapped: true,
			good: `{"title":"ANAME","state":"alerting"}`, version: `{"title":"ANAME","state":"alerting","version":99}`,
			wrong: `{"title":[]}`, wrongField: "title", foreign: fromPagerDuty, foreignField: "title",
		},
		{
			name: "Datadog", kind: "datadog", path: "/in/datadog/bad-datadog", headers: bearer, mapped: true,
			good:    `{"alert_id":"1","cycle_key":"ANAME","transition":"Triggered","title":"ANAME"}`,
			version: `{"alert_id":"2","cycle_key":"vANAME","transition":"Triggered","title":"ANAME","version":99}`,
			wrong:   `[1]`, wrongField: "body", foreign: fromPagerDuty, foreignField: "",
		},
		{
			name: "Zabbix", kind: "zabbix", path: "/in/zabbix/bad-zabbix", headers: bearer, mapped: true,
			good:    `{"event_id":"1","trigger_id":"ANAME","event_value":"1","event_name":"ANAME","host":"h"}`,
			version: `{"event_id":"1","trigger_id":"ANAME","event_value":"1","event_name":"ANAME","host":"h","version":99}`,
			wrong:   `{"event_id":"1","event_name":"x","event_value":{}}`, wrongField: "event_value", foreign: fromPagerDuty, foreignField: "event_id",
		},
		{
			name: "Nagios", kind: "nagios", path: "/in/nagios/bad-nagios", headers: []string{"Authorization: Bearer KEY", "Content-Type: application/x-www-form-urlencoded"}, mapped: true,
			good:    "NOTIFICATIONTYPE=PROBLEM&HOSTNAME=h&SERVICEDESC=ANAME&SERVICESTATE=CRITICAL",
			version: "NOTIFICATIONTYPE=PROBLEM&HOSTNAME=h&SERVICEDESC=ANAME&SERVICESTATE=CRITICAL&VERSION=99",
			wrong:   "NOTIFICATIONTYPE=PROBLEM&HOSTNAME=h&SERVICESTATE=CRITICAL", wrongField: "HOSTSTATE", foreign: fromPagerDuty, foreignField: "HOSTNAME",
			broken: "HOSTNAME=%zz", brokenField: "body",
		},
		{
			name: "CloudEvents", kind: "cloudevents", path: "/in/cloudevents/bad-cloudevents", headers: []string{"Authorization: Bearer KEY", "Content-Type: application/cloudevents+json"}, accepted: 202,
			good:    `{"specversion":"1.0","id":"ANAME","source":"/x","type":"com.example.alert.fired","data":{"title":"ANAME"}}`,
			version: `{"specversion":"9.9","id":"vANAME","source":"/x","type":"com.example.alert.fired","data":{"title":"ANAME"}}`,
			wrong:   `{"specversion":"1.0","id":7,"source":"/x","type":"t"}`, wrongField: "id", foreign: fromPagerDuty, foreignField: "",
		},
		{
			name: "Kubernetes events", kind: "k8s-events", path: "/in/k8s-events/bad-k8s-events?cluster=eu-1", headers: bearer, mapped: true,
			good:    `{"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"name":"x","namespace":"n"},"type":"Warning","reason":"ANAME","note":"x","regarding":{"kind":"Pod","name":"p","namespace":"n"}}`,
			version: `{"apiVersion":"events.k8s.io/v99","kind":"Event","metadata":{"name":"x","namespace":"n"},"type":"Warning","reason":"ANAME","note":"x","regarding":{"kind":"Pod","name":"p","namespace":"n"}}`,
			wrong:   `{"kind":"Event","type":"Warning","reason":5}`, wrongField: "reason", foreign: fromPagerDuty, foreignField: "",
		},
		{
			name: "Heartbeat", kind: "heartbeat", path: "/in/heartbeat/bad-heartbeat", headers: bearer, quiet: true, bare: true,
			good: "anything", version: `{"version":99}`,
		},
		{
			name: "Generic JSON", kind: "json", path: "/in/json/bad-json", headers: bearer, accepted: 202, mapped: true,
			good: `{"title":"ANAME"}`, version: `{"title":"ANAME","version":99}`,
			wrong: `[]`, wrongField: "", foreign: fromPagerDuty, foreignField: "",
		},
	}
}

// templated is a payload of the user's own making, and ownMapper reads it.
const (
	templated = `{"mine":{"what":"ANAME"}}`
	ownMapper = `{"mapper":{"name":"body.mine.what","identity":"body.mine.what"}}`
)

// try is one row of the second table.
type try struct {
	sender, what       string
	method, path, body string
	headers            []string
	status             int
	says, prefix       string
	alerts             int
	letter             bool
	times              int
}

func (s sender) try(what, key, body string) try {
	put := strings.NewReplacer("KEY", key)
	t := try{sender: s.name, what: what, method: http.MethodPost, path: put.Replace(s.path), body: put.Replace(body), times: 1}
	if s.method != "" {
		t.method = s.method
	}
	for _, h := range s.headers {
		t.headers = append(t.headers, put.Replace(h))
	}
	return t
}

// tries are the rows that each sender has.
func (s sender) tries(n int) []try {
	accepted, refused := max(s.accepted, http.StatusOK), s.refused
	if refused == 0 {
		refused = http.StatusUnauthorized
	}
	bad := http.StatusBadRequest
	if s.kind == "opsgenie" {
		bad = http.StatusUnprocessableEntity
	}
	alert := func(t try, part string) try {
		t.status, t.prefix, t.alerts = accepted, fmt.Sprintf("S%02d%s", n, part), 1
		t.body = strings.ReplaceAll(t.body, "ANAME", t.prefix)
		if s.quiet {
			t.alerts = 0
		}
		return t
	}
	letter := func(t try, field string) try {
		t.status, t.says, t.letter = bad, field, true
		return t
	}
	wrongKeyed := s.try("a wrong key", wrongKey, s.good)
	wrongKeyed.status = refused
	list := []try{wrongKeyed}
	twice := alert(s.try("twice the same", goodKey, s.good), "Twice")
	twice.times = 2
	list = append(list, twice, alert(s.try("an unknown version or field", goodKey, s.version), "Version"))
	if s.bare {
		return list
	}
	broken, field := `{"a":`, "body"
	if s.broken != "" {
		broken, field = s.broken, s.brokenField
	}
	malformed := letter(s.try("malformed", goodKey, broken), field)
	malformed.status = http.StatusBadRequest
	if strings.Contains(s.good, "KEY") { // where the key stands in the body, there is none
		malformed.letter = false
	}
	list = append(list, malformed, letter(s.try("a field of a wrong type", goodKey, s.wrong), s.wrongField))
	if !s.mapped {
		list = append(list, letter(s.try("a payload of another product", goodKey, s.foreign), s.foreignField))
	} else {
		list = append(list, letter(s.try("a payload that nobody understands", goodKey, `{"hello":"world"}`), s.foreignField),
			alert(s.try("a payload of another product, which the mapper's guesses read", goodKey, s.foreign), "Foreign"))
		own := alert(s.try("a payload of one's own, with a mapper", goodKey, templated), "Own")
		own.path = strings.Replace(own.path, "/bad-", "/own-", 1)
		if s.kind == "oncall" {
			own.path = strings.Replace(own.path, goodKey, "own-"+goodKey, 1)
		}
		list = append(list, own)
	}
	return list
}

// doors makes the integrations of all senders, with one key, and one with a mapper beside each.
func (s *server) doors(t *testing.T) {
	t.Helper()
	made := map[string]bool{}
	add := func(name, kind, key string) {
		body, err := json.Marshal(map[string]string{"name": name, "kind": kind, "key": key})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.send(t, http.DefaultClient, http.MethodPost, "/api/fairlead/v1/integrations", bytes.NewReader(body)); got.status != http.StatusOK {
			t.Fatalf("make the integration %s: got %d %s", name, got.status, got.body)
		}
	}
	for _, k := range append(senders(), sender{kind: "sns"}) {
		if made[k.kind] {
			continue
		}
		made[k.kind] = true
		add("bad-"+k.kind, k.kind, goodKey)
		if !k.mapped {
			continue
		}
		key := goodKey
		if k.kind == "oncall" {
			key = "own-" + goodKey
		}
		add("own-"+k.kind, k.kind, key)
		if got := s.send(t, http.DefaultClient, http.MethodPut, "/api/fairlead/v1/integrations/own-"+k.kind, strings.NewReader(ownMapper)); got.status != http.StatusOK {
			t.Fatalf("write the mapper of %s: got %d %s", k.kind, got.status, got.body)
		}
	}
}

// signed are the rows about signatures and about addresses that deliveries of SNS name; listener is one that must see nobody.
func signed(listener string) []try {
	sum := sha256.Sum256([]byte(goodKey))
	by := func(key, body string) string {
		h := hmac.New(sha256.New, []byte(key))
		_, _ = h.Write([]byte(body))
		return hex.EncodeToString(h.Sum(nil))
	}
	mac := func(body string) string { return by(hex.EncodeToString(sum[:]), body) }
	github := `{"title":"SignedHub","id":"hub-1"}`
	sns := func(what, says string, fields map[string]string) try {
		body := map[string]string{
			"Type": "Notification", "MessageId": "m-1", "TopicArn": "arn:aws:sns:eu-central-1:1:x", "Message": "SignedSNS", "Timestamp": time.Now().UTC().Format(time.RFC3339),
			"SignatureVersion": "2", "Signature": "eA==", "SigningCertURL": "https://sns.eu-central-1.amazonaws.com/x.pem",
		}
		maps.Copy(body, fields)
		text, _ := json.Marshal(body) // a map of texts
		return try{sender: "CloudWatch by SNS", what: what, path: "/in/sns/bad-sns", body: string(text), status: http.StatusForbidden, says: says, prefix: "SignedSNS"}
	}
	rows := []try{
		{sender: "Grafana", what: "a wrong signature", path: "/in/grafana/bad-grafana", body: fromAlertmanager, headers: []string{"X-Grafana-Alerting-Signature: " + mac("other")}, status: 401, says: "X-Grafana-Alerting-Signature"},
		{sender: "Grafana", what: "a good signature that is old", path: "/in/grafana/bad-grafana", body: fromAlertmanager, headers: []string{"X-Grafana-Alerting-Signature: " + mac("1767225600:"+fromAlertmanager), "X-Grafana-Alerting-Timestamp: 1767225600"}, status: 401, says: "old"},
		{sender: "Generic JSON", what: "a wrong signature, as GitHub signs", path: "/in/json/bad-json", body: github, headers: []string{"X-Hub-Signature-256: sha256=" + mac("other")}, status: 401, says: "X-Hub-Signature-256"},
		{sender: "Generic JSON", what: "a signature by the key itself", path: "/in/json/bad-json", body: github, headers: []string{"X-Hub-Signature-256: sha256=" + by(goodKey, github)}, status: 401, says: "X-Hub-Signature-256"},
		{sender: "Generic JSON", what: "a signed delivery, replayed twice", path: "/in/json/bad-json", body: github, headers: []string{"X-Hub-Signature-256: sha256=" + mac(github), "X-GitHub-Delivery: 72d3162e"}, status: 202, prefix: "SignedHub", alerts: 1, times: 3},
		sns("a foreign SigningCertURL", "SigningCertURL", map[string]string{"SigningCertURL": "https://" + listener + "/x.pem"}),
		sns("a SigningCertURL on a bucket", "SigningCertURL", map[string]string{"SigningCertURL": "https://sns.s3-eu-central-1.amazonaws.com/x.pem"}),
		sns("a foreign SubscribeURL", "SubscribeURL", map[string]string{"Type": "SubscriptionConfirmation", "SubscribeURL": "https://" + listener + "/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-central-1:1:x"}),
		sns("an unknown SignatureVersion", "SignatureVersion", map[string]string{"SignatureVersion": "3"}),
		sns("a delivery of last week", "Timestamp", map[string]string{"Timestamp": time.Now().UTC().AddDate(0, 0, -7).Format(time.RFC3339)}),
		{sender: "CloudWatch by SNS", what: "a payload of another product", path: "/in/sns/bad-sns", body: fromPagerDuty, status: 400, says: "Type"},
		{sender: "OnCall", what: "SNS that nobody signed, with a good key", path: "/integrations/v1/amazon_sns/" + goodKey + "/", body: sns("", "", map[string]string{"SigningCertURL": "https://" + listener + "/x.pem"}).body, status: 403, says: "SigningCertURL"},
	}
	return rows
}

// sendersTable runs the second table and writes it to page.
func sendersTable(t *testing.T, page io.StringWriter) {
	t.Helper()
	s := serve(t, t.TempDir(), nil)
	s.doors(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var visitors atomic.Int32
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			visitors.Add(1)
			_ = connection.Close()
		}
	}()
	var rows []try
	for n, k := range senders() {
		rows = append(rows, k.tries(n)...)
	}
	huge := senders()[0].try("20 MB", goodKey, strings.Repeat(" ", 20<<20))
	huge.sender, huge.status, huge.says = "all", http.StatusRequestEntityTooLarge, "body"
	rows = append(rows, signed(listener.Addr().String())...)
	for _, r := range append(rows, huge) {
		t.Run(r.sender+": "+r.what, func(t *testing.T) {
			before := len(s.letters(t))
			var got answer
			for range max(r.times, 1) {
				got = s.send(t, http.DefaultClient, cmp.Or(r.method, http.MethodPost), r.path, strings.NewReader(r.body), r.headers...)
				if got.status != r.status || !strings.Contains(got.body, r.says) {
					t.Errorf("got %d %s, want %d with %q in it", got.status, got.body, r.status, r.says)
				}
			}
			kept := "nothing"
			if r.prefix != "" && r.status/100 == 2 {
				kept = "as accepted"
				if r.alerts > 0 {
					need.Eventually(t, 10*time.Second, "the alert "+r.prefix, func() bool { return len(s.names(t, r.prefix)) > 0 })
					if names := s.names(t, r.prefix); len(names) != r.alerts {
						t.Errorf("got the alerts %v, want %d", names, r.alerts)
					}
					kept = "one alert"
				}
			}
			letters := s.letters(t)
			if (len(letters) > before) != r.letter {
				t.Errorf("got %d dead letters more, want some: %t", len(letters)-before, r.letter)
			}
			if r.letter {
				kept = "a dead letter"
				if len(letters) > before && (letters[0].Reason == "" || strings.Contains(letters[0].Payload, goodKey)) {
					t.Errorf("the letter is %+v, want a reason and no key", letters[0])
				}
			}
			said := ""
			if got.status/100 != 2 {
				said = reasonOf(got.body)
			}
			_, _ = page.WriteString(fmt.Sprintf("| %s | %s | %s | %s |\n", r.sender, r.what, strings.TrimSpace(fmt.Sprintf("%d %s", got.status, escape(strings.ReplaceAll(said, listener.Addr().String(), "127.0.0.1:...")))), kept))
		})
	}
	if n := visitors.Load(); n != 0 {
		t.Errorf("%d connections came to an address that only deliveries of SNS named", n)
	}
	if names := s.names(t, "ANAME"); len(names) > 0 {
		t.Errorf("what was refused made alerts: %v", names)
	}
}

// reasonOf returns what an answer says first, in words.
func reasonOf(body string) string {
	var p struct {
		Detail, Message string
		Errors          json.RawMessage
	}
	if json.Unmarshal([]byte(body), &p) != nil {
		return body
	}
	var fields []struct{ Field, Remedy string }
	if json.Unmarshal(p.Errors, &fields) == nil && len(fields) > 0 {
		return "`" + fields[0].Field + "`: " + fields[0].Remedy
	}
	var lines []string
	if json.Unmarshal(p.Errors, &lines) == nil && len(lines) > 0 {
		return lines[0]
	}
	var named map[string]string
	if json.Unmarshal(p.Errors, &named) == nil {
		names := make([]string, 0, len(named))
		for name := range named {
			names = append(names, name)
		}
		slices.Sort(names)
		if len(names) > 0 {
			return "`" + names[0] + "`: " + named[names[0]]
		}
	}
	return cmp.Or(p.Detail, p.Message)
}
