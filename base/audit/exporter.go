package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/store"
)

// ExportConfig says where signed checkpoints go.
type ExportConfig struct {
	// To is a folder, or an http or https URL to which each checkpoint is posted; "" exports none. Choose a place that
	// whoever administers this machine cannot rewrite.
	To string `yaml:"to"`
	// Every is the time between two checkpoints; none is made while the log does not grow.
	Every time.Duration `yaml:"every"`
}

// DefaultExportConfig exports nowhere, and each hour once it is told where.
func DefaultExportConfig() ExportConfig { return ExportConfig{Every: time.Hour} }

// Validate reports the first setting that cannot be used.
func (c ExportConfig) Validate() error {
	if c.Every < time.Second {
		return fmt.Errorf("every: %s is too short; use at least 1s, for instance 1h", c.Every)
	}
	if u, err := url.Parse(c.To); strings.Contains(c.To, "://") && (err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "") {
		return fmt.Errorf("to: %q is neither a folder nor an http or https URL", c.To)
	}
	return nil
}

func (c ExportConfig) remote() bool { return strings.Contains(c.To, "://") }

// postTimeout bounds one attempt to post a checkpoint.
const postTimeout = 10 * time.Second

// retryPost is how long a failed export waits.
const retryPost = time.Minute

// Exporter writes signed checkpoints to another place, so that a later rewrite of the log can be proved.
type Exporter struct {
	cfg    ExportConfig
	db     *store.DB
	signer *Signer
	clock  clock.Clock
	logger *slog.Logger
	client *http.Client

	mu   sync.Mutex
	last Exported // guarded by mu
}

// Exported says how the exports go.
type Exported struct {
	// Size is the size of the newest exported checkpoint, At when it was; zero before the first.
	Size int64
	At   time.Time
	// Err is why the newest attempt failed; nil if it did not.
	Err error
}

// NewExporter returns an Exporter; Run exports.
func NewExporter(cfg ExportConfig, db *store.DB, signer *Signer, c clock.Clock, logger *slog.Logger) *Exporter {
	client := &http.Client{Timeout: postTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &Exporter{cfg: cfg, db: db, signer: signer, clock: c, logger: logger, client: client, last: Exported{Size: -1}}
}

// State returns how the exports go.
func (e *Exporter) State() Exported {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.last
}

// Run exports a checkpoint at once and then every so often, and a last one when ctx ends. It returns nil then.
func (e *Exporter) Run(ctx context.Context) error {
	if e.cfg.To == "" {
		<-ctx.Done()
		return nil
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), postTimeout)
			defer cancel()
			e.export(last)
			return nil
		case <-timer.C:
			wait := e.cfg.Every
			if !e.export(ctx) {
				wait = min(wait, retryPost)
			}
			timer.Reset(wait)
		}
	}
}

// export exports a checkpoint if the log has grown, and reports whether all is well.
func (e *Exporter) export(ctx context.Context) bool {
	text, c, err := e.signer.Sign(ctx, e.db.Read(), e.clock.Now())
	if err == nil {
		if state := e.State(); state.Size == c.Size && state.Err == nil {
			return true
		}
		err = e.send(ctx, c.Size, text)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil {
		if e.last.Err == nil {
			e.logger.Warn("checkpoint of the audit log could not be exported", "to", redactURL(e.cfg.To), "error", err)
		}
		e.last.Err = err
		return false
	}
	e.last = Exported{Size: c.Size, At: c.At}
	return true
}

func (e *Exporter) send(ctx context.Context, size int64, text []byte) error {
	if !e.cfg.remote() {
		return keepFile(e.cfg.To, CheckpointFile(size), text)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.cfg.To, bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("post checkpoint: %w", err)
	}
	r.Header.Set("Content-Type", "text/plain; charset=utf-8")
	response, err := e.client.Do(r)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // without the URL, which may hold a password
		}
		return fmt.Errorf("post checkpoint: %w", err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20))
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("post checkpoint: answered %s", response.Status)
	}
	return nil
}

// CheckpointFile names the file of a checkpoint; names sort by size.
func CheckpointFile(size int64) string { return fmt.Sprintf("checkpoint-%019d.txt", size) }

// keepFile writes a file that is whole or not there.
func keepFile(dir, name string, text []byte) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	f, err := os.CreateTemp(dir, ".checkpoint-*")
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()) // readable by those who verify
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write checkpoint: %w", err), os.Remove(f.Name()))
	}
	return nil
}

// ReadCheckpoints reads the checkpoints in a file or folder, in the order of their names.
func ReadCheckpoints(path string) ([]NamedCheckpoint, error) {
	files := []string{path}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read checkpoints: %w", err)
	}
	if info.IsDir() {
		if files, err = filepath.Glob(filepath.Join(path, "checkpoint-*")); err != nil {
			return nil, fmt.Errorf("read checkpoints: %w", err)
		}
		slices.Sort(files)
	}
	var list []NamedCheckpoint
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read checkpoints: %w", err)
		}
		list = append(list, NamedCheckpoint{Name: filepath.Base(file), Text: text})
	}
	return list, nil
}

func redactURL(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Host == "" {
		return to
	}
	return u.Scheme + "://" + u.Host
}
