package access

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/base/store"
)

// provider is who acts when a login through the provider changes roles.
const provider = "oidc"

// grantsOf returns what groups give, one grant a rule that applies.
func grantsOf(rules []GroupRule, groups []string) []Grant {
	var grants []Grant
	for _, rule := range rules {
		if rule.Group != "*" && !slices.Contains(groups, rule.Group) {
			continue
		}
		g := Grant{Role: rule.Role, Teams: slices.Clone(rule.Teams)}
		if !slices.ContainsFunc(grants, func(have Grant) bool { return have.Role == g.Role && slices.Equal(have.Teams, g.Teams) }) {
			grants = append(grants, g)
		}
	}
	return grants[:min(len(grants), maxGrants)]
}

// allowed reports whether an e-mail address may log in.
func allowed(domains []string, c claims) bool {
	if len(domains) == 0 {
		return true
	}
	_, domain, found := strings.Cut(strings.ToLower(c.Email), "@")
	verified := c.Verified == true || c.Verified == "true"
	return found && verified && slices.ContainsFunc(domains, func(d string) bool { return strings.EqualFold(d, domain) })
}

// loginByProvider finds or makes the user that claims are about, sets the roles, and opens a session. A user is known by
// issuer and subject alone: neither name nor e-mail address takes over the account of somebody else.
func (d *Directory) loginByProvider(ctx context.Context, cfg OIDCConfig, issuer string, c claims, groups []string, replaced string, peer Peer) (login Login, err error) {
	if !allowed(cfg.Domains, c) {
		d.failed.Add(1)
		return login, ErrDomain
	}
	grants := grantsOf(cfg.Groups, groups)
	secret := newSecret(sessionPrefix)
	lost := false
	err = d.write(ctx, func(ctx context.Context, tx store.Tx) error {
		u, _, err := findUserBy(ctx, tx, "subject", issuer+"|"+c.Subject)
		switch {
		case errors.Is(err, ErrNotFound) && len(grants) == 0:
			return ErrNoRole
		case errors.Is(err, ErrNotFound):
			if u, err = d.userOf(ctx, tx, issuer, c, grants); err != nil {
				return err
			}
		case err != nil:
			return err
		case !sameGrants(u.Grants, grants):
			u.Grants, u.Version = append([]Grant{}, grants...), u.Version+1
			if err := saveUser(ctx, tx, &u); err != nil {
				return err
			}
			if err := attestRow(ctx, tx, &userTable, d.now(), provider, "user.update", u.Name, "groups of the provider"); err != nil {
				return err
			}
		}
		if len(grants) == 0 { // the user loses the roles, and what is logged in with them
			lost = true
			return endSessions(ctx, tx, u.Name, "")
		}
		login, err = d.openWithin(ctx, tx, u.Name, secret, replaced, peer, "session.login")
		return err
	})
	switch {
	case err == nil && lost:
		err = ErrNoRole
		fallthrough
	case err != nil:
		d.failed.Add(1)
	default:
		d.passed.Add(1)
	}
	return login, err
}

func sameGrants(a, b []Grant) bool {
	return slices.EqualFunc(a, b, func(x, y Grant) bool { return x.Role == y.Role && slices.Equal(x.Teams, y.Teams) })
}

// userOf makes the user at the first login, with a free name that is like the one at the provider.
func (d *Directory) userOf(ctx context.Context, tx store.Tx, issuer string, c claims, grants []Grant) (User, error) {
	wish := nameLike(cmp.Or(c.Username, c.Email, c.Name))
	name := wish
	for n := 2; ; n++ {
		err := mayAddUser(ctx, tx, name)
		if err == nil && checkUserName(name) == nil {
			break
		}
		if err != nil && !errors.Is(err, ErrConflict) || n > 1000 {
			return User{}, fmt.Errorf("find a name like %q: %w", wish, cmp.Or(err, ErrConflict))
		}
		name = wish + "-" + strconv.Itoa(n)
	}
	u := User{
		Name: name, Display: clean(cmp.Or(c.Name, c.Username)), Email: clean(c.Email), Grants: grants, Provider: issuer,
		CreatedAt: d.now(), CreatedBy: provider, Version: 1,
	}
	if err := insertUser(ctx, tx, &u, issuer+"|"+c.Subject, ""); err != nil {
		return u, err
	}
	return u, attestRow(ctx, tx, &userTable, u.CreatedAt, provider, "user.create", u.Name, "first login through the provider")
}

// nameLike turns a name of the provider into a login name.
func nameLike(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', strings.ContainsRune("._@+-", r):
			return r
		case r == ' ':
			return '.'
		}
		return -1
	}, strings.ToLower(text))
	text = strings.TrimLeft(text, "._@+-")
	return cmp.Or(text[:min(len(text), maxName-6)], "user")
}

// clean keeps a line of text of the provider.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return -1
		}
		return r
	}, text)
	if len(text) > maxDisplay {
		text = strings.ToValidUTF8(text[:maxDisplay], "")
	}
	return text
}
