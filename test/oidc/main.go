// Command oidc is a real provider of OpenID Connect for tests: zitadel's certified library with its example storage, two
// users of the test's own, and a door by which the test changes their groups. It is a module of its own, so that its
// dependencies are none of Fairlead's.
//
//	oidc LISTEN REDIRECT_URI
//
// Users are ann and bob, their passwords "verysecure". POST /test?user=ann&groups=a,b&email=x&verified=false changes one.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// people are the users with their groups.
type people struct {
	mu     sync.Mutex
	users  map[string]*storage.User // guarded by mu
	groups map[string][]string      // guarded by mu
}

// GetUserByID is storage.UserStore's.
func (p *people) GetUserByID(id string) *storage.User {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.users[id]
}

// GetUserByUsername is storage.UserStore's.
func (p *people) GetUserByUsername(name string) *storage.User { return p.GetUserByID(name) }

// ExampleClientID is storage.UserStore's.
func (p *people) ExampleClientID() string { return "service" }

// store adds groups to what the example tells of a user.
type store struct {
	*storage.Storage
	people *people
}

// SetUserinfoFromToken is op.Storage's.
func (s *store) SetUserinfoFromToken(ctx context.Context, info *oidc.UserInfo, tokenID, subject, origin string) error {
	if err := s.Storage.SetUserinfoFromToken(ctx, info, tokenID, subject, origin); err != nil {
		return err
	}
	s.people.mu.Lock()
	defer s.people.mu.Unlock()
	info.AppendClaims("groups", s.people.groups[subject])
	return nil
}

// SetUserinfoFromRequest is op.CanSetUserinfoFromRequest's.
func (s *store) SetUserinfoFromRequest(ctx context.Context, info *oidc.UserInfo, token op.IDTokenRequest, scopes []string) error {
	return s.Storage.SetUserinfoFromRequest(ctx, info, token, scopes)
}

// change is the test's door.
func (p *people) change(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := r.URL.Query()
	name := q.Get("user")
	if p.users[name] == nil {
		http.Error(w, "no such user", http.StatusNotFound)
		return
	}
	u := *p.users[name]
	if q.Has("groups") {
		p.groups[name] = strings.FieldsFunc(q.Get("groups"), func(c rune) bool { return c == ',' })
	}
	if q.Has("email") {
		u.Email = q.Get("email")
	}
	if q.Has("verified") {
		u.EmailVerified = q.Get("verified") == "true"
	}
	p.users[name] = &u
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: oidc LISTEN REDIRECT_URI")
		os.Exit(2)
	}
	listen, redirect := os.Args[1], os.Args[2]
	issuer := "http://" + listen + "/"
	p := &people{users: map[string]*storage.User{}, groups: map[string][]string{}}
	for _, name := range []string{"ann", "bob"} {
		p.users[name] = &storage.User{
			ID: name, Username: name, Password: "verysecure", FirstName: strings.ToUpper(name[:1]) + name[1:], LastName: "Example",
			Email: name + "@example.org", EmailVerified: true,
		}
	}
	storage.RegisterClients(storage.WebClient("fairlead", "secret", redirect))
	router := exampleop.SetupServer(issuer, &store{storage.NewStorage(p), p}, slog.New(slog.DiscardHandler), false, op.WithAllowInsecure())
	mux := http.NewServeMux()
	mux.HandleFunc("POST /test", p.change)
	mux.Handle("/", router)
	server := &http.Server{Addr: listen, Handler: mux} //nolint:gosec // a test's
	if err := server.ListenAndServe(); err != nil {
		fmt.Fprintln(os.Stderr, "oidc:", err)
		os.Exit(1)
	}
}
