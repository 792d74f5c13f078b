package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// group runs components, each in its goroutine, and stops them one after the other in reverse order.
type group struct {
	failed chan error
	parts  []part
}

type part struct {
	name string
	stop context.CancelFunc
	done chan struct{}
}

func newGroup() *group {
	return &group{failed: make(chan error, 16)}
}

// start runs a component, whose context is ctx without its end. One that returns before it was stopped ends the group.
func (g *group) start(ctx context.Context, name string, run func(ctx context.Context) error) {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	p := part{name: name, stop: stop, done: make(chan struct{})}
	g.parts = append(g.parts, p)
	go func() {
		defer close(p.done)
		err := run(ctx)
		if ctx.Err() == nil {
			if err == nil {
				err = errors.New("it ended by itself")
			}
			g.failed <- fmt.Errorf("%s: %w", name, err)
		}
	}()
}

// wait returns after ctx has ended or a component failed, and all components have stopped, the last
// started first; those that do not stop in time are left behind and named in the error.
func (g *group) wait(ctx context.Context, timeout time.Duration) error {
	var err error
	select {
	case <-ctx.Done():
	case err = <-g.failed:
	}
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	for _, p := range slices.Backward(g.parts) {
		p.stop()
		select {
		case <-p.done:
		case <-deadline.C:
			return errors.Join(err, fmt.Errorf("%s did not stop within %s", p.name, timeout))
		}
	}
	return err
}
