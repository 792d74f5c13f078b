package cloudwatch

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/test/door"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

const (
	topic    = "arn:aws:sns:eu-central-1:123456789012:alarms"
	certURL  = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
	issuer   = "http://crt.r2m01.amazontrust.com/r2m01.cer"
	alarmARN = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:CPU high"
)

// documented is the message of an alarm as CloudWatch's documentation shows it, with the states left open.
const documented = `{"AlarmName":"CPU high","AlarmDescription":"CPU of the web server","AWSAccountId":"123456789012","AlarmConfigurationUpdatedTimestamp":"2026-01-12T16:30:42.236+0000",
	"NewStateValue":%q,"NewStateReason":"Threshold Crossed: 1 datapoint [81.0] was greater than the threshold (80.0).","StateChangeTime":%q,"Region":"EU (Frankfurt)","AlarmArn":"arn:aws:cloudwatch:eu-central-1:123456789012:alarm:CPU high",
	"OldStateValue":"OK","OKActions":[],"AlarmActions":["arn:aws:sns:eu-central-1:123456789012:alarms"],"InsufficientDataActions":[],
	"Trigger":{"MetricName":"CPUUtilization","Namespace":"AWS/EC2","StatisticType":"Statistic","Statistic":"AVERAGE","Unit":null,"Dimensions":[{"value":"i-0abc","name":"InstanceId"}],
	"Period":300,"EvaluationPeriods":1,"ComparisonOperator":"GreaterThanThreshold","Threshold":80.0,"TreatMissingData":"missing","EvaluateLowSampleCountPercentile":""}}`

// bridgedEvent is EventBridge's event of the documentation.
const bridgedEvent = `{"version":"0","id":"c4c1c1c9-6542-e61b-6ef0-8c4d36933a92","detail-type":"CloudWatch Alarm State Change","source":"aws.cloudwatch","account":"123456789012","time":"2026-03-04T11:59:00Z","region":"eu-central-1",
	"resources":["arn:aws:cloudwatch:eu-central-1:123456789012:alarm:ServerCpuTooHigh"],
	"detail":{"alarmName":"ServerCpuTooHigh","configuration":{"description":"Goes into alarm when server CPU utilization is too high!","metrics":[{"id":"30b6c6b2","metricStat":{"metric":{"dimensions":{"InstanceId":"i-12345678901234567"},"name":"CPUUtilization","namespace":"AWS/EC2"},"period":300,"stat":"Average"},"returnData":true}]},
	"previousState":{"reason":"x","timestamp":"2026-03-04T11:00:00.000+0000","value":"OK"},"state":{"reason":"Threshold Crossed","reasonData":"{}","timestamp":"2026-03-04T11:58:00.000+0000","value":"ALARM"}}}`

func notify(message string) map[string]string {
	return map[string]string{
		"Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", "TopicArn": topic, "Subject": "ALARM: CPU high", "Message": message,
		"Timestamp": noon.Format("2006-01-02T15:04:05.000Z"), "SignatureVersion": "2", "SigningCertURL": certURL,
		"UnsubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=x",
	}
}

