package main

import (
	"testing"
	"time"
)

func TestGroupsAgreeWhateverTheirNames(t *testing.T) {
	tests := []struct {
		name     string
		together map[[2]string]int
		want     int
	}{
		{"the same groups under other names", map[[2]string]int{{"a", "INC-1"}: 5, {"b", "INC-2"}: 3}, 8},
		{"one incident for two groups", map[[2]string]int{{"a", "INC-1"}: 5, {"b", "INC-1"}: 3}, 5},
		{"a group in two incidents", map[[2]string]int{{"a", "INC-1"}: 5, {"a", "INC-2"}: 3}, 5},
		{"nothing at all", nil, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := agreeing(test.together); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestAReportBelongsToTheEpisodeThatWasGoingOn(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 3, 2, 3, minute, 0, 0, time.UTC) }
	episodes := []episode{
		{ReceivedAt: at(1), Incident: "INC-1", Disposition: "told"},
		{ReceivedAt: at(5), Incident: "INC-2", Disposition: "suppressed"},
		{ReceivedAt: at(9), Incident: "INC-3", Disposition: "flapping"},
	}
	for minute, want := range map[int]string{0: "-", 1: "INC-1", 4: "INC-1", 6: "-", 20: "INC-3"} {
		if got := incidentAt(episodes, at(minute)); got != want {
			t.Errorf("minute %d: got %s, want %s", minute, got, want)
		}
	}
}
