package access

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

var update = flag.Bool("update", false, "write docs/reference/bad-input-people.md from the tables and the answers")

// wrong is a request that nobody should get through with.
type wrong struct {
	noun, request string
	status        int
	// names must be in the answer.
	names string
	do    func() (status int, text string)
}

// cast is who is there: an admin, a viewer, a responder of one team, and somebody without a login.
type cast struct {
	s                     *server
	ann, vic, ria, nobody *browser
}

func newCast(t *testing.T) *cast {
	t.Helper()
	s := serve(t, "")
	c := &cast{s: s, ann: s.admin(), nobody: s.browser()}
	c.ann.must(200, http.MethodPost, "/teams", `{"name":"pay"}`, nil)
	c.vic = c.ann.user("vic", `[{"role":"viewer"}]`)
	c.ria = c.ann.user("ria", `[{"role":"responder","teams":["pay"]}]`)
	return c
}

// as returns a request of somebody to our API.
func as(b *browser, method, path, body string, headers ...string) func() (int, string) {
	return func() (int, string) { return b.do(method, path, body, nil, headers...) }
}

// bearer returns the header that shows a token.
func bearer(secret string) []string { return []string{"Authorization", "Bearer " + secret} }

// tokenOf makes a token of somebody and returns its secret and id.
func tokenOf(b *browser, body string) (secret, id string) {
	b.s.t.Helper()
	var made struct {
		Secret string
		Token  struct{ ID string }
	}
	b.must(200, http.MethodPost, "/tokens", body, &made)
	return made.Secret, made.Token.ID
}

func (c *cast) tokens() []wrong {
	secret, id := tokenOf(c.ann, `{"name":"whole"}`)
	short, _ := tokenOf(c.ann, `{"name":"short","lifetime":"1m"}`)
	revoked, gone := tokenOf(c.ann, `{"name":"revoked"}`)
	c.ann.must(204, http.MethodDelete, "/tokens/"+gone, "", nil)
	reading, _ := tokenOf(c.ann, `{"name":"reading","readOnly":true}`)
	forged := secret[:len(secret)-1] + map[bool]string{true: "B", false: "A"}[secret[len(secret)-1] == 'A']
	get := func(headers ...string) func() (int, string) {
		return as(c.nobody, http.MethodGet, "/incidents", "", headers...)
	}
	return []wrong{
		{"tokens", "one that is good for a minute, after a minute", 401, "", func() (status int, text string) {
			c.nobody.must(200, http.MethodGet, "/incidents", "", nil, bearer(short)...)
			need.Eventually(c.s.t, 90*time.Second, "the token to expire", func() bool {
				status, text = c.nobody.do(http.MethodGet, "/incidents", "", nil, bearer(short)...)
				return status != http.StatusOK
			})
			return status, text
		}},
		{"tokens", "one that was revoked", 401, "", get(bearer(revoked)...)},
		{"tokens", "a forged one", 401, "", get(bearer(forged)...)},
		{"tokens", "none", 401, "", get()},
		{"tokens", "a good one in the address", 401, "", as(c.nobody, http.MethodGet, "/incidents?access_token="+secret+"&token="+secret, "")},
		{"tokens", "a good one as a session's cookie", 401, "", get("Cookie", "fairlead_session="+secret)},
		{"tokens", "a writing request with one that only reads", 403, "", as(c.nobody, http.MethodPost, "/teams", `{"name":"x"}`, bearer(reading)...)},
		{"tokens", "revoke somebody else's", 404, "", as(c.vic, http.MethodDelete, "/tokens/"+id, "")},
		{"tokens", "list somebody else's", 403, "", as(c.vic, http.MethodGet, "/tokens?owner=ann", "")},
		{"tokens", "one with a role that its owner has not", 422, "body.roles", as(c.vic, http.MethodPost, "/tokens", `{"name":"x","roles":["admin"]}`)},
		{"tokens", "make another with one", 403, "", as(c.nobody, http.MethodPost, "/tokens", `{"name":"x"}`, bearer(secret)...)},
	}
}

