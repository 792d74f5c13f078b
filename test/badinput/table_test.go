package badinput_test

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/test/need"
)

var update = flag.Bool("update", false, "write docs/reference/bad-input.md from the table and the answers")

// row is one wrong request.
type row struct {
	noun, request string
	method, path  string // POST /api/v2/alerts when ""
	body          func() io.Reader
	headers       []string
	status        int
	// field must be named by one of the answer's errors, remedy must be in its remedy; "" looks at neither.
	field, remedy string
	// kept are the names of the alerts that must be there afterwards; all names of a row begin with its own prefix.
	prefix string
	kept   []string
	// letter says that a dead letter must have been kept.
	letter bool
}

func text(s string) func() io.Reader { return func() io.Reader { return strings.NewReader(s) } }

// alertWith is a request of a good alert and a bad one.
func alertWith(prefix, bad string) func() io.Reader {
	return text(fmt.Sprintf(`[{"labels":{"alertname":"%sGood"}},%s]`, prefix, bad))
}

// zipped returns a body of blanks in gzip. It is made of many members, which a reader takes as one text: to pack it all
// anew would take longer than the test.
func zipped(size int) func() io.Reader {
	return func() io.Reader {
		const member = 4 << 20
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		_, _ = w.Write(bytes.Repeat([]byte(" "), member)) // a buffer takes all
		_ = w.Close()
		return bytes.NewReader(bytes.Repeat(packed.Bytes(), size/member))
	}
}

func manyLabels(n int) string {
	var b strings.Builder
	b.WriteString(`{"labels":{"alertname":"ManyBad"`)
	for i := range n {
		fmt.Fprintf(&b, `,"l%d":"x"`, i)
	}
	return b.String() + "}}"
}

