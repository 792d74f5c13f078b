package access

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/fairlead/fairlead/base/store"
)

// provenTime is how long a password that was right need not be hashed again: programs send theirs with each request.
const provenTime = 5 * time.Minute

// maxProven bounds how many are remembered.
const maxProven = 1000

// proofs remembers passwords that were right, as keyed hashes over name, password and what is stored of it.
type proofs struct {
	key [32]byte

	mu    sync.Mutex
	until map[[32]byte]time.Time // guarded by mu
}

func newProofs() *proofs {
	p := &proofs{until: map[[32]byte]time.Time{}}
	rand.Read(p.key[:]) //nolint:errcheck,gosec // it never fails
	return p
}

func (p *proofs) of(name, password, stored string) (proof [32]byte) {
	mac := hmac.New(sha256.New, p.key[:])
	for _, text := range []string{name, stored, password} {
		fmt.Fprintf(mac, "%d:%s", len(text), text)
	}
	mac.Sum(proof[:0])
	return proof
}

func (p *proofs) holds(proof [32]byte, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return now.Before(p.until[proof])
}

func (p *proofs) keep(proof [32]byte, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.until) >= maxProven {
		clear(p.until)
	}
	p.until[proof] = now.Add(provenTime)
}

// ByPassword returns who a program says it is, by name and password, as MLflow's clients do. The errors are ErrLogin and
// *WaitError.
func (d *Directory) ByPassword(ctx context.Context, name, password string, peer Peer) (*Identity, error) {
	name = normal(name)
	if len(name) > maxName {
		name = name[:maxName]
	}
	u, stored, err := findUser(ctx, d.db.Read(), name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	proof := d.proofs.of(name, password, stored)
	if stored == "" || !d.proofs.holds(proof, d.now()) {
		if wait := d.throttle.Wait(name, peer.Address, true, d.now()); wait > 0 {
			d.delayed.Add(1)
			return nil, &WaitError{wait}
		}
		good, err := d.hasher.matches(ctx, password, stored)
		if err != nil {
			return nil, fmt.Errorf("check a password: %w", err)
		}
		if !good {
			d.failed.Add(1)
			d.throttle.Failed(name, peer.Address, d.now())
			return nil, ErrLogin
		}
		d.throttle.Passed(name, peer.Address)
		d.proofs.keep(proof, d.now())
	}
	if u.Disabled {
		return nil, ErrLogin
	}
	return &Identity{User: u.Name, Display: u.Display, Grants: u.Grants, Via: ByPassword}, nil
}

// checkGiven is the rule for passwords that an admin gives to others over MLflow's API: its length only.
func checkGiven(password string) error {
	if n := utf8.RuneCountInString(password); n < minPassword || len(password) > maxPassword || !utf8.ValidString(password) {
		return invalid("password", "it has %d characters: take at least %d, and at most %d bytes", n, minPassword, maxPassword)
	}
	return nil
}

// CreateWithPassword adds a user with a password at once. ErrConflict when the name is taken.
func (d *Directory) CreateWithPassword(ctx context.Context, actor, name, password string, e Edit) (u User, err error) {
	name = normal(name)
	if err := checkUserName(name); err != nil {
		return u, err
	}
	if err := checkGiven(password); err != nil {
		return u, err
	}
	hash, err := d.hasher.hash(ctx, password)
	if err != nil {
		return u, err
	}
	err = d.write(ctx, func(ctx context.Context, tx store.Tx) error {
		u = User{Name: name, CreatedAt: d.now(), CreatedBy: actor, Version: 1}
		if err := mayAddUser(ctx, tx, name); err != nil {
			return err
		}
		teams, err := loadTeams(ctx, tx)
		if err != nil {
			return err
		}
		if err := e.apply(&u, teams); err != nil {
			return err
		}
		if err := insertUser(ctx, tx, &u, "", hash); err != nil {
			return err
		}
		return attestRow(ctx, tx, &userTable, d.now(), actor, "user.create", name, e.Reason)
	})
	return u, err
}

// GivePassword sets the password of a user and ends their sessions.
func (d *Directory) GivePassword(ctx context.Context, actor, name, password string) error {
	if err := checkGiven(password); err != nil {
		return err
	}
	hash, err := d.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	return d.write(ctx, func(ctx context.Context, tx store.Tx) error {
		u, _, err := findUser(ctx, tx, normal(name))
		if err != nil {
			return err
		}
		if err := setPassword(ctx, tx, u.Name, hash); err != nil {
			return err
		}
		if err := endSessions(ctx, tx, u.Name, ""); err != nil {
			return err
		}
		return attest(ctx, tx, d.now(), actor, "user.password", u.Name, "by MLflow's API")
	})
}
