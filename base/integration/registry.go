package integration

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/fairlead/fairlead/base/store"
)

// Rows keeps integrations and captures. *SQL is one.
type Rows interface {
	// Load returns everything.
	Load(ctx context.Context) ([]*Integration, map[string][]Capture, error)
	// Save stores an integration with its audit leaf; Delete removes one.
	Save(ctx context.Context, change Change) error
	Delete(ctx context.Context, change Change) error
	// SaveCaptures replaces the captures of the named integrations.
	SaveCaptures(ctx context.Context, captures map[string][]Capture) error
}

// Change is one change of an integration, with who made it.
type Change struct {
	At          time.Time
	Actor       string
	Action      string // for instance "integration.create"
	Reason      string
	Integration *Integration
	// Also is done in the same transaction; nil for nothing.
	Also func(ctx context.Context, tx store.Tx) error
}

// Capture is one payload as it came, redacted.
type Capture struct {
	At time.Time `json:"at"`
	// Headers are those that a mapper may want; Body is the payload, cut at MaxCaptured bytes.
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	// Truncated says that Body was cut.
	Truncated bool `json:"truncated"`
	// Status is what the sender was answered; Outcome says in words what became of the payload.
	Status  int    `json:"status"`
	Outcome string `json:"outcome"`
	Alerts  int    `json:"alerts"`
}

// Bounds of what is captured.
const (
	MaxCaptures = 10
	MaxCaptured = 32 << 10
)

// Counters say what came through an integration since the server started.
type Counters struct {
	// Requests is how many came; Refused how many of them were not answered with success.
	Requests, Refused uint64
	// Alerts is how many reports were accepted, Rejected how many pieces were not.
	Alerts, Rejected uint64
	// LastAt is when the newest request came, LastError what was wrong with the newest refused one, at LastErrorAt.
	LastAt, LastErrorAt time.Time
	LastError           string
}

// entry is an integration in memory.
type entry struct {
	*Integration
	counters Counters
	captures []Capture // newest first
	fresh    bool      // captures were not stored yet
}

// Registry knows all integrations. It is safe for concurrent use.
type Registry struct {
	rows   Rows
	kinds  map[string]bool
	now    func() time.Time
	logger *slog.Logger

	change sync.Mutex // held by whoever changes an integration, over the storing

	mu     sync.RWMutex
	byName map[string]*entry // guarded by mu
}

// NewRegistry loads what rows hold. kinds are the wire formats that the server receives.
func NewRegistry(ctx context.Context, rows Rows, kinds []string, now func() time.Time, logger *slog.Logger) (*Registry, error) {
	r := &Registry{rows: rows, kinds: map[string]bool{}, now: now, logger: logger, byName: map[string]*entry{}}
	for _, kind := range kinds {
		r.kinds[kind] = true
	}
	list, captures, err := rows.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("load integrations: %w", err)
	}
	for _, i := range list {
		r.byName[i.Name] = &entry{Integration: i, captures: captures[i.Name]}
	}
	return r, nil
}

// Kinds returns the wire formats that the server receives, sorted.
func (r *Registry) Kinds() []string { return slices.Sorted(maps.Keys(r.kinds)) }