// rows is the table. Each row's alerts begin with a prefix of its own.
func rows() []row {
	long := strings.Repeat("x", 5000)
	return []row{
		{noun: "malformed JSON", request: `[{"labels":`, body: text(`[{"labels":`), status: 400, field: "body", remedy: "send a JSON array of alerts", letter: true},
		{noun: "malformed JSON", request: "nothing at all", body: text(""), status: 400, field: "body", letter: true},
		{noun: "malformed JSON", request: "10,000 nested brackets", body: text(strings.Repeat("[", 10_000)), status: 400, field: "body", letter: true},
		{noun: "malformed JSON", request: "bytes that are no UTF-8 in a value become �, as in Alertmanager", prefix: "Utf", body: alertWith("Utf", "{\"labels\":{\"alertname\":\"UtfOdd\",\"x\":\"\xff\xfe\"}}"), status: 200, kept: []string{"UtfGood", "UtfOdd"}},
		{noun: "wrong types", request: "an object instead of an array", body: text(`{"labels":{"alertname":"Single"}}`), status: 400, field: "body", remedy: "array of alerts", letter: true},
		{noun: "wrong types", request: `"labels": 5`, prefix: "TypeA", body: alertWith("TypeA", `{"labels":5}`), status: 400, field: "[1].labels", kept: []string{"TypeAGood"}, letter: true},
		{noun: "wrong types", request: "a number as a label's value", prefix: "TypeB", body: alertWith("TypeB", `{"labels":{"alertname":"TypeBBad","n":7}}`), status: 400, field: "[1].labels.n", kept: []string{"TypeBGood"}, letter: true},
		{noun: "wrong types", request: `"startsAt": 17`, prefix: "TypeC", body: alertWith("TypeC", `{"labels":{"alertname":"TypeCBad"},"startsAt":17}`), status: 400, field: "[1].startsAt", kept: []string{"TypeCGood"}, letter: true},
		{noun: "wrong types", request: "a text that is no time", prefix: "TypeD", body: alertWith("TypeD", `{"labels":{"alertname":"TypeDBad"},"startsAt":"yesterday"}`), status: 400, field: "[1].startsAt", kept: []string{"TypeDGood"}, letter: true},
		{noun: "wrong types", request: "annotations as a list", prefix: "TypeE", body: alertWith("TypeE", `{"labels":{"alertname":"TypeEBad"},"annotations":["x"]}`), status: 400, field: "[1].annotations", kept: []string{"TypeEGood"}, letter: true},
		{noun: "labels", request: "no labels", prefix: "None", body: alertWith("None", `{"labels":{}}`), status: 400, field: "[1].labels", kept: []string{"NoneGood"}, letter: true},
		{noun: "labels", request: "control characters in a name", prefix: "Ctl", body: alertWith("Ctl", `{"labels":{"alertname":"CtlBad","a\u0000b":"x"}}`), status: 400, field: "[1].labels.", kept: []string{"CtlGood"}, letter: true},
		{noun: "labels", request: "10,000 labels", prefix: "Many", body: alertWith("Many", manyLabels(10_000)), status: 400, field: "[1].labels", remedy: "64", kept: []string{"ManyGood"}, letter: true},
		{noun: "labels", request: "a name of 5,000 bytes", prefix: "LongN", body: alertWith("LongN", `{"labels":{"alertname":"LongNBad","`+long+`":"x"}}`), status: 400, field: "[1].labels", kept: []string{"LongNGood"}, letter: true},
		{noun: "labels", request: "a value of 5,000 bytes", prefix: "LongV", body: alertWith("LongV", `{"labels":{"alertname":"LongVBad","v":"`+long+`"}}`), status: 400, field: "[1].labels.v", kept: []string{"LongVGood"}, letter: true},
		{noun: "times", request: "`startsAt` in 2999", prefix: "Late", body: alertWith("Late", `{"labels":{"alertname":"LateBad"},"startsAt":"2999-01-01T00:00:00Z"}`), status: 400, field: "[1].startsAt", kept: []string{"LateGood"}, letter: true},
		{noun: "times", request: "`startsAt` in 1970 is accepted", prefix: "Past", body: alertWith("Past", `{"labels":{"alertname":"PastOld"},"startsAt":"1970-01-01T00:00:00Z"}`), status: 200, kept: []string{"PastGood", "PastOld"}},
		{noun: "times", request: "`endsAt` before `startsAt`", prefix: "Ends", body: alertWith("Ends", `{"labels":{"alertname":"EndsBad"},"startsAt":"2026-01-02T00:00:00Z","endsAt":"2026-01-01T00:00:00Z"}`), status: 400, field: "[1].endsAt", kept: []string{"EndsGood"}, letter: true},
		{noun: "size", request: "a body of 20 MB", body: func() io.Reader { return bytes.NewReader(bytes.Repeat([]byte(" "), 20<<20)) }, status: 413, field: "body", remedy: "smaller batches"},
		{noun: "size", request: "a gzip bomb: 1 GiB in 1 MiB", body: zipped(1 << 30), headers: []string{"Content-Encoding: gzip"}, status: 413, field: "body", remedy: "smaller batches"},
		{noun: "encoding", request: "gzip that is none", body: text("[]"), headers: []string{"Content-Encoding: gzip"}, status: 400, field: "body", remedy: "gzip"},
		{noun: "encoding", request: "an unknown Content-Encoding", body: text("[]"), headers: []string{"Content-Encoding: br"}, status: 415, field: "Content-Encoding", remedy: "gzip"},
		{noun: "method", request: "DELETE on alerts", method: http.MethodDelete, body: text(""), status: 405},
		{noun: "own API", request: "an unknown incident", method: http.MethodGet, path: "/api/fairlead/v1/incidents/INC-99999", body: text(""), status: 404},
		{noun: "own API", request: "an id that is none", method: http.MethodGet, path: "/api/fairlead/v1/incidents/seven", body: text(""), status: 422, field: "path.id", remedy: "INC-12"},
		{noun: "own API", request: "an unknown state in a filter", method: http.MethodGet, path: "/api/fairlead/v1/incidents?state=broken", body: text(""), status: 422, field: "query.state", remedy: "forming, open"},
		{noun: "own API", request: "a cursor of somebody else's", method: http.MethodGet, path: "/api/fairlead/v1/incidents?cursor=x", body: text(""), status: 422, field: "query.cursor", remedy: "next"},
		{noun: "own API", request: "a page of a million", method: http.MethodGet, path: "/api/fairlead/v1/incidents?limit=1000000", body: text(""), status: 422, field: "query.limit", remedy: "500"},
		{noun: "own API", request: "malformed JSON in an action", path: "/api/fairlead/v1/incidents/INC-1/acknowledge", body: text(`{"note":`), status: 400, field: "body"},
		{noun: "own API", request: "a wrong type in an action", path: "/api/fairlead/v1/incidents/INC-1/merge", body: text(`{"from":"INC-2"}`), status: 422, field: "body.from", remedy: "array"},
		{noun: "own API", request: "an unknown step to undo", path: "/api/fairlead/v1/steps/S999999/undo", body: text(`{}`), status: 404},
		{noun: "map", request: "an edge without an end", method: http.MethodPut, path: "/api/fairlead/v1/map/edges", body: text(`{"level":"service","directed":true,"edges":[{"from":"a","to":""}]}`), status: 422, field: "body.edges[0]", remedy: "name both ends"},
		{noun: "map", request: "a share of 7", method: http.MethodPut, path: "/api/fairlead/v1/map/edges", body: text(`{"level":"service","directed":true,"edges":[{"from":"a","to":"b","share":7}]}`), status: 422, field: "body.edges[0].share", remedy: "between 0 and 1"},
		{noun: "foreign pages", request: "a Host that is not ours (DNS rebinding)", method: http.MethodGet, path: "/api/fairlead/v1/incidents", body: text(""), headers: []string{"Host: evil.example"}, status: 421, field: "Host"},
		{noun: "foreign pages", request: "a POST from another site", prefix: "Cross", body: text(alerts("CrossBad")), headers: []string{"Origin: http://evil.example", "Sec-Fetch-Site: cross-site"}, status: 403},
	}
}

