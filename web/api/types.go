package api

import "time"

// Term is one visible piece of evidence for a decision.
type Term struct {
	Name   string  `json:"name" doc:"The kind of evidence: time, map, labels, text, together and so on."`
	Weight float64 `json:"weight" doc:"Log-odds that it adds; negative speaks against."`
	Detail string  `json:"detail" doc:"The same as a plain sentence."`
}

// EntityRef names what something is about.
type EntityRef struct {
	Kind string `json:"kind" doc:"service, instance, host, job and so on."`
	Name string `json:"name"`
}

// EntityCount is an entity and how many alerts of an incident are about it.
type EntityCount struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Alerts int    `json:"alerts"`
}

// Incident is what people handle: alerts that have one cause, as far as is known.
type Incident struct {
	ID             string        `json:"id" example:"INC-12"`
	Title          string        `json:"title"`
	State          string        `json:"state" enum:"forming,open,acknowledged,resolved,suppressed"`
	Severity       string        `json:"severity" enum:"none,info,warning,error,critical"`
	StartedAt      time.Time     `json:"startedAt" doc:"When its first alert was received."`
	ShownAt        *time.Time    `json:"shownAt,omitempty" doc:"When it left forming and people were told."`
	LastSeenAt     time.Time     `json:"lastSeenAt" doc:"The newest report of one of its alerts."`
	EndedAt        *time.Time    `json:"endedAt,omitempty"`
	AcknowledgedAt *time.Time    `json:"acknowledgedAt,omitempty"`
	AcknowledgedBy string        `json:"acknowledgedBy,omitempty"`
	Owner          string        `json:"owner,omitempty" doc:"Who was given it, or took it."`
	AlertCount     int           `json:"alertCount"`
	FiringCount    int           `json:"firingCount"`
	Reports        int           `json:"reports" doc:"All reports of its alerts, repeats included."`
	HeldBack       int           `json:"heldBack" doc:"Alerts that nobody was told of because the incident is or was only forming."`
	Silenced       int           `json:"silenced"`
	Inhibited      int           `json:"inhibited"`
	Flapping       int           `json:"flapping"`
	Entities       []EntityCount `json:"entities" doc:"What it hits, most alerts first, at most 20."`
	Services       []string      `json:"services"`
	MergedInto     string        `json:"mergedInto,omitempty"`
	Spark          []int         `json:"spark" doc:"New alerts in 30 equal parts of the time from sparkFrom to sparkTo."`
	SparkFrom      time.Time     `json:"sparkFrom"`
	SparkTo        time.Time     `json:"sparkTo"`
}

// IncidentDetail is an incident with all that is known of it.
type IncidentDetail struct {
	Incident
	Alerts       []Alert `json:"alerts" doc:"The newest 200; GET /incidents/{id}/alerts lists all."`
	Timeline     []Step  `json:"timeline" doc:"The newest 200 steps, oldest first."`
	TimelineNext string  `json:"timelineNext" doc:"The cursor of GET /incidents/{id}/timeline for the steps before; empty when there are none."`
	Causes       []Cause `json:"causes"`
	Precedents   []Cause `json:"precedents"`
	Executions   []Cause `json:"executions"`
}

// Cause will say what brought an incident about. No cause is found yet: the lists of it are empty.
type Cause struct {
	Entity string  `json:"entity"`
	Score  float64 `json:"score"`
}

// StepUndo says whether a step can be undone.
type StepUndo struct {
	Possible bool   `json:"possible"`
	Reason   string `json:"reason,omitempty" doc:"Why not."`
}

// Step is one thing that happened to an incident.
type Step struct {
	ID         string     `json:"id" example:"S34"`
	At         time.Time  `json:"at"`
	Incident   string     `json:"incident"`
	Kind       string     `json:"kind" enum:"open,assign,merge,split,show,suppress,close,reopen,acknowledge,unacknowledge,resolve,own,note,undo"`
	Actor      string     `json:"actor" doc:"engine, or who did it."`
	Text       string     `json:"text"`
	Alerts     []string   `json:"alerts" doc:"The first 50 alerts that it moved."`
	AlertCount int        `json:"alertCount"`
	Other      string     `json:"other,omitempty" doc:"The second incident of a merge, split or assign."`
	Terms      []Term     `json:"terms"`
	Undo       StepUndo   `json:"undo"`
	Undoes     string     `json:"undoes,omitempty" doc:"The step that this one undid."`
	UndoneAt   *time.Time `json:"undoneAt,omitempty"`
	UndoneBy   string     `json:"undoneBy,omitempty"`
}

// StepPage is one page of steps.
type StepPage struct {
	Items []Step `json:"items" doc:"Oldest first."`
	Next  string `json:"next" doc:"The cursor of the page with the steps before; empty on the last one."`
}

