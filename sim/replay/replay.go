// Package replay sends recorded signals to a Fairlead server, or to any other server that speaks the same public
// protocols, in the order and at the pace in which they once happened.
//
// A recording is a file of JSON lines, plain or gzip. Two forms are known and told apart by their content: alert streams,
// {"at": RFC 3339, "alerts": [...]}, whose alerts go to /api/v2/alerts; and OTLP in JSON as the OpenTelemetry Collector's
// file exporter writes it, which goes to /v1/traces, /v1/logs and /v1/metrics. Several files are merged by time; the
// lines of one file keep their order. Each request carries the time of its line in the header Fairlead-Event-Time, never
// earlier than the one before, so that a server on the event clock (serve --clock event) lives through the recording at
// any speed.
//
// Requests are sent one after another: the order in which a server sees them is part of the recording, and a second
// connection would lose it. Lines are read one at a time, so memory stays bounded by the longest line of each file.
//
// The package imports nothing of Fairlead.
package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Speed is how many seconds of the recording pass in one second of the wall clock.
type Speed float64

const (
	// RealTime replays as it happened. It is what the zero Speed means, too.
	RealTime Speed = 1
	// Max replays as fast as the server answers.
	Max Speed = -1
)

// ParseSpeed reads the value of a --speed flag: "max" or a positive number such as "1" or "10".
func ParseSpeed(text string) (Speed, error) {
	if text == "max" {
		return Max, nil
	}
	factor, err := strconv.ParseFloat(text, 64)
	if err != nil || !(factor > 0) || factor > 1e6 {
		return 0, fmt.Errorf("speed %q: want max or a number above 0, such as 1 or 10", text)
	}
	return Speed(factor), nil
}

// String returns the form that ParseSpeed reads.
func (s Speed) String() string {
	if s == Max {
		return "max"
	}
	return strconv.FormatFloat(float64(s), 'g', -1, 64)
}

// Config says what is replayed, where to and how.
type Config struct {
	// Paths are recordings, or folders whose *.jsonl and *.jsonl.gz recordings are taken. At least one.
	Paths []string
	// To is the server's base URL, such as http://127.0.0.1:8460.
	To string
	// Token is sent as a bearer token with every request; empty sends none.
	Token string
	// Edges is an edges.json that is put to the server's map before the first line; empty puts none.
	Edges string
	// Speed is how fast; 0 means RealTime. Anything else needs a server on the event clock.
	Speed Speed
	// ShiftToNow moves all times so that the first line happens now.
	ShiftToNow bool
	// Client sends the requests; nil means one with keep-alive and a time limit of a minute for each request.
	Client *http.Client
	// RetryFor is how long one line is offered again while the server answers 429 or 503; 0 means five minutes.
	RetryFor time.Duration
	// MaxRounds limits how often the event clock is advanced after the last line; 0 means 100,000.
	MaxRounds int
}

// Validate reports the first thing that makes the configuration unusable.
func (c Config) Validate() error {
	if len(c.Paths) == 0 {
		return errors.New("nothing to replay: name at least one recording")
	}
	target, err := url.Parse(c.To)
	if err != nil {
		return fmt.Errorf("read the server's URL: %w", err)
	}
	if (target.Scheme != "http" && target.Scheme != "https") || target.Host == "" {
		return fmt.Errorf("server %q: want a URL such as http://127.0.0.1:8460", c.To)
	}
	if c.Speed < 0 && c.Speed != Max {
		return fmt.Errorf("speed %v: want max or a number above 0", float64(c.Speed))
	}
	return nil
}

// Summary is what a replay did.
type Summary struct {
	// Lines is how many lines were sent and accepted, Alerts how many alerts stood in them.
	Lines, Alerts int
	// Bytes is how many bytes of request bodies were accepted.
	Bytes int64
	// Retries is how often a line was sent again because the server was busy.
	Retries int
	// Rounds is how often the event clock was advanced after the last line.
	Rounds int
	// Waiting reports that something still waited for its time when Config.MaxRounds was reached.
	Waiting bool
	// First and Last are the times of the first and of the last line as sent; zero when no line was sent.
	First, Last time.Time
	// Took is how long the replay took by the wall clock.
	Took time.Duration
}

// Run replays the recordings and returns what it did, also when it fails half-way. It writes its progress to progress
// (nil writes none). A line that the server refuses stops the replay with an error that names the file, the line and the
// server's answer.
func Run(ctx context.Context, config Config, progress io.Writer) (Summary, error) {
	return run(ctx, config, progress, wallTime{})
}