func (c *cast) sessions() []wrong {
	planted := "fls_" + strings.Repeat("A", 43)
	victim := c.s.browser()
	victim.must(200, http.MethodPost, "/login", `{"name":"vic","password":"`+password+`"}`, nil, "Cookie", "fairlead_session="+planted)
	ended := c.s.browser()
	var who me
	ended.must(200, http.MethodPost, "/login", `{"name":"vic","password":"`+password+`"}`, &who)
	ended.csrf = who.CSRF
	cookies := ended.Jar.Cookies(&url.URL{Scheme: "http", Host: strings.TrimPrefix(c.s.url, "http://")})
	ended.must(204, http.MethodPost, "/logout", "", nil)
	team := func(headers ...string) func() (int, string) {
		return as(c.ann, http.MethodPost, "/teams", `{"name":"x"}`, headers...)
	}
	return []wrong{
		{"sessions", "a cookie planted before the login (fixation)", 401, "", as(c.nobody, http.MethodGet, "/me", "", "Cookie", "fairlead_session="+planted)},
		{"sessions", "the cookie of one that was ended", 401, "", as(c.nobody, http.MethodGet, "/me", "", "Cookie", cookies[0].String())},
		{"sessions", "end somebody else's", 404, "", as(c.ria, http.MethodDelete, "/sessions/"+who.Session, "")},
		{"sessions", "a password that is easy to guess", 422, "body.next", as(c.vic, http.MethodPost, "/password", `{"present":"`+password+`","next":"password1234"}`)},
		{"foreign pages", "a write without the CSRF token", 403, "Fairlead-CSRF", team("Fairlead-CSRF", "")},
		{"foreign pages", "a write with another session's CSRF token", 403, "Fairlead-CSRF", team("Fairlead-CSRF", c.vic.csrf)},
		{"foreign pages", "a write from another site", 403, "", team("Sec-Fetch-Site", "cross-site")},
		{"foreign pages", "a write from another origin", 403, "", team("Origin", "https://evil.example")},
		{"foreign pages", "a write from no origin, as of a sandboxed frame", 403, "", team("Origin", "null")},
		{"foreign pages", "a Host that is not ours (DNS rebinding)", 421, "Host", as(c.ann, http.MethodGet, "/users", "", "Host", "127.0.0.1.evil.example")},
		{"foreign pages", "a Host whose port is another's", 421, "Host", as(c.ann, http.MethodGet, "/users", "", "Host", "evil.example:8460")},
	}
}

func (c *cast) roles() []wrong {
	return []wrong{
		{"roles", "a viewer makes a team", 403, "", as(c.vic, http.MethodPost, "/teams", `{"name":"x"}`)},
		{"roles", "a viewer gives itself a role", 403, "", as(c.vic, http.MethodPut, "/users/vic", `{"grants":[{"role":"admin"}]}`, "If-Match", `"1"`)},
		{"roles", "a responder of a team silences another's alerts", 403, "body.matchers", as(c.ria, http.MethodPost, "/silences", `{"matchers":["team=\"shop\""],"endsAt":"2031-01-01T00:00:00Z","comment":"x"}`)},
		{"roles", "a responder of a team silences by a pattern", 403, "body.matchers", as(c.ria, http.MethodPost, "/silences", `{"matchers":["team=~\"pay|shop\""],"endsAt":"2031-01-01T00:00:00Z","comment":"x"}`)},
		{"roles", "the last admin deletes itself", 409, "", as(c.ann, http.MethodDelete, "/users/ann", "", "If-Match", `"1"`)},
		{"edits", "of an older version", 412, `"present"`, func() (int, string) {
			c.ann.must(200, http.MethodPut, "/teams/pay", `{"description":"theirs"}`, nil, "If-Match", `"1"`)
			return c.ann.do(http.MethodPut, "/teams/pay", `{"description":"mine"}`, nil, "If-Match", `"1"`)
		}},
		{"edits", "without a version", 422, "header.If-Match", as(c.ann, http.MethodPut, "/teams/pay", `{"description":"mine"}`)},
		{"edits", "of a version that is none", 422, "header.If-Match", as(c.ann, http.MethodPut, "/teams/pay", `{"description":"mine"}`, "If-Match", "latest")},
	}
}

