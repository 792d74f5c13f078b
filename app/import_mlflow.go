package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/bus"
	"github.com/fairlead/fairlead/ml/model/takeover"
)

// MLflowImport says what is brought over from MLflow.
type MLflowImport struct {
	// Folder is a folder mlruns, or Database a file of MLflow's SQLite; one of them is set.
	Folder, Database string
	// Artifacts is where MLflow's server keeps artifacts; "" means beside the database.
	Artifacts string
}

// ImportMLflow brings over what MLflow has stored into the data folder, on which no server may run. It can be run again: what
// is there already is left out. It writes its progress, and what it counted on both sides; differences are an error.
func ImportMLflow(ctx context.Context, cfg *Config, from MLflowImport, progress io.Writer, logger *slog.Logger) (err error) {
	var source takeover.Source
	if from.Folder != "" {
		source, err = takeover.OpenFolder(from.Folder)
	} else {
		source, err = takeover.OpenDatabase(ctx, from.Database, from.Artifacts)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	unlock, err := bus.Lock(filepath.Join(cfg.Data.Dir, "bus"))
	if errors.Is(err, bus.ErrLocked) {
		return fmt.Errorf("a server runs on %s: stop it first", cfg.Data.Dir)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock.Close()) }()
	a := &App{cfg: *cfg, logger: logger}
	if err := a.openBlobs(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.blobs.Close()) }()
	if err := a.openLearning(ctx); err != nil {
		return err
	}
	l := &a.learning
	defer func() { err = errors.Join(err, l.db.Close()) }()
	bar := progressBar{to: progress}
	counts, err := takeover.Import(ctx, source, takeover.Target{Experiments: l.experiments, Files: l.files, Models: l.models, Traces: l.traces}, bar.show)
	bar.end()
	if err != nil {
		return fmt.Errorf("%w; %d runs are here: run the command again, it goes on where it ended", err, counts.Runs+counts.Present)
	}
	report(progress, counts)
	if n := len(counts.Problems); n > 0 {
		return fmt.Errorf("%d things are not the same on both sides", n)
	}
	return nil
}

// report writes what was counted.
func report(to io.Writer, c takeover.Counts) {
	fmt.Fprintf(to, "%d experiments, %d runs (%d were here already), %d points of metrics, %d params, %d tags, %d logged models, %d traces with %d spans, %d files (%d MB), %d registered models with %d versions\n",
		c.Experiments, c.Runs, c.Present, c.Points, c.Params, c.Tags, c.LoggedModels, c.Traces, c.Spans, c.Files, c.Bytes>>20, c.Models, c.Versions)
	if c.Without > 0 {
		fmt.Fprintf(to, "the files of %d runs were not found on this machine; name their folder with --artifacts\n", c.Without)
	}
	for _, problem := range c.Problems {
		fmt.Fprintln(to, problem)
	}
	if len(c.Problems) == 0 {
		fmt.Fprintln(to, "counted on both sides: the same")
	}
}

// progressBar shows how far something is, at most a few times a second.
type progressBar struct {
	to   io.Writer
	last time.Time
	used bool
}

func (b *progressBar) show(done, total int) {
	if done < total && time.Since(b.last) < 200*time.Millisecond {
		return
	}
	b.last, b.used = time.Now(), true
	const width = 40
	filled := width
	if total > 0 {
		filled = width * done / total
	}
	fmt.Fprintf(b.to, "\r[%s%s] %d of %d runs and traces", strings.Repeat("=", filled), strings.Repeat(" ", width-filled), done, total)
}

func (b *progressBar) end() {
	if b.used {
		fmt.Fprintln(b.to)
	}
}
