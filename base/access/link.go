package access

import (
	"context"
	"errors"
	"time"

	"github.com/fairlead/fairlead/base/store"
)

// Link is a one-time link: whoever opens it sets a password. It is good once, until ExpiresAt, and until a newer one for
// the same person is made.
type Link struct {
	Secret string
	// Owner is whose password it sets; "" makes a new admin, who chooses the name.
	Owner                string
	CreatedAt, ExpiresAt time.Time
}

func (d *Directory) newLink(owner string) Link {
	now := d.now()
	return Link{Secret: newSecret(linkPrefix), Owner: owner, CreatedAt: now, ExpiresAt: now.Add(LinkLifetime)}
}

// AdminLink makes a link whose opener becomes an admin. The one before, if it was not opened, is worth nothing any more.
func (d *Directory) AdminLink(ctx context.Context, actor, reason string) (Link, error) {
	link := d.newLink("")
	err := d.write(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := saveLink(ctx, tx, link); err != nil {
			return err
		}
		return attest(ctx, tx, link.CreatedAt, actor, "link.admin", "", reason)
	})
	return link, err
}

// UserLink makes a link with which a user sets a new password; it also lets back in who forgot it.
func (d *Directory) UserLink(ctx context.Context, actor, name, reason string) (Link, error) {
	link := d.newLink(normal(name))
	err := d.write(ctx, func(ctx context.Context, tx store.Tx) error {
		if _, _, err := findUser(ctx, tx, link.Owner); err != nil {
			return err
		}
		if err := saveLink(ctx, tx, link); err != nil {
			return err
		}
		return attest(ctx, tx, link.CreatedAt, actor, "link.user", link.Owner, reason)
	})
	return link, err
}

// Configured reports whether somebody can be admin: a user who is, or a link that is still good.
func (d *Directory) Configured(ctx context.Context) (users, link bool, err error) {
	list, err := d.Users(ctx)
	if err != nil {
		return false, false, err
	}
	for i := range list {
		users = users || list[i].Able(Admin) && (list[i].Password || list[i].Provider != "")
	}
	link, err = hasLink(ctx, d.db.Read(), "", d.now())
	return users, link, err
}

// FindLink returns a link by its secret, without using it; ErrSecret.
func (d *Directory) FindLink(ctx context.Context, secret string) (Link, error) {
	return d.findLink(ctx, d.db.Read(), secret)
}

func (d *Directory) findLink(ctx context.Context, db store.Querier, secret string) (Link, error) {
	hash := hashOf(linkPrefix, secret)
	if hash == "" {
		d.unknown.Add(1)
		return Link{}, ErrSecret
	}
	link, err := loadLink(ctx, db, hash)
	if errors.Is(err, ErrNotFound) || err == nil && !d.now().Before(link.ExpiresAt) {
		d.unknown.Add(1)
		return Link{}, ErrSecret
	}
	link.Secret = secret
	return link, err
}

// Opening is what the opener of a link says.
type Opening struct {
	Secret   string
	Name     string // only for a link without owner
	Display  string
	Password string
}

// OpenLink sets the password, ends the sessions of that user, and logs in. The errors are ErrSecret, ErrConflict and
// *InvalidError; the link stays good after an error.
func (d *Directory) OpenLink(ctx context.Context, o Opening, replaced string, peer Peer) (login Login, err error) {
	link, err := d.FindLink(ctx, o.Secret)
	if err != nil {
		return login, err
	}
	name := link.Owner
	if name == "" {
		name = normal(o.Name)
		if err := checkUserName(name); err != nil {
			return login, err
		}
	}
	if err := checkText("display", o.Display, maxDisplay); err != nil {
		return login, err
	}
	if err := CheckPassword(o.Password, name, o.Display); err != nil {
		return login, err
	}
	hash, err := d.hasher.hash(ctx, o.Password)
	if err != nil {
		return login, err
	}
	secret := newSecret(sessionPrefix)
	err = d.write(ctx, func(ctx context.Context, tx store.Tx) error {
		link, err := d.findLink(ctx, tx, o.Secret) // somebody may have been faster
		if err != nil {
			return err
		}
		if err := removeLink(ctx, tx, hashOf(linkPrefix, o.Secret)); err != nil {
			return err
		}
		if link.Owner == "" {
			if err := d.makeAdmin(ctx, tx, name, o.Display); err != nil {
				return err
			}
		}
		if err := setPassword(ctx, tx, name, hash); err != nil {
			return err
		}
		if err := endSessions(ctx, tx, name, ""); err != nil {
			return err
		}
		if err := attest(ctx, tx, d.now(), name, "user.password", name, "by a one-time link"); err != nil {
			return err
		}
		login, err = d.openWithin(ctx, tx, name, secret, replaced, peer, "session.login")
		return err
	})
	if err == nil {
		d.passed.Add(1)
		d.throttle.Passed(name, peer.Address)
	}
	return login, err
}

// makeAdmin adds the admin who opens a link.
func (d *Directory) makeAdmin(ctx context.Context, tx store.Tx, name, display string) error {
	if err := mayAddUser(ctx, tx, name); err != nil {
		return err
	}
	u := User{Name: name, Display: display, Grants: []Grant{{Role: Admin}}, CreatedAt: d.now(), CreatedBy: "link", Version: 1}
	if err := insertUser(ctx, tx, &u, "", ""); err != nil {
		return err
	}
	return attestRow(ctx, tx, &userTable, u.CreatedAt, name, "user.create", name, "by a one-time admin link")
}