// raw sends a request line as it is: a client would tidy the path.
func (c *cast) raw(path string) func() (int, string) {
	return func() (int, string) {
		request := &http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "http", Host: strings.TrimPrefix(c.s.url, "http://"), Opaque: path}, Header: http.Header{}}
		answer, err := c.nobody.Transport.RoundTrip(request)
		if err != nil {
			c.s.t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		return answer.StatusCode, ""
	}
}

// send sends alerts as Prometheus does.
func (c *cast) send(body string) (int, string) {
	c.s.t.Helper()
	answer, err := http.Post(c.s.url+"/api/v2/alerts", "application/json", strings.NewReader(body)) //nolint:noctx // it answers at once
	if err != nil {
		c.s.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		c.s.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func (c *cast) paths() []wrong {
	c.nobody.Transport = &http.Transport{}
	list := []wrong{}
	for _, p := range []struct {
		path string
		want int
	}{
		{prefix + "/../../../etc/passwd", 307},
		{prefix + "/%2e%2e/%2e%2e/etc/passwd", 404},
		{"//" + strings.TrimPrefix(prefix, "/") + "/users", 421},
		{prefix + "/me/../users", 307},
		{prefix + "/login%2f..%2fusers", 404},
		{prefix + "/users;a=login", 404},
		{prefix + "/users%00", 404},
		{prefix + "/Users", 404},
		{"/assets/../../fairlead.yml", 307},
		{"/assets/%2e%2e%2fops.db", 404},
		{"/ops.db", 404},
		{"/.git/config", 404},
	} {
		list = append(list, wrong{"paths", "`" + p.path + "` without a login", p.want, "", c.raw(p.path)})
	}
	return list
}

func (c *cast) filters() []wrong {
	get := func(path string) func() (int, string) { return as(c.ann, http.MethodGet, path, "") }
	long := strings.Repeat("x", 5000)
	matcher := func(text string) string { return "/alerts?match=" + url.QueryEscape(text) }
	return []wrong{
		{"filters", "a search of 5,000 bytes", 422, "query.q", get("/incidents?q=" + long)},
		{"filters", "100 matchers", 422, "query.match", get("/alerts?" + strings.Repeat("match=a%3Db&", 100))},
		{"filters", "a matcher of 5,000 bytes", 422, "query.match", get(matcher(`a="` + long + `"`))},
		{"filters", "a pattern that would be huge", 422, "query.match", get(matcher(`a=~"((a{1000}){1000}){1000}"`))},
		{"filters", "a pattern that hangs other engines is quick", 200, "", get(matcher(`a=~"(a+)+$"`))},
		{"filters", "a pattern that is none", 422, "query.match", get(matcher(`a=~"("`))},
		{"filters", "SQL in a search finds nothing", 200, `"items":[]`, get("/incidents?q=" + url.QueryEscape(`' OR 1=1 --`))},
		{"filters", "wildcards of SQL in a search are letters", 200, `"items":[]`, get("/incidents?q=" + url.QueryEscape(`%_%`))},
		{"filters", "SQL in a cursor", 422, "query.cursor", get("/incidents?cursor=" + url.QueryEscape(`1; DROP TABLE incidents`))},
		{"filters", "an address of 2 MB", 431, "", get("/incidents?q=" + strings.Repeat("x", 2<<20))},
		{"filters", "a header of 2 MB", 431, "", as(c.ann, http.MethodGet, "/incidents", "", "X-Long", strings.Repeat("x", 2<<20))},
	}
}

func TestWhatPeopleSendWrongIsNamed(t *testing.T) {
	t.Parallel()
	c := newCast(t)
	var page strings.Builder
	page.WriteString(pageHead)
	for _, rows := range [][]wrong{c.tokens(), c.sessions(), c.roles(), c.filters(), c.paths()} {
		for _, w := range rows {
			t.Run(w.noun+": "+w.request, func(t *testing.T) {
				status, text := w.do()
				if status != w.status || !strings.Contains(text, w.names) {
					t.Errorf("got %d %s, want %d naming %q", status, text, w.status, w.names)
				}
				fmt.Fprintf(&page, "| %s | %s | %s |\n", w.noun, strings.ReplaceAll(w.request, "|", `\|`), strings.TrimSpace(fmt.Sprint(status, " ", said(text))))
			})
		}
	}
	page.WriteString(textHead)
	for _, name := range hostile(t, c) {
		fmt.Fprintf(&page, "* %s\n", name)
	}
	// Nothing of all this has harmed anybody.
	c.ann.must(200, http.MethodGet, "/users", "", nil)
	c.s.kill()
	if out, err := c.s.command("audit", "verify").CombinedOutput(); err != nil {
		t.Errorf("audit verify: %v\n%s", err, out)
	}
	page.WriteString(pageFoot)
	need.Page(t, "bad-input-people.md", page.String(), *update, "go test ./test/access -update")
}

// changing is what is another in each run.
var changing = regexp.MustCompile(`127\.0\.0\.1:\d+|\b[a-z][a-z0-9]{12,}\b`)

// said returns what an answer says of the first field, or its detail.
func said(text string) string {
	var p struct {
		Detail string
		Errors []struct{ Field, Remedy string }
	}
	if json.Unmarshal([]byte(text), &p) != nil {
		return ""
	}
	words := p.Detail
	if len(p.Errors) > 0 && p.Errors[0].Remedy != "" {
		words = "`" + p.Errors[0].Field + "`: " + p.Errors[0].Remedy
	}
	return strings.ReplaceAll(changing.ReplaceAllString(words, "..."), "|", `\|`)
}

// poison is what no text field may stumble over: quotes and comments of SQL, HTML that acts, templates, backslashes, signs that
// turn the direction of writing.
const poison = `'; DROP TABLE ops.users; -- " \' <img src=x onerror=alert(1)> <script>alert(2)</script> {{7*7}} ${7*7} %s \u0041 é 漢 🚢`

// hostile writes poison into every field of text that people and senders fill, and reads it back; it returns the fields' names.
func hostile(t *testing.T, c *cast) []string {
	t.Helper()
	quoted, err := json.Marshal(poison)
	if err != nil {
		t.Fatal(err)
	}
	q := string(quoted)
	if status, text := c.send(`[{"labels":{"alertname":"Poison","team":"pay","severity":"critical","text":` + q + `},"annotations":{"summary":` + q + `}}]`); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	var incident string
	need.Eventually(t, 20*time.Second, "the incident", func() bool {
		var list struct{ Items []struct{ ID string } }
		c.ann.must(200, http.MethodGet, "/incidents", "", &list)
		if len(list.Items) > 0 {
			incident = list.Items[0].ID
		}
		return incident != ""
	})
	matcherText, err := json.Marshal("a=" + strconv.Quote(poison))
	if err != nil {
		t.Fatal(err)
	}
	matcher := string(matcherText)
	const later = `"startsAt":"2031-01-01T00:00:00Z","endsAt":"2031-01-02T00:00:00Z"`
	var names []string
	for _, field := range []struct{ name, method, path, body, read string }{
		{"label and annotation of an alert", "", "", "", "/alerts?q=Poison"},
		{"note on an incident", http.MethodPost, "/incidents/" + incident + "/notes", `{"text":` + q + `}`, "/incidents/" + incident + "/timeline"},
		{"note of an acknowledgement", http.MethodPost, "/incidents/" + incident + "/acknowledge", `{"note":` + q + `}`, "/incidents/" + incident + "/timeline"},
		{"note of a new owner", http.MethodPost, "/incidents/" + incident + "/own", `{"owner":"ann","note":` + q + `}`, "/incidents/" + incident + "/timeline"},
		{"why of a silence, value of its matcher", http.MethodPost, "/silences", `{"matchers":[` + matcher + `],"endsAt":"2031-01-01T00:00:00Z","comment":` + q + `}`, "/silences"},
		{"title and comment of maintenance", http.MethodPost, "/maintenance", `{"title":` + q + `,"entities":["service:x"],` + later + `,"comment":` + q + `}`, "/maintenance"},
		{"a person's shown name", http.MethodPut, "/users/vic", `{"display":` + q + `,"grants":[{"role":"viewer"}]}`, "/users/vic"},
		{"what a team looks after", http.MethodPut, "/teams/pay", `{"description":` + q + `}`, "/teams"},
		{"a saved view's name and query", http.MethodPut, "/me/views", `{"page":"incidents","name":"'; DROP TABLE views; --<b>","query":` + q + `,"shared":true}`, "/me/views"},
		{"a token's name", http.MethodPost, "/tokens", `{"name":"'; DROP TABLE tokens; --<b>"}`, "/tokens"},
		{"expressions of a mapper", http.MethodPost, "/integrations", `{"name":"poisoned","kind":"json","mapper":{"name":"\"'; DROP TABLE x; --<b>\""}}`, "/integrations"},
		{"why of a request for approval", http.MethodPost, "/purges", `{"olderThanDays":1,"matchers":[],"reason":` + q + `}`, "/approvals"},
	} {
		t.Run("text: "+field.name, func(t *testing.T) {
			var headers []string
			if field.method == http.MethodPut && field.path != "/me/views" {
				var now struct{ Version json.Number }
				if field.path == "/teams/pay" {
					now.Version = "2"
				} else {
					c.ann.must(200, http.MethodGet, field.path, "", &now)
				}
				headers = []string{"If-Match", `"` + now.Version.String() + `"`}
			}
			if field.method != "" {
				if status, text := c.ann.do(field.method, field.path, field.body, nil, headers...); status > 299 {
					t.Fatalf("%d %s", status, text)
				}
			}
			want := poison
			if !strings.Contains(field.body, q) && field.body != "" {
				want = "'; DROP TABLE"
			}
			need.Eventually(t, 10*time.Second, "it to be read back as it was written", func() bool {
				var back any
				c.ann.must(200, http.MethodGet, field.read, "", &back)
				return holds(back, want)
			})
			names = append(names, field.name)
		})
	}
	return names
}

// holds reports whether a text is somewhere in a JSON value.
func holds(value any, text string) bool {
	switch v := value.(type) {
	case string:
		return strings.Contains(v, text)
	case []any:
		for _, item := range v {
			if holds(item, text) {
				return true
			}
		}
	case map[string]any:
		for _, item := range v {
			if holds(item, text) {
				return true
			}
		}
	}
	return false
}

const pageHead = `<!-- Written by go test ./test/access -update. Do not edit. -->

# Bad input: logins, and what people write

What is answered to people and programs that try what they may not, or send what cannot be. The table is a test: it runs against the
built binary, on both engines. [Bad input](bad-input.md) is about senders.

| what | request | answer |
| --- | --- | --- |
`

const textHead = `
## Text

Quotes and comments of SQL, HTML that would act, templates, backslashes and other scripts, written into each of these, come back as they were
written; pages show them as text:

`

const pageFoot = `
Also tested: which role may call which route, for every route and role (go test ./app -run Role); a changed byte in any audited row,
audit row or exported checkpoint is named (go test ./app ./base/audit); PostgreSQL that is gone is answered with 503 and loses nothing
(go test ./test/crash); several people who edit the same see both versions (test/browser).
`
