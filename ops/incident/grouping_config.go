package incident

import "time"

// GroupingConfig holds the constants of grouping. DefaultGroupingConfig returns the shipped ones.
type GroupingConfig struct {
	// Hold is how long a group without a critical alert waits for company before it is shown.
	Hold time.Duration
	// HoldCritical is how long a group with a critical alert waits at most; 0 shows at once.
	HoldCritical time.Duration
	// Settle is how long all alerts of a group must have ended before it closes.
	Settle time.Duration
	// Forget is how long an ended group is remembered, so that it can be reopened.
	Forget time.Duration
	// Without names the terms that are switched off, for measuring what each is worth: "time", "map", "labels", "text",
	// "together".
	Without []string
}

// DefaultGroupingConfig returns the shipped constants.
func DefaultGroupingConfig() GroupingConfig {
	return GroupingConfig{
		Hold:         time.Hour,
		HoldCritical: 30 * time.Second,
		Settle:       5 * time.Minute,
		Forget:       time.Hour,
	}
}
