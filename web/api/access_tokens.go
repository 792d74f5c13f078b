package api

import (
	"context"
	"net/http"
	"time"

	"github.com/fairlead/fairlead/base/access"
)

// TokenList holds API tokens.
type TokenList struct {
	Items []access.Token `json:"items"`
}

// TokenMade is a new token. The secret is never shown again.
type TokenMade struct {
	Token  access.Token `json:"token"`
	Secret string       `json:"secret" example:"flt_..."`
}

type createToken struct {
	Body struct {
		Name     string        `json:"name" maxLength:"64" doc:"What it is for." example:"ci"`
		Roles    []access.Role `json:"roles,omitempty" maxItems:"5" enum:"viewer,responder,researcher,approver,admin" doc:"What it may at most; none means all of your roles."`
		Teams    []string      `json:"teams,omitempty" maxItems:"100" doc:"Only these of your teams; none means all."`
		ReadOnly bool          `json:"readOnly,omitempty"`
		Lifetime string        `json:"lifetime,omitempty" default:"2160h" doc:"How long it is good." example:"720h"`
	}
}

func (a *API) tokenRoutes() {
	route(a, http.MethodGet, "/tokens", "listTokens", "List API tokens, without their secrets", a.listTokens)
	route(a, http.MethodPost, "/tokens", "createToken", "Make an API token; its secret is shown once", a.createToken)
	route(a, http.MethodDelete, "/tokens/{id}", "revokeToken", "Revoke a token", a.revokeToken)
}

func (a *API) listTokens(ctx context.Context, in *ownerQuery) (*body[TokenList], error) {
	whose, err := owner(ctx, in.Owner)
	if err != nil {
		return nil, err
	}
	tokens, err := a.cfg.People.Tokens(ctx, whose)
	if err != nil {
		return nil, err
	}
	return answer(TokenList{Items: tokens}), nil
}

func (a *API) createToken(ctx context.Context, in *createToken) (*body[TokenMade], error) {
	lifetime, err := time.ParseDuration(in.Body.Lifetime)
	if err != nil {
		return nil, invalid("body.lifetime", in.Body.Lifetime, "not a duration; write for instance 720h")
	}
	secret, token, err := a.cfg.People.CreateToken(ctx, actor(ctx), who(ctx).User, access.NewToken{
		Name: in.Body.Name, Roles: in.Body.Roles, Teams: in.Body.Teams, ReadOnly: in.Body.ReadOnly, Lifetime: lifetime,
	})
	if err != nil {
		return nil, accessError(err)
	}
	return answer(TokenMade{Token: token, Secret: secret}), nil
}

func (a *API) revokeToken(ctx context.Context, in *NamedPath) (*struct{}, error) {
	return nil, accessError(a.cfg.People.RevokeToken(ctx, actor(ctx), ownerOfAny(ctx), in.ID))
}
