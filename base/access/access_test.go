package access

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/test/postgres"
)

const good = "violet tractor nine lamp"

var home = Peer{Address: netip.MustParseAddr("192.0.2.1")}

// world is a directory on a real database whose time the test moves.
type world struct {
	*Directory
	t   *testing.T
	mu  sync.Mutex
	at  time.Time // guarded by mu
	dbs *store.DB
}

func open(t *testing.T) *world {
	t.Helper()
	db, err := store.Open(t.Context(), postgres.Config(t), "ops", store.Schema(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := &world{Directory: New(db, DefaultConfig(), slog.New(slog.DiscardHandler)), t: t, at: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), dbs: db}
	w.now = func() time.Time {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.at
	}
	return w
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

func (w *world) user(name string, grants ...Grant) Login {
	w.t.Helper()
	_, link, err := w.CreateUser(w.t.Context(), "root", name, Edit{Grants: grants})
	if err != nil {
		w.t.Fatal(err)
	}
	login, err := w.OpenLink(w.t.Context(), Opening{Secret: link.Secret, Password: good}, "", home)
	if err != nil {
		w.t.Fatal(err)
	}
	return login
}

func (w *world) verify() {
	w.t.Helper()
	report, err := audit.Verify(w.t.Context(), w.dbs.Read(), Checks()...)
	if err != nil || len(report.Problems) > 0 {
		w.t.Errorf("verify: %v %+v", err, report.Problems)
	}
}

func TestASessionEndsWhenIdleWhenOldAndWhenTheBrowserLogsInAgain(t *testing.T) {
	w := open(t)
	first := w.user("ann", Grant{Role: Viewer})
	alive := func(secret string) bool {
		t.Helper()
		_, err := w.BySession(t.Context(), secret)
		if err != nil && !errors.Is(err, ErrSecret) {
			t.Fatal(err)
		}
		return err == nil
	}
	if !alive(first.Secret) {
		t.Fatal("it ended at once")
	}
	second, err := w.Login(t.Context(), "ANN ", good, first.Secret, home)
	if err != nil {
		t.Fatal(err)
	}
	if alive(first.Secret) || !alive(second.Secret) || first.Secret == second.Secret {
		t.Error("logging in again kept the session that the browser showed")
	}
	w.pass(w.cfg.SessionIdle - time.Minute)
	if !alive(second.Secret) {
		t.Error("it ended before it was idle for long enough")
	}
	w.pass(w.cfg.SessionIdle - time.Minute)
	if !alive(second.Secret) {
		t.Error("its use did not keep it alive")
	}
	w.pass(w.cfg.SessionIdle)
	if alive(second.Secret) {
		t.Error("it outlived being idle")
	}
	third, err := w.Login(t.Context(), "ann", good, "", home)
	if err != nil {
		t.Fatal(err)
	}
	for range 30 {
		w.pass(w.cfg.SessionIdle / 2)
		alive(third.Secret)
	}
	if alive(third.Secret) {
		t.Error("it outlived its lifetime by being used")
	}
	w.verify()
}

func TestAChangedPasswordEndsOtherSessions(t *testing.T) {
	w := open(t)
	one := w.user("ann", Grant{Role: Viewer})
	two, err := w.Login(t.Context(), "ann", good, "", home)
	if err != nil {
		t.Fatal(err)
	}
	const next = "seven purple otters waltz"
	var bad *InvalidError
	if err := w.ChangePassword(t.Context(), "ann", good, "short", two.Secret, home.Address); !errors.As(err, &bad) {
		t.Errorf("a short one: %v", err)
	}
	if err := w.ChangePassword(t.Context(), "ann", "wrong", next, two.Secret, home.Address); !errors.Is(err, ErrLogin) {
		t.Errorf("without the present one: %v", err)
	}
	if err := w.ChangePassword(t.Context(), "ann", good, next, two.Secret, home.Address); err != nil {
		t.Fatal(err)
	}
	if _, err := w.BySession(t.Context(), one.Secret); !errors.Is(err, ErrSecret) {
		t.Errorf("the other session: %v", err)
	}
	if _, err := w.BySession(t.Context(), two.Secret); err != nil {
		t.Errorf("the own session: %v", err)
	}
	if _, err := w.Login(t.Context(), "ann", good, "", home); !errors.Is(err, ErrLogin) {
		t.Errorf("the old password: %v", err)
	}
}

func TestALinkWorksOnceEvenForManyAtOnce(t *testing.T) {
	w := open(t)
	link, err := w.AdminLink(t.Context(), "test", "")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	results := make(chan error, 8)
	for i := range 8 {
		group.Go(func() {
			_, err := w.OpenLink(t.Context(), Opening{Secret: link.Secret, Name: "admin" + string(rune('a'+i)), Password: good}, "", home)
			results <- err
		})
	}
	group.Wait()
	close(results)
	won := 0
	for err := range results {
		if err == nil {
			won++
		} else if !errors.Is(err, ErrSecret) {
			t.Errorf("lost with %v", err)
		}
	}
	users, err := w.Users(t.Context())
	if won != 1 || len(users) != 1 || err != nil {
		t.Errorf("%d opened it, %d users, %v", won, len(users), err)
	}
	old, err := w.AdminLink(t.Context(), "test", "")
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := w.AdminLink(t.Context(), "test", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.FindLink(t.Context(), old.Secret); !errors.Is(err, ErrSecret) {
		t.Errorf("the link before: %v", err)
	}
	w.pass(LinkLifetime)
	if _, err := w.FindLink(t.Context(), fresh.Secret); !errors.Is(err, ErrSecret) {
		t.Errorf("an expired link: %v", err)
	}
	w.verify()
}

func TestNoSecretIsStored(t *testing.T) {
	w := open(t)
	login := w.user("ann", Grant{Role: Admin})
	token, _, err := w.CreateToken(t.Context(), "ann", "ann", NewToken{Name: "ci", Lifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	link, err := w.AdminLink(t.Context(), "ann", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"users", "sessions", "api_tokens", "access_links", "audit_leaves"} {
		rows, err := w.dbs.Read().QueryContext(t.Context(), "SELECT * FROM "+table)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values := make([]any, len(columns))
			into := make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			for i, value := range values {
				text, isText := value.(string)
				if data, ok := value.([]byte); ok {
					text, isText = string(data), true
				}
				for _, secret := range []string{good, login.Secret, token, link.Secret} {
					if isText && strings.Contains(text, secret) {
						t.Errorf("%s.%s holds a secret", table, columns[i])
					}
				}
				if isText && table == "audit_leaves" && strings.Contains(text, "argon2") {
					t.Error("the audit log holds a hash of a password")
				}
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheLastAdminStaysAndEditsOfOldVersionsAreRefused(t *testing.T) {
	w := open(t)
	w.user("ann", Grant{Role: Admin})
	for name, e := range map[string]Edit{"demoted": {Grants: []Grant{{Role: Viewer}}}, "disabled": {Grants: []Grant{{Role: Admin}}, Disabled: true}} {
		if _, err := w.UpdateUser(t.Context(), "ann", "ann", 1, e); !errors.Is(err, ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.DeleteUser(t.Context(), "ann", "ann", "", 1); !errors.Is(err, ErrConflict) {
		t.Errorf("deleted: %v", err)
	}
	w.user("bob", Grant{Role: Admin})
	if _, err := w.UpdateUser(t.Context(), "bob", "ann", 1, Edit{Grants: []Grant{{Role: Viewer}}}); err != nil {
		t.Errorf("with a second admin: %v", err)
	}
	if now, err := w.UpdateUser(t.Context(), "bob", "ann", 1, Edit{}); !errors.Is(err, ErrChanged) || now.Version != 2 {
		t.Errorf("an old version: %+v, %v", now, err)
	}
	w.verify()
}

func TestATokenNeverMayMoreThanItsOwnerNow(t *testing.T) {
	everywhere := []Grant{{Role: Admin}}
	limited := []Grant{{Role: Responder, Teams: []string{"a", "b"}}, {Role: Viewer}}
	for _, test := range []struct {
		name   string
		owner  []Grant
		roles  []Role
		teams  []string
		result []Grant
	}{
		{"all of the owner's", limited, nil, nil, limited},
		{"one role of them", limited, []Role{Responder}, nil, []Grant{{Role: Responder, Teams: []string{"a", "b"}}}},
		{"a role that the owner has not", limited, []Role{Admin}, nil, nil},
		{"a stronger role than the owner's", []Grant{{Role: Viewer}}, []Role{Responder, Admin}, nil, nil},
		{"teams of the owner's", limited, []Role{Responder}, []string{"b", "c"}, []Grant{{Role: Responder, Teams: []string{"b"}}}},
		{"teams that are not the owner's", limited, []Role{Responder}, []string{"c"}, nil},
		{"an admin's for responding", everywhere, []Role{Responder}, []string{"a"}, []Grant{{Role: Responder, Teams: []string{"a"}}}},
		{"an admin's, limited to a team", everywhere, nil, []string{"a"}, nil},
		{"a responder's for viewing", []Grant{{Role: Responder, Teams: []string{"a"}}}, []Role{Viewer}, nil, []Grant{{Role: Viewer, Teams: []string{"a"}}}},
	} {
		if diff := cmp.Diff(test.result, narrow(test.owner, test.roles, test.teams)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	w := open(t)
	w.user("ann", Grant{Role: Responder})
	w.user("root", Grant{Role: Admin})
	secret, _, err := w.CreateToken(t.Context(), "ann", "ann", NewToken{Name: "ci", Lifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.UpdateUser(t.Context(), "root", "ann", 1, Edit{Grants: []Grant{{Role: Viewer}}}); err != nil {
		t.Fatal(err)
	}
	id, err := w.ByToken(t.Context(), secret)
	if err != nil || id.Has(Responder) || !id.Has(Viewer) {
		t.Errorf("after its owner was demoted: %+v, %v", id, err)
	}
	w.pass(time.Hour)
	if _, err := w.ByToken(t.Context(), secret); !errors.Is(err, ErrSecret) {
		t.Errorf("expired: %v", err)
	}
}

func TestGuessingIsSlowedDownWithoutLockingThePersonOut(t *testing.T) {
	var throttle Throttle
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	office, foreign := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("203.0.113.7")
	for range pairFree - 1 {
		throttle.Failed("ann", foreign, now)
	}
	if wait := throttle.Wait("ann", foreign, false, now); wait != 0 {
		t.Errorf("before the bound: %s", wait)
	}
	throttle.Failed("ann", foreign, now)
	if wait := throttle.Wait("ann", foreign, false, now); wait != firstWait {
		t.Errorf("at the bound: %s, want %s", wait, firstWait)
	}
	if wait := throttle.Wait("ann", office, false, now); wait != 0 {
		t.Errorf("from elsewhere: %s", wait)
	}
	for i := range 1000 { // from many addresses
		throttle.Failed("ann", netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), now)
	}
	if wait := throttle.Wait("ann", netip.MustParseAddr("198.51.100.1"), false, now); wait <= 0 || wait > maxWait {
		t.Errorf("from an address that is new: %s", wait)
	}
	if wait := throttle.Wait("ann", office, true, now); wait != 0 {
		t.Errorf("from where she has logged in before: %s", wait)
	}
	if wait := throttle.Wait("ann", netip.MustParseAddr("198.51.100.1"), false, now.Add(maxWait)); wait != 0 {
		t.Errorf("after the longest wait: %s", wait)
	}
	for i := range addressFree {
		throttle.Failed(strings.Repeat("x", i+1), foreign, now)
	}
	if wait := throttle.Wait("new", foreign, false, now); wait <= 0 {
		t.Error("one address may try any number of names")
	}
	for i := range 2 * remembered {
		throttle.Failed(strings.Repeat("y", i%50)+string(rune(i)), netip.AddrFrom4([4]byte{11, byte(i >> 16), byte(i >> 8), byte(i)}), now)
	}
	if n := len(throttle.counts); n > remembered {
		t.Errorf("%d entries are remembered", n)
	}
	v6 := netip.MustParseAddr
	for i := range pairFree {
		throttle.Failed("bob", v6("2001:db8::"+string(rune('1'+i))), now)
	}
	if wait := throttle.Wait("bob", v6("2001:db8::ffff"), false, now); wait <= 0 {
		t.Error("addresses of one IPv6 network count apart")
	}
}

func TestALockedNameAndAnUnknownNameAreAnsweredAlike(t *testing.T) {
	w := open(t)
	w.user("ann", Grant{Role: Viewer})
	elsewhere := Peer{Address: netip.MustParseAddr("203.0.113.9")}
	for _, name := range []string{"ann", "nobody"} {
		for range pairFree {
			if _, err := w.Login(t.Context(), name, "wrong password here", "", elsewhere); !errors.Is(err, ErrLogin) {
				t.Errorf("%s: %v", name, err)
			}
		}
		var wait *WaitError
		if _, err := w.Login(t.Context(), name, good, "", elsewhere); !errors.As(err, &wait) {
			t.Errorf("%s: %v, want a wait", name, err)
		}
	}
	if _, err := w.Login(t.Context(), "ann", good, "", home); err != nil {
		t.Errorf("from home: %v", err)
	}
	if c := w.Counts(); c.Failed != 2*pairFree || c.Delayed != 2 {
		t.Errorf("counted %+v", c)
	}
}

// TestAnUnknownNameTakesAsLong compares times; each takes one hash, so a missing one would be off by a factor of thousands.
func TestAnUnknownNameTakesAsLong(t *testing.T) {
	h := newHasher()
	real, err := h.hash(t.Context(), good)
	if err != nil {
		t.Fatal(err)
	}
	took := func(hash string) time.Duration {
		best := time.Hour
		for range 5 {
			began := time.Now()
			if ok, err := h.matches(t.Context(), "wrong password here", hash); ok || err != nil {
				t.Fatal(ok, err)
			}
			best = min(best, time.Since(began))
		}
		return best
	}
	known, unknown := took(real), took("")
	if unknown < known/4 || unknown > known*4 {
		t.Errorf("known %s, unknown %s", known, unknown)
	}
	if ok, err := h.matches(t.Context(), good, real); !ok || err != nil {
		t.Errorf("the right password: %t, %v", ok, err)
	}
	for _, damaged := range []string{"$", "$argon2id$v=19$m=1,t=1,p=1$AA$AA", "$argon2id$v=19$m=99999999,t=1,p=1$AAAAAAAAAAAAAAAA$AA", strings.Repeat("$", 5)} {
		if ok, err := h.matches(t.Context(), good, damaged); ok || err == nil {
			t.Errorf("%q: %t, %v", damaged, ok, err)
		}
	}
}

func TestPasswordsThatAreGuessedAreRefused(t *testing.T) {
	for _, password := range []string{
		"", "short", "password1234", "123456789012", "qwertyuiop12", "aaaaaaaaaaaaaaaa", "ann.smith2026", "fairleadfairlead", "iloveyou1234", strings.Repeat("a1", 300), "\xff\xfe invalid utf8 \xff",
	} {
		if CheckPassword(password, "ann.smith") == nil {
			t.Errorf("%.20q is taken", password)
		}
	}
	for _, password := range []string{good, "Xk9#vLq2!mZpw7", "корова лошадь батарея скоба", "   spaces are fine too   "} {
		if err := CheckPassword(password, "ann"); err != nil {
			t.Errorf("%q: %v", password, err)
		}
	}
}

func TestWhereARequestComesFrom(t *testing.T) {
	o, err := NewOrigins("127.0.0.1:8460", "https://fairlead.example.org", []string{"Other.example.org"}, []string{"10.0.0.0/8", "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	request := func(remote, host string, headers ...string) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://x/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.RemoteAddr, r.Host = remote, host
		for i := 0; i+1 < len(headers); i += 2 {
			r.Header.Add(headers[i], headers[i+1])
		}
		return r
	}
	for _, test := range []struct {
		name     string
		r        *http.Request
		address  string
		loopback bool
		secure   bool
	}{
		{"this machine", request("127.0.0.1:5", "127.0.0.1:8460"), "127.0.0.1", true, false},
		{"this machine by IPv6", request("[::1]:5", "localhost:8460"), "::1", true, false},
		{"this machine by a mapped address", request("[::ffff:127.0.0.1]:5", "localhost"), "127.0.0.1", true, false},
		{"asked for by its outer name", request("127.0.0.1:5", "fairlead.example.org"), "127.0.0.1", false, false},
		{"through a trusted proxy", request("127.0.0.1:5", "127.0.0.1", "X-Forwarded-For", "203.0.113.7", "X-Forwarded-Proto", "https"), "203.0.113.7", false, true},
		{"a sender that claims to be this machine", request("127.0.0.1:5", "127.0.0.1", "X-Forwarded-For", "127.0.0.1, 203.0.113.7"), "203.0.113.7", false, false},
		{"through two proxies", request("10.1.1.1:5", "fairlead.example.org", "X-Forwarded-For", "1.2.3.4, 203.0.113.7, 10.0.0.9"), "203.0.113.7", false, false},
		{"headers of somebody untrusted", request("203.0.113.9:5", "fairlead.example.org", "X-Forwarded-For", "127.0.0.1", "X-Forwarded-Proto", "https"), "203.0.113.9", false, false},
		{"an empty header", request("127.0.0.1:5", "127.0.0.1", "X-Forwarded-For", ""), "127.0.0.1", false, false},
		{"another header of a proxy", request("127.0.0.1:5", "127.0.0.1", "Forwarded", "for=1.2.3.4"), "127.0.0.1", false, false},
		{"nonsense", request("nowhere", "127.0.0.1"), "invalid IP", false, false},
	} {
		p := o.Peer(test.r)
		if p.Address.String() != test.address || p.Loopback != test.loopback || p.Secure != test.secure {
			t.Errorf("%s: %s, loopback %t, secure %t", test.name, p.Address, p.Loopback, p.Secure)
		}
	}
	for host, want := range map[string]bool{
		"127.0.0.1:8460": true, "localhost": true, "LOCALHOST:1": true, "[::1]:8460": true, "127.9.9.9": true, "fairlead.example.org": true, "fairlead.example.org.": true,
		"other.example.org:8460": true, "evil.example": false, "localhost.evil.example": false, "127.0.0.1.evil.example": false, "": false, "192.0.2.1": false,
	} {
		if got := o.Serves(request("127.0.0.1:5", host)); got != want {
			t.Errorf("serves %q: %t", host, got)
		}
	}
	for _, bad := range [][3]string{{"https://h", "", ""}, {"", "ftp://x", ""}, {"", "https://user@x", ""}, {"", "https://x/path", ""}, {"", "", "nginx"}} {
		var hosts, proxies []string
		if bad[0] != "" {
			hosts = []string{bad[0]}
		}
		if bad[2] != "" {
			proxies = []string{bad[2]}
		}
		if _, err := NewOrigins("127.0.0.1:1", bad[1], hosts, proxies); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}

// TestTextsOfEveryKindAreRefusedOrKeptAsTheyAre puts SQL and HTML into every field.
func TestTextsOfEveryKindAreRefusedOrKeptAsTheyAre(t *testing.T) {
	w := open(t)
	w.user("root", Grant{Role: Admin})
	for _, text := range []string{`'; DROP TABLE users; --`, `<script>alert(1)</script>`, `" OR "1"="1`, "?", "%s", "{{.}}", "\\", strings.Repeat("x", 150)} {
		u, err := w.UpdateUser(t.Context(), "root", "root", w.version("root"), Edit{Display: text, Email: text, Reason: text, Grants: []Grant{{Role: Admin}}})
		if err != nil || u.Display != text {
			t.Errorf("display %q: %q, %v", text, u.Display, err)
		}
		var bad *InvalidError
		if _, _, err := w.CreateUser(t.Context(), "root", text, Edit{}); len(text) < 100 && !errors.As(err, &bad) {
			t.Errorf("a user named %q: %v", text, err)
		}
		if _, err := w.CreateTeam(t.Context(), "root", text, ""); len(text) < 60 && !errors.As(err, &bad) {
			t.Errorf("a team named %q: %v", text, err)
		}
		if _, err := w.User(t.Context(), text); !errors.Is(err, ErrNotFound) {
			t.Errorf("user %q: %v", text, err)
		}
		if err := w.EndSession(t.Context(), "root", "", text); !errors.Is(err, ErrNotFound) {
			t.Errorf("session %q: %v", text, err)
		}
		if err := w.RevokeToken(t.Context(), "root", "", text); !errors.Is(err, ErrNotFound) {
			t.Errorf("token %q: %v", text, err)
		}
		if _, err := w.Login(t.Context(), text, text, text, home); !errors.Is(err, ErrLogin) {
			if _, wait := errors.AsType[*WaitError](err); !wait {
				t.Errorf("login as %q: %v", text, err)
			}
		}
	}
	for _, text := range []string{"a\x00b", "a\nb", "\xff", strings.Repeat("x", 2000)} {
		if _, err := w.UpdateUser(t.Context(), "root", "root", w.version("root"), Edit{Display: text, Grants: []Grant{{Role: Admin}}}); err == nil {
			t.Errorf("display %.10q is taken", text)
		}
	}
	w.verify()
}

func (w *world) version(name string) int64 {
	w.t.Helper()
	u, err := w.User(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	return u.Version
}

func TestAChangedUserRowIsNamedByTheAuditLog(t *testing.T) {
	w := open(t)
	w.user("ann", Grant{Role: Viewer})
	err := w.dbs.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
		return exec(ctx, tx, "tamper", "UPDATE users SET body = replace(body, 'viewer', 'admin')")
	})
	if err != nil {
		t.Fatal(err)
	}
	report, err := audit.Verify(t.Context(), w.dbs.Read(), Checks()...)
	if err != nil || len(report.Problems) != 1 || !strings.Contains(report.Problems[0].Name, "ann") {
		t.Errorf("%v %+v", err, report.Problems)
	}
}

func FuzzSecretsAndHashes(f *testing.F) {
	f.Add(newSecret(TokenPrefix))
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		if hash := hashOf(TokenPrefix, text); hash != "" && (len(hash) != 64 || !strings.HasPrefix(text, TokenPrefix)) {
			t.Errorf("%q has hash %q", text, hash)
		}
		memory, passes, threads, salt, key, err := parseHash(text)
		if err == nil && (memory > 1<<20 || passes > 64 || threads < 1 || len(salt) < 8 || len(key) != argonKey) {
			t.Errorf("%q is taken", text)
		}
		if path := localPath(text); !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.Contains(path, "\\") {
			t.Errorf("%q leads to %q", text, path)
		}
		if name := nameLike(text); checkUserName(name) != nil && name != Loopback && name != "engine" {
			t.Errorf("%q makes the name %q", text, name)
		}
	})
}
