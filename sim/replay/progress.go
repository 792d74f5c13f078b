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

func (r *report) final(s Summary) {
	rate := float64(s.Lines) / max(s.Took.Seconds(), 1e-9)
	r.note("%d lines, %d alerts, %.1f MB in %s (%.0f lines/s), %s to %s, retries %d, clock advanced %d times", s.Lines,
		s.Alerts, float64(s.Bytes)/1e6, s.Took.Round(time.Millisecond), rate, formatTime(s.First), formatTime(s.Last),
		s.Retries, s.Rounds)
}
