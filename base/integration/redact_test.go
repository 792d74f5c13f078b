package integration

import (
	"regexp"
	"strings"
	"testing"
)

func TestSecretsAreTakenOut(t *testing.T) {
	r := &Redactor{More: []*regexp.Regexp{regexp.MustCompile(`CUST-\d+`)}}
	for text, want := range map[string]string{
		"Authorization: Bearer abcdef0123456789":              "Authorization: Bearer [redacted]",
		"GenieKey 12345678-90ab-cdef":                         "GenieKey [redacted]",
		`{"routing_key":"R0123456789","x":1}`:                 `{"routing_key":"[redacted]","x":1}`,
		"db password=hunter22; next":                          "db password=[redacted]; next",
		"https://ann:s3cret@db.example/x":                     "https://[redacted]db.example/x",
		"key AKIAIOSFODNN7EXAMPLE is out":                     "key [redacted] is out",
		"ghp_0123456789abcdefghij0123 leaked":                 "[redacted] leaked",
		"card 4111 1111 1111 1111 was refused":                "card [redacted] was refused",
		"order 4111111111111112 was refused":                  "order 4111111111111112 was refused",
		"mail ann.smith+x@mail.example.org now":               "mail [redacted] now",
		"customer CUST-42 waits":                              "customer [redacted] waits",
		"jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-_d": "jwt [redacted]",
		"errors above 5 percent on checkout-7f9":              "errors above 5 percent on checkout-7f9",
		"http://prometheus:9090/graph?g0.expr=up%3D%3D0":      "http://prometheus:9090/graph?g0.expr=up%3D%3D0",
		"2026-11-25T02:43:00Z 1764038580000":                  "2026-11-25T02:43:00Z 1764038580000",
		"short":                                               "short",
		"":                                                    "",
	} {
		if got := r.Text(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got := r.Label("owner ann@example.org token=abcdefghij"); !strings.Contains(got, "ann@example.org") || strings.Contains(got, "abcdefghij") {
		t.Errorf("a label: got %q, want the address kept and the token gone", got)
	}
}

func FuzzRedactorKeepsTextValidAndFinds(f *testing.F) {
	f.Add("Bearer abcdef0123456789")
	f.Fuzz(func(t *testing.T, text string) {
		r := &Redactor{}
		once := r.Text(text)
		if again := r.Text(once); again != r.Text(again) {
			t.Errorf("%q is cleaned to %q, that to %q and further", text, once, again)
		}
	})
}

func BenchmarkRedactorOnUsualText(b *testing.B) {
	r := &Redactor{}
	for range b.N {
		r.Label("PodErrorRateHigh on service-17 in prod-eu-1")
		r.Text("errors above 5 percent for two minutes")
	}
}