func encode(t testing.TB, fields map[string]string) string {
	t.Helper()
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestMessagesBecomeAlerts(t *testing.T) {
	alarmed := signal.Alert{
		Identity: alarmARN, Keyed: true, StartsAt: time.Date(2026, 3, 4, 11, 59, 30, 236e6, time.UTC),
		GeneratorURL: "https://console.aws.amazon.com/cloudwatch/home?region=eu-central-1#alarmsV2:alarm/CPU%20high",
		Labels: signal.NewLabels(map[string]string{
			"alertname": "CPU high", "severity": "critical", "region": "eu-central-1", "account": "123456789012", "aws_namespace": "AWS/EC2",
			"metric": "CPUUtilization", "InstanceId": "i-0abc", "instance": "i-0abc",
		}),
		Annotations: signal.NewLabels(map[string]string{
			"summary": "Threshold Crossed: 1 datapoint [81.0] was greater than the threshold (80.0).", "description": "CPU of the web server",
			"state": "ALARM", "old_state": "OK", "condition": "AVERAGE CPUUtilization GreaterThanThreshold 80",
		}),
	}
	insufficient := alarmed
	insufficient.Labels = with(alarmed.Labels, "severity", "warning")
	insufficient.Annotations = with(alarmed.Annotations, "state", "INSUFFICIENT_DATA")
	for name, test := range map[string]struct {
		message string
		want    signal.Alert
	}{
		"an alarm":                {fmt.Sprintf(documented, "ALARM", "2026-03-04T11:59:30.236+0000"), alarmed},
		"an alarm without data":   {fmt.Sprintf(documented, "INSUFFICIENT_DATA", "2026-03-04T11:59:30.236+0000"), insufficient},
		"an alarm that has ended": {fmt.Sprintf(documented, "OK", "2026-03-04T11:59:30.236+0000"), signal.Alert{Act: signal.End, Identity: alarmARN, Keyed: true, StartsAt: alarmed.StartsAt, EndsAt: alarmed.StartsAt, Text: "Threshold Crossed: 1 datapoint [81.0] was greater than the threshold (80.0)."}},
		"EventBridge": {bridgedEvent, signal.Alert{
			Identity: "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:ServerCpuTooHigh", Keyed: true, StartsAt: time.Date(2026, 3, 4, 11, 58, 0, 0, time.UTC),
			GeneratorURL: "https://console.aws.amazon.com/cloudwatch/home?region=eu-central-1#alarmsV2:alarm/ServerCpuTooHigh",
			Labels: signal.NewLabels(map[string]string{
				"alertname": "ServerCpuTooHigh", "severity": "critical", "region": "eu-central-1", "account": "123456789012", "aws_namespace": "AWS/EC2",
				"metric": "CPUUtilization", "InstanceId": "i-12345678901234567", "instance": "i-12345678901234567",
			}),
			Annotations: signal.NewLabels(map[string]string{
				"summary": "Threshold Crossed", "description": "Goes into alarm when server CPU utilization is too high!", "state": "ALARM", "old_state": "OK",
			}),
		}},
		"other JSON": {`{"alert_id":"b-7","title":"Backup failed","status":"open","severity":"high","host":"db-1"}`, signal.Alert{
			Identity: "b-7", Keyed: true, StartsAt: noon, Labels: signal.NewLabels(map[string]string{"alertname": "Backup failed", "severity": "high", "host": "db-1"}), Annotations: signal.Labels{},
		}},
		"text": {"Disk is full\nsee wiki", signal.Alert{
			Identity: signal.NewLabels(map[string]string{"alertname": "ALARM: CPU high"}).Fingerprint().String(), Keyed: true, StartsAt: noon,
			Labels: signal.NewLabels(map[string]string{"alertname": "ALARM: CPU high"}), Annotations: signal.NewLabels(map[string]string{"summary": "Disk is full\nsee wiki"}),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Parse([]byte(encode(t, notify(test.message))), noon, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]signal.Alert{test.want}, d.Alerts); diff != "" || d.Pin != topic || d.ID == "" {
				t.Errorf("pin %s, id %s: %s", d.Pin, d.ID, diff)
			}
		})
	}
}

func with(labels signal.Labels, name, value string) signal.Labels {
	m := labels.Map()
	m[name] = value
	return signal.NewLabels(m)
}

func TestAMapperReadsOtherMessages(t *testing.T) {
	for message, mapper := range map[string]integration.Mapper{
		`{"detail-type":"EC2 Instance State-change Notification","detail":{"state":"stopped","instance-id":"i-1"}}`: {Name: `"EC2 " + item.detail.state`, Identity: `item.detail["instance-id"]`, State: `"firing"`},
		"plain": {Name: "item.subject", Identity: `"x" + item.message`},
	} {
		d, err := Parse([]byte(encode(t, notify(message))), noon, &integration.Integration{Mapper: mapper})
		if err != nil || len(d.Alerts) != 1 || d.Alerts[0].Identity != "i-1" && d.Alerts[0].Identity != "xplain" {
			t.Errorf("%s: got %+v, error %v", message, d, err)
		}
	}
}

