package heartbeat

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/fairlead/fairlead/receive"
)

// Protocol returns the protocol of POST and GET /in/heartbeat/{integration}: the integration is the heartbeat. ?interval=5m
// says how long it may be silent and is remembered; else the integration's resolve timeout counts, else DefaultInterval.
func Protocol(board *Board) receive.Protocol {
	return receive.Protocol{
		Kind: Kind,
		Parse: func(r *receive.Request) (*receive.Delivery, error) {
			interval, err := Interval(r.URL.Query().Get("interval"))
			return &receive.Delivery{Reply: &ping{interval: interval}}, err
		},
		Take: func(ctx context.Context, r *receive.Request, d *receive.Delivery) error {
			p, ok := d.Reply.(*ping)
			if !ok {
				return nil
			}
			var err error
			p.beat, err = board.Ping(ctx, r.At, r.Integration.Name, r.Integration.Name, p.interval, r.Integration.Timeout(0))
			return Problem(err)
		},
		Answer: func(w http.ResponseWriter, _ *receive.Request, d *receive.Delivery, problem *receive.Problem) {
			if problem != nil {
				problem.Write(w)
				return
			}
			p, ok := d.Reply.(*ping)
			if !ok {
				return
			}
			receive.WriteJSON(w, http.StatusOK, map[string]any{"name": p.beat.Name, "interval": p.beat.Interval.String(), "dueAt": p.beat.DueAt})
		},
	}
}

type ping struct {
	interval time.Duration
	beat     Beat
}

// Interval reads how long a sender may be silent; "" is 0. The error is a *receive.Problem.
func Interval(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	interval, err := time.ParseDuration(text)
	if err != nil || interval < MinInterval || interval > MaxInterval {
		return 0, receive.Invalid(receive.FieldError{Field: "query.interval", Value: receive.Excerpt(text), Remedy: fmt.Sprintf("send a duration from %s to %s, for instance 5m", MinInterval, MaxInterval)})
	}
	return interval, nil
}

// Problem returns the answer for an error of a Board; nil stays nil. Other errors than the Board's own are returned as they
// are.
func Problem(err error) error {
	switch {
	case errors.Is(err, ErrFull):
		return &receive.Problem{Status: http.StatusInsufficientStorage, Detail: err.Error() + "."}
	case errors.Is(err, ErrNotFound):
		return &receive.Problem{Status: http.StatusNotFound, Detail: err.Error() + "."}
	}
	return err
}
