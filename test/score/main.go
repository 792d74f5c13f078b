// Command score measures how well alerts become incidents: `fairlead eval incidents` of the built binary over every recorded
// stream, scored against the truth by the scorer that comes with the data.
//
// It prints one table: each stream with its true map, without a map, and with a map whose names were shuffled; then with the
// true map and each term of the affinity switched off. It checks that the pages of a prefix of the stream are those of the
// whole (nothing looks ahead), and that the same stream, replayed through a server on the event clock, is grouped alike.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"text/tabwriter"
)

// terms are those of the affinity that can be switched off.
var terms = []string{"time", "map", "labels", "text", "together"}

func main() {
	var s suite
	flag.StringVar(&s.data, "data", "", "folder of the data sets")
	flag.StringVar(&s.scorer, "scorer", "", "alerts_score.py")
	flag.StringVar(&s.binary, "binary", "bin/fairlead", "the built binary")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := s.run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "score:", err)
		os.Exit(1)
	}
}

// suite is one run over all streams.
type suite struct {
	data, scorer, binary string
	work                 string // a temporary folder
	out                  *tabwriter.Writer
}

func (s *suite) run(ctx context.Context) (err error) {
	streams, err := filepath.Glob(filepath.Join(s.data, "alerts", "*", "stream.jsonl.gz"))
	if err != nil {
		return fmt.Errorf("look for streams: %w", err)
	}
	if len(streams) == 0 {
		fmt.Printf("no recorded streams in %s\n", filepath.Join(s.data, "alerts"))
		return nil
	}
	if s.work, err = os.MkdirTemp("", "fairlead-score-"); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(s.work)) }()
	s.out = tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(s.out, "stream\tvariant\tprecision\trecall\tF1\tNMI\tgroups/incident\tnoise-only\tsuppressed\tdelay p50\tp95")
	var failures []error
	for _, stream := range streams {
		failures = append(failures, s.stream(ctx, filepath.Dir(stream)))
	}
	return errors.Join(append(failures, s.out.Flush())...)
}

// stream measures one data set.
func (s *suite) stream(ctx context.Context, folder string) error {
	edges := filepath.Join(folder, "edges.json")
	empty, shuffled, err := s.otherMaps(edges)
	if err != nil {
		return err
	}
	whole, err := s.variant(ctx, folder, "true map", edges)
	if err != nil {
		return err
	}
	for _, other := range []struct{ name, edges string }{{"no map", empty}, {"shuffled map", shuffled}} {
		if _, err := s.variant(ctx, folder, other.name, other.edges); err != nil {
			return err
		}
	}
	for _, term := range terms {
		if _, err := s.variant(ctx, folder, "without "+term, edges, "--without", term); err != nil {
			return err
		}
	}
	prefix := s.checkPrefix(ctx, folder, edges, whole)
	replayed := s.checkReplay(ctx, folder, edges, whole)
	if err := s.out.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return errors.Join(prefix, replayed)
}

// variant groups a stream in one way, prints its row and returns the file with the result.
func (s *suite) variant(ctx context.Context, folder, name, edges string, args ...string) (string, error) {
	out := filepath.Join(s.work, filepath.Base(folder)+"-"+strings.ReplaceAll(name, " ", "-")+".jsonl")
	if err := s.eval(ctx, filepath.Join(folder, "stream.jsonl.gz"), edges, out, args...); err != nil {
		return "", err
	}
	return out, s.row(ctx, folder, name, out)
}

func (s *suite) eval(ctx context.Context, stream, edges, out string, args ...string) error {
	args = append([]string{"eval", "incidents", "--stream", stream, "--edges", edges, "--out", out}, args...)
	if text, err := exec.CommandContext(ctx, s.binary, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("fairlead %s: %w: %s", strings.Join(args, " "), err, text)
	}
	return nil
}

// row prints the scorer's figures for one result.
func (s *suite) row(ctx context.Context, folder, name, assigned string) error {
	text, err := exec.CommandContext(ctx, "python3", s.scorer, folder, assigned, "--json").Output()
	if err != nil {
		return fmt.Errorf("%s: %w", s.scorer, err)
	}
	var r struct {
		Precision  float64  `json:"incident_precision"`
		Recall     float64  `json:"incident_recall"`
		NMI        float64  `json:"nmi"`
		Groups     float64  `json:"groups_per_incident"`
		Noise      float64  `json:"noise_only_share"`
		Suppressed int      `json:"suppressed_real"`
		P50        *float64 `json:"delay_p50"`
		P95        *float64 `json:"delay_p95"`
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("%s: %w: %s", s.scorer, err, text)
	}
	f1 := 0.0
	if r.Precision+r.Recall > 0 {
		f1 = 2 * r.Precision * r.Recall / (r.Precision + r.Recall)
	}
	fmt.Fprintf(s.out, "%s\t%s\t%.3f\t%.3f\t%.3f\t%.3f\t%.2f\t%.3f\t%d\t%s\t%s\n", filepath.Base(folder), name, r.Precision, r.Recall, f1,
		r.NMI, r.Groups, r.Noise, r.Suppressed, seconds(r.P50), seconds(r.P95))
	return nil
}

func seconds(value *float64) string {
	if value == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f s", *value)
}

// otherMaps writes a map without edges, and one in which the names have changed places.
func (s *suite) otherMaps(edges string) (empty, shuffled string, err error) {
	text, err := os.ReadFile(edges)
	if err != nil {
		return "", "", fmt.Errorf("read the map: %w", err)
	}
	var inventory struct {
		Level    string           `json:"level"`
		Directed bool             `json:"directed"`
		Nodes    []string         `json:"nodes"`
		Edges    []map[string]any `json:"edges"`
	}
	if err := json.Unmarshal(text, &inventory); err != nil {
		return "", "", fmt.Errorf("read the map: %w", err)
	}
	write := func(name string) (string, error) {
		file := filepath.Join(s.work, filepath.Base(filepath.Dir(edges))+"-"+name+".json")
		text, err := json.Marshal(inventory)
		if err != nil {
			return "", fmt.Errorf("write a map: %w", err)
		}
		return file, os.WriteFile(file, text, 0o600)
	}
	names := rand.New(rand.NewPCG(1, 2)).Perm(len(inventory.Nodes))
	other := map[string]string{}
	for i, node := range inventory.Nodes {
		other[node] = inventory.Nodes[names[i]]
	}
	for _, edge := range inventory.Edges {
		for _, end := range []string{"from", "to"} {
			if name, is := edge[end].(string); is && other[name] != "" {
				edge[end] = other[name]
			}
		}
	}
	if shuffled, err = write("shuffled"); err != nil {
		return "", "", err
	}
	inventory.Edges = []map[string]any{}
	empty, err = write("empty")
	return empty, shuffled, err
}
