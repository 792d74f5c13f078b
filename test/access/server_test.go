package access

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
	"github.com/fairlead/fairlead/test/postgres"
)

func TestFirstStartPrintsALinkThatMakesOneAdmin(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	link := s.firstLink()
	need.Eventually(t, 20*time.Second, "the link in the log", func() bool { return strings.Contains(s.err.String(), link) })
	b := s.browser()
	b.must(401, http.MethodGet, "/incidents", "", nil)
	var ways struct{ First bool }
	if b.must(200, http.MethodGet, "/login", "", &ways); !ways.First {
		t.Error("the login page is not told that nobody is admin")
	}
	b.must(422, http.MethodPost, "/links/open", `{"link":"`+link+`","name":"ann","password":"password1234"}`, nil)
	b.must(422, http.MethodPost, "/links/open", `{"link":"`+link+`","name":"<script>","password":"`+password+`"}`, nil)
	var who me
	b.must(200, http.MethodPost, "/links/open", `{"link":"`+link+`","name":"ann","password":"`+password+`"}`, &who)
	if who.User != "ann" || strings.Join(who.Roles, "") != "admin" {
		t.Errorf("she is %+v", who)
	}
	s.browser().must(410, http.MethodPost, "/links/open", `{"link":"`+link+`","name":"eve","password":"`+password+`"}`, nil)
	b.must(200, http.MethodGet, "/incidents", "", nil)
	// A restart keeps the session and prints no further link.
	s.kill()
	s.start()
	b.must(200, http.MethodGet, "/incidents", "", nil)
	if got := linkText.FindString(s.out.String()); got != "" {
		t.Error("a second link was printed")
	}
	// Whoever may read the data folder makes a new one, beside the server.
	out, err := s.command("access", "link", "--user", "ann").Output()
	if err != nil {
		t.Fatal(err)
	}
	other := s.browser()
	other.must(200, http.MethodPost, "/links/open", `{"link":"`+linkText.FindString(string(out))+`","password":"seven purple otters waltz"}`, &who)
	b.must(401, http.MethodGet, "/incidents", "", nil) // the new password has ended what was logged in
	if who.User != "ann" {
		t.Errorf("she is %+v", who)
	}
	if out, err := s.command("audit", "verify").CombinedOutput(); err != nil {
		t.Errorf("audit verify: %v: %s", err, out)
	}
}

func TestSessionsWithstandForeignPages(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	b := s.admin()
	const team = `{"name":"payments"}`
	csrf := b.csrf
	for name, headers := range map[string][]string{
		"without the token":       {"Fairlead-CSRF", ""},
		"with another token":      {"Fairlead-CSRF", "x" + csrf[1:]},
		"from another site":       {"Sec-Fetch-Site", "cross-site"},
		"from another origin":     {"Origin", "https://evil.example"},
		"from a page on the host": {"Origin", "http://127.0.0.1:1"},
		"from no origin":          {"Origin", "null"},
	} {
		if status, text := b.do(http.MethodPost, "/teams", team, nil, headers...); status != 403 {
			t.Errorf("%s: %d %s, want 403", name, status, text)
		}
	}
	for _, host := range []string{"evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8460", "0.0.0.0", "example.org"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			b.must(421, method, "/teams", team, nil, "Host", host)
		}
	}
	b.must(200, http.MethodPost, "/teams", team, nil, "Origin", s.url)
	// A session that somebody planted is not taken over by a login: the browser gets another one.
	planted := "fls_" + strings.Repeat("A", 43)
	fresh := s.browser()
	var who me
	fresh.must(200, http.MethodPost, "/login", `{"name":"ann","password":"`+password+`"}`, &who, "Cookie", "fairlead_session="+planted)
	s.browser().must(401, http.MethodGet, "/me", "", nil, "Cookie", "fairlead_session="+planted)
	// Log out here, and there by hand.
	fresh.csrf = who.CSRF
	var sessions struct{ Items []struct{ ID string } }
	b.must(200, http.MethodGet, "/sessions", "", &sessions)
	if len(sessions.Items) != 2 {
		t.Fatalf("%+v", sessions)
	}
	b.must(204, http.MethodDelete, "/sessions/"+who.Session, "", nil)
	fresh.must(401, http.MethodGet, "/me", "", nil)
	b.must(204, http.MethodPost, "/logout", "", nil)
	b.must(401, http.MethodGet, "/me", "", nil)
}

