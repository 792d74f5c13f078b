package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"
)

// episode is what we read of an alert of the API.
type episode struct {
	Labels                     map[string]string
	ReceivedAt, LastReceivedAt time.Time
	Incident                   string
	Disposition                string
}

// checkReplay replays a stream through a server on the event clock and compares its incidents with eval's groups.
func (s *suite) checkReplay(ctx context.Context, folder, edges, whole string) error {
	stream := filepath.Join(folder, "stream.jsonl.gz")
	address, stop, err := s.serve(ctx, filepath.Join(s.work, filepath.Base(folder)+"-data"))
	if err != nil {
		return err
	}
	defer stop()
	began := time.Now()
	command := exec.CommandContext(ctx, s.binary, "replay", stream, "--edges", edges, "--to", address, "--speed", "max")
	if text, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("replay: %w: %s", err, text)
	}
	took := time.Since(began)
	episodes, err := readEpisodes(ctx, address)
	if err != nil {
		return err
	}
	groups, err := readAssigned(whole)
	if err != nil {
		return err
	}
	// How many reports of each of eval's groups are in which incident of the server.
	together := map[[2]string]int{}
	reports := 0
	err = readStream(stream, func(number int, _ []byte, line *streamLine) bool {
		for pos, raw := range line.Alerts {
			var alert struct{ Labels map[string]string }
			if json.Unmarshal(raw, &alert) != nil {
				continue
			}
			group := "-"
			if g := groups[place{number, pos}].Group; g != nil {
				group = *g
			}
			together[[2]string{group, incidentAt(episodes[key(alert.Labels)], line.At)}]++
			reports++
		}
		return true
	})
	if err != nil {
		return err
	}
	same := agreeing(together)
	fmt.Fprintf(s.out, "%s\treplayed\t%d of %d reports grouped as by eval (%.1f s)\n", filepath.Base(folder), same, reports, took.Seconds())
	if same != reports {
		return fmt.Errorf("%s: %d reports are grouped otherwise by the server than by eval", filepath.Base(folder), reports-same)
	}
	return nil
}

// agreeing counts the reports whose group and incident belong to each other: pairs are taken by falling number of reports, each
// name once.
func agreeing(together map[[2]string]int) int {
	pairs := make([][2]string, 0, len(together))
	for pair := range together {
		pairs = append(pairs, pair)
	}
	slices.SortFunc(pairs, func(a, b [2]string) int {
		if d := together[b] - together[a]; d != 0 {
			return d
		}
		return strings.Compare(a[0]+" "+a[1], b[0]+" "+b[1])
	})
	var groups, incidents []string
	same := 0
	for _, pair := range pairs {
		if slices.Contains(groups, pair[0]) || slices.Contains(incidents, pair[1]) {
			continue
		}
		groups, incidents = append(groups, pair[0]), append(incidents, pair[1])
		same += together[pair]
	}
	return same
}

// key writes labels so that equal sets are equal texts.
func key(labels map[string]string) string {
	text, err := json.Marshal(labels) // in the order of names
	if err != nil {
		return "" // texts can always be written
	}
	return string(text)
}

// incidentAt returns the incident of the episode that was going on at a time, "-" for one that nobody was told of.
func incidentAt(episodes []episode, at time.Time) string {
	i := sort.Search(len(episodes), func(i int) bool { return episodes[i].ReceivedAt.After(at) }) - 1
	if i < 0 || episodes[i].Incident == "" || episodes[i].Disposition == "suppressed" || episodes[i].Disposition == "held" {
		return "-"
	}
	return episodes[i].Incident
}

// readEpisodes reads all alerts by their labels, oldest first.
func readEpisodes(ctx context.Context, address string) (map[string][]episode, error) {
	all := map[string][]episode{}
	for cursor := ""; ; {
		var page struct {
			Items []episode
			Next  string
		}
		if err := get(ctx, address+"/api/fairlead/v1/alerts?limit=500&cursor="+url.QueryEscape(cursor), &page); err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			all[key(item.Labels)] = append(all[key(item.Labels)], item)
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	for _, episodes := range all {
		slices.SortFunc(episodes, func(a, b episode) int { return a.ReceivedAt.Compare(b.ReceivedAt) })
	}
	return all, nil
}

func get(ctx context.Context, address string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("ask %s: the server answered %s", address, answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(into)
}

// serve starts a server on the event clock and returns its address and what ends it.
func (s *suite) serve(ctx context.Context, folder string) (address string, stop func(), err error) {
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("find a free port: %w", err)
	}
	listen := probe.Addr().String()
	if err := probe.Close(); err != nil {
		return "", nil, fmt.Errorf("find a free port: %w", err)
	}
	command := exec.CommandContext(ctx, s.binary, "serve", "--dev", "--clock", "event", "--data.dir", folder, "--http.listen", listen,
		"--otlp.grpc.listen", "", "--otlp.http.listen", "")
	log, err := os.Create(folder + ".log")
	if err != nil {
		return "", nil, fmt.Errorf("write the server's log: %w", err)
	}
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		return "", nil, fmt.Errorf("start the server: %w", err)
	}
	stop = func() {
		_ = command.Process.Kill() // what it has stored does not matter any more
		_ = command.Wait()
		_ = log.Close()
	}
	address = "http://" + listen
	for range 200 {
		if request, err := http.Get(address + "/-/ready"); err == nil {
			_ = request.Body.Close()
			if request.StatusCode == http.StatusOK {
				return address, stop, nil
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	stop()
	return "", nil, fmt.Errorf("the server is not ready after 10 s; see %s.log", folder)
}