func TestBadDeliveriesNameTheField(t *testing.T) {
	for name, test := range map[string]struct {
		body  string
		field string
	}{
		"no JSON":         {"{", "body"},
		"another product": {`{"version":"4","alerts":[]}`, "Type"},
		"no id":           {`{"Type":"Notification","TopicArn":"arn:aws:sns:x"}`, "MessageId"},
		"no topic":        {`{"Type":"Notification","MessageId":"x"}`, "TopicArn"},
		"unknown state":   {encode(t, notify(`{"AlarmName":"a","NewStateValue":"PURPLE"}`)), "Message.NewStateValue"},
		"wrong kind":      {encode(t, notify(`{"AlarmName":"a","NewStateValue":"OK","Trigger":5}`)), "Message.Trigger"},
		"empty list":      {encode(t, notify(`[]`)), "Message"},
	} {
		_, err := Parse([]byte(test.body), noon, nil)
		problem, ok := errors.AsType[*receive.Problem](err)
		if !ok || len(problem.Errors) != 1 || problem.Errors[0].Field != test.field || problem.Errors[0].Remedy == "" {
			t.Errorf("%s: got %v %+v, want a problem with field %s", name, err, problem, test.field)
		}
	}
}

// amazon is a made-up Amazon: an authority, a certificate of SNS, and what it would answer.
type amazon struct {
	key   *rsa.PrivateKey
	roots *x509.CertPool

	mu      sync.Mutex
	answers map[string][]byte // by URL; guarded by mu
	asked   []string          // guarded by mu
}

func (a *amazon) fetch(_ context.Context, url string) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, url)
	if body := a.answers[url]; body != nil {
		return body, nil
	}
	return nil, errors.New("connection refused")
}

func (a *amazon) urls() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.asked)
}

