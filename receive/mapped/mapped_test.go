package mapped

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/test/door"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func none(string) string { return "" }

func serve(t *testing.T) *door.Door {
	t.Helper()
	return door.New(t, map[string]receive.Protocol{"POST /in/json/{integration}": JSON()})
}

func TestTheAnswerSaysWhatWasUnderstood(t *testing.T) {
	s := serve(t)
	for name, test := range map[string]struct{ body, want string }{
		"one":          {`{"id":17,"title":"Disk full","priority":"P1","host":"db-1"}`, `{"accepted":1,"alerts":[{"identity":"17","name":"Disk full","state":"firing"}]}`},
		"its end":      {`{"id":17,"title":"Disk full","status":"ok"}`, `{"accepted":1,"alerts":[{"identity":"17","name":"Disk full","state":"resolved"}]}`},
		"acknowledged": {`{"id":17,"title":"Disk full","status":"acknowledged"}`, `{"accepted":1,"alerts":[{"identity":"17","name":"Disk full","state":"acknowledged"}]}`},
		"a list":       {`[{"key":"a","name":"A"},{"key":"b","name":"B"}]`, `{"accepted":2,"alerts":[{"identity":"a","name":"A","state":"firing"},{"identity":"b","name":"B","state":"firing"}]}`},
	} {
		if status, text := s.Post("/in/json/tool", test.body); status != 202 || strings.TrimSpace(text) != test.want {
			t.Errorf("%s: got %d %s, want 202 %s", name, status, text, test.want)
		}
	}
	if got := s.Alerts(); len(got) != 5 || got[0].Source != "tool" {
		t.Errorf("%d alerts were published: %+v", len(got), got)
	}
}

func TestTheIntegrationsMapperIsUsed(t *testing.T) {
	s := serve(t)
	mapper := integration.Mapper{Each: "body.checks", Identity: "item.k", Name: `item.what + " " + header("X-Site")`}
	if _, err := s.Doors.Create(t.Context(), &integration.Integration{Name: "tool", Kind: Kind, Mapper: mapper}, "ann", ""); err != nil {
		t.Fatal(err)
	}
	status, text := s.Post("/in/json/tool", `{"checks":[{"k":"1","what":"http"}]}`, "X-Site", "eu")
	if status != 202 || !strings.Contains(text, `"name":"http eu"`) {
		t.Errorf("got %d %s", status, text)
	}
}

func TestWhatCannotBeReadIsKeptWithTheReason(t *testing.T) {
	s := serve(t)
	for body, want := range map[string]string{
		`{`:                            "not valid JSON",
		`{}`:                           "mapper.name",
		`[]`:                           "no item",
		`{"name":"x","status":"blue"}`: "mapper.state",
	} {
		before := len(s.Letters())
		status, text := s.Post("/in/json/tool", body)
		letters := s.Letters()
		if status != 400 || !strings.Contains(text, want) || len(letters) != before+1 || string(letters[before].Payload) != body || !strings.Contains(letters[before].Reason, want) {
			t.Errorf("%s: got %d %s and letters %+v, want 400 with %q", body, status, text, letters[before:], want)
		}
	}
}

func TestASignatureStandsForTheKey(t *testing.T) {
	s := serve(t)
	if _, err := s.Doors.Create(t.Context(), &integration.Integration{Name: "tool", Kind: Kind}, "ann", ""); err != nil {
		t.Fatal(err)
	}
	old, _, err := s.Doors.Rotate(t.Context(), "tool", 0, "ann")
	if err != nil {
		t.Fatal(err)
	}
	secret, _, err := s.Doors.Rotate(t.Context(), "tool", time.Hour, "ann")
	if err != nil {
		t.Fatal(err)
	}
	const body = `{"id":1,"name":"A"}`
	sign := func(key string) string {
		sum := hmac.New(sha256.New, []byte(key))
		sum.Write([]byte(body))
		return hex.EncodeToString(sum.Sum(nil))
	}
	for name, test := range map[string]struct {
		headers []string
		want    int
	}{
		"no key":                        {nil, 401},
		"the key":                       {[]string{"Authorization", "Bearer " + secret}, 202},
		"GitHub's header":               {[]string{"X-Hub-Signature-256", "sha256=" + sign(receive.SigningKey(secret))}, 202},
		"the bare sum":                  {[]string{"X-Signature", sign(receive.SigningKey(secret))}, 202},
		"by the key before, still good": {[]string{"X-Signature", sign(receive.SigningKey(old))}, 202},
		"by the key itself":             {[]string{"X-Signature", sign(secret)}, 401},
		"no hexadecimal":                {[]string{"X-Signature", "sha256=xyz"}, 401},
		"empty sum":                     {[]string{"X-Signature", "sha256="}, 401},
		"wrong, beside the right key":   {[]string{"X-Signature", sign("guess"), "Authorization", "Bearer " + secret}, 401},
	} {
		if status, text := s.Post("/in/json/tool", body, test.headers...); status != test.want {
			t.Errorf("%s: got %d %s, want %d", name, status, text, test.want)
		}
	}
	if status, _ := s.Post("/in/json/other", body, "X-Signature", "00"); status != 202 {
		t.Errorf("an integration without a key refused a signature with %d", status)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"id":17,"title":"Disk full","priority":"P1","status":"open"}`))
	f.Add([]byte(`[{"event":{"name":"x"}},1,null]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := Parse(body, none, noon, &integration.Mapper{})
		if err != nil {
			if _, ok := errors.AsType[*receive.Problem](err); !ok {
				t.Errorf("%s: %v is no problem", body, err)
			}
			return
		}
		for i := range d.Alerts {
			if d.Alerts[i].Identity == "" {
				t.Errorf("%s: alert %d has no identity", body, i)
			}
		}
	})
}
