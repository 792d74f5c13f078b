package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/fairlead/fairlead/app"
	"github.com/fairlead/fairlead/sim"
)

type demoCommand struct {
	Seed       int64  `help:"Chooses the broken service, the fault and the noise; any number." default:"1"`
	HTTPListen string `name:"http.listen" help:"Loopback address (default 127.0.0.1:8460, or a free port when that is taken)." placeholder:"ADDRESS"`
}

const demoListen = "127.0.0.1:8460"

// Run runs the server with the practice shop until it is told to stop.
func (c demoCommand) Run(ctx context.Context, to streams) (err error) {
	dir, err := os.MkdirTemp("", "fairlead-demo-")
	if err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	cfg := app.DefaultConfig()
	cfg.Data.Dir, cfg.HTTP.Listen = dir, c.listen()
	logger, err := app.NewLogger(to.err, "warn")
	if err != nil {
		return err
	}
	a, err := app.New(ctx, cfg, app.Options{Version: version, Logger: logger, Dev: true})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- a.Run(ctx) }()
	told := make(chan error, 1)
	go func() { told <- c.tell(ctx, a.URL(), to.out) }()
	select {
	case err = <-served:
		stop()
		return errors.Join(err, <-told)
	case err = <-told:
		if err == nil && ctx.Err() == nil {
			err = <-served
			return err
		}
		stop()
		return errors.Join(err, <-served)
	}
}

// listen returns the address to use: the usual one, or a free port when another program has that.
func (c demoCommand) listen() string {
	if c.HTTPListen != "" {
		return c.HTTPListen
	}
	probe, err := net.Listen("tcp", demoListen)
	if err != nil {
		return "127.0.0.1:0"
	}
	if probe.Close() != nil {
		return "127.0.0.1:0"
	}
	return demoListen
}

// tell lets the shop live and prints what happens, until ctx ends.
func (c demoCommand) tell(ctx context.Context, url string, out io.Writer) error {
	start := time.Now()
	say := func(format string, args ...any) {
		fmt.Fprintf(out, "%5.1fs  %s\n", time.Since(start).Seconds(), fmt.Sprintf(format, args...))
	}
	shop := sim.New(sim.Config{URL: url, Seed: c.Seed, Tell: func(e sim.Event) {
		switch e.Kind {
		case "deploy", "fault", "rollback":
			say("in the shop: %s", e.Text)
		}
	}})
	fmt.Fprintf(out, "Fairlead runs at %s with a practice shop (seed %d). Ctrl-C ends both and removes their data.\n\n", url, c.Seed)
	if err := putEdges(ctx, url, shop.Graph()); err != nil {
		return err
	}
	watched := make(chan error, 1)
	go func() { watched <- watch(ctx, url, say) }()
	err := shop.Run(ctx)
	return errors.Join(err, <-watched)
}

func putEdges(ctx context.Context, url string, graph sim.Graph) error {
	data, err := json.Marshal(graph)
	if err != nil {
		return fmt.Errorf("write the shop's map: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, url+"api/fairlead/v1/map/edges", bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("put the shop's map: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("put the shop's map: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		return fmt.Errorf("put the shop's map: the server answered %s", answer.Status)
	}
	return nil
}

// seen is what the demo reads of an incident.
type seen struct {
	ID, Title, State, Severity string
	AlertCount, Reports        int
}

// watch prints incidents as people are told of them, and how they grow.
func watch(ctx context.Context, url string, say func(string, ...any)) error {
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	known := map[string]seen{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		var page struct{ Items []seen }
		if err := get(ctx, url+"api/fairlead/v1/incidents?state=open,acknowledged,resolved&limit=100", &page); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		for _, inc := range slices.Backward(page.Items) {
			before, old := known[inc.ID]
			switch {
			case !old:
				say("INCIDENT %s (%s): %s: %d alerts so far: %sincidents/%s", inc.ID, inc.Severity, inc.Title, inc.AlertCount, url, inc.ID)
			case inc.State != before.State:
				say("%s is %s: %d alerts (%d reports) became 1 incident", inc.ID, inc.State, inc.AlertCount, inc.Reports)
			case inc.AlertCount >= before.AlertCount+50:
				say("%s: %d alerts (%d reports) are 1 incident", inc.ID, inc.AlertCount, inc.Reports)
			default:
				continue
			}
			known[inc.ID] = inc
		}
	}
}

func get(ctx context.Context, url string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return fmt.Errorf("ask %s: %w", url, err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("ask %s: the server answered %s", url, answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(into)
}
