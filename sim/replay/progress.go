package replay

import (
	"fmt"
	"io"
	"time"
)

const progressEvery = 2 * time.Second

// report writes how far the replay is: at most one line every two seconds, notes at once.
type report struct {
	to    io.Writer
	wall  timer
	last  time.Time
	lines int
}

func newReport(to io.Writer, wall timer) *report {
	return &report{to: to, wall: wall, last: wall.Now()}
}

func (r *report) note(format string, args ...any) {
	fmt.Fprintf(r.to, "replay: "+format+"\n", args...)
}

// tick writes a line when it is time.
func (r *report) tick(s Summary) {
	now := r.wall.Now()
	passed := now.Sub(r.last)
	if passed < progressEvery {
		return
	}
	rate := float64(s.Lines-r.lines) / passed.Seconds()
	r.note("%d lines, %d alerts, %.0f lines/s, at %s", s.Lines, s.Alerts, rate, formatTime(s.Last))
	r.last, r.lines = now, s.Lines
}

// String says in one line what the replay did.
func (s Summary) String() string {
	text := fmt.Sprintf("replayed %d lines with %d alerts in %s (%.0f lines/s)", s.Lines, s.Alerts,
		s.Took.Round(time.Millisecond), float64(s.Lines)/max(s.Took.Seconds(), 1e-9))
	if s.Lines > 0 {
		text += fmt.Sprintf(": %s to %s", formatTime(s.First), formatTime(s.Last))
	}
	if s.Retries > 0 {
		text += fmt.Sprintf(", %d sent again because the server was busy", s.Retries)
	}
	if s.Waiting {
		text += ", something still waits for its time"
	}
	return text
}
