package alert

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairlead/fairlead/base/signal"
)

// SilenceState says where a silence stands in time.
type SilenceState string

// The states of a silence.
const (
	SilencePending SilenceState = "pending"
	SilenceActive  SilenceState = "active"
	SilenceExpired SilenceState = "expired"
)

// Silence mutes, for a time, the alerts that all its matchers match.
type Silence struct {
	// ID is a UUID; Silences gives it.
	ID string
	// Matchers must all match; at least one of them must not match an empty value.
	Matchers Matchers
	// StartsAt and EndsAt bound the silence: it is active from the first moment to just before the second.
	StartsAt, EndsAt time.Time
	// UpdatedAt is when a person last changed it.
	UpdatedAt time.Time
	// CreatedBy and Comment are what the person who made it wrote.
	CreatedBy, Comment string
	// Annotations are whatever a client keeps with it; nil if nothing.
	Annotations map[string]string
}

// State returns where s stands at now.
func (s *Silence) State(now time.Time) SilenceState {
	switch {
	case now.Before(s.StartsAt):
		return SilencePending
	case now.Before(s.EndsAt):
		return SilenceActive
	}
	return SilenceExpired
}

// Limits of silences.
const (
	// SilenceRetention is how long an expired silence is kept.
	SilenceRetention = 5 * 24 * time.Hour
	// MaxSilences is how many are kept, expired ones included.
	MaxSilences = 10_000
	// maxSilenceMatchers and maxSilenceText bound one silence.
	maxSilenceMatchers = 64
	maxSilenceText     = 16 << 10
)

// Errors that callers act on.
var (
	// ErrNoSilence says that there is no silence with that id.
	ErrNoSilence = errors.New("silence not found")
	// ErrInvalidSilence says that a silence cannot be accepted as it is.
	ErrInvalidSilence = errors.New("invalid silence")
	// ErrSilenceChanged says that a silence is not as whoever edits it saw it.
	ErrSilenceChanged = errors.New("silence changed meanwhile")
)

// SilenceChange is one step that a person took, to be stored whole or not at all.
type SilenceChange struct {
	// At is when, Actor who.
	At    time.Time
	Actor string
	// Action is silence.create, silence.update or silence.expire.
	Action string
	// Silence is the state after the step.
	Silence Silence
	// Replaced is the silence that this one takes the place of, already expired; nil if none.
	Replaced *Silence
}

// SilenceStore keeps silences. SilenceRows is the one over base/store.
type SilenceStore interface {
	// SaveSilence stores change and its audit entry in one transaction, and returns after they are durable.
	SaveSilence(ctx context.Context, change SilenceChange) error
	// DeleteSilences removes the silences that ended before the given time.
	DeleteSilences(ctx context.Context, endedBefore time.Time) error
	// LoadSilences returns all silences.
	LoadSilences(ctx context.Context) ([]Silence, error)
}

// Silences holds all silences and answers which of them mute a label set. It is safe for concurrent use; Match takes no lock
// and costs a look-up per label, plus the silences that have no equality matcher. A change is stored before it takes effect.
type Silences struct {
	store SilenceStore

	change sync.Mutex // held while a change is stored, so that changes happen one after the other
	byID   map[string]*Silence

	index   atomic.Pointer[silenceIndex]
	version atomic.Uint64
	changed chan struct{}
}

// NewSilences returns the silences that store holds.
func NewSilences(ctx context.Context, store SilenceStore) (*Silences, error) {
	loaded, err := store.LoadSilences(ctx)
	if err != nil {
		return nil, fmt.Errorf("load silences: %w", err)
	}
	s := &Silences{store: store, byID: make(map[string]*Silence, len(loaded)), changed: make(chan struct{}, 1)}
	for i := range loaded {
		s.byID[loaded[i].ID] = &loaded[i]
	}
	s.index.Store(newSilenceIndex(s.byID, time.Time{}))
	s.version.Store(1)
	return s, nil
}

// Version returns a number that grows with every change that a person makes. What the mere passing of time changes is in
// NextChange.
func (s *Silences) Version() uint64 { return s.version.Load() }

// Changed is signalled after Version has grown. Several changes may be one signal; there may be one reader.
func (s *Silences) Changed() <-chan struct{} { return s.changed }

// Match returns the ids, sorted, of the silences that mute set at now; nil when none does.
func (s *Silences) Match(set signal.Labels, now time.Time) []string {
	return s.index.Load().match(set, now)
}

