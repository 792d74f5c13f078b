package experiment

import (
	"crypto/rand"
	"encoding/hex"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Status is how a run stands.
type Status string

// The states of a run.
const (
	Running   Status = "RUNNING"
	Scheduled Status = "SCHEDULED"
	Finished  Status = "FINISHED"
	Failed    Status = "FAILED"
	Killed    Status = "KILLED"
)

// Statuses returns the states in MLflow's order: the first has number 1.
func Statuses() []Status { return []Status{Running, Scheduled, Finished, Failed, Killed} }

// Tags of MLflow that mean something here.
const (
	tagRunName    = "mlflow.runName"
	tagContext    = "mlflow.data.context"
	tagLogHistory = "mlflow.log-model.history"
)

// Run is one try.
type Run struct {
	// ID is 32 hexadecimal digits.
	ID         string
	Experiment int64
	Name       string
	User       string
	Status     Status
	StartedAt  int64
	// EndedAt is nil until it is told.
	EndedAt  *int64
	Location string
	Deleted  bool

	Metrics  []Metric
	Params   []Param
	Tags     []Tag
	Datasets []Input
	// ModelsRead and ModelsMade are logged models.
	ModelsRead []string
	ModelsMade []ModelMade

	number int64
}

// Param is something that was chosen; it never changes.
type Param struct {
	Key   string
	Value string
}

// Metric is one point of a score. Value may be NaN; infinite ones are kept as the greatest finite ones.
type Metric struct {
	Key   string
	Value float64
	At    int64
	Step  int64

	// Model is the logged model that was scored, and Dataset and Digest the data set it was scored on; "" for none.
	Model   string
	Dataset string
	Digest  string
}

// ModelMade is a logged model that a run made, at a step.
type ModelMade struct {
	Model string
	Step  int64
}

// Dataset is a data set as runs name it.
type Dataset struct {
	Name       string
	Digest     string
	SourceType string
	Source     string
	Schema     string
	Profile    string
}

// Input is a data set that a run read.
type Input struct {
	Dataset Dataset
	Tags    []Tag
}

// NewRun is what is told about a run at its begin.
type NewRun struct {
	Experiment int64
	User       string
	Name       string
	StartedAt  int64
	Tags       []Tag
}

// Batch is what is logged at once: all of it or nothing.
type Batch struct {
	Metrics []Metric
	Params  []Param
	Tags    []Tag
}

// newID returns 32 random hexadecimal digits.
func newID() string {
	var id [16]byte
	rand.Read(id[:]) //nolint:errcheck,gosec // it never fails
	return hex.EncodeToString(id[:])
}

var (
	nameAdjectives = strings.Fields("able amber ample apt astute blithe bold brave brisk calm candid clever crisp dapper deft eager earnest fair fleet fond frank gentle glad grand handy hardy honest humble jolly keen kind lively loyal lucid mellow merry mild neat nimble noble patient placid plucky polite prompt proud quiet rapid ready serene sharp shy sincere sleek smart spry steady still stout sturdy subtle sunny swift tidy trusty upbeat vivid warm wise witty")
	nameNouns      = strings.Fields("adder auk badger beetle bison bream carp cod coot crab crane crow dace deer dove duck eel egret elk falcon finch fox frog gannet gnat goat grouse gull hare hawk heron horse ibis jay kite koala lark lemur loon lynx mink mole moose moth newt otter owl perch pike plover pony puffin quail rail ram raven roach robin rook ruff salmon seal shrew skate smelt snail snipe sole sparrow stoat stork swan swift tern thrush toad trout vole wasp whale wolf wren")
)

// RandomName returns a name for what was not given one, for instance "calm-otter-417".
func RandomName() string {
	pick := func(n int) int {
		i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
		if err != nil {
			panic(err) // it never fails
		}
		return int(i.Int64())
	}
	return nameAdjectives[pick(len(nameAdjectives))] + "-" + nameNouns[pick(len(nameNouns))] + "-" + strconv.Itoa(pick(1000))
}

// later reports whether a is a later point than b: by step, time and value, of which NaN counts as 0.
func later(a, b Metric) bool {
	if a.Step != b.Step {
		return a.Step > b.Step
	}
	if a.At != b.At {
		return a.At > b.At
	}
	return flat(a.Value) > flat(b.Value)
}

// flat returns the value as it is compared and stored: NaN as 0.
func flat(value float64) float64 {
	if math.IsNaN(value) {
		return 0
	}
	return value
}

// bounded returns a value without infinities.
func bounded(value float64) float64 {
	if math.IsInf(value, 0) {
		return math.Copysign(math.MaxFloat64, value)
	}
	return value
}

// check refuses a batch that cannot be stored, and makes its values fit.
func (b *Batch) check() error {
	switch {
	case len(b.Metrics) > maxBatchMetrics:
		return invalid("metrics: the batch has %d; at most %d are allowed", len(b.Metrics), maxBatchMetrics)
	case len(b.Params) > maxBatchOthers:
		return invalid("params: the batch has %d; at most %d are allowed", len(b.Params), maxBatchOthers)
	case len(b.Tags) > maxBatchOthers:
		return invalid("tags: the batch has %d; at most %d are allowed", len(b.Tags), maxBatchOthers)
	case len(b.Metrics)+len(b.Params)+len(b.Tags) > maxBatch:
		return invalid("the batch has %d metrics, params and tags together; at most %d are allowed", len(b.Metrics)+len(b.Params)+len(b.Tags), maxBatch)
	}
	for i := range b.Metrics {
		m := &b.Metrics[i]
		if err := CheckKey("metric", m.Key); err != nil {
			return err
		}
		if m.At < 0 {
			return invalid("metric %s: the timestamp %d is negative; give milliseconds since 1970", m.Key, m.At)
		}
		if (m.Dataset == "") != (m.Digest == "") {
			return invalid("metric %s: dataset_name and dataset_digest go together; give both or none", m.Key)
		}
		m.Value = bounded(m.Value)
	}
	for i := range b.Params {
		p := &b.Params[i]
		if err := CheckKey("param", p.Key); err != nil {
			return err
		}
		if slices.ContainsFunc(b.Params[:i], func(other Param) bool { return other.Key == p.Key }) {
			return invalid("param %s: the key is in the batch twice", p.Key)
		}
		p.Value = CutTo(p.Value, maxParam)
	}
	for i := range b.Tags {
		if err := CheckKey("tag", b.Tags[i].Key); err != nil {
			return err
		}
	}
	return nil
}

// reference is what must be known of a run to write to it.
type reference struct {
	number     int64
	experiment int64
	location   string
	deleted    bool
	// journal is how many bytes stand in its journal, as far as is known; negative when it is not.
	journal int64
}

// references remembers some runs by id.
type references struct {
	mu   sync.Mutex
	runs map[string]reference
}

// maxReferences bounds them.
const maxReferences = 20_000

func newReferences() *references { return &references{runs: map[string]reference{}} }

func (r *references) get(id string) (reference, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ref, ok := r.runs[id]
	return ref, ok
}

func (r *references) put(id string, ref reference) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.runs) >= maxReferences {
		clear(r.runs)
	}
	r.runs[id] = ref
}

// grown notes that a run's journal has grown, or how long it is.
func (r *references) grown(id string, by int64, absolute bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ref, ok := r.runs[id]; ok {
		if absolute {
			ref.journal = by
		} else {
			ref.journal += by
		}
		r.runs[id] = ref
	}
}

func (r *references) forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.runs, id)
}

func (r *references) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.runs)
}
