package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/fairlead/fairlead/eval"
)

type evalCommand struct {
	Incidents evalIncidentsCommand `cmd:"" help:"Group the alerts of a recorded stream into incidents."`
}

type evalIncidentsCommand struct {
	Stream  string   `required:"" help:"Alert stream, lines of {at, alerts}; .gz too." type:"path" placeholder:"FILE"`
	Edges   string   `help:"edges.json: the map." type:"path" placeholder:"FILE"`
	Out     string   `required:"" help:"Where to write one line for each alert: line, pos, group, paged_at." type:"path" placeholder:"FILE"`
	Without []string `help:"Terms to switch off, to measure what each is worth." placeholder:"TERM"`
}

// Run groups and writes.
func (c evalIncidentsCommand) Run(ctx context.Context) (err error) {
	out, err := os.Create(c.Out)
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	w := bufio.NewWriterSize(out, 1<<20)
	if err := eval.Incidents(ctx, c.Stream, c.Edges, w, eval.IncidentsOptions{Without: c.Without}); err != nil {
		return err
	}
	return w.Flush()
}