// List returns all integrations by name.
func (r *Registry) List() []*Integration {
	r.mu.RLock()
	defer r.mu.RUnlock()
	list := make([]*Integration, 0, len(r.byName))
	for _, e := range r.byName {
		list = append(list, e.Integration)
	}
	slices.SortFunc(list, func(a, b *Integration) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// Find returns an integration with its counters and captures, newest first; ErrNotFound when there is none.
func (r *Registry) Find(name string) (*Integration, Counters, []Capture, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	e := r.byName[name]
	if e == nil {
		return nil, Counters{}, nil, fmt.Errorf("integration %q: %w", name, ErrNotFound)
	}
	return e.Integration, e.counters, slices.Clone(e.captures), nil
}

// Knock is a request at the door.
type Knock struct {
	Kind string
	// Name is the integration that the path names; "" for protocols whose key alone tells.
	Name string
	// Secret is the key that the request shows; "" for none.
	Secret string
	// Verified says that the protocol has proved by itself who sends, as a signature does: no key is needed.
	Verified bool
	// Loopback says that the request came from this machine and that such requests need no key.
	Loopback bool
}

// Admit returns the integration that a request belongs to. From the loopback address a request without a key is let into
// an integration that has none; where the name (or, for protocols without names, the kind) is new, an integration is made, and
// the key that the request shows becomes its key. Elsewhere a good key is needed. The errors are ErrNotFound, ErrKind,
// ErrKey and ErrFull.
func (r *Registry) Admit(ctx context.Context, k Knock) (*Integration, error) {
	i, err := r.look(k)
	if i != nil || err != nil {
		return i, err
	}
	if !k.Loopback {
		if k.Name == "" {
			return nil, fmt.Errorf("no integration of kind %s has this key: %w", k.Kind, ErrKey)
		}
		return nil, fmt.Errorf("integration %q: %w", k.Name, ErrNotFound)
	}
	made := &Integration{Name: cmp.Or(k.Name, k.Kind), Kind: k.Kind}
	if k.Secret != "" {
		made.Keys = []Key{NewKey(k.Secret, r.now())}
	}
	i, err = r.Create(ctx, made, "loopback", "Its first request came from this machine.")
	if err != nil {
		if again, lookErr := r.look(k); again != nil || lookErr != nil { // somebody else was faster
			return again, lookErr
		}
		return nil, err
	}
	return i, nil
}

// look returns the integration that a request belongs to, an error when its key is wrong, or nothing when there is none.
func (r *Registry) look(k Knock) (*Integration, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	now := r.now()
	if k.Name != "" {
		e := r.byName[k.Name]
		if e == nil {
			return nil, nil //nolint:nilnil // the caller makes one, or not
		}
		if e.Kind != k.Kind {
			return nil, fmt.Errorf("integration %q is of kind %s, not %s: %w", k.Name, e.Kind, k.Kind, ErrKind)
		}
		return e.Integration, e.check(k, now)
	}
	var open *Integration
	for _, e := range r.byName {
		if e.Kind != k.Kind {
			continue
		}
		if k.Secret != "" && e.Opens(k.Secret, now) {
			return e.Integration, nil
		}
		if open == nil || e.Name < open.Name {
			open = e.Integration
		}
	}
	if open == nil {
		return nil, nil //nolint:nilnil // as above
	}
	return open, open.check(k, now)
}

// check reports whether a request may come in.
func (i *Integration) check(k Knock, now time.Time) error {
	switch {
	case k.Verified:
	case k.Secret != "" && i.Opens(k.Secret, now):
	case k.Secret == "" && k.Loopback && len(i.Keys) == 0:
	case k.Secret != "" && k.Loopback && len(i.Keys) == 0 && k.Name != "":
		// Nobody has set a key, so a key is no reason to refuse.
	case k.Secret == "":
		return fmt.Errorf("integration %q needs a key: %w", i.Name, ErrKey)
	default:
		return fmt.Errorf("integration %q has another key: %w", i.Name, ErrKey)
	}
	return nil
}

// Create adds an integration. ErrConflict when the name is taken, ErrInvalid, ErrFull.
func (r *Registry) Create(ctx context.Context, i *Integration, actor, reason string) (*Integration, error) {
	r.change.Lock()
	defer r.change.Unlock()
	if err := i.Validate(r.kinds); err != nil {
		return nil, err
	}
	r.mu.RLock()
	taken, count := r.byName[i.Name] != nil, len(r.byName)
	r.mu.RUnlock()
	switch {
	case taken:
		return nil, fmt.Errorf("name: %q is taken: choose another: %w", i.Name, ErrConflict)
	case count >= Most:
		return nil, fmt.Errorf("there are %d integrations already: delete some: %w", count, ErrFull)
	}
	made := *i
	made.Version, made.CreatedAt, made.CreatedBy = 1, r.now(), actor
	return r.store(ctx, &made, actor, "integration.create", reason)
}

// Update lets edit change a copy of an integration and stores it. version is the one that the caller has seen, 0 for any;
// ErrConflict when it is another by now.
func (r *Registry) Update(ctx context.Context, name string, version int64, actor, action string, edit func(i *Integration) error) (*Integration, error) {
	r.change.Lock()
	defer r.change.Unlock()
	old, _, _, err := r.Find(name)
	if err != nil {
		return nil, err
	}
	if version != 0 && version != old.Version {
		return nil, fmt.Errorf("integration %q was changed meanwhile: read it again: %w", name, ErrConflict)
	}
	next := *old
	next.Keys = slices.Clone(old.Keys)
	if err := edit(&next); err != nil {
		return nil, err
	}
	next.Name, next.Kind, next.Version = old.Name, old.Kind, old.Version+1
	if err := next.Validate(r.kinds); err != nil {
		return nil, err
	}
	return r.store(ctx, &next, actor, action, "")
}

// Rotate gives an integration a new key, which is returned and never shown again; the keys before stay good for overlap.
func (r *Registry) Rotate(ctx context.Context, name string, overlap time.Duration, actor string) (secret string, _ *Integration, err error) {
	secret = NewSecret()
	i, err := r.Update(ctx, name, 0, actor, "integration.rotate", func(i *Integration) error {
		now := r.now()
		kept := i.Keys[:0]
		for _, k := range i.Keys {
			if until := now.Add(overlap); k.ExpiresAt.IsZero() || k.ExpiresAt.After(until) {
				k.ExpiresAt = until
			}
			if k.ExpiresAt.After(now) {
				kept = append(kept, k)
			}
		}
		kept = append(kept, NewKey(secret, now))
		i.Keys = kept
		return nil
	})
	return secret, i, err
}

// Delete removes an integration with what was captured of it, and does also in the same transaction; nil for nothing.
func (r *Registry) Delete(ctx context.Context, name, actor string, also func(ctx context.Context, tx store.Tx) error) error {
	r.change.Lock()
	defer r.change.Unlock()
	i, _, _, err := r.Find(name)
	if err != nil {
		return err
	}
	if err := r.rows.Delete(ctx, Change{At: r.now(), Actor: actor, Action: "integration.delete", Integration: i, Also: also}); err != nil {
		return err
	}
	r.mu.Lock()
	delete(r.byName, name)
	r.mu.Unlock()
	return nil
}

func (r *Registry) store(ctx context.Context, i *Integration, actor, action, reason string) (*Integration, error) {
	if err := r.rows.Save(ctx, Change{At: r.now(), Actor: actor, Action: action, Reason: reason, Integration: i}); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.byName[i.Name]; e != nil {
		e.Integration = i
	} else {
		r.byName[i.Name] = &entry{Integration: i}
	}
	return i, nil
}

// wantEvery is how often a payload of a busy integration is kept.
const wantEvery = time.Second

// Wants reports whether the payload of a request at a time is to be kept: the first ones, and then one a second.
func (r *Registry) Wants(name string, at time.Time) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	e := r.byName[name]
	return e != nil && (len(e.captures) < MaxCaptures/2 || at.Sub(e.captures[0].At) >= wantEvery)
}

// Accepted is the outcome of a request that was taken whole.
const Accepted = "accepted"

// Note counts a request of an integration and keeps its payload, if it holds one. rejected is how many pieces of it could not be used.
func (r *Registry) Note(name string, c Capture, rejected int) {
	if len(c.Body) > MaxCaptured {
		c.Body, c.Truncated = c.Body[:MaxCaptured], true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.byName[name]
	if e == nil {
		return
	}
	e.counters.Requests++
	e.counters.Alerts += uint64(max(0, c.Alerts))   //nolint:gosec // not negative
	e.counters.Rejected += uint64(max(0, rejected)) //nolint:gosec // not negative
	e.counters.LastAt = c.At
	if c.Status >= 300 {
		e.counters.Refused++
	}
	if c.Status >= 300 || rejected > 0 && c.Outcome != Accepted {
		e.counters.LastError, e.counters.LastErrorAt = c.Outcome, c.At
	}
	if c.Body == "" {
		return
	}
	e.captures = slices.Insert(e.captures, 0, c)
	e.captures = e.captures[:min(len(e.captures), MaxCaptures)]
	e.fresh = true
}

// saveEvery is how often captures are stored.
const saveEvery = time.Second

// Run stores captures until ctx ends.
func (r *Registry) Run(ctx context.Context) error {
	ticker := time.NewTicker(saveEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			r.flush(context.WithoutCancel(ctx))
			return nil
		case <-ticker.C:
			r.flush(ctx)
		}
	}
}

func (r *Registry) flush(ctx context.Context) {
	captures := map[string][]Capture{}
	r.mu.Lock()
	for name, e := range r.byName {
		if e.fresh {
			captures[name], e.fresh = slices.Clone(e.captures), false
		}
	}
	r.mu.Unlock()
	if len(captures) == 0 {
		return
	}
	if err := r.rows.SaveCaptures(ctx, captures); err != nil {
		r.logger.Warn("captured payloads cannot be stored", "error", err)
		r.mu.Lock()
		for name := range captures {
			if e := r.byName[name]; e != nil {
				e.fresh = true
			}
		}
		r.mu.Unlock()
	}
}

// Erase replaces a person's name in all integrations, and drops captured payloads that hold it.
func (r *Registry) Erase(ctx context.Context, actor string, mask func(string) string) error {
	r.change.Lock()
	defer r.change.Unlock()
	r.mu.Lock()
	var touched []*Integration
	captures := map[string][]Capture{}
	for name, e := range r.byName {
		if next := *e.Integration; mask(next.CreatedBy) != next.CreatedBy {
			next.CreatedBy = mask(next.CreatedBy)
			next.Version++
			touched = append(touched, &next)
		}
		kept := slices.DeleteFunc(slices.Clone(e.captures), func(c Capture) bool { return mask(c.Body) != c.Body })
		if len(kept) < len(e.captures) {
			e.captures, captures[name] = kept, kept
		}
	}
	r.mu.Unlock()
	if len(captures) > 0 {
		if err := r.rows.SaveCaptures(ctx, captures); err != nil {
			return err
		}
	}
	for _, i := range touched {
		if _, err := r.store(ctx, i, actor, "integration.erase", ""); err != nil {
			return err
		}
	}
	return nil
}
