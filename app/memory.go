package app

import (
	"context"
	"time"
)

// giveBackEvery is how often pages of the program's own file are let go of.
const giveBackEvery = 10 * time.Minute

// giveBack lets go of pages of the program's own file now and then, until ctx ends.
func (a *App) giveBack(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for wait := time.Minute; ; wait = giveBackEvery { // at once, soon, and then now and again
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		timer.Reset(wait)
		if n, err := giveBackCode(); err != nil {
			a.part("memory").Debug("pages of the program could not be given back", "error", err)
		} else {
			a.part("memory").Debug("pages of the program were given back", "bytes", n)
		}
	}
}
