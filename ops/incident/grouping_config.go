package incident

import "time"

// GroupingConfig holds the constants of grouping. DefaultGroupingConfig returns the shipped ones.
type GroupingConfig struct {
	// Hold is how long a group without a critical alert waits for company before it is shown.
	Hold time.Duration
	// HoldCritical is how long a group with a critical alert waits at most; 0 shows at once.
	HoldCritical time.Duration
	// Company is how many alerts of different label sets that belong together are shown without further waiting.
	Company int
	// Settle is how long all alerts of a shown group must have ended before it closes, SettleForming the same for a group
	// that was never shown.
	Settle, SettleForming time.Duration
	// Return is how soon after its end an alert that fires again counts as the same trouble.
	Return time.Duration
	// Forget is how long an ended group is remembered, so that it can be reopened.
	Forget time.Duration
	// Late is how far StartsAt may lie before the receipt and still be believed to be the time of the onset.
	Late time.Duration

	// Pace is the usual decay time of a burst: after it two thirds of a fault's alerts have begun. PaceSpread is how many
	// doublings it may be off.
	Pace       time.Duration
	PaceSpread float64
	// Size is the usual number of alerts of a fault, SizeShape the shape of the Gamma prior of it; smaller is vaguer.
	Size, SizeShape float64
	// BurstOdds are the odds that a lone alert is the first of many.
	BurstOdds float64
	// NoiseEvery and FaultEvery are the usual times between two lone alerts and between two faults.
	NoiseEvery, FaultEvery time.Duration
	// SplitAt is how large the log-odds must be that a second burst began inside a group before it is split off; MergeAt
	// how large that two groups are one burst before they are merged.
	SplitAt, MergeAt float64
	// Window is how far back a split or merge looks; Restless is how often at most.
	Window, Restless time.Duration
	// Apart is how long after the onset of a burst no second one is looked for: alerts that come in waves, because rules are
	// evaluated in rounds and trouble spreads, are one burst.
	Apart time.Duration
	// ColdStart is how long after the first alert of all those that began longer than ColdAge ago, but not longer than
	// ColdMost, were firing all along: they did not begin together, however many come at once. ColdAlerts bounds how many
	// are taken for such.
	ColdStart, ColdAge, ColdMost time.Duration
	ColdAlerts                   int

	// Ongoing is how long after its newest alert an incident still takes in alerts of a name and service that fire in it.
	Ongoing time.Duration
	// Relapse is how soon after its end an incident is reopened when the very same alerts come back.
	Relapse time.Duration
	// Straggle is how fast it becomes unlikely that a lone alert is a straggler of an earlier burst.
	Straggle time.Duration
	// ReviewAfter is how long after nearly all alerts of a group have ended it is looked at once more, now that it is known
	// which alerts ended together. ReviewAt is how large the log-odds must be to split it then, ReviewMerge to merge it.
	ReviewAfter           time.Duration
	ReviewAt, ReviewMerge float64
	// Recovery is the usual spread (standard deviation) of the times at which the alerts of one fault end.
	Recovery time.Duration
	// Stray is the share of a fault's alerts that end at another time than the others.
	Stray float64

	// Without names the terms that are switched off, for measuring what each is worth: "time", "map", "labels", "text",
	// "together".
	Without []string
}

// DefaultGroupingConfig returns the shipped constants.
func DefaultGroupingConfig() GroupingConfig {
	return GroupingConfig{
		Hold:          time.Hour,
		HoldCritical:  30 * time.Second,
		Company:       5,
		Settle:        5 * time.Minute,
		SettleForming: time.Minute,
		Return:        time.Minute,
		Forget:        time.Hour,
		Late:          2 * time.Minute,
		Pace:          90 * time.Second,
		PaceSpread:    1,
		Size:          50,
		SizeShape:     1.5,
		BurstOdds:     0.2,
		NoiseEvery:    5 * time.Minute,
		FaultEvery:    20 * time.Minute,
		SplitAt:       2,
		MergeAt:       2,
		Window:        3 * time.Minute,
		Restless:      time.Second,
		Apart:         time.Minute,
		ColdStart:     time.Minute,
		ColdAge:       15 * time.Minute,
		ColdMost:      90 * 24 * time.Hour,
		ColdAlerts:    1000,
		Ongoing:       30 * time.Minute,
		Relapse:       10 * time.Minute,
		Straggle:      5 * time.Minute,
		ReviewAfter:   2 * time.Minute,
		ReviewAt:      8,
		ReviewMerge:   4,
		Recovery:      45 * time.Second,
		Stray:         0.5,
	}
}
