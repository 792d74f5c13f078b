package experiment_test

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/experiment"
	"github.com/fairlead/fairlead/test/postgres"
)

// open returns an empty store, on the engine that is tested.
func open(t *testing.T) *experiment.Store {
	t.Helper()
	db, err := store.Open(t.Context(), postgres.Config(t), "ml", store.LearningSchema(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("open the database: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	s, err := experiment.Open(t.Context(), db)
	if err != nil {
		t.Fatalf("open the experiments: %v", err)
	}
	return s
}

// fact is a run as the naive evaluator knows it: what was logged, and nothing of how it is stored.
type fact struct {
	id, name, user, status string
	started                int64
	ended                  *int64
	deleted                bool
	metrics                map[string]float64
	params, tags           map[string]string
	datasets               [][3]string // name, digest, context ("" for none)
}

var (
	words    = []string{"adam", "Adam", "sgd", "", "a%b", "a_b", "a'b", `say "hi"`, "ünï", "ÜNÏ", "10", "9", "100%", "red", "Red", "x*y", "[z]", "ж"}
	keyNames = []string{"acc", "my metric", "a/b.c", "my.tag", "depth"}
)

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// populate logs random runs and returns what is true of them.
func populate(t *testing.T, s *experiment.Store, r *rand.Rand, experimentID int64, n int) []*fact {
	t.Helper()
	var facts []*fact
	for range n {
		f := &fact{
			user: pick(r, words), started: int64(r.IntN(5)) * 1000, metrics: map[string]float64{}, params: map[string]string{}, tags: map[string]string{},
			status: string(experiment.Running), name: "run-" + strconv.Itoa(r.IntN(20)),
		}
		f.tags["mlflow.runName"] = f.name
		run, err := s.CreateRun(t.Context(), experiment.NewRun{Experiment: experimentID, Name: f.name, User: f.user, StartedAt: f.started})
		if err != nil {
			t.Fatalf("create a run: %v", err)
		}
		f.id = run.ID
		change(t, s, r, f)
		facts = append(facts, f)
	}
	return facts
}

// change logs something to a run, and notes it.
func change(t *testing.T, s *experiment.Store, r *rand.Rand, f *fact) {
	t.Helper()
	var b experiment.Batch
	for _, key := range keyNames {
		if r.IntN(3) > 0 {
			value := pick(r, []float64{0, 0.5, 0.5, 1, -3, 1e300, math.NaN(), math.Inf(1), math.Inf(-1)})
			b.Metrics = append(b.Metrics, experiment.Metric{Key: key, Value: value, At: int64(len(f.metrics) + 1), Step: int64(r.IntN(1 << 40))})
		}
		if _, there := f.params[key]; !there && r.IntN(3) > 0 {
			f.params[key] = pick(r, words)
			b.Params = append(b.Params, experiment.Param{Key: key, Value: f.params[key]})
		}
		if r.IntN(3) > 0 {
			f.tags[key] = pick(r, words)
			b.Tags = append(b.Tags, experiment.Tag{Key: key, Value: f.tags[key]})
		}
	}
	if err := s.Log(t.Context(), f.id, b); err != nil {
		t.Fatalf("log to a run: %v", err)
	}
	// Which of the points is the latest is not this test's matter: it asks.
	run, err := s.Run(t.Context(), f.id)
	if err != nil {
		t.Fatalf("read a run: %v", err)
	}
	clear(f.metrics)
	for _, m := range run.Metrics {
		f.metrics[m.Key] = m.Value
	}
	if r.IntN(2) == 0 {
		status := pick(r, experiment.Statuses())
		end := int64(r.IntN(3)) * 500
		if _, err := s.UpdateRun(t.Context(), f.id, experiment.Change{Status: status, EndedAt: &end}); err != nil {
			t.Fatalf("update a run: %v", err)
		}
		f.status, f.ended = string(status), &end
	}
	if r.IntN(3) == 0 && len(f.datasets) == 0 {
		data := [3]string{pick(r, []string{"train", "test", "Train"}), pick(r, []string{"d1", "d2"}), pick(r, []string{"", "eval", "training"})}
		in := experiment.Input{Dataset: experiment.Dataset{Name: data[0], Digest: data[1], SourceType: "local", Source: "s"}}
		if data[2] != "" {
			in.Tags = []experiment.Tag{{Key: "mlflow.data.context", Value: data[2]}}
		}
		if err := s.LogInputs(t.Context(), f.id, []experiment.Input{in}, nil); err != nil {
			t.Fatalf("log inputs: %v", err)
		}
		f.datasets = append(f.datasets, data)
	}
	if r.IntN(8) == 0 {
		if err := s.DeleteRun(t.Context(), f.id); err != nil {
			t.Fatalf("delete a run: %v", err)
		}
		f.deleted = true
	}
}

// condition is a clause with what it means.
type condition struct {
	text  string
	holds func(*fact) bool
}

// naiveLike is LIKE by definition: the pattern's first character decides, recursively.
func naiveLike(pattern, text []rune) bool {
	if len(pattern) == 0 {
		return len(text) == 0
	}
	if pattern[0] == '%' {
		for i := 0; i <= len(text); i++ {
			if naiveLike(pattern[1:], text[i:]) {
				return true
			}
		}
		return false
	}
	return len(text) > 0 && (pattern[0] == '_' || pattern[0] == text[0]) && naiveLike(pattern[1:], text[1:])
}

func asciiLower(text string) string {
	b := []byte(text)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 32
		}
	}
	return string(b)
}

// textTest returns an operator with a right side, and its meaning for a text that is there.
func textTest(r *rand.Rand, lists bool) (string, func(string) bool) {
	word := pick(r, words)
	quote := "'"
	if strings.Contains(word, "'") {
		quote = `"`
	}
	quoted := quote + word + quote
	switch n := r.IntN(6); {
	case n == 0:
		return "= " + quoted, func(v string) bool { return v == word }
	case n == 1:
		return "!= " + quoted, func(v string) bool { return v != word }
	case n == 2 || n == 3:
		pattern := pick(r, []string{"%", "a%", "%d%", "_dam", "A%", "%*%", "[z]", "10", "1_", "", "%é%", "ün%", "%_"})
		if n == 2 {
			return "LIKE '" + pattern + "'", func(v string) bool { return naiveLike([]rune(pattern), []rune(v)) }
		}
		return "ilike '" + pattern + "'", func(v string) bool { return naiveLike([]rune(asciiLower(pattern)), []rune(asciiLower(v))) }
	case lists && n == 4:
		return "IN (" + quoted + ", 'test')", func(v string) bool { return v == word || v == "test" }
	case lists:
		return "NOT IN (" + quoted + ")", func(v string) bool { return v != word }
	}
	return "= " + quoted, func(v string) bool { return v == word }
}

func numberTest(r *rand.Rand) (string, func(float64) bool) {
	text := pick(r, []string{"0", "0.5", "-3", "1e300", "5e-1", "1000", "500"})
	n, _ := strconv.ParseFloat(text, 64)
	switch pick(r, []string{"=", "!=", ">", ">=", "<", "<="}) {
	case "=":
		return "= " + text, func(v float64) bool { return v == n }
	case "!=":
		return "!= " + text, func(v float64) bool { return v != n }
	case ">":
		return "> " + text, func(v float64) bool { return v > n }
	case ">=":
		return ">= " + text, func(v float64) bool { return v >= n }
	case "<":
		return "< " + text, func(v float64) bool { return v < n }
	default:
		return "<= " + text, func(v float64) bool { return v <= n }
	}
}

func named(key string) string {
	if strings.ContainsAny(key, " /") {
		return "`" + key + "`"
	}
	return key
}

// bounded is how an infinite value is kept.
func bounded(v float64) float64 {
	if math.IsInf(v, 0) {
		return math.Copysign(math.MaxFloat64, v)
	}
	return v
}

func randomCondition(r *rand.Rand, facts []*fact) condition {
	key := pick(r, append(slices.Clone(keyNames), "nobody.has.it"))
	switch r.IntN(7) {
	case 0, 1:
		text, test := numberTest(r)
		return condition{pick(r, []string{"metrics.", "metric."}) + named(key) + " " + text, func(f *fact) bool {
			v, there := f.metrics[key]
			return there && !math.IsNaN(v) && test(bounded(v))
		}}
	case 2:
		prefix := pick(r, []string{"params", "tags", "param", "tag"})
		of := func(f *fact) map[string]string {
			if strings.HasPrefix(prefix, "param") {
				return f.params
			}
			return f.tags
		}
		if r.IntN(4) == 0 {
			not := pick(r, []string{"", "NOT "})
			return condition{prefix + "." + named(key) + " IS " + not + "NULL", func(f *fact) bool {
				_, there := of(f)[key]
				return there == (not != "")
			}}
		}
		text, test := textTest(r, false)
		return condition{prefix + "." + named(key) + " " + text, func(f *fact) bool {
			v, there := of(f)[key]
			return there && test(v)
		}}
	case 3:
		text, test := textTest(r, false)
		switch r.IntN(3) {
		case 0:
			return condition{"user_id " + text, func(f *fact) bool { return test(f.user) }}
		case 1:
			status := pick(r, []string{"RUNNING", "FINISHED", "finished"})
			return condition{"attributes.status = '" + status + "'", func(f *fact) bool { return f.status == status }}
		}
		return condition{"attributes.`run name` LIKE 'run-1%'", func(f *fact) bool { return strings.HasPrefix(f.name, "run-1") }}
	case 4:
		text, test := numberTest(r)
		if r.IntN(2) == 0 {
			return condition{"start_time " + text, func(f *fact) bool { return test(float64(f.started)) }}
		}
		return condition{"attr.end_time " + text, func(f *fact) bool { return f.ended != nil && test(float64(*f.ended)) }}
	case 5:
		id := pick(r, facts).id
		if r.IntN(2) == 0 {
			return condition{"run_id IN ('" + id + "', 'x')", func(f *fact) bool { return f.id == id }}
		}
		return condition{"run_id != '" + id + "'", func(f *fact) bool { return f.id != id }}
	}
	// Of data sets, two conditions must hold of one and the same input; each run here has one at most, so they may be apart.
	part := r.IntN(3)
	value := pick(r, []string{"train", "test", "d1", "eval"})
	return condition{"datasets." + []string{"name", "digest", "context"}[part] + " = '" + value + "'", func(f *fact) bool {
		return slices.ContainsFunc(f.datasets, func(d [3]string) bool { return d[part] == value })
	}}
}

// ordering is an item of an order with what it means.
type ordering struct {
	text    string
	compare func(a, b *fact) int
}

func randomOrder(r *rand.Rand) ordering {
	direction := pick(r, []string{"", " ASC", " DESC"})
	sign := 1
	if direction == " DESC" {
		sign = -1
	}
	key := pick(r, keyNames)
	switch r.IntN(4) {
	case 0:
		rank := func(f *fact) int {
			v, there := f.metrics[key]
			switch {
			case !there:
				return 2
			case math.IsNaN(v):
				return 1
			}
			return 0
		}
		return ordering{"metrics." + named(key) + direction, func(a, b *fact) int {
			if x, y := rank(a), rank(b); x != y || x > 0 {
				return cmp.Compare(x, y)
			}
			return sign * cmp.Compare(bounded(a.metrics[key]), bounded(b.metrics[key]))
		}}
	case 1:
		return ordering{"params." + named(key) + direction, func(a, b *fact) int {
			x, has := a.params[key]
			y, too := b.params[key]
			if has != too {
				if has {
					return -1
				}
				return 1
			}
			return sign * cmp.Compare(x, y)
		}}
	case 2:
		return ordering{"attributes.start_time" + direction, func(a, b *fact) int { return sign * cmp.Compare(a.started, b.started) }}
	}
	return ordering{"attribute.end_time" + direction, func(a, b *fact) int {
		switch {
		case a.ended == nil && b.ended == nil:
			return 0
		case a.ended == nil:
			return 1
		case b.ended == nil:
			return -1
		}
		return sign * cmp.Compare(*a.ended, *b.ended)
	}}
}

// TestSearchesFindWhatANaiveEvaluatorFinds compares random searches, page by page, with an evaluator that knows only what
// was logged, in memory and in SQL, while runs are written.
func TestSearchesFindWhatANaiveEvaluatorFinds(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	s := open(t)
	e, err := s.CreateExperiment(t.Context(), "searched", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	other, err := s.CreateExperiment(t.Context(), "other", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	facts := populate(t, s, r, e.ID, 40)
	more := populate(t, s, r, other.ID, 10)
	for round := range 300 {
		if active := slices.DeleteFunc(slices.Clone(facts), func(f *fact) bool { return f.deleted }); round%10 == 9 && len(active) > 20 {
			change(t, s, r, pick(r, active))
		}
		search := experiment.Search{Experiments: []int64{e.ID}, View: pick(r, []experiment.View{experiment.ActiveOnly, experiment.DeletedOnly, experiment.All}), Most: 1 + r.IntN(12)}
		among := facts
		if r.IntN(4) == 0 {
			search.Experiments = append(search.Experiments, other.ID)
			among = slices.Concat(facts, more)
		}
		compareSearch(t, s, r, search, among)
	}
}

func compareSearch(t *testing.T, s *experiment.Store, r *rand.Rand, search experiment.Search, among []*fact) {
	t.Helper()
	var conditions []condition
	var texts []string
	for range r.IntN(4) {
		c := randomCondition(r, among)
		conditions, texts = append(conditions, c), append(texts, c.text)
	}
	search.Filter = strings.Join(texts, pick(r, []string{" AND ", " and "}))
	orders := []ordering{}
	for range r.IntN(3) {
		o := randomOrder(r)
		field, _, _ := strings.Cut(o.text, " ")
		if !slices.ContainsFunc(orders, func(p ordering) bool { return strings.HasPrefix(p.text, field) }) {
			orders, search.Order = append(orders, o), append(search.Order, o.text)
		}
	}
	var want []*fact
	for _, f := range among {
		if (search.View == experiment.All || f.deleted == (search.View == experiment.DeletedOnly)) &&
			!slices.ContainsFunc(conditions, func(c condition) bool { return !c.holds(f) }) {
			want = append(want, f)
		}
	}
	slices.SortFunc(want, func(a, b *fact) int {
		for _, o := range orders {
			if order := o.compare(a, b); order != 0 {
				return order
			}
		}
		return cmp.Or(cmp.Compare(b.started, a.started), cmp.Compare(a.id, b.id))
	})
	ids := make([]string, len(want))
	for i, f := range want {
		ids[i] = f.id
	}
	for name, find := range map[string]func(context.Context, experiment.Search) ([]string, string, error){"in memory": s.SearchIDs, "in SQL": s.SearchIDsInSQL} {
		var got []string
		for search.Token = ""; ; {
			page, next, err := find(t.Context(), search)
			if err != nil {
				t.Fatalf("%s: search %+v: %v", name, search, err)
			}
			if next != "" && len(page) != search.Most {
				t.Fatalf("%s: search %+v: a page of %d with another behind it", name, search, len(page))
			}
			got = append(got, page...)
			if search.Token = next; next == "" {
				break
			}
		}
		search.Token = ""
		if !slices.Equal(got, ids) {
			t.Fatalf("%s: search %q by %q, %s:\ngot  %v\nwant %v", name, search.Filter, search.Order, search.View, got, ids)
		}
	}
}

func TestFiltersThatMakeNoSenseAreRefused(t *testing.T) {
	s := open(t)
	for _, filter := range []string{
		" ", "metrics.acc", "metrics.acc >", "metrics.acc > 'x'", "metrics.acc > nan", "metrics.acc > +1", "metrics.acc > 1_000", "metrics.acc > 1 OR metrics.acc < 0",
		"NOT metrics.acc > 1", "(metrics.acc > 1)", "metrics.acc BETWEEN 1 AND 2", "metrics.acc == 1", "metrics.acc <> 1", "metrics.a/b > 1", "params.opt = adam", "params.opt > 'a'",
		"params.opt IN ('a')", "tags.t IN ('a')", "run_name IN ('a')", "run_id IN ()", "run_id IN ('a' 'b')", "experiment_id = '1'", "lifecycle_stage = 'active'", "foo.bar = 'x'",
		"datasets.source = 'x'", "status > 'A'", "start_time = 'x'", "start_time IS NULL", "metrics.acc IS NULL", "name = 'unterminated", "metrics.acc > 1 AND", "AND metrics.acc > 1",
		"metrics.acc > 1 metrics.b > 2", "metrics.`acc > 1", "metrics. > 1", "= 1",
	} {
		_, _, err := s.SearchRuns(t.Context(), experiment.Search{Experiments: []int64{0}, Filter: filter, Most: 10})
		if experiment.CodeOf(err) != experiment.InvalidParameterValue {
			t.Errorf("filter %q: got %v, want a refusal", filter, err)
		}
	}
	for _, order := range []string{"", "bogus", "metrics.acc UP", "metrics.acc  DESC", " metrics.acc", "datasets.name", "foo.bar", "Run name"} {
		_, _, err := s.SearchRuns(t.Context(), experiment.Search{Experiments: []int64{0}, Order: []string{order}, Most: 10})
		if experiment.CodeOf(err) != experiment.InvalidParameterValue {
			t.Errorf("order %q: got %v, want a refusal", order, err)
		}
	}
	for _, search := range []experiment.Search{{Most: 0}, {Most: -1}, {Most: 50_001}, {Most: 1, Token: "garbage"}, {Most: 1, Token: "mgarbage"}, {Most: 1, Order: []string{"start_time", "start_time DESC"}}} {
		search.Experiments = []int64{0}
		if _, _, err := s.SearchRuns(t.Context(), search); experiment.CodeOf(err) != experiment.InvalidParameterValue {
			t.Errorf("search %+v: got %v, want a refusal", search, err)
		}
	}
}
