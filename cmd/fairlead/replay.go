package main

import (
	"context"
	"fmt"

	"github.com/fairlead/fairlead/sim/replay"
)

type replayCommand struct {
	Paths      []string `arg:"" name:"path" help:"Recordings (.jsonl, .jsonl.gz) or folders of them." type:"path"`
	To         string   `required:"" help:"Base URL of the server." placeholder:"URL"`
	Token      string   `help:"Bearer token to send." env:"FAIRLEAD_TOKEN"`
	Edges      string   `help:"edges.json to put to the map first." type:"path" placeholder:"FILE"`
	Speed      string   `help:"How fast: 1, 10 or max; other than 1 needs a server on --clock event." default:"1"`
	ShiftToNow bool     `help:"Move all times so that the recording begins now."`
}

// Run replays and prints a summary.
func (c replayCommand) Run(ctx context.Context, to streams) error {
	speed, err := replay.ParseSpeed(c.Speed)
	if err != nil {
		return &usageError{err}
	}
	cfg := replay.Config{Paths: c.Paths, To: c.To, Token: c.Token, Edges: c.Edges, Speed: speed, ShiftToNow: c.ShiftToNow}
	if err := cfg.Validate(); err != nil {
		return &usageError{err}
	}
	summary, err := replay.Run(ctx, cfg, to.err)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(to.out, summary)
	return err
}
