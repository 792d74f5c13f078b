// Package incident is where alerts become incidents.
//
// An Engine takes batches of reported alerts, follows each through ops/alert, lets a Grouping decide which belong
// together and when people hear of them, and keeps incidents with every step that led to them. Steps are automatic
// (actor "engine") or people's; each but a note can be undone, and what was undone is not repeated there. The same
// constructor serves the server and `fairlead eval incidents`.
//
// The Engine is a deterministic state machine in memory: no I/O, no goroutine, no clock. What changed is taken with
// TakeChanges and stored by Save in the transaction that also moves the position in the stream, so that alerts are applied
// exactly once. DESIGN.md in this folder says how grouping decides.
package incident

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/fairlead/fairlead/base/entity"
	"github.com/fairlead/fairlead/base/signal"
)

// State says where an incident stands in its life.
type State string

// The states of an incident. A forming incident exists but nobody was told yet; one that clears before becomes suppressed.
const (
	Forming      State = "forming"
	Open         State = "open"
	Acknowledged State = "acknowledged"
	Resolved     State = "resolved"
	Suppressed   State = "suppressed"
)

// States lists all states.
var States = []State{Forming, Open, Acknowledged, Resolved, Suppressed}

var (
	// ErrNotFound says that no incident, alert or step has the given id.
	ErrNotFound = errors.New("not found")
	// ErrConflict says that the present state does not allow what was asked; the error's text says why.
	ErrConflict = errors.New("conflict")
	// ErrInvalid says that the request itself makes no sense; the error's text says why.
	ErrInvalid = errors.New("invalid")
)

// Engine is the actor of automatic steps.
const engineActor = "engine"

// Incident is what people handle: alerts that have one cause, as far as is known.
type Incident struct {
	Number   uint64
	Group    GroupID
	State    State
	Title    string
	Severity signal.Severity
	// StartedAt is when the first alert was received; LastSeenAt the newest report.
	StartedAt, LastSeenAt time.Time
	// ShownAt, EndedAt and AcknowledgedAt are zero when that has not happened.
	ShownAt, EndedAt, AcknowledgedAt time.Time
	AcknowledgedBy                   string
	// Owner is who was given the incident, or took it; "" if nobody.
	Owner string
	// MergedInto is the number of the incident that this one was merged into; 0 if none. The alerts keep their home, so
	// that a merge can be undone exactly.
	MergedInto uint64
	// Root is the number of the incident that stands for this one after merges: its own when it was not merged away.
	Root uint64
	// Own counts the alerts whose home is this incident; Total those of the merged ones too.
	Own, Total Tally

	merged []*Incident // those merged into this one
	dirty  bool
}

// ID returns the incident's id: "INC-" and its number.
func (i *Incident) ID() string { return ID(i.Number) }

// ID returns the id of the incident with this number; "" for 0.
func ID(number uint64) string {
	if number == 0 {
		return ""
	}
	return "INC-" + strconv.FormatUint(number, 10)
}

// ParseID returns the number in an id such as "INC-12"; the error wraps ErrInvalid.
func ParseID(id string) (uint64, error) { return parseNumber("INC-", id) }

// Current reports whether the incident has not ended.
func (i *Incident) Current() bool {
	return i.State == Forming || i.State == Open || i.State == Acknowledged
}

// StepKind says what a step did.
type StepKind string

// The kinds of step. The first eight are the engine's and people's, the others people's alone.
const (
	StepOpen        StepKind = "open"
	StepAssign      StepKind = "assign"
	StepMerge       StepKind = "merge"
	StepSplit       StepKind = "split"
	StepShow        StepKind = "show"
	StepSuppress    StepKind = "suppress"
	StepClose       StepKind = "close"
	StepReopen      StepKind = "reopen"
	StepAcknowledge StepKind = "acknowledge"
	StepRelease     StepKind = "unacknowledge"
	StepResolve     StepKind = "resolve"
	// StepOwn gives the incident to somebody, or to nobody.
	StepOwn  StepKind = "own"
	StepNote StepKind = "note"
	StepUndo StepKind = "undo"
)

// StepKinds lists all kinds of step.
var StepKinds = []StepKind{
	StepOpen, StepAssign, StepMerge, StepSplit, StepShow, StepSuppress, StepClose, StepReopen, StepAcknowledge, StepRelease,
	StepResolve, StepOwn,
	StepNote, StepUndo,
}

