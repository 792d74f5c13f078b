package alert

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/fairlead/fairlead/base/entity"
	"github.com/fairlead/fairlead/base/signal"
)

// Window is planned work: while it lasts, the alerts that it covers tell nobody. It happens once, or again and again by a rule.
type Window struct {
	// ID is given by Windows.
	ID string `json:"id"`
	// Title says what is done.
	Title string `json:"title"`
	// Matchers, in Alertmanager's syntax, must all match an alert; none match all.
	Matchers []string `json:"matchers"`
	// Entities are what is worked on, for instance "service:cart": an alert about one of them is covered; none cover all.
	// With both, both must hold; at least one of the two is needed.
	Entities []string `json:"entities"`
	// StartsAt and EndsAt bound it, or its first occurrence.
	StartsAt time.Time `json:"startsAt"`
	EndsAt   time.Time `json:"endsAt"`
	// Rule is a recurrence rule of RFC 5545 such as FREQ=WEEKLY;BYDAY=SU; "" for once.
	Rule string `json:"rule"`
	// Zone is the time zone, an IANA name, in which the rule counts days and hours; "" is UTC.
	Zone string `json:"zone"`
	// Comment says why; CreatedBy who made it, UpdatedAt when it was last changed.
	Comment   string    `json:"comment"`
	CreatedBy string    `json:"createdBy"`
	UpdatedAt time.Time `json:"updatedAt"`
	// Version counts changes, from 1.
	Version int64 `json:"version"`
}

// Bounds of maintenance windows.
const (
	// MaxWindows is how many there may be.
	MaxWindows = 1000
	// maxWindow is the longest occurrence, minInterval the shortest time between two.
	maxWindow   = 31 * 24 * time.Hour
	minInterval = time.Minute
)

// Errors that callers act on.
var (
	// ErrNoWindow says that there is no window with that id.
	ErrNoWindow = errors.New("maintenance window not found")
	// ErrInvalidWindow says that a window cannot be accepted; the error's text names the field.
	ErrInvalidWindow = errors.New("invalid maintenance window")
	// ErrWindowConflict says that somebody changed the window meanwhile.
	ErrWindowConflict = errors.New("maintenance window was changed")
)

// Occurrence is one time at which a window is open: from Start to just before End.
type Occurrence struct{ Start, End time.Time }

// schedule is a compiled Window.
type schedule struct {
	*Window
	matchers Matchers
	entities []entity.Ref
	rule     *rrule.RRule // nil for once
	open     Occurrence   // the one that is open or comes next, as of looked
}

// compile checks a window; the error wraps ErrInvalidWindow.
func compile(w *Window) (*schedule, error) {
	wrong := func(field, value, remedy string) error {
		return fmt.Errorf("%s: %.100q: %s: %w", field, value, remedy, ErrInvalidWindow)
	}
	s := &schedule{Window: w}
	if strings.TrimSpace(w.Title) == "" || len(w.Title) > 200 {
		return nil, wrong("title", w.Title, "say in at most 200 characters what is done")
	}
	for _, text := range w.Matchers {
		matchers, err := ParseMatchers(text)
		if err != nil {
			return nil, wrong("matchers", text, fmt.Sprintf("%v; write for instance service=\"cart\"", err))
		}
		s.matchers = append(s.matchers, matchers...)
	}
	for _, text := range w.Entities {
		ref, err := entity.Parse(text)
		if err != nil {
			return nil, wrong("entities", text, "write a kind and a name, for instance service:cart")
		}
		s.entities = append(s.entities, ref)
	}
	length := w.EndsAt.Sub(w.StartsAt)
	switch {
	case len(s.matchers) == 0 && len(s.entities) == 0:
		return nil, wrong("matchers", "", "name at least one matcher or entity: a window that covers everything hides everything")
	case w.StartsAt.IsZero():
		return nil, wrong("startsAt", "", "say when it begins")
	case length <= 0:
		return nil, wrong("endsAt", w.EndsAt.Format(time.RFC3339), "it must end after it begins")
	case length > maxWindow:
		return nil, wrong("endsAt", w.EndsAt.Format(time.RFC3339), "it is open for more than 31 days; make it shorter, or recurring")
	}
	zone, err := time.LoadLocation(w.Zone)
	if err != nil {
		return nil, wrong("zone", w.Zone, "not a known time zone; write for instance Europe/Berlin")
	}
	if w.Rule == "" {
		return s, nil
	}
	option, err := rrule.StrToROptionInLocation(strings.TrimPrefix(w.Rule, "RRULE:"), zone)
	if err != nil {
		return nil, wrong("rule", w.Rule, fmt.Sprintf("not a recurrence rule (%v); write for instance FREQ=WEEKLY;BYDAY=SU", err))
	}
	option.Dtstart = w.StartsAt.In(zone)
	if s.rule, err = rrule.NewRRule(*option); err != nil {
		return nil, wrong("rule", w.Rule, err.Error())
	}
	if first := s.rule.After(w.StartsAt, false); !first.IsZero() && first.Sub(w.StartsAt) < minInterval {
		return nil, wrong("rule", w.Rule, "it comes again within a minute; make it rarer")
	}
	return s, nil
}