func TestBadRequests(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	var page strings.Builder
	page.WriteString(pageHead)
	for _, r := range rows() {
		t.Run(r.noun+": "+r.request, func(t *testing.T) {
			if r.method == "" {
				r.method = http.MethodPost
			}
			if r.path == "" {
				r.path = "/api/v2/alerts"
			}
			before := len(s.letters(t))
			got := s.send(t, http.DefaultClient, r.method, r.path, r.body(), r.headers...)
			if got.status != r.status {
				t.Errorf("got %d %s, want %d", got.status, got.body, r.status)
			}
			said := ""
			if got.status != http.StatusOK && r.status != http.StatusMethodNotAllowed && r.status != http.StatusForbidden {
				said = r.checkProblem(t, got.problem(t))
			}
			kept := "nothing"
			if r.prefix != "" {
				kept = r.checkKept(t, s)
			}
			if after := len(s.letters(t)); (after > before) != r.letter {
				t.Errorf("got %d dead letters more, want some: %v", after-before, r.letter)
			}
			if r.letter {
				kept += ", a dead letter"
			}
			fmt.Fprintf(&page, "| %s | %s | %s | %s |\n", r.noun, escape(r.request), strings.TrimSpace(fmt.Sprintf("%d %s", got.status, escape(said))), strings.TrimPrefix(kept, "nothing, "))
		})
	}
	if peak := s.resident(t); peak > 400<<20 {
		t.Errorf("the server held %d MiB at most, want under 400", peak>>20)
	}
	page.WriteString(sendersHead)
	sendersTable(t, &page)
	page.WriteString(pageFoot)
	need.Page(t, "bad-input.md", page.String(), *update, "go test ./test/badinput -update")
}

// checkProblem compares the answer's errors with the row and returns what it says of the first one.
func (r row) checkProblem(t *testing.T, p problem) string {
	t.Helper()
	if p.Status != r.status || p.Detail == "" {
		t.Errorf("got a problem with status %d and detail %q, want status %d and a detail", p.Status, p.Detail, r.status)
	}
	if r.field == "" {
		return p.Detail
	}
	for _, e := range p.Errors {
		if strings.HasPrefix(e.Field, r.field) && strings.Contains(e.Remedy, r.remedy) && e.Remedy != "" {
			field := e.Field
			if len(field) > 60 {
				field = field[:60] + "..."
			}
			return "`" + field + "`: " + e.Remedy
		}
	}
	t.Errorf("got the errors %+v, want one of %s with a remedy that contains %q", p.Errors, r.field, r.remedy)
	return ""
}

// checkKept waits until what must be kept is there, and nothing else.
func (r row) checkKept(t *testing.T, s *server) string {
	t.Helper()
	need.Eventually(t, 10*time.Second, fmt.Sprintf("the alerts %v to be there", r.kept), func() bool {
		return len(s.names(t, r.prefix)) >= len(r.kept)
	})
	if diff := cmp.Diff(r.kept, s.names(t, r.prefix)); diff != "" {
		t.Errorf("kept alerts differ (-want +got):\n%s", diff)
	}
	switch len(r.kept) {
	case 0:
		return "nothing"
	case 1:
		return "the good alert"
	}
	return "both alerts"
}

// now is what changes from run to run in an answer.
var now = regexp.MustCompile(`the time here is \S+Z`)

// escape makes a text fit into a cell of a table.
func escape(s string) string {
	s = strings.ReplaceAll(now.ReplaceAllString(s, "the time here is ..."), "|", `\|`)
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return '�'
		}
		return r
	}, s)
}

const pageHead = `<!-- Written by go test ./test/badinput -update. Do not edit. -->

# Bad input

What is answered to wrong requests, and what of them is kept. The table is a test: it runs against the built binary.
[Logins, and what people write](bad-input-people.md) have a page of their own.

| what | request | answer | kept |
| --- | --- | --- | --- |
`

const sendersHead = `
## By sender

Each integration has a key here. What cannot be used of a sender that showed it is a dead letter with the reason; of one that did
not, nothing is kept. A version is never asserted, and unknown fields are ignored.

| sender | request | answer | kept |
| --- | --- | --- | --- |
`

const pageFoot = `
Also tested there: a sender with endless label values gets 429 that names the label, while others go on; hundreds of senders that
stop half-way slow nobody; memory stays bounded; a configuration with an unknown key or a bad value is refused with its line and
leaves the running one in place; in an alertmanager.yml an unknown receiver or interval, a bad matcher, time, URL or template is named
by file and line at check-config, at the start and at reload; a webhook target that hangs delays no other; a full disk is answered with 503 and Retry-After, loses nothing that was answered with 200, and
heals by itself; a read-only folder is named at the start; dead letters can be replayed.
`
