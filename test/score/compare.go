package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// assigned is one line that eval writes.
type assigned struct {
	Line  int        `json:"line"`
	Pos   int        `json:"pos"`
	Group *string    `json:"group"`
	Paged *time.Time `json:"paged_at"`
}

// place is where an alert stands in a stream.
type place struct{ line, pos int }

func readAssigned(name string) (map[place]assigned, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read what eval wrote: %w", err)
	}
	defer file.Close()
	all := map[place]assigned{}
	decoder := json.NewDecoder(bufio.NewReaderSize(file, 1<<20))
	for {
		var a assigned
		switch err := decoder.Decode(&a); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("read what eval wrote: %w", err)
		}
		all[place{a.Line, a.Pos}] = a
	}
}

// streamLine is one line of a stream.
type streamLine struct {
	At     time.Time         `json:"at"`
	Alerts []json.RawMessage `json:"alerts"`
}

// readStream calls visit for each line until it returns false.
func readStream(name string, visit func(number int, raw []byte, line *streamLine) bool) error {
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("open the stream: %w", err)
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		return fmt.Errorf("open the stream: %w", err)
	}
	scanner := bufio.NewScanner(unpacked)
	scanner.Buffer(nil, 64<<20)
	for number := 0; scanner.Scan(); number++ {
		var line streamLine
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			return fmt.Errorf("line %d of the stream: %w", number, err)
		}
		if !visit(number, scanner.Bytes(), &line) {
			break
		}
	}
	return scanner.Err()
}

// checkPrefix groups the first half of a stream and compares the pages with those of the whole: an alert of the half that
// people were told of in time must have been paged at the same moment, and the other way round.
func (s *suite) checkPrefix(ctx context.Context, folder, edges, whole string) error {
	stream := filepath.Join(folder, "stream.jsonl.gz")
	lines := 0
	if err := readStream(stream, func(int, []byte, *streamLine) bool { lines++; return true }); err != nil {
		return err
	}
	half := filepath.Join(s.work, "half.jsonl")
	cut, err := writeHead(stream, half, lines/2)
	if err != nil {
		return err
	}
	out := filepath.Join(s.work, "half-assigned.jsonl")
	if err := s.eval(ctx, half, edges, out); err != nil {
		return err
	}
	all, err := readAssigned(whole)
	if err != nil {
		return err
	}
	part, err := readAssigned(out)
	if err != nil {
		return err
	}
	inTime := func(a assigned) map[time.Time]bool {
		if a.Paged == nil || a.Paged.After(cut) {
			return nil
		}
		return map[time.Time]bool{*a.Paged: true}
	}
	// Later merges may move an alert into an incident with an older page, so the pages are compared as a set.
	pages, pagesOfPart := map[time.Time]bool{}, map[time.Time]bool{}
	for _, a := range all {
		for at := range inTime(a) {
			pages[at] = true
		}
	}
	for _, a := range part {
		for at := range inTime(a) {
			pagesOfPart[at] = true
		}
	}
	missing, more := 0, 0
	for at := range pagesOfPart {
		if !pages[at] {
			missing++
		}
	}
	for at := range pages {
		if !pagesOfPart[at] {
			more++
		}
	}
	fmt.Fprintf(s.out, "%s\tprefix of %d lines\t%d pages until the cut, %d only in the prefix, %d only in the whole\n", filepath.Base(folder), lines/2, len(pagesOfPart), missing, more)
	if more > 0 {
		return fmt.Errorf("%s: %d pages of the whole stream are missing on its prefix: something looks ahead", filepath.Base(folder), more)
	}
	return nil
}

// writeHead copies the first lines of a stream and returns the time of the last.
func writeHead(stream, out string, lines int) (cut time.Time, err error) {
	file, err := os.Create(out)
	if err != nil {
		return cut, fmt.Errorf("write a prefix: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := bufio.NewWriter(file)
	err = readStream(stream, func(number int, raw []byte, line *streamLine) bool {
		if number >= lines {
			return false
		}
		cut = line.At
		_, _ = w.Write(append(raw, '\n')) // Flush tells of errors
		return true
	})
	return cut, errors.Join(err, w.Flush())
}