// Step is one thing that happened to an incident, with its evidence.
type Step struct {
	Number   uint64    `json:"number"`
	At       time.Time `json:"at"`
	Incident uint64    `json:"incident"`
	Kind     StepKind  `json:"kind"`
	Actor    string    `json:"actor"`
	Text     string    `json:"text"`
	// Alerts are the ids of the alerts that it moved; Homes the numbers of the incidents they were in before, 0 for none.
	Alerts []string `json:"alerts,omitempty"`
	Homes  []uint64 `json:"homes,omitempty"`
	// Other is the second incident of a merge, split or assign; 0 if none.
	Other uint64 `json:"other,omitempty"`
	Terms []Term `json:"terms,omitempty"`
	// Before is the incident's state before the step.
	Before State `json:"before,omitempty"`
	// By is who had acknowledged the incident before an unacknowledge, or who owned it before an own.
	By string `json:"by,omitempty"`
	// Undoes is the number of the step that this one undid; 0 if none.
	Undoes uint64 `json:"undoes,omitempty"`

	// UndoneAt and UndoneBy say that the step itself was undone.
	UndoneAt time.Time `json:"-"`
	UndoneBy string    `json:"-"`
}

// ID returns the step's id: "S" and its number.
func (s *Step) ID() string { return "S" + strconv.FormatUint(s.Number, 10) }

// ParseStepID returns the number in an id such as "S7"; the error wraps ErrInvalid.
func ParseStepID(id string) (uint64, error) { return parseNumber("S", id) }

// Undoable reports whether steps of this kind can be undone at all.
func (k StepKind) Undoable() bool { return k != StepNote && k != StepUndo }

// Tally counts the alerts of an incident.
type Tally struct {
	// Alerts counts alerts, Firing those that fire now, Reports all reports of them.
	Alerts  int `json:"alerts"`
	Firing  int `json:"firing"`
	Reports int `json:"reports"`
	// Silenced, Inhibited and Flapping count alerts that are so now.
	Silenced  int `json:"silenced"`
	Inhibited int `json:"inhibited"`
	Flapping  int `json:"flapping"`
	// Worst is the worst severity of any alert.
	Worst signal.Severity `json:"worst"`
	// Entities and Names count alerts by entity ("service:cart") and by alert name; at most maxTallied keys each.
	Entities map[string]int `json:"entities,omitempty"`
	Names    map[string]int `json:"names,omitempty"`
	Spark    Spark          `json:"spark"`
}

// maxTallied bounds the distinct entities and names that one incident counts.
const maxTallied = 500

func (t *Tally) count(keys *map[string]int, name string, n int) {
	if name == "" {
		return
	}
	if *keys == nil {
		*keys = map[string]int{}
	}
	if _, known := (*keys)[name]; !known && (len(*keys) >= maxTallied || n < 0) {
		return
	}
	if (*keys)[name] += n; (*keys)[name] <= 0 {
		delete(*keys, name)
	}
}

// add adds other to t.
func (t *Tally) add(other *Tally) {
	t.Alerts += other.Alerts
	t.Firing += other.Firing
	t.Reports += other.Reports
	t.Silenced += other.Silenced
	t.Inhibited += other.Inhibited
	t.Flapping += other.Flapping
	t.Worst = max(t.Worst, other.Worst)
	for name, n := range other.Entities {
		t.count(&t.Entities, name, n)
	}
	for name, n := range other.Names {
		t.count(&t.Names, name, n)
	}
	t.Spark.add(&other.Spark)
}

// Top returns the keys of a tally by falling count, then by name; at most n.
func Top(counts map[string]int, n int) []string {
	keys := make([]string, 0, len(counts))
	for key := range counts {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	return keys[:min(n, len(keys))]
}

// Entities returns the entities that the incident hits, most alerts first; at most n.
func (i *Incident) Entities(n int) []entity.Ref {
	var refs []entity.Ref
	for _, name := range Top(i.Total.Entities, n) {
		if ref, err := entity.Parse(name); err == nil {
			refs = append(refs, ref)
		}
	}
	return refs
}

// zeroTime means "not happened".
var zeroTime time.Time
