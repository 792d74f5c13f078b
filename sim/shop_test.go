package sim

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// seeds is how many shops the property test looks at.
var seeds = flag.Int("seeds", 12, "shops to look at")

// streamLine is one line of a recording.
type streamLine struct {
	At     time.Time `json:"at"`
	Alerts []struct {
		Labels       map[string]string `json:"labels"`
		Annotations  map[string]string `json:"annotations"`
		StartsAt     time.Time         `json:"startsAt"`
		EndsAt       time.Time         `json:"endsAt"`
		GeneratorURL string            `json:"generatorURL"`
	} `json:"alerts"`
}

func record(t *testing.T, config Config) ([]streamLine, *Truth) {
	t.Helper()
	var stream bytes.Buffer
	truth, err := New(config).Stream(&stream)
	if err != nil {
		t.Fatal(err)
	}
	var lines []streamLine
	scanner := bufio.NewScanner(&stream)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var line streamLine
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines, truth
}

// TestEverySeed checks what must hold for any shop: one incident of the right size, early enough, among noise of every
// kind, and no label that gives it away.
func TestEverySeed(t *testing.T) {
	causes := map[string]int{}
	for seed := range int64(*seeds) {
		seed := seed*seed*7919 - 1000 // far apart, some below zero
		lines, truth := record(t, Config{Seed: seed})
		incident := truth.Incident
		causes[incident.Instance]++
		causes[incident.Fault]++
		if incident.Fingerprints < fewest || incident.Fingerprints > most {
			t.Errorf("seed %d: %s of %s has %d distinct alerts, want %d to %d", seed, incident.Fault, incident.Instance,
				incident.Fingerprints, fewest, most)
		}
		checkNoise(t, seed, lines, truth)
		checkPace(t, seed, lines, truth)
		checkLabels(t, seed, lines, truth)
	}
	t.Logf("%d seeds: %v", *seeds, causes)
	for _, kind := range []faultKind{errorBurst, latencyRegression, memoryLeak, poolLeak} {
		if causes[string(kind)] < *seeds/12 {
			t.Errorf("%d of %d shops had a %s, want about a quarter", causes[string(kind)], *seeds, kind)
		}
	}
}

func checkNoise(t *testing.T, seed int64, lines []streamLine, truth *Truth) {
	t.Helper()
	kinds := map[string]map[string]bool{}
	severe := map[string]bool{}
	for _, a := range truth.Alerts {
		if kinds[a.Kind] == nil {
			kinds[a.Kind] = map[string]bool{}
		}
		kinds[a.Kind][a.Fingerprint] = true
		if a.Incident != nil {
			severe[lines[a.Line].Alerts[a.Pos].Labels["severity"]] = true
		}
	}
	if len(kinds["flap"]) < 3 || len(kinds["transient"]) < 4 || len(kinds["noise"]) < 3 || len(kinds["duplicate"]) < 100 {
		t.Errorf("seed %d: %d flaps, %d transients, %d standing alerts, %d repeated: too few", seed, len(kinds["flap"]),
			len(kinds["transient"]), len(kinds["noise"]), len(kinds["duplicate"]))
	}
	if !severe["critical"] || !severe["warning"] {
		t.Errorf("seed %d: severities %v, want critical and warning", seed, severe)
	}
}

// checkPace holds that it is quiet first and that most of the incident stands early enough to be told within a minute.
func checkPace(t *testing.T, seed int64, lines []streamLine, truth *Truth) {
	t.Helper()
	var begin time.Duration
	early, all := map[string]bool{}, map[string]bool{}
	for _, a := range truth.Alerts {
		if a.Incident == nil {
			continue
		}
		after := lines[a.Line].At.Sub(lines[0].At)
		if begin == 0 {
			begin = after
		}
		all[a.Fingerprint] = true
		if after < 40*time.Second {
			early[a.Fingerprint] = true
		}
	}
	if begin < 8*time.Second || begin > 25*time.Second {
		t.Errorf("seed %d: the incident begins after %s, want 8 to 25 s", seed, begin)
	}
	if share := float64(len(early)) / float64(len(all)); share < .7 {
		t.Errorf("seed %d: %.0f %% of the incident's %d alerts came within 40 s, want 70", seed, 100*share, len(all))
	}
}