func run(ctx context.Context, config Config, progress io.Writer, wall timer) (Summary, error) {
	if err := config.Validate(); err != nil {
		return Summary{}, err
	}
	if config.Speed == 0 {
		config.Speed = RealTime
	}
	if config.RetryFor == 0 {
		config.RetryFor = 5 * time.Minute
	}
	if config.MaxRounds == 0 {
		config.MaxRounds = 100_000
	}
	if progress == nil {
		progress = io.Discard
	}
	p := &player{
		config: config,
		target: newTarget(config, wall),
		wall:   wall,
		began:  wall.Now(),
		report: newReport(progress, wall),
	}
	err := p.play(ctx)
	p.summary.Retries = p.target.retries
	p.summary.Took = wall.Now().Sub(p.began)
	if err != nil {
		p.report.note("stopped: %s", p.summary)
	}
	return p.summary, err
}

// player is one replay under way.
type player struct {
	config  Config
	target  *target
	wall    timer
	report  *report
	began   time.Time
	shift   time.Duration
	event   bool      // the server lives on the event clock
	sent    time.Time // the newest event time sent, after the shift
	start   time.Time // wall time of the first line
	summary Summary
}

func (p *player) play(ctx context.Context) error {
	if err := p.checkClock(ctx); err != nil {
		return err
	}
	recording, err := openAll(p.config.Paths, p.report.note)
	if err != nil {
		return err
	}
	defer recording.Close()
	if p.config.Edges != "" {
		if err := p.target.putEdges(ctx, p.config.Edges); err != nil {
			return err
		}
	}
	for {
		item, err := recording.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := p.send(ctx, item); err != nil {
			return err
		}
	}
	if p.event && !p.sent.IsZero() {
		return p.drain(ctx)
	}
	return nil
}

// send waits for the item's moment and posts it.
func (p *player) send(ctx context.Context, item *item) error {
	if p.summary.Lines == 0 {
		p.start = p.wall.Now()
		if p.config.ShiftToNow {
			p.shift = p.start.Sub(item.at).Truncate(time.Millisecond)
		}
		p.summary.First = item.at.Add(p.shift)
	}
	at := item.at.Add(p.shift)
	if at.Before(p.sent) {
		at = p.sent
	}
	if err := p.pace(ctx, at); err != nil {
		return err
	}
	body := item.body
	if p.shift != 0 {
		shifted, err := item.shifted(p.shift)
		if err != nil {
			return fmt.Errorf("%s: shift times: %w", item.where(), err)
		}
		body = shifted
	}
	if err := p.target.post(ctx, item.kind, body, at); err != nil {
		return fmt.Errorf("%s: %w", item.where(), err)
	}
	p.sent = at
	p.summary.Last = at
	p.summary.Lines++
	p.summary.Alerts += item.alerts
	p.summary.Bytes += int64(len(body))
	p.report.tick(p.summary)
	return nil
}

// pace waits until the wall clock has reached the moment of at. On an event clock, time also goes on between two lines:
// a long wait advances it once a second, so that whoever watches sees timers fire when they should.
func (p *player) pace(ctx context.Context, at time.Time) error {
	if p.config.Speed == Max {
		return ctx.Err()
	}
	elapsed := time.Duration(float64(at.Sub(p.summary.First)) / float64(p.config.Speed))
	due := p.start.Add(elapsed)
	for {
		left := due.Sub(p.wall.Now())
		if left <= 0 {
			return ctx.Err()
		}
		if !p.event || left <= time.Second || p.sent.IsZero() {
			return p.wall.Sleep(ctx, left)
		}
		if err := p.wall.Sleep(ctx, time.Second); err != nil {
			return err
		}
		passed := time.Duration(float64(p.wall.Now().Sub(p.start)) * float64(p.config.Speed))
		if now := p.summary.First.Add(passed); now.After(p.sent) && now.Before(at) {
			if err := p.target.post(ctx, kindAlerts, emptyAlerts, now); err != nil {
				return fmt.Errorf("advance the event clock to %s: %w", formatTime(now), err)
			}
			p.sent = now
			p.report.tick(p.summary)
		}
	}
}

// timer is the wall clock; tests put another in its place.
type timer interface {
	Now() time.Time
	Sleep(ctx context.Context, d time.Duration) error
}

type wallTime struct{}

// Now returns the present time.
func (wallTime) Now() time.Time { return time.Now().UTC() }

// Sleep waits for d or until the context ends.
func (wallTime) Sleep(ctx context.Context, d time.Duration) error {
	wait := time.NewTimer(d)
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-wait.C:
		return nil
	}
}

func formatTime(t time.Time) string {
	return strings.Replace(t.UTC().Format("2006-01-02T15:04:05.000000000Z"), "000000Z", "Z", 1)
}