func TestOthersTokensAndSessionsAreOutOfReach(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	b := s.admin()
	vic := b.user("vic", `[{"role":"viewer"}]`)
	var mine, theirs struct {
		Secret string
		Token  struct{ ID string }
	}
	b.must(200, http.MethodPost, "/tokens", `{"name":"ci"}`, &theirs)
	vic.must(200, http.MethodPost, "/tokens", `{"name":"ci"}`, &mine)
	vic.must(422, http.MethodPost, "/tokens", `{"name":"more","roles":["admin"]}`, nil)
	vic.must(404, http.MethodDelete, "/tokens/"+theirs.Token.ID, "", nil)
	vic.must(403, http.MethodGet, "/tokens?owner=ann", "", nil)
	vic.must(403, http.MethodGet, "/sessions?owner=*", "", nil)
	if text := vic.must(200, http.MethodGet, "/tokens", "", nil); strings.Contains(text, theirs.Token.ID) || strings.Contains(text, mine.Secret) {
		t.Errorf("tokens: %s", text)
	}
	plain := s.browser()
	bearer := []string{"Authorization", "Bearer " + mine.Secret}
	plain.must(200, http.MethodGet, "/incidents", "", nil, bearer...)
	plain.must(403, http.MethodPost, "/tokens", `{"name":"further"}`, nil, bearer...)
	plain.must(403, http.MethodPost, "/password", `{"present":"`+password+`","next":"seven purple otters waltz"}`, nil, bearer...)
	b.must(204, http.MethodDelete, "/tokens/"+mine.Token.ID, "", nil)
	plain.must(401, http.MethodGet, "/incidents", "", nil, bearer...)
	// Two admins edit the same user: the second is told what it is now.
	b.must(200, http.MethodPut, "/users/vic", `{"grants":[{"role":"responder"}]}`, nil, "If-Match", `"1"`)
	if text := b.must(412, http.MethodPut, "/users/vic", `{"grants":[]}`, nil, "If-Match", `"1"`); !strings.Contains(text, `"present"`) || !strings.Contains(text, "responder") {
		t.Errorf("the answer does not say what it is now: %s", text)
	}
	b.must(422, http.MethodPut, "/users/vic", `{"grants":[]}`, nil)
	b.must(422, http.MethodPut, "/users/vic", `{"grants":[]}`, nil, "If-Match", "x")
}

// TestSendersStayAnonymousHereAndNobodyElseDoes looks at what works on this machine without a login, and what a proxy changes.
func TestSendersStayAnonymousHereAndNobodyElseDoes(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	b := s.browser()
	root := func(method, path, body string, headers ...string) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		for i := 0; i+1 < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		answer, err := b.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	const alert = `[{"labels":{"alertname":"A"}}]`
	for path, body := range map[string]string{"/api/v2/alerts": alert, "/in/json/any": `{"name":"x"}`, "/api/v2/silences": `{"matchers":[{"name":"a","value":"b","isRegex":false}],"startsAt":"2026-01-01T00:00:00Z","endsAt":"2099-01-01T00:00:00Z","createdBy":"x","comment":"x"}`} {
		if status := root(http.MethodPost, path, body); status == 401 || status == 403 {
			t.Errorf("POST %s from this machine: %d", path, status)
		}
		if status := root(http.MethodPost, path, body, "X-Forwarded-For", "203.0.113.7"); path != "/in/json/any" && status != 401 {
			t.Errorf("POST %s through a proxy: %d, want 401", path, status)
		}
	}
	for _, path := range []string{"/metrics", "/api/v2/alerts", "/api/v2/silences"} {
		if status := root(http.MethodGet, path, ""); status != 200 {
			t.Errorf("GET %s from this machine: %d", path, status)
		}
		if status := root(http.MethodGet, path, "", "X-Forwarded-For", "127.0.0.1"); status != 401 {
			t.Errorf("GET %s through a proxy: %d, want 401", path, status)
		}
	}
	for _, path := range []string{"/-/healthy", "/-/ready", "/"} {
		if status := root(http.MethodGet, path, "", "X-Forwarded-For", "203.0.113.7"); status == 401 {
			t.Errorf("GET %s through a proxy: %d", path, status)
		}
	}
	dev := serve(t, "", "--dev")
	dev.browser().must(200, http.MethodGet, "/me", "", nil)
	dev.browser().must(401, http.MethodGet, "/me", "", nil, "X-Forwarded-For", "127.0.0.1")
	off := serve(t, "access:\n  anonymous_loopback: false\n")
	s = off
	if status := root(http.MethodGet, "/metrics", ""); status != 401 {
		t.Errorf("switched off: %d", status)
	}
	if status := root(http.MethodPost, "/api/v2/alerts", alert); status != 401 && status != 404 { // there is no integration yet
		t.Errorf("switched off, alerts: %d", status)
	}
}

