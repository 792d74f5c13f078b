package receive_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/test/door"
)

func TestALetterHoldsWhatItTakesToBeOfferedAgain(t *testing.T) {
	refuse := func(*receive.Request) (*receive.Delivery, error) {
		return nil, receive.Invalid(receive.FieldError{Field: "body", Remedy: "no"})
	}
	p := receive.Protocol{Kind: "x", Parse: refuse, Secret: func(r *receive.Request) string { return r.PathValue("key") }}
	for name, test := range map[string]struct {
		pattern, method, path, body string
		headers                     []string
		want                        string
	}{
		"a plain body":         {"POST /in/x/{integration}", "POST", "/in/x/a", `{}`, []string{"Content-Type", "application/json"}, `{}`},
		"a form":               {"POST /in/x/{integration}", "POST", "/in/x/a", `a=b`, []string{"Content-Type", "application/x-www-form-urlencoded"}, `a=b`},
		"a key in the query":   {"POST /in/x/{integration}", "POST", "/in/x/a?token=k", `{}`, nil, `{}`},
		"a key in the path":    {"POST /x/{key}/", "POST", "/x/very-secret-key/?a=b", `{}`, nil, "POST /x/again/?a=b HTTP/1.1\n\n{}"},
		"a query":              {"POST /in/x/{integration}", "POST", "/in/x/a?cluster=eu+1&token=k&api_secret=k", `{}`, nil, "POST /in/x/a?cluster=eu+1 HTTP/1.1\n\n{}"},
		"another method":       {"PUT /in/x/{integration}", "PUT", "/in/x/a", `{}`, nil, "PUT /in/x/a HTTP/1.1\n\n{}"},
		"more in the path":     {"POST /x/{key}/{what}", "POST", "/x/very-secret-key/a%2Fb", `{}`, nil, "POST /x/again/a%2Fb HTTP/1.1\n\n{}"},
		"an event's headers":   {"POST /in/x/{integration}", "POST", "/in/x/a", "b", []string{"Ce-Id", "1", "X-Event", "e", "X-Api-Key", "k", "X-Forwarded-For", "1.2.3.4", "Content-Type", "text/plain"}, "POST /in/x/a HTTP/1.1\nCe-Id: 1\nContent-Type: text/plain\nX-Event: e\n\nb"},
		"a media type":         {"POST /in/x/{integration}", "POST", "/in/x/a", "b", []string{"Content-Type", "application/cloudevents+json"}, "POST /in/x/a HTTP/1.1\nContent-Type: application/cloudevents+json\n\nb"},
		"an e-mail":            {"POST /in/x/{integration}", "POST", "/in/x/a?by=ann@example.com", "b", nil, "POST /in/x/a?by=%5Bredacted%5D HTTP/1.1\n\nb"},
		"what looks like one":  {"POST /in/x/{integration}", "POST", "/in/x/a", "GET / HTTP/1.1\n\n", nil, "POST /in/x/a HTTP/1.1\n\nGET / HTTP/1.1\n\n"},
		"an empty body":        {"POST /in/x/{integration}", "POST", "/in/x/a", "", nil, ""},
		"a header of two rows": {"POST /in/x/{integration}", "POST", "/in/x/a", "b", []string{"X-Event", "a\tb"}, "POST /in/x/a HTTP/1.1\nX-Event: a b\n\nb"},
	} {
		t.Run(name, func(t *testing.T) {
			d := door.New(t, map[string]receive.Protocol{test.pattern: p})
			d.Send(test.method, test.path, test.body, test.headers...)
			letters := d.Letters()
			if len(letters) != 1 {
				t.Fatalf("got %d letters", len(letters))
			}
			if diff := cmp.Diff(test.want, string(letters[0].Payload)); diff != "" {
				t.Error(diff)
			}
			again, err := receive.ReadAgain(letters[0].Payload, "/default")
			if err != nil || string(again.Body) != test.body {
				t.Errorf("read again it is %+v, error %v", again, err)
			}
			if plain := test.want == test.body; plain != (again.Target == "/default") || !plain && again.Method != test.method {
				t.Errorf("read again it goes to %s %s", again.Method, again.Target)
			}
		})
	}
}

func FuzzReadAgain(f *testing.F) {
	for _, seed := range []string{"", "{}", "PUT /a?b=c HTTP/1.1\nContent-Type: x\n\n{}", "GET / HTTP/1.1\n", "POST /x HTTP/1.1\r\nno\r\n\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		again, err := receive.ReadAgain(payload, "/default")
		if err != nil {
			return
		}
		if !strings.HasPrefix(again.Target, "/") || !strings.HasSuffix(string(payload), string(again.Body)) || again.Header == nil {
			t.Errorf("%q: got %+v", payload, again)
		}
		if _, err := http.NewRequestWithContext(t.Context(), again.Method, "/", http.NoBody); err != nil {
			t.Errorf("%q: method %q: %v", payload, again.Method, err)
		}
	})
}
