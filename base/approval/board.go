package approval

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/store"
)

// Board holds all requests. It is safe for concurrent use.
type Board struct {
	db        *store.DB
	clock     clock.Clock
	cfg       Config
	deciders  func(ctx context.Context) ([]string, error)
	executors map[string]Executor
	logger    *slog.Logger
	wake      chan struct{}
}

// New returns the board that db holds. deciders returns the names of those who may decide; their roles are the caller's
// business.
func New(db *store.DB, c clock.Clock, cfg Config, deciders func(ctx context.Context) ([]string, error), logger *slog.Logger) *Board {
	return &Board{db: db, clock: c, cfg: cfg, deciders: deciders, executors: map[string]Executor{}, logger: logger, wake: make(chan struct{}, 1)}
}

// Register sets who executes requests of a kind. Call it before Ask and Run.
func (b *Board) Register(kind string, e Executor) { b.executors[kind] = e }

// Kinds returns what may be asked for.
func (b *Board) Kinds() []string {
	kinds := make([]string, 0, len(b.executors))
	for kind := range b.executors {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}

// Ask makes a request. When one of the same kind about the same object waits already, it returns that and ErrConflict.
func (b *Board) Ask(ctx context.Context, q Question) (Request, error) {
	if b.executors[q.Kind] == nil {
		return Request{}, &InvalidError{"kind", fmt.Sprintf("%q is unknown", q.Kind)}
	}
	if err := checkReason(q.Reason); err != nil {
		return Request{}, err
	}
	payload, err := json.Marshal(q.Payload)
	if err != nil {
		return Request{}, fmt.Errorf("encode the payload: %w", err)
	}
	if len(payload) > maxPayload || len(q.Object) > maxText {
		return Request{}, &InvalidError{"payload", fmt.Sprintf("it is longer than %d bytes", maxPayload)}
	}
	deciders, err := b.deciders(ctx)
	if err != nil {
		return Request{}, err
	}
	now := b.clock.Now()
	r := Request{
		ID: "P" + strings.ToLower(rand.Text()[:12]), Kind: q.Kind, Object: q.Object, Summary: q.Summary, Reason: q.Reason, Payload: payload,
		Requester: q.By, Alone: len(others(deciders, q.By)) == 0, Needed: b.cfg.Needed, State: Pending, CreatedAt: now, ExpiresAt: now.Add(b.cfg.Expiry),
		Decisions: []Decision{}, Version: 1,
	}
	err = b.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		waiting, err := list(ctx, tx, Filter{States: []State{Pending, Approved}, Limit: maxWaiting})
		if err != nil {
			return err
		}
		for i := range waiting {
			if waiting[i].Kind == q.Kind && waiting[i].Object == q.Object {
				r = waiting[i]
				return fmt.Errorf("%s waits already for the same: %w", r.ID, ErrConflict)
			}
		}
		if len(waiting) >= maxWaiting {
			return fmt.Errorf("%d requests wait: decide some first: %w", len(waiting), ErrFull)
		}
		if r.Number, err = nextNumber(ctx, tx); err != nil {
			return err
		}
		return save(ctx, tx, &r, leaf{at: now, actor: orElse(q.Actor, q.By), action: "approval.request", reason: q.Reason})
	})
	return r, err
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// change lets edit change a request and stores it with a leaf.
func (b *Board) change(ctx context.Context, id string, edit func(r *Request, now time.Time) (leaf, error)) (r Request, err error) {
	err = b.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		found, err := find(ctx, tx, id)
		if err != nil {
			return err
		}
		r = found
		now := b.clock.Now()
		if found.State == Pending && !now.Before(found.ExpiresAt) {
			// Run has not come to it yet.
			return fmt.Errorf("%s has expired: ask again: %w", id, ErrConflict)
		}
		l, err := edit(&found, now)
		if err != nil {
			return err
		}
		found.Version++
		l.at = now
		if err := save(ctx, tx, &found, l); err != nil {
			return err
		}
		r = found
		return nil
	})
	return r, err
}

// Decide approves or rejects. The caller has checked that the person has a role for it. The errors are ErrNotFound,
// ErrConflict, ErrOwn and *InvalidError.
func (b *Board) Decide(ctx context.Context, id string, v Verdict) (Request, error) {
	if err := checkReason(v.Reason); err != nil {
		return Request{}, err
	}
	deciders, err := b.deciders(ctx)
	if err != nil {
		return Request{}, err
	}
	r, err := b.change(ctx, id, func(r *Request, now time.Time) (leaf, error) {
		solo, why := r.may(v.By, deciders, b.cfg)
		switch {
		case why != "" && r.Requester == v.By && r.State == Pending:
			return leaf{}, fmt.Errorf("%s: %w", strings.TrimSuffix(why, "."), ErrOwn)
		case why != "":
			return leaf{}, fmt.Errorf("%s: %w", strings.TrimSuffix(why, "."), ErrConflict)
		}
		r.Decisions = append(r.Decisions, Decision{By: v.By, At: now, Approve: v.Approve, Reason: v.Reason, Solo: solo})
		l := leaf{actor: orElse(v.Actor, v.By), action: "approval.approve", reason: v.Reason}
		switch {
		case !v.Approve:
			l.action, r.State, r.EndedAt = "approval.reject", Rejected, now
		case solo || r.approvals() >= r.Needed:
			r.State = Approved
		}
		if solo && v.Approve {
			l.action = "approval.solo"
		}
		return l, nil
	})
	if err == nil && r.State == Approved {
		b.nudge()
	}
	return r, err
}