// next returns the occurrence that is open at now, or the one that comes next; ok is false when none will.
func (s *schedule) next(now time.Time) (o Occurrence, ok bool) {
	length := s.EndsAt.Sub(s.StartsAt)
	if s.rule == nil {
		return Occurrence{s.StartsAt, s.EndsAt}, now.Before(s.EndsAt)
	}
	// Occurrences may overlap: the newest that has begun lasts longest.
	start := s.rule.Before(now, true)
	if start.IsZero() || !now.Before(start.Add(length)) {
		start = s.rule.After(now, false)
	}
	if start.IsZero() {
		return Occurrence{}, false
	}
	start = start.UTC()
	return Occurrence{start, start.Add(length)}, true
}

// Next returns up to n occurrences that are open at now or come after it. The error wraps ErrInvalidWindow.
func (w *Window) Next(now time.Time, n int) ([]Occurrence, error) {
	s, err := compile(w)
	if err != nil {
		return nil, err
	}
	var list []Occurrence
	o, ok := s.next(now)
	for ok && len(list) < n {
		list = append(list, o)
		if s.rule == nil {
			break
		}
		start := s.rule.After(o.Start, false)
		if start.IsZero() {
			break
		}
		o = Occurrence{start.UTC(), start.UTC().Add(w.EndsAt.Sub(w.StartsAt))}
	}
	return list, nil
}

func (s *schedule) covers(labels signal.Labels) bool {
	if !s.matchers.Matches(labels) {
		return false
	}
	if len(s.entities) == 0 {
		return true
	}
	service, instance, host := entity.Of(labels.Get)
	for _, ref := range s.entities {
		if ref == service || ref == instance || ref == host {
			return true
		}
	}
	return false
}

// WindowStore keeps windows. WindowRows is the one over base/store.
type WindowStore interface {
	// SaveWindow stores a window with its audit entry; DeleteWindow removes one.
	SaveWindow(ctx context.Context, change WindowChange) error
	DeleteWindow(ctx context.Context, change WindowChange) error
	// LoadWindows returns all windows.
	LoadWindows(ctx context.Context) ([]*Window, error)
}

// WindowChange is one change that a person made.
type WindowChange struct {
	At            time.Time
	Actor, Action string
	Window        *Window
}

// windowPrefix tells the ids of windows from those of silences.
const windowPrefix = "maintenance:"

// Windows holds all maintenance windows, and mutes alerts together with Silences. It is safe for concurrent use.
type Windows struct {
	*Silences
	store WindowStore

	version atomic.Uint64

	mu   sync.Mutex
	byID map[string]*schedule // guarded by mu
}

// NewWindows returns the windows that store holds, beside silences.
func NewWindows(ctx context.Context, store WindowStore, silences *Silences) (*Windows, error) {
	list, err := store.LoadWindows(ctx)
	if err != nil {
		return nil, fmt.Errorf("load maintenance windows: %w", err)
	}
	w := &Windows{Silences: silences, store: store, byID: map[string]*schedule{}}
	for _, window := range list {
		s, err := compile(window)
		if err != nil {
			return nil, fmt.Errorf("load maintenance window %s: %w", window.ID, err)
		}
		w.byID[window.ID] = s
	}
	return w, nil
}

// Version returns a number that grows with every change of a silence or window that a person makes.
func (w *Windows) Version() uint64 { return w.Silences.Version() + w.version.Load() }

