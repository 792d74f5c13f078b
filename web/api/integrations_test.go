package api

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/base/integration"
)

func TestIntegrationsAreMadeEditedRotatedAndDeleted(t *testing.T) {
	s := newServer(t)
	var made IntegrationMade
	s.do(http.MethodPost, "/integrations", `{"name":"prod","kind":"datadog","resolveTimeout":"10m"}`, 200, &made)
	if !strings.HasPrefix(made.Key, "fl_") || len(made.Integration.Keys) != 1 || made.Integration.Keys[0].Hint != made.Key[len(made.Key)-4:] {
		t.Errorf("made %+v", made)
	}
	var own IntegrationMade
	s.do(http.MethodPost, "/integrations", `{"name":"pd","kind":"pagerduty","key":"R0123456789"}`, 200, &own)
	if own.Key != "R0123456789" {
		t.Errorf("the sender's own key came back as %q", own.Key)
	}
	var edited Integration
	s.do(http.MethodPut, "/integrations/prod", `{"mapper":{"name":"body.title"},"observe":true}`, 200, &edited)
	if edited.Mapper.Name != "body.title" || !edited.Observe || edited.ResolveTimeout != "" || edited.Version != 2 {
		t.Errorf("edited to %+v", edited)
	}
	old, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.URL+Prefix+"/integrations/prod", strings.NewReader(`{"observe":false}`))
	if err != nil {
		t.Fatal(err)
	}
	old.Header.Set("If-Match", "1")
	var problem struct{ Present Integration }
	if s.send(old, 412, &problem); problem.Present.Version != 2 || !problem.Present.Observe {
		t.Errorf("an edit of an old version: the present one is %+v", problem.Present)
	}
	var rotated IntegrationMade
	s.do(http.MethodPost, "/integrations/prod/keys", `{"overlap":"1h"}`, 200, &rotated)
	if rotated.Key == made.Key || len(rotated.Integration.Keys) != 2 || rotated.Integration.Keys[0].ExpiresAt == nil {
		t.Errorf("rotated to %+v", rotated)
	}
	var list IntegrationList
	body := s.do(http.MethodGet, "/integrations", "", 200, &list)
	if len(list.Items) != 2 || len(list.Kinds) != 3 || !slices.Contains(list.Mapped, "datadog") || slices.Contains(list.Mapped, "pagerduty") || strings.Contains(body, rotated.Key) || strings.Contains(body, "hash") {
		t.Errorf("the list is %s", body)
	}
	var asked Approval
	s.do(http.MethodDelete, "/integrations/pd?reason=unused", "", 202, &asked)
	s.do(http.MethodGet, "/integrations/pd", "", 200, nil)
	if asked.State != "pending" || asked.Object != "pd" || asked.Requester != "loopback" || asked.Reason != "unused" {
		t.Errorf("deleting asked for %+v", asked)
	}
	s.do(http.MethodDelete, "/integrations/pd", "", 409, nil)
	s.do(http.MethodDelete, "/integrations/nobody", "", 404, nil)

	for _, test := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"POST", "/integrations", `{"name":"Bad Name","kind":"datadog"}`, 422, "body.name"},
		{"POST", "/integrations", `{"name":"x","kind":"fax"}`, 422, "body.kind"},
		{"POST", "/integrations", `{"name":"prod","kind":"datadog"}`, 409, "taken"},
		{"PUT", "/integrations/prod", `{"mapper":{"name":"1 +"}}`, 422, "body.mapper.name"},
		{"PUT", "/integrations/pd", `{"mapper":{"name":"body.x"}}`, 422, "body.mapper"},
		{"PUT", "/integrations/nobody", `{}`, 404, "nobody"},
		{"POST", "/integrations/prod/keys", `{"overlap":"soon"}`, 422, "body.overlap"},
	} {
		if text := s.do(test.method, test.path, test.body, test.status, nil); !strings.Contains(text, test.want) {
			t.Errorf("%s %s %s: %s does not contain %q", test.method, test.path, test.body, text, test.want)
		}
	}
}

func TestTheSigningKeyIsShownWithTheKeyOfWhoCanSign(t *testing.T) {
	s := newServer(t)
	var made, rotated, other IntegrationMade
	s.do(http.MethodPost, "/integrations", `{"name":"prod","kind":"grafana"}`, 200, &made)
	s.do(http.MethodPost, "/integrations/prod/keys", `{}`, 200, &rotated)
	for _, m := range []IntegrationMade{made, rotated} {
		sum := sha256.Sum256([]byte(m.Key))
		if want := hex.EncodeToString(sum[:]); m.SigningKey != want {
			t.Errorf("the signing key of %s is %q, want %q", m.Key, m.SigningKey, want)
		}
	}
	body := s.do(http.MethodPost, "/integrations", `{"name":"pd","kind":"pagerduty"}`, 200, &other)
	if strings.Contains(body, "signing_key") {
		t.Errorf("PagerDuty's senders sign nothing, and got %s", body)
	}
	if body := s.do(http.MethodGet, "/integrations/prod", "", 200, nil); strings.Contains(body, rotated.SigningKey) {
		t.Errorf("the signing key is shown a second time: %s", body)
	}
}

func TestAMapperIsPreviewedOnAPayload(t *testing.T) {
	s := newServer(t)
	s.do(http.MethodPost, "/integrations", `{"name":"prod","kind":"datadog"}`, 200, nil)
	var view Preview
	s.do(http.MethodPost, "/integrations/prod/preview", `{"mapper":{"name":"item.x"},"payload":"{\"x\":\"Down\",\"id\":7,\"state\":\"ok\"}"}`, 200, &view)
	if view.Error != "" || len(view.Alerts) != 1 || view.Alerts[0].Name != "Down" || view.Alerts[0].State != "resolved" || view.Alerts[0].Identity != "7" {
		t.Errorf("got %+v", view)
	}
	s.do(http.MethodPost, "/integrations/prod/preview", `{"mapper":{"name":"item."},"payload":"{}"}`, 200, &view)
	if !strings.Contains(view.Error, "mapper.name") {
		t.Errorf("a bad expression: got %q", view.Error)
	}
	s.do(http.MethodPost, "/integrations/prod/preview", `{"mapper":{},"payload":"{"}`, 200, &view)
	if !strings.Contains(view.Error, "no JSON") {
		t.Errorf("a bad payload: got %q", view.Error)
	}
}

func TestThePayloadsThatCameLastAreShown(t *testing.T) {
	s := newServer(t)
	s.do(http.MethodPost, "/integrations", `{"name":"prod","kind":"datadog"}`, 200, nil)
	s.doors.Note("prod", integration.Capture{At: s.now.Now(), Body: `{"x":1}`, Status: 400, Outcome: "mapper.name"}, 1)
	var detail IntegrationDetail
	s.do(http.MethodGet, "/integrations/prod", "", 200, &detail)
	if len(detail.Captures) != 1 || detail.Captures[0].Body != `{"x":1}` || detail.Refused != 1 || detail.LastError != "mapper.name" {
		t.Errorf("got %+v", detail)
	}
}
