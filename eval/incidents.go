// Package eval runs the shipped engines, with their shipped constants, over files, so that anybody can try them on own
// data and measure again what we claim. Files that hold the answers are refused as input.
//
// Everything here reads files and writes to the writer it is given; nothing is kept and nothing is concurrent.
package eval

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fairlead/fairlead/ops/incident"
	"github.com/fairlead/fairlead/ops/topology"
)

// ErrTruth says that an input holds the answers and is therefore refused.
var ErrTruth = errors.New("this file holds the answers; give the stream and the edges only")

// IncidentsOptions changes what Incidents does. The zero value is the shipped default.
type IncidentsOptions struct {
	// Without names the terms of grouping that are switched off.
	Without []string
	// Config, when not nil, replaces the shipped constants.
	Config *incident.Config
}

// maxLine bounds one line of a stream, in bytes.
const maxLine = 64 << 20

// Incidents groups the alert stream in the file stream with the map in the file edges ("" for none) and writes one JSON
// line for each alert of the stream, in its order: its place (line, pos), the incident it is in after all merges and
// splits (group; null if that was never shown), and when people were told of it (paged_at): when the incident that it was
// in at that time was shown. Alerts that are not reported as ended fire on, as with a resolve_timeout of 0. The output of
// a prefix of the stream has the same paged_at up to the cut.
func Incidents(ctx context.Context, stream, edges string, out io.Writer, opts IncidentsOptions) error {
	topo, err := readEdges(edges)
	if err != nil {
		return err
	}
	cfg := incident.DefaultConfig()
	if opts.Config != nil {
		cfg = *opts.Config
	}
	for _, name := range opts.Without {
		if !slices.Contains(incident.TermNames, name) {
			return fmt.Errorf("there is no term %q; there are %s", name, strings.Join(incident.TermNames, ", "))
		}
	}
	cfg.Grouping.Without = append(cfg.Grouping.Without, opts.Without...)
	in, closeStream, err := open(stream)
	if err != nil {
		return err
	}
	defer closeStream()
	l := newLedger(incident.NewEngine(cfg, topo, nil, nil))
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 1<<20), maxLine)
	for number := 0; lines.Scan(); number++ {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("group %s: %w", stream, err)
		}
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		if err := l.line(number, lines.Bytes()); err != nil {
			return fmt.Errorf("%s line %d: %w", stream, number+1, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read %s: %w", stream, err)
	}
	l.finish()
	return l.write(out)
}

// open opens a file for reading, unpacks .gz and refuses files that by their name hold the answers.
func open(path string) (io.Reader, func(), error) {
	name := filepath.Base(path)
	if strings.HasPrefix(name, "truth") || strings.HasPrefix(name, "incidents.jsonl") {
		return nil, nil, fmt.Errorf("open %s: %w", path, ErrTruth)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read a recording: %w", err)
	}
	closeFile := func() { _ = file.Close() } // only read from: nothing is lost
	if !strings.HasSuffix(name, ".gz") {
		return file, closeFile, nil
	}
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		closeFile()
		return nil, nil, fmt.Errorf("unpack %s: %w", path, err)
	}
	return unpacked, closeFile, nil
}

// readEdges reads an edges file; "" is the empty map.
func readEdges(path string) (*topology.Map, error) {
	m := &topology.Map{}
	if path == "" {
		return m, nil
	}
	in, closeFile, err := open(path)
	if err != nil {
		return nil, err
	}
	defer closeFile()
	inventory, err := topology.ParseInventory(in)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	m.Set(inventory)
	return m, nil
}

// streamLine is one line of an alert stream.
type streamLine struct {
	At     time.Time       `json:"at"`
	Alerts json.RawMessage `json:"alerts"`
	truthKeys
}

// truthKeys are keys that only files with the answers have.
type truthKeys struct {
	Incident json.RawMessage `json:"incident"`
	Kind     json.RawMessage `json:"kind"`
}

func (k *truthKeys) check() error {
	if k.Incident != nil || k.Kind != nil {
		return ErrTruth
	}
	return nil
}

// parseLine reads one line and refuses it when it holds answers.
func parseLine(data []byte) (streamLine, error) {
	var line streamLine
	if err := json.Unmarshal(data, &line); err != nil {
		return line, fmt.Errorf("parse: %w", err)
	}
	if err := line.check(); err != nil {
		return line, err
	}
	var alerts []truthKeys
	if err := json.Unmarshal(line.Alerts, &alerts); err != nil {
		return line, fmt.Errorf("alerts: %w", err)
	}
	for i := range alerts {
		if err := alerts[i].check(); err != nil {
			return line, err
		}
	}
	if line.At.IsZero() {
		return line, errors.New(`"at" is missing; want the RFC 3339 time at which the alerts were posted`)
	}
	return line, nil
}