// Match returns the ids of the silences and open windows that mute an alert with these labels; nil when none does.
func (w *Windows) Match(labels signal.Labels, now time.Time) []string {
	ids := w.Silences.Match(labels, now)
	w.mu.Lock()
	defer w.mu.Unlock()
	cloned := false
	for id, s := range w.byID {
		if !s.at(now) || !s.covers(labels) {
			continue
		}
		if !cloned {
			ids, cloned = slices.Clone(ids), true
		}
		ids = append(ids, windowPrefix+id)
	}
	if cloned {
		slices.Sort(ids)
	}
	return ids
}

// at reports whether the window is open at now. The lock of Windows is held.
func (s *schedule) at(now time.Time) bool {
	if now.Before(s.open.Start) || !now.Before(s.open.End) {
		o, ok := s.next(now)
		if !ok {
			return false
		}
		s.open = o
	}
	return !now.Before(s.open.Start) && now.Before(s.open.End)
}

// NextChange returns the first time after now at which a silence or a window begins or ends by itself; zero when none will.
func (w *Windows) NextChange(now time.Time) time.Time {
	next := w.Silences.NextChange(now)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.byID {
		o, ok := s.next(now)
		if !ok {
			continue
		}
		edge := o.End
		if o.Start.After(now) {
			edge = o.Start
		}
		if next.IsZero() || edge.Before(next) {
			next = edge
		}
	}
	return next
}

// Calendar returns all windows, by the time at which they are open next.
func (w *Windows) Calendar(now time.Time) []*Window {
	w.mu.Lock()
	defer w.mu.Unlock()
	type dated struct {
		window *Window
		at     time.Time
	}
	var list []dated
	for _, s := range w.byID {
		o, ok := s.next(now)
		if !ok {
			o.Start = now.Add(100 * 365 * 24 * time.Hour) // over: at the end
		}
		list = append(list, dated{s.Window, o.Start})
	}
	slices.SortFunc(list, func(a, b dated) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.window.ID, b.window.ID)) })
	windows := make([]*Window, len(list))
	for i := range list {
		windows[i] = list[i].window
	}
	return windows
}

// Put adds a window (ID is "") or replaces one, whose Version must be the one that was edited. The errors are
// ErrInvalidWindow, ErrNoWindow and ErrWindowConflict.
func (w *Windows) Put(ctx context.Context, window *Window, actor string, now time.Time) (*Window, error) {
	next := *window
	action := "maintenance.update"
	w.mu.Lock()
	old, count := w.byID[next.ID], len(w.byID)
	w.mu.Unlock()
	switch {
	case next.ID == "" && count >= MaxWindows:
		return nil, fmt.Errorf("title: there are %d windows already: delete some: %w", count, ErrInvalidWindow)
	case next.ID == "":
		next.ID, next.CreatedBy, action = "W"+strings.ToLower(rand.Text()[:12]), actor, "maintenance.create"
		next.Version = 1
	case old == nil:
		return nil, fmt.Errorf("%s: %w", next.ID, ErrNoWindow)
	case old.Version != next.Version:
		return nil, fmt.Errorf("%s: read it again: %w", next.ID, ErrWindowConflict)
	default:
		next.CreatedBy = old.CreatedBy
		next.Version++
	}
	next.UpdatedAt = now
	s, err := compile(&next)
	if err != nil {
		return nil, err
	}
	if err := w.store.SaveWindow(ctx, WindowChange{At: now, Actor: actor, Action: action, Window: &next}); err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.byID[next.ID] = s
	w.mu.Unlock()
	w.touch()
	return &next, nil
}

// Delete removes a window; ErrNoWindow when there is none.
func (w *Windows) Delete(ctx context.Context, id, actor string, now time.Time) error {
	w.mu.Lock()
	old := w.byID[id]
	w.mu.Unlock()
	if old == nil {
		return fmt.Errorf("%s: %w", id, ErrNoWindow)
	}
	if err := w.store.DeleteWindow(ctx, WindowChange{At: now, Actor: actor, Action: "maintenance.delete", Window: old.Window}); err != nil {
		return err
	}
	w.mu.Lock()
	delete(w.byID, id)
	w.mu.Unlock()
	w.touch()
	return nil
}

func (w *Windows) touch() {
	w.version.Add(1)
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// SplitMutes tells the ids of silences from those of maintenance windows.
func SplitMutes(ids []string) (silences, windows []string) {
	for _, id := range ids {
		if window, ok := strings.CutPrefix(id, windowPrefix); ok {
			windows = append(windows, window)
		} else {
			silences = append(silences, id)
		}
	}
	return silences, windows
}
