package receive

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/base/integration"
)

// Gate lets senders in, passes their requests on, and shows people what came. It is safe for concurrent use.
type Gate struct {
	Integrations *integration.Registry
	Redactor     *integration.Redactor
	// Anonymous says that a request from this machine needs no key.
	Anonymous func(r *http.Request) bool
	// Tee passes requests on for the integrations that want it; nil passes nothing on.
	Tee *Tee
}

// Admit finds the integration that a request belongs to. knock says what the protocol knows of it.
func (g *Gate) Admit(ctx context.Context, r *http.Request, knock integration.Knock) (*integration.Integration, *Problem) {
	if name, ok := ctx.Value(replayKey{}).(string); ok {
		if i, _, _, err := g.Integrations.Find(name); err == nil {
			return i, nil
		}
	}
	ip := net.ParseIP(SenderOf(r, "").Address)
	knock.Loopback = ip != nil && ip.IsLoopback() && g.Anonymous(r)
	if id := access.From(ctx); id != nil && id.Via == access.ByToken && !id.ReadOnly && strings.HasPrefix(knock.Secret, access.TokenPrefix) {
		// An API token that may change something may send, as if on this machine: it is no key of the integration.
		if _, ok := id.Scope(access.Responder, access.Admin); ok {
			knock.Secret, knock.Verified, knock.Loopback = "", true, true
		}
	}
	i, err := g.Integrations.Admit(ctx, knock)
	switch {
	case err == nil:
		return i, nil
	case errors.Is(err, integration.ErrKey):
		return nil, &Problem{
			Status: http.StatusUnauthorized, Detail: "The key is missing or wrong.", cause: err,
			Errors: []FieldError{{Field: "key", Value: hint(knock.Secret), Remedy: "send the key of the integration; make a new one on the page Integrations if it was lost"}},
		}
	case errors.Is(err, integration.ErrKind):
		return nil, &Problem{
			Status: http.StatusNotFound, Detail: "The integration of this name is of another kind.", cause: err,
			Errors: []FieldError{{Field: "path.integration", Value: Excerpt(knock.Name), Remedy: "use the address of its own kind, or make an integration of kind " + knock.Kind + " with another name"}},
		}
	case errors.Is(err, integration.ErrNotFound), errors.Is(err, integration.ErrInvalid):
		return nil, &Problem{
			Status: http.StatusNotFound, Detail: "There is no such integration.", cause: err,
			Errors: []FieldError{{Field: "path.integration", Value: Excerpt(knock.Name), Remedy: "make an integration of kind " + knock.Kind + " on the page Integrations, and use its address"}},
		}
	case errors.Is(err, integration.ErrFull):
		return nil, &Problem{Status: http.StatusInsufficientStorage, Detail: err.Error() + ".", cause: err}
	}
	problem := PublishProblem(fmt.Errorf("%w: %w", ErrUnavailable, err))
	return nil, problem
}

// hint shows of a secret what does not give it away.
func hint(secret string) string {
	switch {
	case secret == "":
		return ""
	case len(secret) < 12:
		return "..."
	}
	return "..." + secret[len(secret)-4:]
}

// SecretOf returns the key that a request shows in one of the usual places: bearer or other authorization with a single
// word, the password of basic authorization, X-Api-Key, or the query's token or access_token.
func SecretOf(r *http.Request) string {
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	if _, key, found := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " "); found {
		return strings.TrimSpace(key)
	}
	for _, secret := range []string{r.Header.Get("X-Api-Key"), r.URL.Query().Get("token"), r.URL.Query().Get("access_token")} {
		if secret != "" {
			return secret
		}
	}
	return ""
}

// pin remembers what the first request showed, and refuses a request that shows something else.
func (g *Gate) pin(ctx context.Context, r *Request, pin string) *Problem {
	refused := &Problem{
		Status: http.StatusForbidden, Detail: "This integration belongs to another origin.",
		Errors: []FieldError{{Field: "origin", Value: Excerpt(pin), Remedy: "make an integration of its own for it"}},
	}
	if r.Integration.Pinned != "" {
		return refused
	}
	i, err := g.Integrations.Update(ctx, r.Integration.Name, 0, "first request", "integration.pin", func(i *integration.Integration) error {
		if i.Pinned == "" {
			i.Pinned = pin
		}
		return nil
	})
	if err != nil {
		return PublishProblem(fmt.Errorf("%w: %w", ErrUnavailable, err))
	}
	if i.Pinned != pin {
		return refused
	}
	return nil
}
