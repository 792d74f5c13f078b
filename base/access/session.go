package access

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/fairlead/fairlead/base/store"
)

// Session is a browser that somebody has logged in with.
type Session struct {
	ID        string    `json:"id"`
	Owner     string    `json:"owner"`
	CreatedAt time.Time `json:"createdAt"`
	SeenAt    time.Time `json:"seenAt"`
	ExpiresAt time.Time `json:"expiresAt"`
	Address   string    `json:"address"`
	Agent     string    `json:"agent"`
}

// Login is a new session. Its secret belongs into a cookie and nowhere else.
type Login struct {
	Secret  string
	Session Session
	User    User
}

// Login checks a password and opens a session; replaced is the secret of the session that the browser shows, which ends
// ("" if it shows none). The errors are ErrLogin, the same whatever is wrong, and *WaitError.
func (d *Directory) Login(ctx context.Context, name, password, replaced string, peer Peer) (Login, error) {
	name = normal(name)
	if len(name) > maxName {
		name = name[:maxName]
	}
	known, err := knownAddress(ctx, d.db.Read(), name, peer.Address.String())
	if err != nil {
		return Login{}, err
	}
	if wait := d.throttle.Wait(name, peer.Address, known, d.now()); wait > 0 {
		d.delayed.Add(1)
		return Login{}, &WaitError{wait}
	}
	u, secret, err := findUser(ctx, d.db.Read(), name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Login{}, err
	}
	good, err := d.hasher.matches(ctx, password, secret)
	if err != nil {
		return Login{}, fmt.Errorf("check a password: %w", err)
	}
	if !good || u.Disabled {
		d.failed.Add(1)
		d.throttle.Failed(name, peer.Address, d.now())
		d.logger.Info("a login failed", "address", peer.Address)
		return Login{}, ErrLogin
	}
	d.throttle.Passed(name, peer.Address)
	return d.open(ctx, u.Name, replaced, peer, "session.login")
}

// open makes a session. A new secret at each login keeps a session that somebody planted in the browser from being used.
func (d *Directory) open(ctx context.Context, owner, replaced string, peer Peer, action string) (login Login, err error) {
	login.Secret = newSecret(sessionPrefix)
	err = d.write(ctx, func(ctx context.Context, tx store.Tx) error {
		login, err = d.openWithin(ctx, tx, owner, login.Secret, replaced, peer, action)
		return err
	})
	if err == nil {
		d.passed.Add(1)
	}
	return login, err
}

func (d *Directory) openWithin(ctx context.Context, tx store.Tx, owner, secret, replaced string, peer Peer, action string) (Login, error) {
	now := d.now()
	login := Login{Secret: secret}
	u, _, err := findUser(ctx, tx, owner)
	if err != nil {
		return login, err
	}
	if u.Disabled {
		return login, ErrLogin
	}
	u.LastLogin = now
	login.User = u
	login.Session = Session{
		ID: newID("s"), Owner: owner, CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(d.cfg.SessionLifetime),
		Address: peer.Address.String(), Agent: peer.Agent,
	}
	if err := seenUser(ctx, tx, u.Name, now); err != nil {
		return login, err
	}
	if old := hashOf(sessionPrefix, replaced); old != "" {
		if err := endSession(ctx, tx, "hash", old); err != nil {
			return login, err
		}
	}
	if err := insertSession(ctx, tx, hashOf(sessionPrefix, secret), &login.Session, now, d.cfg.SessionIdle); err != nil {
		return login, err
	}
	return login, attest(ctx, tx, now, owner, action, login.Session.ID, "")
}

