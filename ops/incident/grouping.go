package incident

import (
	"time"

	"github.com/fairlead/fairlead/base/entity"
	"github.com/fairlead/fairlead/base/signal"
)

// GroupID names a group of alerts. Ids are handed out by a Grouping in increasing order; 0 means "no group".
type GroupID uint64

// Member is what grouping knows of one alert episode. It is immutable once it was given to a Grouping, except for what
// Mute and Grade change.
type Member struct {
	// ID identifies the episode; never empty.
	ID string
	// Fingerprint identifies the label set, which may have many episodes.
	Fingerprint signal.Fingerprint
	// Name is the alert's name and TemplateKey its key with ids, hosts and numbers stripped; either may be "".
	Name, TemplateKey string
	Labels            signal.Labels
	Severity          signal.Severity
	// Weighed says that somebody weighed already whether it is worth a message, as the budget of anomalies does: it waits no
	// longer than a critical one.
	Weighed bool
	// Service, Instance and Host are what the labels name; each may be the zero Ref.
	Service, Instance, Host entity.Ref
	// StartsAt is when the sender says that the episode began. Decisions use the time of receipt; it is kept for order only.
	StartsAt time.Time
	// Muted says that the alert is silenced or inhibited: it is grouped but is never a reason to show a group.
	Muted bool
	// Flapping says that the alert oscillates: it is grouped but weighs little.
	Flapping bool
}

// Topology answers how far two entities are apart on the map. It may change over time. A nil Topology knows nothing.
type Topology interface {
	// Distance returns the number of edges between a and b and how sure the map is of that path (0 to 1); ok is false when
	// the map does not know one of them or no path within its reach.
	Distance(a, b entity.Ref) (hops int, confidence float64, ok bool)
	// Version changes whenever an answer of Distance may have changed.
	Version() uint64
}

// Term is one visible piece of evidence for a decision.
type Term struct {
	// Name is the kind of evidence: "time", "map", "labels", "text" or "together".
	Name string
	// Weight is the log-odds that the piece adds; negative speaks against.
	Weight float64
	// Detail says the same as a plain sentence.
	Detail string
}

// MoveKind says what a Move does.
type MoveKind string

// The kinds of Move.
const (
	// MoveOpen makes Group, in state GroupForming, out of Members.
	MoveOpen MoveKind = "open"
	// MoveAssign puts Members into Group; Other is the group they leave, 0 if they had none.
	MoveAssign MoveKind = "assign"
	// MoveMerge moves all of Other, whose members are Members, into Group; Other is gone afterwards.
	MoveMerge MoveKind = "merge"
	// MoveSplit makes Group out of Members, which leave Other. Group has the state that Other has.
	MoveSplit MoveKind = "split"
	// MoveShow tells people about Group: it leaves GroupForming.
	MoveShow MoveKind = "show"
	// MoveSuppress ends a Group that cleared before it was shown.
	MoveSuppress MoveKind = "suppress"
	// MoveClose ends a shown Group whose alerts have all ended for the settle time.
	MoveClose MoveKind = "close"
	// MoveReopen makes a closed or suppressed Group current again, in the state that it had before it ended.
	MoveReopen MoveKind = "reopen"
)

// Move is one step that a Grouping took, with its evidence. The receiver may keep and change it.
type Move struct {
	Kind    MoveKind
	At      time.Time
	Group   GroupID
	Other   GroupID
	Members []string
	Terms   []Term
	// Reason is one plain sentence.
	Reason string
	// ByHand says that it is the very step that a person asked for, not what followed from it.
	ByHand bool
}

// GroupState says where a group stands in its life.
type GroupState uint8

// The states of a group. GroupNone is the zero value and means that the group is unknown, merged away or forgotten.
const (
	GroupNone GroupState = iota
	GroupForming
	GroupShown
	GroupSuppressed
	GroupClosed
)

var groupStateNames = [...]string{"none", "forming", "shown", "suppressed", "closed"}

// String returns the lower-case name of the state.
func (s GroupState) String() string { return groupStateNames[min(int(s), len(groupStateNames)-1)] }

// Pin is a person's will that binds a Grouping: what was undone by hand is never repeated there.
type Pin struct {
	// Kind is one of the Pin constants.
	Kind PinKind
	// Group is the group that the pin is about; Other the second one of PinNeverMerge.
	Group, Other GroupID
	// Member is the episode of PinNeverJoin and PinStay.
	Member string
	// Fingerprint, when not zero, extends PinNeverJoin to later episodes of the same label set.
	Fingerprint signal.Fingerprint
}

// PinKind says what a Pin forbids.
type PinKind string

// The kinds of Pin.
const (
	// PinNeverJoin forbids that Member (and Fingerprint) is put into Group.
	PinNeverJoin PinKind = "never-join"
	// PinStay forbids that Member is moved out of Group.
	PinStay PinKind = "stay"
	// PinNeverMerge forbids that Group and Other are merged.
	PinNeverMerge PinKind = "never-merge"
	// PinNeverSplit forbids that anything is split off Group.
	PinNeverSplit PinKind = "never-split"
	// PinNeverShow forbids that Group is shown.
	PinNeverShow PinKind = "never-show"
	// PinNeverClose forbids that Group is closed or suppressed.
	PinNeverClose PinKind = "never-close"
	// PinNeverReopen forbids that Group is reopened; nothing new joins it either once it ended.
	PinNeverReopen PinKind = "never-reopen"
)

// RestoredGroup is a stored group that is handed back after a restart.
type RestoredGroup struct {
	ID       GroupID
	State    GroupState
	OpenedAt time.Time
	// ShownAt is zero when the group was never shown; EndedAt when it has not ended.
	ShownAt, EndedAt time.Time
}

// RestoredMember is a stored member that is handed back after a restart.
type RestoredMember struct {
	Member Member
	Group  GroupID
	// FiredAt is when the Grouping first saw the episode; LastFiredAt when it last began to fire.
	FiredAt, LastFiredAt time.Time
	// ResolvedAt is zero while it fires.
	ResolvedAt time.Time
}

// Restored is all that a Grouping needs to go on after a restart. Groups and members that ended longer ago than
// GroupingConfig.Forget may be left out.
type Restored struct {
	Groups  []RestoredGroup
	Members []RestoredMember
	Pins    []Pin
	// NextGroup is the first id that may be handed out; 0 lets the Grouping take the one after the largest it was given.
	NextGroup GroupID
	// Learned is what Grouping.Learned returned; nil starts untaught.
	Learned []byte
}