// authority makes a certificate, signed by parent or by itself.
func authority(t testing.TB, serial int64, template, parent *x509.Certificate, parentKey *rsa.PrivateKey) (*x509.Certificate, *rsa.PrivateKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(serial), noon.Add(-time.Hour), noon.Add(1000*time.Hour)
	if parent == nil {
		parent, parentKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c, key
}

func newAmazon(t testing.TB) *amazon {
	t.Helper()
	root, rootKey := authority(t, 1, &x509.Certificate{Subject: pkix.Name{CommonName: "Root"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, nil)
	middle, middleKey := authority(t, 2, &x509.Certificate{Subject: pkix.Name{CommonName: "Middle"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, root, rootKey)
	leaf, key := authority(t, 3, &x509.Certificate{Subject: pkix.Name{CommonName: "sns.amazonaws.com"}, DNSNames: []string{"sns.amazonaws.com"}, IssuingCertificateURL: []string{issuer}}, middle, middleKey)
	other, _ := authority(t, 4, &x509.Certificate{Subject: pkix.Name{CommonName: "evil.example"}, DNSNames: []string{"evil.example"}}, middle, middleKey)
	self, _ := authority(t, 5, &x509.Certificate{Subject: pkix.Name{CommonName: "sns.amazonaws.com"}}, nil, nil)
	pool := x509.NewCertPool()
	pool.AddCert(root)
	text := func(list ...*x509.Certificate) (out []byte) {
		for _, c := range list {
			out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
		}
		return out
	}
	at := func(name string) string {
		return strings.Replace(certURL, "SimpleNotificationService-0123456789abcdef", name, 1)
	}
	return &amazon{key: key, roots: pool, answers: map[string][]byte{
		certURL: text(leaf, middle), at("alone"): text(leaf), issuer: middle.Raw, at("other"): text(other, middle), at("self"): text(self), at("junk"): []byte("<html>"),
		"https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=" + topic + "&Token=t0k3n": []byte("<ConfirmSubscriptionResponse/>"),
	}}
}

// again returns the same Amazon, which nobody has asked yet.
func (a *amazon) again() *amazon {
	return &amazon{key: a.key, roots: a.roots, answers: maps.Clone(a.answers)}
}

// sign signs the fields as SNS does and returns the body.
func (a *amazon) sign(t testing.TB, fields map[string]string) string {
	t.Helper()
	text, hash := "", crypto.SHA256
	if fields["SignatureVersion"] == "1" {
		hash = crypto.SHA1
	}
	names := []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"}
	if fields["Type"] != "Notification" {
		names = []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}
	}
	for _, name := range names {
		if value, given := fields[name]; given {
			text += name + "\n" + value + "\n"
		}
	}
	sum := hash.New()
	_, _ = sum.Write([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, a.key, hash, sum.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	fields["Signature"] = base64.StdEncoding.EncodeToString(signature)
	return encode(t, fields)
}

func (a *amazon) verifier() *Verifier {
	return NewVerifier(Config{Fetch: a.fetch, Roots: a.roots, Now: func() time.Time { return noon }})
}

func subscribe() map[string]string {
	fields := notify("You have chosen to subscribe to the topic " + topic + ".")
	delete(fields, "Subject")
	fields["Type"], fields["Token"] = "SubscriptionConfirmation", "t0k3n"
	fields["SubscribeURL"] = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=" + topic + "&Token=t0k3n"
	return fields
}

func TestGoodSignatures(t *testing.T) {
	a := newAmazon(t)
	v := a.verifier()
	set := func(fields map[string]string, name, value string) map[string]string {
		fields[name] = value
		return fields
	}
	noSubject := notify("x")
	delete(noSubject, "Subject")
	for name, fields := range map[string]map[string]string{
		"version 2": notify("x"), "version 1": set(notify("x"), "SignatureVersion", "1"), "without subject": noSubject, "a subscription": subscribe(),
		"a certificate without its chain": set(notify("x"), "SigningCertURL", strings.Replace(certURL, "SimpleNotificationService-0123456789abcdef", "alone", 1)),
	} {
		if err := v.Verify(t.Context(), []byte(a.sign(t, fields)), noon); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(slices.DeleteFunc(a.urls(), func(u string) bool { return u != certURL })); n != 1 {
		t.Errorf("the certificate was fetched %d times, want once", n)
	}
}

func TestBadSignaturesAreRefusedAndForeignAddressesNeverOpened(t *testing.T) {
	change := func(fields map[string]string, pairs ...string) map[string]string {
		for i := 0; i < len(pairs); i += 2 {
			fields[pairs[i]] = pairs[i+1]
		}
		return fields
	}
	at := func(name string) string {
		return strings.Replace(certURL, "SimpleNotificationService-0123456789abcdef", name, 1)
	}
	shared := newAmazon(t)
	for name, test := range map[string]struct {
		fields  map[string]string
		after   []string // changed after signing
		fetched bool
		status  int
	}{
		"a changed message":         {notify("x"), []string{"Message", "y"}, true, 403},
		"a changed type":            {notify("x"), []string{"Type", "UnsubscribeConfirmation"}, true, 403},
		"no signature":              {notify("x"), []string{"Signature", ""}, false, 403},
		"junk as signature":         {notify("x"), []string{"Signature", "%%"}, false, 403},
		"version 3":                 {change(notify("x"), "SignatureVersion", "3"), nil, false, 403},
		"version 1 as 2":            {change(notify("x"), "SignatureVersion", "1"), []string{"SignatureVersion", "2"}, true, 403},
		"a foreign host":            {change(notify("x"), "SigningCertURL", "https://sns.eu-central-1.amazonaws.com.evil.example/x.pem"), nil, false, 403},
		"a bucket":                  {change(notify("x"), "SigningCertURL", "https://sns.s3.amazonaws.com.s3.amazonaws.com/x.pem"), nil, false, 403},
		"another service":           {change(notify("x"), "SigningCertURL", "https://bucket.s3.amazonaws.com/x.pem"), nil, false, 403},
		"plain http":                {change(notify("x"), "SigningCertURL", strings.Replace(certURL, "https", "http", 1)), nil, false, 403},
		"a user in the URL":         {change(notify("x"), "SigningCertURL", "https://sns.eu-central-1.amazonaws.com@evil.example/x.pem"), nil, false, 403},
		"a port":                    {change(notify("x"), "SigningCertURL", "https://sns.eu-central-1.amazonaws.com:8443/x.pem"), nil, false, 403},
		"no pem file":               {change(notify("x"), "SigningCertURL", "https://sns.eu-central-1.amazonaws.com/?Action=GetTopic"), nil, false, 403},
		"a path that climbs":        {change(notify("x"), "SigningCertURL", "https://sns.eu-central-1.amazonaws.com/a/../x.pem"), nil, false, 403},
		"no URL":                    {change(notify("x"), "SigningCertURL", ""), nil, false, 403},
		"a foreign SubscribeURL":    {change(subscribe(), "SubscribeURL", "https://evil.example/?Action=ConfirmSubscription&TopicArn="+topic), nil, false, 403},
		"another action":            {change(subscribe(), "SubscribeURL", "https://sns.eu-central-1.amazonaws.com/?Action=Publish&TopicArn="+topic), nil, false, 403},
		"another topic":             {change(subscribe(), "SubscribeURL", "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:x"), nil, false, 403},
		"an old delivery":           {change(notify("x"), "Timestamp", "2026-03-02T12:00:00.000Z"), nil, false, 403},
		"a delivery of tomorrow":    {change(notify("x"), "Timestamp", "2026-03-05T12:00:00.000Z"), nil, false, 403},
		"a certificate of others":   {change(notify("x"), "SigningCertURL", at("other")), nil, true, 403},
		"a certificate by itself":   {change(notify("x"), "SigningCertURL", at("self")), nil, true, 403},
		"no certificate":            {change(notify("x"), "SigningCertURL", at("junk")), nil, true, 403},
		"a certificate unreachable": {change(notify("x"), "SigningCertURL", at("away")), nil, true, 503},
	} {
		t.Run(name, func(t *testing.T) {
			a := shared.again()
			body := []byte(a.sign(t, test.fields))
			if len(test.after) > 0 {
				body = []byte(encode(t, change(test.fields, test.after...)))
			}
			problem, ok := errors.AsType[*receive.Problem](a.verifier().Verify(t.Context(), body, noon))
			if !ok || problem.Status != test.status {
				t.Errorf("got %v, want status %d", problem, test.status)
			}
			if fetched := len(a.urls()) > 0; fetched != test.fetched {
				t.Errorf("it fetched %v", a.urls())
			}
		})
	}
}

func TestDeliveriesOverHTTP(t *testing.T) {
	a := newAmazon(t)
	v := a.verifier()
	protocol := SNS(v)
	protocol.Verify = func(ctx context.Context, r *receive.Request) error { return v.Verify(ctx, r.Body, noon) }
	d := door.New(t, map[string]receive.Protocol{"POST /in/sns/{integration}": protocol})
	post := func(body string) int {
		t.Helper()
		return d.Send(http.MethodPost, "/in/sns/aws", body, "Content-Type", "text/plain; charset=UTF-8", "X-Amz-Sns-Message-Type", "Notification").Status
	}
	if status := post(a.sign(t, subscribe())); status != http.StatusOK || !slices.Contains(a.urls(), subscribe()["SubscribeURL"]) {
		t.Errorf("a subscription: got %d, asked %v", status, a.urls())
	}
	fire := notify(fmt.Sprintf(documented, "ALARM", "2026-03-04T11:59:30.236+0000"))
	fire["MessageId"] = "m-1"
	for range 2 { // the second one is a replay
		if status := post(a.sign(t, fire)); status != http.StatusOK {
			t.Errorf("an alarm: got %d", status)
		}
	}
	end := notify(fmt.Sprintf(documented, "OK", "2026-03-04T11:59:50.236+0000"))
	end["MessageId"] = "m-2"
	if status := post(a.sign(t, end)); status != http.StatusOK {
		t.Errorf("its end: got %d", status)
	}
	alerts := d.Taken()
	if len(alerts) != 2 || alerts[0].Identity != alarmARN || alerts[0].Source != "aws" || alerts[1].Act != signal.End {
		t.Errorf("got %+v", alerts)
	}
	stranger := notify(fmt.Sprintf(documented, "ALARM", "2026-03-04T11:59:30.236+0000"))
	stranger["TopicArn"], stranger["MessageId"] = strings.Replace(topic, "123456789012", "999999999999", 1), "m-3"
	if status := post(a.sign(t, stranger)); status != http.StatusForbidden {
		t.Errorf("another topic: got %d, want 403", status)
	}
	foreign := subscribe()
	foreign["TopicArn"], foreign["MessageId"] = "arn:aws:sns:eu-central-1:9:x", "m-4"
	foreign["SubscribeURL"] = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-central-1:9:x"
	if status := post(a.sign(t, foreign)); status != http.StatusForbidden || slices.Contains(a.urls(), foreign["SubscribeURL"]) {
		t.Errorf("a subscription of another topic: got %d, asked %v", status, a.urls())
	}
	if alerts := d.Taken(); len(alerts) != 0 {
		t.Errorf("got %+v", alerts)
	}
	garbled := notify(`{"AlarmName":"a","NewStateValue":"PURPLE"}`)
	garbled["MessageId"] = "m-5"
	if status := post(a.sign(t, garbled)); status != http.StatusBadRequest || len(d.Letters()) != 1 {
		t.Errorf("an unknown state: got %d with %d dead letters", status, len(d.Letters()))
	}
}

func TestASubscriptionThatCannotBeConfirmedIsAskedAgain(t *testing.T) {
	a := newAmazon(t)
	v := a.verifier()
	d, err := Parse([]byte(encode(t, subscribe())), noon, nil)
	if err != nil {
		t.Fatal(err)
	}
	a.answers = map[string][]byte{}
	problem, ok := errors.AsType[*receive.Problem](v.Confirm(t.Context(), d))
	if !ok || problem.Status != http.StatusServiceUnavailable || problem.RetryAfter == 0 {
		t.Errorf("got %+v", problem)
	}
	asked := len(a.urls())
	if err := v.Confirm(t.Context(), &receive.Delivery{Reply: Confirmation{"https://evil.example/"}}); err == nil || len(a.urls()) != asked {
		t.Errorf("a foreign address: got %v, asked %v", err, a.urls())
	}
}

func TestTheFetcherHasLimits(t *testing.T) {
	var followed bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/target", http.StatusFound)
		case "/target":
			followed = true
		case "/huge":
			_, _ = w.Write(make([]byte, fetchBytes+1))
		default:
			_, _ = w.Write([]byte("fine"))
		}
	}))
	defer server.Close()
	fetch := fetcher()
	if body, err := fetch(t.Context(), server.URL+"/x"); err != nil || string(body) != "fine" {
		t.Errorf("got %s, error %v", body, err)
	}
	for _, path := range []string{"/moved", "/huge"} {
		if _, err := fetch(t.Context(), server.URL+path); err == nil {
			t.Errorf("%s was taken", path)
		}
	}
	if followed {
		t.Error("a redirect was followed")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(encode(f, notify(fmt.Sprintf(documented, "ALARM", "2026-03-04T11:59:30.236+0000")))))
	f.Add([]byte(encode(f, notify(bridgedEvent))))
	f.Add([]byte(encode(f, subscribe())))
	v := NewVerifier(Config{Fetch: func(context.Context, string) ([]byte, error) { return nil, errors.New("none") }})
	f.Fuzz(func(t *testing.T, body []byte) {
		if v.Verify(t.Context(), body, noon) == nil {
			t.Errorf("%s passes without a certificate", body)
		}
		d, err := Parse(body, noon, nil)
		if err != nil {
			if _, ok := errors.AsType[*receive.Problem](err); !ok {
				t.Errorf("%s: %v is no problem", body, err)
			}
			return
		}
		for i := range d.Alerts {
			if d.Alerts[i].Identity == "" {
				t.Errorf("%s: alert without identity", body)
			}
		}
	})
}
