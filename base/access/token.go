package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fairlead/fairlead/base/store"
)

// Token is an API token without its secret.
type Token struct {
	ID    string `json:"id"`
	Owner string `json:"owner"`
	// Name says what it is for.
	Name string `json:"name" example:"ci"`
	// Roles and Teams are what it may at most, and never more than its owner; none of a kind means all of the owner's.
	Roles     []Role    `json:"roles"`
	Teams     []string  `json:"teams"`
	ReadOnly  bool      `json:"readOnly"`
	CreatedAt time.Time `json:"createdAt"`
	ExpiresAt time.Time `json:"expiresAt"`
	UsedAt    time.Time `json:"usedAt,omitzero"`
	// Hint is the last characters of the secret.
	Hint string `json:"hint"`
}

// NewToken is what a token is made of.
type NewToken struct {
	Name     string
	Roles    []Role
	Teams    []string
	ReadOnly bool
	// Lifetime is how long it is good.
	Lifetime time.Duration
}

// CreateToken makes a token of a user and returns its secret, which is never shown again.
func (d *Directory) CreateToken(ctx context.Context, actor, owner string, n NewToken) (secret string, t Token, err error) {
	if n.Name == "" {
		return "", t, invalid("name", "it is empty: say what the token is for")
	}
	if err := checkText("name", n.Name, maxName); err != nil {
		return "", t, err
	}
	for _, role := range n.Roles {
		if !slices.Contains(Roles(), role) {
			return "", t, invalid("roles", "role %q is unknown: use viewer, responder, researcher, approver or admin", cut(string(role)))
		}
	}
	if len(n.Roles) > len(Roles()) || len(n.Teams) > maxTeams {
		return "", t, invalid("teams", "at most %d teams and each role once", maxTeams)
	}
	if n.Lifetime < time.Minute || n.Lifetime > d.cfg.TokenLifetime {
		return "", t, invalid("lifetime", "%s is not between 1m and %s (access.token_lifetime)", n.Lifetime, d.cfg.TokenLifetime)
	}
	secret = newSecret(TokenPrefix)
	now := d.now()
	t = Token{
		ID: newID("t"), Owner: normal(owner), Name: n.Name, Roles: append([]Role{}, n.Roles...), Teams: append([]string{}, n.Teams...), ReadOnly: n.ReadOnly,
		CreatedAt: now, ExpiresAt: now.Add(n.Lifetime), Hint: secret[len(secret)-4:],
	}
	err = d.write(ctx, func(ctx context.Context, tx store.Tx) error {
		u, _, err := findUser(ctx, tx, t.Owner)
		if err != nil {
			return err
		}
		if len(narrow(u.Grants, t.Roles, t.Teams)) == 0 {
			return invalid("roles", "nothing would be left of what %q may: ask for roles that %q has, in teams they hold for; to limit an admin's token to teams, name other roles than admin", t.Owner, t.Owner)
		}
		tokens, err := loadTokens(ctx, tx, t.Owner)
		if err != nil {
			return err
		}
		if len(tokens) >= maxTokens {
			return fmt.Errorf("%q has %d tokens already: revoke some: %w", t.Owner, len(tokens), ErrFull)
		}
		if err := insertToken(ctx, tx, hashOf(TokenPrefix, secret), &t); err != nil {
			return err
		}
		return attestRow(ctx, tx, &tokenTable, now, actor, "token.create", t.ID, "")
	})
	return secret, t, err
}

// ByToken returns who holds a token; ErrSecret when it is unknown or has expired.
func (d *Directory) ByToken(ctx context.Context, secret string) (*Identity, error) {
	hash := hashOf(TokenPrefix, secret)
	if hash == "" {
		d.unknown.Add(1)
		return nil, ErrSecret
	}
	t, u, err := findToken(ctx, d.db.Read(), hash)
	now := d.now()
	switch {
	case errors.Is(err, ErrNotFound), err == nil && (u.Disabled || !now.Before(t.ExpiresAt)):
		d.unknown.Add(1)
		return nil, ErrSecret
	case err != nil:
		return nil, err
	}
	d.touch(ctx, t.ID, now, t.UsedAt, func(ctx context.Context, tx store.Tx) error { return touchToken(ctx, tx, t.ID, now) })
	return &Identity{
		User: u.Name, Display: u.Display, Grants: narrow(u.Grants, t.Roles, t.Teams), Via: ByToken, ID: t.ID, Token: t.Name, ReadOnly: t.ReadOnly,
	}, nil
}

// Tokens returns the tokens of a user, newest first; owner "" returns everybody's.
func (d *Directory) Tokens(ctx context.Context, owner string) ([]Token, error) {
	return loadTokens(ctx, d.db.Read(), owner)
}

// RevokeToken ends a token; owner limits it to that user's, "" does not. ErrNotFound.
func (d *Directory) RevokeToken(ctx context.Context, actor, owner, id string) error {
	return d.write(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := ofOwner(ctx, tx, "api_tokens", id, owner); err != nil {
			return err
		}
		if err := removeToken(ctx, tx, id); err != nil {
			return err
		}
		return attestRow(ctx, tx, &tokenTable, d.now(), actor, "token.revoke", id, "")
	})
}