// NextChange returns the first time after now at which a silence begins or ends by itself; the zero time when none will.
func (s *Silences) NextChange(now time.Time) time.Time {
	edges := s.index.Load().edges
	i, _ := slices.BinarySearchFunc(edges, now, func(edge, now time.Time) int {
		if edge.After(now) {
			return 1
		}
		return -1
	})
	if i == len(edges) {
		return time.Time{}
	}
	return edges[i]
}

// Get returns the silence with this id; ErrNoSilence if there is none.
func (s *Silences) Get(id string) (Silence, error) {
	if silence := s.index.Load().byID[id]; silence != nil {
		return *silence, nil
	}
	return Silence{}, ErrNoSilence
}

// List returns all silences: active ones first (the next to end first), then pending ones (the next to begin first), then
// expired ones (the last to end first).
func (s *Silences) List(now time.Time) []Silence {
	index := s.index.Load()
	all := make([]Silence, 0, len(index.byID))
	for _, silence := range index.byID {
		all = append(all, *silence)
	}
	order := map[SilenceState]int{SilenceActive: 1, SilencePending: 2, SilenceExpired: 3}
	slices.SortFunc(all, func(a, b Silence) int {
		stateA, stateB := a.State(now), b.State(now)
		var by int
		switch {
		case stateA != stateB:
			return order[stateA] - order[stateB]
		case stateA == SilenceActive:
			by = a.EndsAt.Compare(b.EndsAt)
		case stateA == SilencePending:
			by = a.StartsAt.Compare(b.StartsAt)
		default:
			by = b.EndsAt.Compare(a.EndsAt)
		}
		if by != 0 {
			return by
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all
}

// Set makes silence, or changes the one whose ID it carries, and returns the id under which it now stands. As in
// Alertmanager, a silence is changed in place only where that does not rewrite history: same matchers; an active one only
// in its end, comment and author; a pending one not to begin in the past. Any other change expires the old silence and
// makes a new one with a new id. A zero StartsAt means now. The errors wrap ErrNoSilence or ErrInvalidSilence, or come from
// the store.
func (s *Silences) Set(ctx context.Context, actor string, now time.Time, silence Silence) (string, error) {
	return s.set(ctx, actor, now, silence, nil)
}

// Edit is Set for a silence of which somebody saw a version; ErrSilenceChanged when it is another now.
func (s *Silences) Edit(ctx context.Context, actor string, now time.Time, silence Silence, version int64) (string, error) {
	return s.set(ctx, actor, now, silence, &version)
}

// Version tells edits of a silence apart.
func (s *Silence) Version() int64 { return s.UpdatedAt.UnixMilli() }

func (s *Silences) set(ctx context.Context, actor string, now time.Time, silence Silence, version *int64) (string, error) {
	// The store keeps milliseconds, so memory must not know more.
	now, silence.EndsAt = now.Truncate(time.Millisecond), silence.EndsAt.UTC().Truncate(time.Millisecond)
	if silence.StartsAt = silence.StartsAt.UTC().Truncate(time.Millisecond); silence.StartsAt.IsZero() {
		silence.StartsAt = now
	}
	if err := validateSilence(&silence, now); err != nil {
		return "", err
	}
	s.change.Lock()
	defer s.change.Unlock()
	change := SilenceChange{At: now, Actor: actor, Action: "silence.create"}
	previous := s.byID[silence.ID]
	switch {
	case silence.ID != "" && previous == nil:
		return "", fmt.Errorf("%w: %s", ErrNoSilence, silence.ID)
	case version != nil && previous != nil && previous.Version() != *version:
		return "", fmt.Errorf("%w: %s", ErrSilenceChanged, silence.ID)
	case previous != nil && canUpdate(previous, &silence, now):
		change.Action = "silence.update"
	case len(s.byID) >= MaxSilences:
		return "", fmt.Errorf("%w: there are %d silences already, which is the limit; expired ones go after %s", ErrInvalidSilence, len(s.byID), SilenceRetention)
	default:
		silence.ID = newUUID()
		if silence.StartsAt.Before(now) {
			silence.StartsAt = now
		}
		if previous != nil && previous.State(now) != SilenceExpired {
			replaced := expired(previous, now)
			change.Replaced = &replaced
		}
	}
	silence.UpdatedAt = now
	silence.Annotations = maps.Clone(silence.Annotations)
	change.Silence = silence
	return silence.ID, s.apply(ctx, change)
}

// Expire ends the silence with this id now. Ending one that has ended already changes nothing. The error wraps ErrNoSilence,
// or comes from the store.
func (s *Silences) Expire(ctx context.Context, actor string, now time.Time, id string) error {
	now = now.Truncate(time.Millisecond)
	s.change.Lock()
	defer s.change.Unlock()
	previous := s.byID[id]
	switch {
	case previous == nil:
		return fmt.Errorf("%w: %s", ErrNoSilence, id)
	case previous.State(now) == SilenceExpired:
		return nil
	}
	return s.apply(ctx, SilenceChange{At: now, Actor: actor, Action: "silence.expire", Silence: expired(previous, now)})
}

// Prune forgets the silences that ended longer than SilenceRetention ago. Call it now and then, for instance each hour.
func (s *Silences) Prune(ctx context.Context, now time.Time) error {
	s.change.Lock()
	defer s.change.Unlock()
	before := now.Add(-SilenceRetention)
	old := func(_ string, silence *Silence) bool { return silence.EndsAt.Before(before) }
	kept := maps.Clone(s.byID)
	maps.DeleteFunc(kept, old)
	if len(kept) == len(s.byID) {
		return nil
	}
	if err := s.store.DeleteSilences(ctx, before); err != nil {
		return fmt.Errorf("forget expired silences: %w", err)
	}
	s.byID = kept
	s.index.Store(newSilenceIndex(kept, now)) // nothing that mutes has changed, so Version stays
	return nil
}

// apply stores change and then lets it take effect. s.change is held.
func (s *Silences) apply(ctx context.Context, change SilenceChange) error {
	if err := s.store.SaveSilence(ctx, change); err != nil {
		return fmt.Errorf("store silence %s: %w", change.Silence.ID, err)
	}
	after := maps.Clone(s.byID)
	after[change.Silence.ID] = &change.Silence
	if change.Replaced != nil {
		after[change.Replaced.ID] = change.Replaced
	}
	s.byID = after
	s.index.Store(newSilenceIndex(after, change.At))
	s.version.Add(1)
	select {
	case s.changed <- struct{}{}:
	default: // a signal waits already
	}
	return nil
}

func expired(silence *Silence, now time.Time) Silence {
	after := *silence
	if after.State(now) == SilencePending {
		after.StartsAt = now
	}
	after.EndsAt, after.UpdatedAt = now, now
	return after
}

// canUpdate reports whether next may take the place of previous under the same id.
func canUpdate(previous, next *Silence, now time.Time) bool {
	if !previous.Matchers.Equal(next.Matchers) {
		return false
	}
	switch previous.State(now) {
	case SilenceActive:
		// Seconds: clients do not all give back the fraction.
		return previous.StartsAt.Unix() == next.StartsAt.Unix()
	case SilencePending:
		return !next.StartsAt.Before(now)
	default:
		return false
	}
}

func validateSilence(s *Silence, now time.Time) error {
	switch {
	case len(s.Matchers) == 0:
		return fmt.Errorf("%w: at least one matcher required", ErrInvalidSilence)
	case len(s.Matchers) > maxSilenceMatchers:
		return fmt.Errorf("%w: %d matchers are more than %d", ErrInvalidSilence, len(s.Matchers), maxSilenceMatchers)
	case !slices.ContainsFunc(s.Matchers, func(m Matcher) bool { return !matchesEmpty(&m) }):
		return fmt.Errorf("%w: at least one matcher must not match the empty string", ErrInvalidSilence)
	case s.EndsAt.IsZero():
		return fmt.Errorf("%w: invalid zero end timestamp", ErrInvalidSilence)
	case !s.StartsAt.Before(s.EndsAt):
		return fmt.Errorf("%w: start time must be before end time", ErrInvalidSilence)
	case !now.Before(s.EndsAt):
		return fmt.Errorf("%w: end time can't be in the past", ErrInvalidSilence)
	}
	size := len(s.Comment) + len(s.CreatedBy)
	for name, value := range s.Annotations {
		size += len(name) + len(value)
	}
	if size > maxSilenceText {
		return fmt.Errorf("%w: comment, author and annotations are %d bytes, more than %d", ErrInvalidSilence, size, maxSilenceText)
	}
	return nil
}

// matchesEmpty is Alertmanager's test against silences that mute everything: negative matchers count as specific.
func matchesEmpty(m *Matcher) bool {
	switch m.Type {
	case MatchEqual, MatchRegexp:
		return m.Matches("")
	default:
		return false
	}
}

// newUUID returns a random UUID (version 4), the form of id that Alertmanager's clients check for.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
