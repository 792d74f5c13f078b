// Package model is the registry: registered models with numbered versions, aliases that say which version serves what
// (champion, challenger), tags, the deprecated stages, and prompts, which are registered models with a tag.
//
//	registry, err := model.Open(ctx, db)
//	_, err = registry.Create(ctx, "fraud", "", nil)
//	version, err := registry.CreateVersion(ctx, model.NewVersion{Model: "fraud", Source: "models:/m-..."})
//	err = registry.SetAlias(ctx, "fraud", "champion", version.Number)
//
// # What it guarantees
//
//   - What a method has accepted is on disk when it returns. A refusal is an *experiment.Error with MLflow's code.
//   - A version's number is never given again while its model exists, also not after the version was deleted.
//   - An alias points to one version, which exists when it is set.
//   - What changes is told to whoever watches (Watch), after it is on disk.
package model

import (
	"context"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/experiment"
)

// Model is a registered model.
type Model struct {
	Name        string
	Description string
	// CreatedAt and UpdatedAt are in milliseconds since 1970, as all times here.
	CreatedAt int64
	UpdatedAt int64
	Tags      []experiment.Tag
	Aliases   []Alias
	// Latest are the highest version of each stage.
	Latest []Version

	id int64
}

// Alias is a name for a version.
type Alias struct {
	Name    string
	Version int64
}

// Version is one version of a registered model.
type Version struct {
	Model       string
	Number      int64
	CreatedAt   int64
	UpdatedAt   int64
	Stage       string
	Description string
	// Source is what was registered, as it was told; Location is where its files are.
	Source   string
	Location string
	Run      string
	RunLink  string
	// Logged is the logged model that was registered; "" if it was none.
	Logged  string
	Tags    []experiment.Tag
	Aliases []string

	model int64
}

// NewVersion is what is told about a version at its begin.
type NewVersion struct {
	Model       string
	Source      string
	Run         string
	RunLink     string
	Description string
	Logged      string
	Tags        []experiment.Tag
}

// TagPrompt marks a registered model, or a version, as a prompt.
const TagPrompt = "mlflow.prompt.is_prompt"

// The stages.
const (
	StageNone       = "None"
	StageStaging    = "Staging"
	StageProduction = "Production"
	StageArchived   = "Archived"
)

// Stages returns the stages in their order.
func Stages() []string { return []string{StageNone, StageStaging, StageProduction, StageArchived} }

// Change is what somebody who watches is told: MLflow's entity and action, for instance MODEL_VERSION CREATED, and its data.
type Change struct {
	Entity string
	Action string
	Data   map[string]any
}

// Registry keeps registered models in the database ml. It is safe for concurrent use.
type Registry struct {
	db *store.DB

	mu       sync.Mutex
	watchers []func(Change) // guarded by mu
}

// Open returns the registry in a database.
func Open(db *store.DB) *Registry { return &Registry{db: db} }

// Watch lets a function know of every change from now on. It must not block.
func (r *Registry) Watch(watcher func(Change)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watchers = append(r.watchers, watcher)
}

func (r *Registry) tell(changes []Change) {
	r.mu.Lock()
	watchers := r.watchers
	r.mu.Unlock()
	for _, change := range changes {
		for _, watcher := range watchers {
			watcher(change)
		}
	}
}

// What may be how long, in characters.
const (
	maxName     = 500
	maxTagValue = 100_000
	maxAlias    = 255
)

func invalid(format string, args ...any) error {
	return experiment.Refuse(experiment.InvalidParameterValue, format, args...)
}

// CheckName refuses what is no name of a registered model.
func CheckName(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return invalid("name: it is missing; give a text that is not blank")
	case strings.ContainsAny(name, "/:"):
		return invalid("name: %q may not hold / or :", experiment.Cut(name))
	case name == "." || name == "..":
		return invalid("name: %q would be a path", name)
	case utf8.RuneCountInString(name) > maxName:
		return invalid("name: %d characters; at most %d are allowed", utf8.RuneCountInString(name), maxName)
	}
	return nil
}

func checkTag(tag experiment.Tag) error {
	if err := experiment.CheckKey("tag", tag.Key); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(tag.Value); n > maxTagValue {
		return invalid("tag %s: the value has %d characters; at most %d are allowed", experiment.Cut(tag.Key), n, maxTagValue)
	}
	return nil
}

var (
	aliasForm     = regexp.MustCompile(`^[\p{L}\p{N}_-]+$`)
	aliasReserved = regexp.MustCompile(`(?i)^(latest|v\d+)$`)
)

// CheckAlias refuses what is no alias.
func CheckAlias(alias string) error {
	switch {
	case alias == "":
		return invalid("alias: it is missing; give a text of 1 to %d characters", maxAlias)
	case utf8.RuneCountInString(alias) > maxAlias:
		return invalid("alias: %d characters; at most %d are allowed", utf8.RuneCountInString(alias), maxAlias)
	case !aliasForm.MatchString(alias):
		return invalid("alias: %q may hold letters, digits, _ and - only", experiment.Cut(alias))
	case aliasReserved.MatchString(alias):
		return invalid("alias: %q is reserved: latest, and v with a number, mean versions by themselves", alias)
	}
	return nil
}

// ParseVersion reads the number of a version.
func ParseVersion(text string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0, invalid("version: %q is not a whole number", experiment.Cut(text))
	}
	return n, nil
}

// CheckStage returns a stage in its own form, whatever the case.
func CheckStage(stage string) (string, error) {
	for _, known := range Stages() {
		if strings.EqualFold(stage, known) {
			return known, nil
		}
	}
	return "", invalid("stage: %q is not known; use one of %s", experiment.Cut(stage), strings.Join(Stages(), ", "))
}

// checkSource refuses sources that are files of the server's machine, or lead out of where they seem to be.
func checkSource(source string) (*url.URL, error) {
	if source == "" {
		return nil, invalid("source: it is missing; give the URI of the model's files")
	}
	u, err := url.Parse(source)
	if err != nil {
		return nil, invalid("source: %q is not a URI: %v", experiment.Cut(source), err)
	}
	if u.Scheme == "" || strings.EqualFold(u.Scheme, "file") || len(u.Scheme) == 1 {
		return nil, invalid("source: %q is a local path, which this server cannot read; upload the model with a run, or name a remote URI", experiment.Cut(source))
	}
	for path := u.EscapedPath() + u.Opaque; ; {
		for part := range strings.FieldsFuncSeq(path, func(c rune) bool { return c == '/' || c == '\\' }) {
			if part == ".." {
				return nil, invalid("source: %q leads upwards; leave out ..", experiment.Cut(source))
			}
		}
		decoded, err := url.PathUnescape(path)
		if err != nil || decoded == path {
			return u, nil
		}
		path = decoded
	}
}

// write runs a change and tells what changed.
func (r *Registry) write(ctx context.Context, change func(ctx context.Context, tx store.Tx, note func(entity, action string, data map[string]any)) error) error {
	var changes []Change
	err := r.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		changes = changes[:0]
		return change(ctx, tx, func(entity, action string, data map[string]any) {
			changes = append(changes, Change{entity, action, data})
		})
	})
	if err == nil {
		r.tell(changes)
	}
	return err
}