// BySession returns who holds the session with this secret; ErrSecret when it has ended.
func (d *Directory) BySession(ctx context.Context, secret string) (*Identity, error) {
	hash := hashOf(sessionPrefix, secret)
	if hash == "" {
		d.unknown.Add(1)
		return nil, ErrSecret
	}
	s, u, err := findSession(ctx, d.db.Read(), hash)
	now := d.now()
	switch {
	case errors.Is(err, ErrNotFound), err == nil && (u.Disabled || !now.Before(s.ExpiresAt) || now.Sub(s.SeenAt) >= d.cfg.SessionIdle):
		d.unknown.Add(1)
		return nil, ErrSecret
	case err != nil:
		return nil, err
	}
	d.touch(ctx, s.ID, now, s.SeenAt, func(ctx context.Context, tx store.Tx) error { return touchSession(ctx, tx, hash, now) })
	return &Identity{User: u.Name, Display: u.Display, Grants: u.Grants, Via: BySession, ID: s.ID, CSRF: csrfOf(secret)}, nil
}

// touch stores the last use of something, at most once a minute. It does not fail a request.
func (d *Directory) touch(ctx context.Context, id string, now, stored time.Time, save func(ctx context.Context, tx store.Tx) error) {
	if now.Sub(stored) < touchEvery {
		return
	}
	d.mu.Lock()
	last, known := d.touched[id]
	due := !known || now.Sub(last) >= touchEvery
	if due {
		if len(d.touched) > remembered {
			clear(d.touched)
		}
		d.touched[id] = now
	}
	d.mu.Unlock()
	if !due {
		return
	}
	if err := d.write(ctx, save); err != nil {
		d.logger.Warn("the last use of a session or token cannot be stored", "error", err)
	}
}

// Sessions returns the sessions of a user that have not ended, newest use first; owner "" returns everybody's.
func (d *Directory) Sessions(ctx context.Context, owner string) ([]Session, error) {
	now := d.now()
	return loadSessions(ctx, d.db.Read(), owner, now, now.Add(-d.cfg.SessionIdle))
}

// Logout ends the session with this secret; one that is unknown has ended already.
func (d *Directory) Logout(ctx context.Context, actor, secret string) error {
	hash := hashOf(sessionPrefix, secret)
	if hash == "" {
		return nil
	}
	return d.write(ctx, func(ctx context.Context, tx store.Tx) error {
		s, _, err := findSession(ctx, tx, hash)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := endSession(ctx, tx, "hash", hash); err != nil {
			return err
		}
		return attest(ctx, tx, d.now(), actor, "session.logout", s.ID, "")
	})
}

// EndSession ends a session by its id; owner limits it to that user's, "" does not. ErrNotFound.
func (d *Directory) EndSession(ctx context.Context, actor, owner, id string) error {
	return d.write(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := ofOwner(ctx, tx, "sessions", id, owner); err != nil {
			return err
		}
		if err := endSession(ctx, tx, "id", id); err != nil {
			return err
		}
		return attest(ctx, tx, d.now(), actor, "session.revoke", id, "")
	})
}

// ChangePassword sets a new password after checking the present one, and ends the user's other sessions; kept is the secret
// of the one that stays. The errors are ErrLogin, *WaitError and *InvalidError.
func (d *Directory) ChangePassword(ctx context.Context, name, present, next, kept string, address netip.Addr) error {
	if wait := d.throttle.Wait(name, address, true, d.now()); wait > 0 {
		d.delayed.Add(1)
		return &WaitError{wait}
	}
	u, secret, err := findUser(ctx, d.db.Read(), name)
	if err != nil {
		return err
	}
	good, err := d.hasher.matches(ctx, present, secret)
	if err != nil {
		return fmt.Errorf("check a password: %w", err)
	}
	if !good {
		d.failed.Add(1)
		d.throttle.Failed(name, address, d.now())
		return ErrLogin
	}
	if present == next {
		return invalid("next", "it is the present one: take another")
	}
	if err := CheckPassword(next, u.Name, u.Display, u.Email); err != nil {
		return err
	}
	hash, err := d.hasher.hash(ctx, next)
	if err != nil {
		return fmt.Errorf("hash a password: %w", err)
	}
	return d.write(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := setPassword(ctx, tx, u.Name, hash); err != nil {
			return err
		}
		if err := endSessions(ctx, tx, u.Name, hashOf(sessionPrefix, kept)); err != nil {
			return err
		}
		return attest(ctx, tx, d.now(), u.Name, "user.password", u.Name, "")
	})
}
