package opsgenie

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/receive/heartbeat"
)

// beatBody is the body of POST /v2/heartbeats and of PATCH /v2/heartbeats/{name}.
type beatBody struct {
	Name         string   `json:"name"`
	Description  *string  `json:"description"`
	Interval     int      `json:"interval"`
	IntervalUnit string   `json:"intervalUnit"`
	Enabled      *bool    `json:"enabled"`
	Message      *string  `json:"alertMessage"`
	Tags         []string `json:"alertTags"`
	Priority     string   `json:"alertPriority"`
}

var units = map[string]time.Duration{"minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour}

// beaten is the Reply of a request about heartbeats.
type beaten struct {
	body   beatBody
	status int
	answer map[string]any
}

// Bounds of what is kept of a heartbeat: bytes of its name and of a tag, of its texts, and how many tags.
const (
	maxBeatName = 200
	maxBeatText = 4 << 10
	maxBeatTags = 20
)

func cut(text string, most int) string {
	return strings.ToValidUTF8(text[:min(len(text), most)], "")
}

// Heartbeats returns the protocol of /v2/heartbeats. A heartbeat that pings without having been defined is expected from
// then on, every ten minutes: whoever comes from Opsgenie need not define theirs again to be watched.
func Heartbeats(board *heartbeat.Board) receive.Protocol {
	return receive.Protocol{
		Kind: Kind, Name: "opsgenie-heartbeat", Secret: secretOf,
		Parse: parseBeat,
		Take: func(ctx context.Context, r *receive.Request, d *receive.Delivery) error {
			reply, ok := d.Reply.(*beaten)
			if !ok {
				return nil
			}
			err := reply.take(ctx, board, r)
			if errors.Is(err, heartbeat.ErrNotFound) {
				return &receive.Problem{Status: http.StatusNotFound, Detail: "Heartbeat with name[" + r.PathValue("name") + "] does not exist."}
			}
			return heartbeat.Problem(err)
		},
		Answer: func(w http.ResponseWriter, r *receive.Request, d *receive.Delivery, p *receive.Problem) {
			if p != nil {
				fail(w, r, p)
				return
			}
			if reply, ok := d.Reply.(*beaten); ok {
				write(w, r, reply.status, anyID(), reply.answer)
			}
		},
	}
}

// parseBeat reads a request about heartbeats; only what defines one has a body.
func parseBeat(r *receive.Request) (*receive.Delivery, error) {
	reply := &beaten{}
	name := r.PathValue("name")
	creates := r.Method == http.MethodPost && name == ""
	if !creates && (r.Method != http.MethodPatch || r.PathValue("what") != "") {
		if len(name) > maxBeatName {
			return nil, invalid("path.name", name, "it is longer than 200 bytes")
		}
		return &receive.Delivery{Reply: reply}, nil
	}
	b := &reply.body
	if err := receive.DecodeJSON(r.Body, b); err != nil {
		return nil, err
	}
	if creates {
		name = b.Name
		if err := want("name", name, "name the heartbeat"); err != nil {
			return nil, err
		}
	}
	unit, known := units[b.IntervalUnit]
	switch {
	case len(name) > maxBeatName:
		return nil, invalid("name", name, "it is longer than 200 bytes")
	case creates && b.Interval == 0, b.Interval < 0:
		return nil, invalid("interval", "", "send a whole number of at least 1")
	case b.Interval != 0 && !known:
		return nil, invalid("intervalUnit", b.IntervalUnit, "send minutes, hours or days")
	case b.Interval != 0 && b.Interval > int(heartbeat.MaxInterval/unit):
		return nil, invalid("interval", "", "it is longer than a year; send less")
	case b.Priority != "" && severities[b.Priority] == "":
		return nil, invalid("alertPriority", b.Priority, "send P1, P2, P3, P4 or P5")
	}
	b.Name = name
	return &receive.Delivery{Reply: reply}, nil
}

// take does what a request asks for.
func (d *beaten) take(ctx context.Context, board *heartbeat.Board, r *receive.Request) error {
	integration, name, what := r.Integration.Name, r.PathValue("name"), r.PathValue("what")
	d.status = http.StatusOK
	var b heartbeat.Beat
	var err error
	switch method := r.Method; {
	case what == "ping":
		d.status, d.answer = http.StatusAccepted, map[string]any{"result": "PONG - Heartbeat received"}
		_, err = board.Ping(ctx, r.At, integration, name, 0, 0)
		return err
	case what == "enable", what == "disable":
		b, err = board.Enable(ctx, r.At, integration, name, what == "enable")
	case what != "":
		return &receive.Problem{Status: http.StatusNotFound, Detail: "There is no such act of heartbeats; send ping, enable or disable."}
	case method == http.MethodPost:
		d.status = http.StatusCreated
		b, err = board.Define(ctx, r.At, integration, d.body.Name, d.body.edit)
	case method == http.MethodPatch:
		if _, err = board.Find(integration, name); err == nil {
			b, err = board.Define(ctx, r.At, integration, name, d.body.edit)
		}
	case method == http.MethodDelete:
		d.answer = map[string]any{"result": "Deleted", "data": map[string]any{"name": name}}
		return board.Delete(ctx, r.At, integration, name)
	case name == "":
		list := []map[string]any{}
		for _, b := range board.List(integration) {
			list = append(list, describe(&b, r.At))
		}
		d.answer = map[string]any{"data": map[string]any{"heartbeats": list}}
		return nil
	default:
		b, err = board.Find(integration, name)
	}
	d.answer = map[string]any{"data": describe(&b, r.At)}
	return err
}

// edit puts what a body says into a heartbeat.
func (b *beatBody) edit(beat *heartbeat.Beat) {
	if b.Interval > 0 {
		beat.Interval = time.Duration(b.Interval) * units[b.IntervalUnit]
	}
	if b.Enabled != nil {
		beat.Disabled = !*b.Enabled
	}
	if b.Description != nil {
		beat.Description = cut(*b.Description, maxBeatText)
	}
	if b.Message != nil {
		beat.Message = cut(*b.Message, maxBeatText)
	}
	if b.Tags != nil {
		beat.Tags = nil
		for _, tag := range b.Tags[:min(len(b.Tags), maxBeatTags)] {
			beat.Tags = append(beat.Tags, cut(tag, maxBeatName))
		}
	}
	if b.Priority != "" {
		beat.Severity = severities[b.Priority]
	}
}

// describe is a heartbeat in Opsgenie's form.
func describe(b *heartbeat.Beat, now time.Time) map[string]any {
	unit, length := "minutes", b.Interval/time.Minute
	switch {
	case b.Interval%(24*time.Hour) == 0:
		unit, length = "days", b.Interval/(24*time.Hour)
	case b.Interval%time.Hour == 0:
		unit, length = "hours", b.Interval/time.Hour
	}
	tags := b.Tags
	if tags == nil {
		tags = []string{}
	}
	fields := map[string]any{
		"name": b.Name, "description": b.Description, "interval": max(1, int(length)), "intervalUnit": unit, "enabled": !b.Disabled,
		"expired": b.Missing || b.Expired(now), "alertMessage": b.Message, "alertTags": tags, "alertPriority": priorityOf(b.Severity),
	}
	if !b.LastAt.IsZero() {
		fields["lastPingTime"] = b.LastAt
	}
	return fields
}

func priorityOf(severity string) string {
	switch severity {
	case "error":
		return "P2"
	case "warning":
		return "P3"
	case "info":
		return "P5"
	}
	return "P1"
}
