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
	Anomaly   evalAnomalyCommand   `cmd:"" help:"Judge each value of recorded series."`
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

type evalAnomalyCommand struct {
	In  string `required:"" help:"Folder of CSV files with timestamp,value; those in folders below too." type:"path" placeholder:"DIR"`
	Out string `required:"" help:"Folder to write timestamp,value,anomaly_score,score,alert,reason to." type:"path" placeholder:"DIR"`
}

// Run judges and writes.
func (c evalAnomalyCommand) Run(ctx context.Context) error { return eval.Anomaly(ctx, c.In, c.Out) }