func (r *Request) approvals() int {
	n := 0
	for _, d := range r.Decisions {
		if d.Approve {
			n++
		}
	}
	return n
}

// Cancel takes a request back; only its requester may, or an admin.
func (b *Board) Cancel(ctx context.Context, id, by, actor, reason string, admin bool) (Request, error) {
	if len(reason) > 0 {
		if err := checkReason(reason); err != nil {
			return Request{}, err
		}
	}
	return b.change(ctx, id, func(r *Request, now time.Time) (leaf, error) {
		switch {
		case r.Requester != by && !admin:
			return leaf{}, fmt.Errorf("only %s, who asked, and admins may cancel it: %w", r.Requester, ErrForbidden)
		case r.State != Pending:
			return leaf{}, fmt.Errorf("it is %s: %w", r.State, ErrConflict)
		}
		r.State, r.EndedAt = Cancelled, now
		return leaf{actor: orElse(actor, by), action: "approval.cancel", reason: reason}, nil
	})
}

// Find returns one request; ErrNotFound.
func (b *Board) Find(ctx context.Context, id string) (Request, error) {
	return find(ctx, b.db.Read(), id)
}

// List returns requests, newest first.
func (b *Board) List(ctx context.Context, f Filter) ([]Request, error) {
	return list(ctx, b.db.Read(), f)
}

// May reports whether a person who has a role for it may decide r now, and if not, why.
func (b *Board) May(ctx context.Context, r *Request, by string) (may, solo bool, why string, err error) {
	deciders, err := b.deciders(ctx)
	if err != nil {
		return false, false, "", err
	}
	solo, why = r.may(by, deciders, b.cfg)
	if why == "" && !b.clock.Now().Before(r.ExpiresAt) {
		why = "It has expired."
	}
	return why == "", solo, why, nil
}

func (b *Board) nudge() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// lookEvery is how often Run looks for what expired and for what failed to be executed.
const lookEvery = time.Second

// Run executes what was approved and expires what waited too long, until ctx ends.
func (b *Board) Run(ctx context.Context) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		if err := b.look(ctx); err != nil && ctx.Err() == nil {
			b.logger.Warn("requests for approval cannot be worked on now", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-b.wake:
		case <-ticker.C:
		}
	}
}

// look does what is due.
func (b *Board) look(ctx context.Context) error {
	due, err := list(ctx, b.db.Read(), Filter{States: []State{Pending, Approved}, Limit: maxWaiting})
	if err != nil {
		return err
	}
	for i := range due {
		r := &due[i]
		switch {
		case ctx.Err() != nil:
			return nil
		case r.State == Approved:
			b.execute(ctx, r)
		case !b.clock.Now().Before(r.ExpiresAt):
			if err := b.expire(ctx, r.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *Board) expire(ctx context.Context, id string) error {
	return b.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		r, err := find(ctx, tx, id)
		if err != nil || r.State != Pending {
			return err
		}
		now := b.clock.Now()
		r.State, r.EndedAt, r.Version = Expired, now, r.Version+1
		return save(ctx, tx, &r, leaf{at: now, actor: "engine", action: "approval.expire"})
	})
}

// execute lets the executor of a request work, and stores how it ended if it failed.
func (b *Board) execute(ctx context.Context, r *Request) {
	err := b.try(ctx, r)
	switch {
	case err == nil, ctx.Err() != nil:
		return
	case errors.Is(err, store.ErrUnavailable):
		b.logger.Warn("an approved request cannot be executed now; it will be tried again", "approval", r.ID, "error", err)
		return
	}
	b.logger.Error("an approved request could not be executed", "approval", r.ID, "kind", r.Kind, "error", err)
	err = b.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		stored, err := find(ctx, tx, r.ID)
		if err != nil || stored.State != Approved {
			return err
		}
		now := b.clock.Now()
		stored.State, stored.EndedAt, stored.Version, stored.Result = Failed, now, stored.Version+1, "It could not be done; the server's log says why under "+r.ID+"."
		return save(ctx, tx, &stored, leaf{at: now, actor: "engine", action: "approval.fail", reason: stored.Result})
	})
	if err != nil {
		b.logger.Warn("the end of an approved request cannot be stored", "approval", r.ID, "error", err)
	}
}

func (b *Board) try(ctx context.Context, r *Request) (err error) {
	executor := b.executors[r.Kind]
	if executor == nil {
		return fmt.Errorf("nobody executes requests of kind %s", r.Kind)
	}
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("it panicked: %v", cause)
		}
	}()
	finished := false
	err = executor.Execute(ctx, *r, func(ctx context.Context, tx store.Tx, p Progress) error {
		stored, err := find(ctx, tx, r.ID)
		if err != nil {
			return err
		}
		if stored.State != Approved {
			return fmt.Errorf("%s is %s: %w", r.ID, stored.State, ErrConflict)
		}
		now := b.clock.Now()
		stored.Done, stored.Cursor, stored.Result, stored.Version = p.Done, p.Cursor, p.Result, stored.Version+1
		if !p.Finished {
			return update(ctx, tx, &stored)
		}
		finished = true
		stored.State, stored.EndedAt = Executed, now
		return save(ctx, tx, &stored, leaf{at: now, actor: "engine", action: "approval.execute", reason: p.Result})
	})
	if err == nil && !finished {
		err = fmt.Errorf("the executor of %s did not finish", r.Kind)
	}
	return err
}