// Alert is one alert from firing to resolved.
type Alert struct {
	ID             string            `json:"id" example:"A7"`
	Fingerprint    string            `json:"fingerprint"`
	Name           string            `json:"name"`
	State          string            `json:"state" enum:"firing,resolved"`
	Severity       string            `json:"severity" enum:"none,info,warning,error,critical"`
	Labels         map[string]string `json:"labels"`
	Annotations    map[string]string `json:"annotations"`
	GeneratorURL   string            `json:"generatorURL"`
	Source         string            `json:"source"`
	TemplateKey    string            `json:"templateKey" doc:"Its kind, without places and numbers."`
	StartsAt       time.Time         `json:"startsAt"`
	EndsAt         *time.Time        `json:"endsAt,omitempty"`
	ReceivedAt     time.Time         `json:"receivedAt" doc:"The first report."`
	LastReceivedAt time.Time         `json:"lastReceivedAt"`
	Reports        int               `json:"reports"`
	Flaps          int               `json:"flaps" doc:"How often it came back after it had ended."`
	Incident       string            `json:"incident" doc:"The incident it is in, after merges; empty if none."`
	Disposition    string            `json:"disposition" enum:"told,held,silenced,inhibited,flapping,suppressed"`
	SilencedBy     []string          `json:"silencedBy,omitempty"`
	InhibitedBy    []string          `json:"inhibitedBy,omitempty"`
	Entity         EntityRef         `json:"entity"`
	Why            []Term            `json:"why" doc:"Why it is in that incident."`
}

// DecisionLine is one line of a decision record.
type DecisionLine struct {
	At      time.Time `json:"at"`
	Stage   string    `json:"stage"`
	Outcome string    `json:"outcome"`
	Reason  string    `json:"reason"`
}

// Decision answers why somebody was, or was not, told of an alert.
type Decision struct {
	Alert   string         `json:"alert"`
	Told    bool           `json:"told"`
	Summary string         `json:"summary"`
	Lines   []DecisionLine `json:"lines"`
}

// IncidentPage is a page of incidents; next is the cursor of the following page, empty on the last.
type IncidentPage struct {
	Items []Incident `json:"items"`
	Next  string     `json:"next"`
}

// AlertPage is a page of alerts; next is the cursor of the following page, empty on the last.
type AlertPage struct {
	Items []Alert `json:"items"`
	Next  string  `json:"next"`
}

// ValueCount is a value and how many have it.
type ValueCount struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

// AlertSummary counts alerts. Each list holds the most frequent values first, at most 20.
type AlertSummary struct {
	Alerts       int          `json:"alerts" doc:"How many were counted: the newest, at most 20000."`
	Complete     bool         `json:"complete" doc:"Whether these are all."`
	From         *time.Time   `json:"from,omitempty" doc:"When the first bucket begins; absent without alerts."`
	Width        float64      `json:"width" doc:"How long a bucket lasts, in seconds."`
	Buckets      []int        `json:"buckets" doc:"How many alerts began in each."`
	Severities   []ValueCount `json:"severities"`
	States       []ValueCount `json:"states"`
	Dispositions []ValueCount `json:"dispositions"`
	Names        []ValueCount `json:"names"`
	Services     []ValueCount `json:"services"`
	Sources      []ValueCount `json:"sources"`
}

// ActionResult is what a person's step led to.
type ActionResult struct {
	Incident Incident  `json:"incident"`
	Step     Step      `json:"step"`
	Other    *Incident `json:"other,omitempty"`
}

// MapNode is a node of the map.
type MapNode struct {
	ID string `json:"id"`
}

// MapEdge is an edge of the map.
type MapEdge struct {
	From       string  `json:"from"`
	To         string  `json:"to"`
	Kind       string  `json:"kind"`
	Confidence float64 `json:"confidence"`
}

// MapView is the map as it is now.
type MapView struct {
	Nodes []MapNode `json:"nodes"`
	Edges []MapEdge `json:"edges"`
}

// DeadLetter is a piece that was refused, with its reason.
type DeadLetter struct {
	ID         string     `json:"id"`
	At         time.Time  `json:"at"`
	Receiver   string     `json:"receiver"`
	Reason     string     `json:"reason"`
	Payload    string     `json:"payload"`
	Truncated  bool       `json:"truncated" doc:"The payload was too long to be kept whole."`
	ReplayedAt *time.Time `json:"replayedAt,omitempty"`
}

// DeadLetterPage is a page of dead letters; next is the cursor of the following page, empty on the last.
type DeadLetterPage struct {
	Items []DeadLetter `json:"items"`
	Next  string       `json:"next"`
}

// ReplayResult says what became of a replayed dead letter.
type ReplayResult struct {
	Result string `json:"result" enum:"accepted,refused"`
	Reason string `json:"reason"`
}

// Clock is the server's clock.
type Clock struct {
	Mode      string     `json:"mode" enum:"wall,event"`
	Now       time.Time  `json:"now"`
	NextTimer *time.Time `json:"nextTimer,omitempty" doc:"The earliest time at which something waits; absent when nothing does."`
}

// AlertStats counts alerts.
type AlertStats struct {
	Received  uint64 `json:"received" doc:"Reports since the start, repeats included."`
	Distinct  uint64 `json:"distinct" doc:"Alerts ever stored."`
	Firing    int    `json:"firing"`
	Told      int    `json:"told"`
	HeldBack  int    `json:"heldBack"`
	Silenced  int    `json:"silenced"`
	Inhibited int    `json:"inhibited"`
	Flapping  int    `json:"flapping"`
}

// IncidentStats counts incidents by state.
type IncidentStats struct {
	Forming      int `json:"forming"`
	Open         int `json:"open"`
	Acknowledged int `json:"acknowledged"`
	Resolved     int `json:"resolved"`
	Suppressed   int `json:"suppressed"`
}

// Stats counts everything.
type Stats struct {
	Alerts      AlertStats    `json:"alerts"`
	Incidents   IncidentStats `json:"incidents"`
	DeadLetters int           `json:"deadLetters"`
}
