package replay

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// MaxLine is the longest line that is read, in bytes. It equals the largest request that a Fairlead server takes.
const MaxLine = 16 << 20

// source reads one recording. Its head is the next line, already understood; nil at the end.
type source struct {
	path    string
	closers []io.Closer
	scanner *bufio.Scanner
	line    int
	head    *item
}

// openSource opens a plain or gzip file, told apart by the first two bytes, and reads its first line.
func openSource(path string) (*source, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open recording: %w", err)
	}
	s := &source{path: path, closers: []io.Closer{file}}
	buffered := bufio.NewReaderSize(file, 64<<10)
	var reader io.Reader = buffered
	if magic, err := buffered.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			s.close()
			return nil, fmt.Errorf("open recording %s: %w", path, err)
		}
		s.closers = append(s.closers, unzipped)
		reader = unzipped
	}
	s.scanner = bufio.NewScanner(reader)
	s.scanner.Buffer(make([]byte, 64<<10), MaxLine+1)
	if err := s.advance(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// advance reads the next line that is not blank into head. It overwrites the line before.
func (s *source) advance() error {
	for s.scanner.Scan() {
		s.line++
		text := s.scanner.Bytes()
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		head, err := parseLine(text)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", s.path, s.line, err)
		}
		head.path, head.line = s.path, s.line
		s.head = head
		return nil
	}
	s.head = nil
	if err := s.scanner.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			err = fmt.Errorf("line longer than %d MB", MaxLine>>20)
		}
		return fmt.Errorf("%s:%d: %w", s.path, s.line+1, err)
	}
	return nil
}

func (s *source) close() {
	for _, c := range slices.Backward(s.closers) {
		_ = c.Close() // only read from: nothing can be lost
	}
}

// merged reads several recordings in the order of time.
type merged struct {
	sources []*source
	current *source // whose head was handed out last and must be advanced before the next
}

// openAll opens every recording. Of a folder it takes the *.jsonl and *.jsonl.gz files that are recordings and leaves out
// the others, such as a truth file beside a stream, telling note which.
func openAll(paths []string, note func(format string, args ...any)) (*merged, error) {
	m := &merged{}
	for _, path := range paths {
		if err := m.open(path, note); err != nil {
			m.Close()
			return nil, err
		}
	}
	return m, nil
}

func (m *merged) open(path string, note func(format string, args ...any)) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("open recording: %w", err)
	}
	if !info.IsDir() {
		s, err := openSource(path)
		if err != nil {
			return err
		}
		m.sources = append(m.sources, s)
		return nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return fmt.Errorf("open folder of recordings: %w", err)
	}
	found := false
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || (!strings.HasSuffix(name, ".jsonl") && !strings.HasSuffix(name, ".jsonl.gz")) {
			continue
		}
		s, err := openSource(filepath.Join(path, name))
		if errors.Is(err, errNotRecording) {
			note("%s is no recording, left out", filepath.Join(path, name))
			continue
		}
		if err != nil {
			return err
		}
		found = true
		m.sources = append(m.sources, s)
	}
	if !found {
		return fmt.Errorf("folder %s holds no recording: want *.jsonl or *.jsonl.gz", path)
	}
	return nil
}

// next returns the earliest line that was not handed out yet, valid until the next call; io.EOF at the end. Lines of
// equal time come in the order of the paths.
func (m *merged) next() (*item, error) {
	if m.current != nil {
		if err := m.current.advance(); err != nil {
			return nil, err
		}
		m.current = nil
	}
	for _, s := range m.sources {
		if s.head != nil && (m.current == nil || s.head.at.Before(m.current.head.at)) {
			m.current = s
		}
	}
	if m.current == nil {
		return nil, io.EOF
	}
	return m.current.head, nil
}

// Close closes all files.
func (m *merged) Close() {
	for _, s := range m.sources {
		s.close()
	}
}