// checkLabels looks for a label, or a label with its value, that tells the incident's alerts from the others.
func checkLabels(t *testing.T, seed int64, lines []streamLine, truth *Truth) {
	t.Helper()
	type sets struct{ inside, outside map[string]bool }
	every := sets{map[string]bool{}, map[string]bool{}}
	pairs := map[string]sets{}
	for _, a := range truth.Alerts {
		note := func(to sets) {
			if a.Incident != nil {
				to.inside[a.Fingerprint] = true
			} else {
				to.outside[a.Fingerprint] = true
			}
		}
		note(every)
		for name, value := range lines[a.Line].Alerts[a.Pos].Labels {
			for _, key := range []string{name + "=" + value, name} {
				if _, ok := pairs[key]; !ok {
					pairs[key] = sets{map[string]bool{}, map[string]bool{}}
				}
				note(pairs[key])
			}
		}
	}
	for key, c := range pairs {
		in := float64(len(c.inside)) / float64(len(every.inside))
		out := float64(len(c.outside)) / float64(len(every.outside))
		if in > .9 && out < .1 {
			t.Errorf("seed %d: %s is on %.0f %% of the incident's alerts and on %.0f %% of the others", seed, key, 100*in, 100*out)
		}
	}
}

func TestShopWithoutFaultIsQuiet(t *testing.T) {
	for seed := range dice(20) {
		w := newWorld(seed, 1.5, fault{})
		e := newEvaluator(seed)
		for w.now < 1800 {
			w.advance()
			for _, g := range e.due(w.now) {
				for _, a := range e.evaluate(w, g) {
					if a.kind == "noise" && a.rule.metric < standing && a.rule.metric != nodeCPU {
						t.Fatalf("seed %d: %s at %.0f s: %s, though nothing is broken", seed, a.rule.name, w.now, a.summary())
					}
					a.sends, a.sentAt = a.sends+1, w.now
				}
			}
		}
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	var one, two, other bytes.Buffer
	for _, run := range []struct {
		seed int64
		to   io.Writer
	}{{5, &one}, {5, &two}, {6, &other}} {
		if _, err := New(Config{Seed: run.seed}).Stream(run.to); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("two recordings of one seed differ")
	}
	if bytes.Equal(one.Bytes(), other.Bytes()) {
		t.Error("recordings of two seeds are equal")
	}
}

func TestRollbackEndsTheIncident(t *testing.T) {
	for seed := range int64(12) {
		shop := New(Config{Seed: seed, Rollback: 30 * time.Second, Duration: 2 * time.Minute})
		var stream bytes.Buffer
		truth, err := shop.Stream(&stream)
		if err != nil {
			t.Fatal(err)
		}
		last := map[string]string{}
		for _, a := range truth.Alerts {
			if a.Incident != nil {
				last[a.Fingerprint] = a.Status
			}
		}
		for print, status := range last {
			if status != "resolved" {
				t.Errorf("seed %d: alert %s still fires after the rollback", seed, print)
			}
		}
		kinds := map[string]int{}
		for _, event := range shop.Story() {
			kinds[event.Kind]++
		}
		if kinds["rollback"] != 1 || kinds["fault"] != 1 {
			t.Errorf("seed %d: story %v, want one fault and one rollback", seed, kinds)
		}
	}
}

func TestAlertsLookLikeThoseOfPrometheus(t *testing.T) {
	lines, _ := record(t, Config{Seed: 3, Speed: 1, Duration: 20 * time.Minute, Rollback: 5 * time.Minute})
	lastSent := map[string]time.Time{}
	open := map[string]time.Time{}
	ended := map[string]bool{}
	for i, line := range lines {
		if i > 0 && line.At.Before(lines[i-1].At) {
			t.Fatalf("line %d goes back in time", i)
		}
		if len(line.Alerts) == 0 || len(line.Alerts) > batchSize {
			t.Errorf("line %d has %d alerts, want 1 to %d", i, len(line.Alerts), batchSize)
		}
		for _, a := range line.Alerts {
			text, _ := json.Marshal(a.Labels)
			key := string(text)
			if a.Labels["alertname"] == "" || a.Labels["cluster"] == "" || a.Annotations["summary"] == "" || strings.Contains(a.Annotations["summary"], "  ") {
				t.Errorf("line %d: alert %s says %q: a name, cluster or word of the summary is missing", i, key, a.Annotations["summary"])
			}
			if a.StartsAt.After(line.At) {
				t.Errorf("line %d: %s starts at %s, after it was sent at %s", i, key, a.StartsAt, line.At)
			}
			if resolved := !a.EndsAt.After(line.At); resolved {
				ended[key] = true
				if !a.StartsAt.Equal(open[key]) {
					t.Errorf("line %d: %s ended a firing that began at %s, open was %s", i, key, a.StartsAt, open[key])
				}
			} else {
				if got := a.EndsAt.Sub(line.At); got != validFor*time.Second {
					t.Errorf("line %d: %s is valid for %s, want %d s", i, key, got, int(validFor))
				}
				if before, ok := lastSent[key]; ok && a.StartsAt.Equal(open[key]) && !ended[key] && line.At.Sub(before) <= resendAfter*time.Second {
					t.Errorf("line %d: %s sent again after %s", i, key, line.At.Sub(before))
				}
				open[key], ended[key] = a.StartsAt, false
			}
			lastSent[key] = line.At
		}
	}
}

func TestStoryTellsTheFault(t *testing.T) {
	shop := New(Config{Seed: 11})
	var fault Event
	for i, event := range shop.Story() {
		if i > 0 && event.After < fault.After && event.Kind == "fault" {
			t.Errorf("second fault: %+v", event)
		}
		if event.Kind == "fault" {
			fault = event
		}
	}
	if fault.Service != shop.plan.fault.service || fault.After < 7*time.Second || fault.Text == "" {
		t.Errorf("fault = %+v, want one in %s after 7 s at least", fault, shop.plan.fault.service)
	}
}

func TestGraphKnowsEveryService(t *testing.T) {
	shop := New(Config{Seed: 1})
	g := shop.Graph()
	if len(g.Nodes) != 16 || len(g.Edges) < 30 {
		t.Errorf("graph has %d nodes and %d edges, want 16 and 30 at least", len(g.Nodes), len(g.Edges))
	}
	seen := map[Edge]bool{}
	for _, e := range g.Edges {
		if seen[e] {
			t.Errorf("edge %+v stands twice", e)
		}
		seen[e] = true
	}
	nodes := map[string]bool{}
	instances := shop.InstanceGraph()
	for _, n := range instances.Nodes {
		nodes[n] = true
	}
	for _, e := range instances.Edges {
		if !nodes[e.From] || !nodes[e.To] {
			t.Fatalf("edge %+v leads to no node", e)
		}
	}
}

// collector is a server that keeps the alerts it is sent, and is busy at first.
type collector struct {
	mu     sync.Mutex
	busy   int
	alerts map[string]bool
	posts  int
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy > 0 {
		c.busy--
		http.Error(w, "busy", http.StatusServiceUnavailable)
		return
	}
	var alerts []struct{ Labels map[string]string }
	if err := json.NewDecoder(r.Body).Decode(&alerts); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.posts++
	for _, a := range alerts {
		text, _ := json.Marshal(a.Labels)
		c.alerts[string(text)] = true
	}
}

// direct hands requests to a handler without a network, so that synctest can run the clock.
type direct struct{ handler http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	d.handler.ServeHTTP(answer, r)
	return answer.Result(), nil
}

func TestRunSendsTheSameAsStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &collector{busy: 3, alerts: map[string]bool{}}
		var told []Event
		shop := New(Config{
			URL: "http://fairlead.example", Seed: 4, Duration: time.Minute, Client: &http.Client{Transport: direct{server}},
			Tell: func(e Event) { told = append(told, e) },
		})
		begin := time.Now()
		if err := shop.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took < 59*time.Second || took > time.Minute {
			t.Errorf("a minute of the shop took %s", took)
		}
		want := map[string]bool{}
		lines, _ := record(t, Config{Seed: 4})
		for _, line := range lines {
			for _, a := range line.Alerts {
				text, _ := json.Marshal(a.Labels)
				want[string(text)] = true
			}
		}
		if diff := cmp.Diff(want, server.alerts); diff != "" {
			t.Errorf("alerts (-stream +run):\n%s", diff)
		}
		story := shop.Story()
		if diff := cmp.Diff(len(story), len(told)); diff != "" {
			t.Errorf("events told (-story +run):\n%s", diff)
		}
		if alerts, posts := shop.Sent(); posts != int64(server.posts) || alerts < 300 {
			t.Errorf("sent %d alerts in %d posts, the server has %d posts", alerts, posts, server.posts)
		}
	})
}

func TestRollbackWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &collector{alerts: map[string]bool{}}
		var shop *Shop
		var kinds []string
		shop = New(Config{
			URL: "http://fairlead.example", Seed: 4, Duration: 40 * time.Second, Client: &http.Client{Transport: direct{server}},
			Tell: func(e Event) {
				if e.Kind == "fault" {
					shop.Rollback()
				}
				if e.Kind == "fault" || e.Kind == "rollback" {
					kinds = append(kinds, e.Kind)
				}
			},
		})
		if err := shop.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"fault", "rollback"}, kinds); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestRunNeedsAnAddress(t *testing.T) {
	if err := New(Config{}).Run(t.Context()); err == nil {
		t.Error("Run without a URL gave no error")
	}
}
