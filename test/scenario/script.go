// Package scenario reads and runs the scenario files in this folder: plain text that says which alerts arrive when, what
// people do, and which incidents must be there afterwards. README.md describes the language.
//
// Parse turns a file into a Script; a World runs it against the same engine that the server uses, on an event clock, so
// that an hour takes a millisecond. A scenario that fails names the line and what was found instead.
package scenario

import (
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/ops/alert"
)

// Script is one parsed scenario file.
type Script struct {
	// Edges are the map's, caller first.
	Edges [][2]string
	// Inhibit holds the inhibition rules in the order of lines.
	Inhibit []alert.InhibitRule
	// Lines holds what happens, ordered by time; lines of the same time keep their order in the file.
	Lines []Line
}

// Line is one "at" line of a scenario.
type Line struct {
	// Number counts from 1.
	Number int
	// At is the time since the scenario's start.
	At time.Duration
	// Text is the line as it was written.
	Text string
	// Do is what happens: Report, Silence, Expire, Restart, Name, Person, Undo or Expect.
	Do any
}

// AlertRef selects alerts by their labels: all alerts that carry each of them.
type AlertRef map[string]string

// Report is a report that reaches Fairlead: an alert that fires, or with Resolved one that ended.
type Report struct {
	Labels   signal.Labels
	Resolved bool
	// Skew is how much later than the time of receipt the alert says that it began (or, with Resolved, ended); negative
	// means earlier.
	Skew time.Duration
	// Timeout is after how long without a report the alert counts as ended; 0 means never.
	Timeout time.Duration
}

// Silence mutes what its matchers select.
type Silence struct {
	Name     string
	Matchers []string
	For      time.Duration
}

// Expire ends a silence before its time.
type Expire struct{ Name string }

// Restart stops the engine and starts a new one from what was stored.
type Restart struct{}

// Name gives a short name to the incident that an alert is in.
type Name struct {
	Incident string
	Alert    AlertRef
}

// Person is what somebody does with an incident.
type Person struct {
	Who string
	// Verb is acknowledges, unacknowledges, resolves, reopens, takes, gives, merges, splits, moves or notes.
	Verb string
	// Incident is the name of the incident that is acted on; for splits the one that the alerts leave.
	Incident string
	// Other is the incident merged away, the name that the one split off gets, or who is given it; "nobody" gives it back.
	Other string
	// Alert selects the alerts of splits and moves.
	Alert AlertRef
	// Text is the note or reason.
	Text string
	// Refused, when not "", must be in the reason for which the action is refused.
	Refused string
}

// Undo takes back the newest step of a kind.
type Undo struct {
	Who string
	// Kind is a kind of step, for instance "merge".
	Kind string
	// Incident is the incident that the step is about.
	Incident string
	// Refused is as for Person.
	Refused string
}

// Expect is what must be true.
type Expect struct {
	// Exactly one of the following is set.
	Count    *ExpectCount
	Incident *ExpectIncident
	Alert    *ExpectAlert
}

// ExpectCount counts incidents.
type ExpectCount struct {
	N int
	// State is "" for all that were not merged away, "shown" for those that people were told of, "current" for those that
	// have not ended, or one state.
	State string
}

// ExpectIncident says what an incident must look like; zero fields are not looked at.
type ExpectIncident struct {
	Incident string
	State    string
	Severity string
	// Counts maps alerts, reports, firing, silenced, inhibited and flapping to the wanted number.
	Counts map[string]int
	// About must be among the entities.
	About string
	// Says must be in the text of one of its steps.
	Says string
	// Title must be in the title.
	Title string
	// Gone names the incident that this one was merged into.
	Gone string
}

// ExpectAlert says what alerts must look like; zero fields are not looked at.
type ExpectAlert struct {
	Alert AlertRef
	// Is is firing, resolved, silenced, inhibited, flapping, told or untold.
	Is []string
	// In names the incident that it must be in, NotIn one that it must not be in.
	In, NotIn string
	// Says must be in a line of its decision record.
	Says string
	// Counts maps episodes, reports and flaps to the wanted number.
	Counts map[string]int
}