func TestAnAddressThatOthersReachNeedsSomebodyWhoCanLogIn(t *testing.T) {
	t.Parallel()
	s := &server{t: t, dir: t.TempDir(), environment: postgres.Environment(t)}
	refused := func(want string, args ...string) {
		t.Helper()
		out, err := s.command(append([]string{"serve", "--http.listen", "0.0.0.0:0", "--otlp.grpc.listen", "", "--otlp.http.listen", ""}, args...)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%v: %v: %s", args, err, out)
		}
	}
	refused("fairlead access link")
	refused("--dev", "--dev")
	out, err := s.command("access", "link", "--url", "https://fairlead.example.org").Output()
	if err != nil || !strings.HasPrefix(string(out), "https://fairlead.example.org/welcome#link=fll_") {
		t.Fatalf("%v: %s", err, out)
	}
	p := start(t, s.environment, need.Binary(t), "serve", "--data.dir", filepath.Join(s.dir, "data"), "--http.listen", "0.0.0.0:0", "--otlp.grpc.listen", "", "--otlp.http.listen", "")
	need.Eventually(t, 30*time.Second, "it to start", func() bool { return strings.Contains(p.err.String(), `"msg":"ready"`) })
	if linkText.FindString(p.out.String()) != "" {
		t.Error("it made a new link while one was good")
	}
}

// TestAnApprovedPurgeSurvivesKill9 kills the server as soon as a request was approved, again and again, until it is executed.
func TestAnApprovedPurgeSurvivesKill9(t *testing.T) {
	t.Parallel()
	s := serve(t, "", "--clock", "event")
	b := s.admin()
	second := b.user("bob", `[{"role":"approver"}]`)
	send := func(at time.Time, ends bool, count int) {
		t.Helper()
		var alerts []string
		for i := range count {
			text := fmt.Sprintf(`{"labels":{"alertname":"A%d","service":"cart","severity":"critical"},"startsAt":%q`, i, at.Add(-time.Hour).Format(time.RFC3339))
			if ends {
				text += fmt.Sprintf(`,"endsAt":%q`, at.Format(time.RFC3339))
			}
			alerts = append(alerts, text+"}")
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/api/v2/alerts", strings.NewReader("["+strings.Join(alerts, ",")+"]"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Fairlead-Event-Time", at.Format(time.RFC3339))
		r.Header.Set("Fairlead-Resolve-Timeout", "0")
		answer, err := http.DefaultClient.Do(r)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("send: %v", err)
		}
		_ = answer.Body.Close()
	}
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	send(begin, false, 8000)
	send(begin.Add(time.Hour), true, 8000)
	send(begin.AddDate(0, 3, 0), false, 1)
	b.must(200, http.MethodGet, "/clock", "", nil)
	var asked struct {
		ID, State, Result string
		Done              int
	}
	b.must(202, http.MethodPost, "/purges", `{"olderThanDays":30,"reason":"old"}`, &asked)
	second.must(200, http.MethodPost, "/approvals/"+asked.ID+"/approve", `{"reason":"agreed"}`, nil)
	kills, between := 0, 0
	for ; kills < 30; kills++ {
		s.kill()
		s.start()
		b.must(200, http.MethodGet, "/approvals/"+asked.ID, "", &asked)
		if asked.State == "executed" {
			break
		}
		between++
	}
	need.Eventually(t, 60*time.Second, "it to be executed", func() bool {
		b.must(200, http.MethodGet, "/approvals/"+asked.ID, "", &asked)
		return asked.State == "executed"
	})
	if asked.Done != 8000 {
		t.Errorf("%d alerts were removed, want 8000 (%s)", asked.Done, asked.Result)
	}
	t.Logf("%d kills, %d of them before it was executed", kills+1, between+1)
	if out, err := s.command("audit", "verify").CombinedOutput(); err != nil {
		t.Errorf("audit verify: %v: %s", err, out)
	}
}
