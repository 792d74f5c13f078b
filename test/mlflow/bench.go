package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const address = "127.0.0.1:18960"

// server is the process that is measured.
type server struct {
	cmd    *exec.Cmd
	client *http.Client
}

func start(ctx context.Context, o options, dir string) (*server, error) {
	s := &server{client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	s.cmd = exec.Command(o.binary, "serve", "--data.dir", dir, "--http.listen", address, "--otlp.grpc.listen", "", "--otlp.http.listen", "")
	s.cmd.Env = os.Environ()
	if o.store != "" {
		s.cmd.Env = append(s.cmd.Env, "FAIRLEAD_STORE_URL="+o.store)
	}
	log, err := os.Create(dir + ".log")
	if err != nil {
		return nil, err
	}
	s.cmd.Stderr = log
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w; build it with make build", o.binary, err)
	}
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for range 400 {
		if response, err := s.client.Get("http://" + address + "/-/ready"); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return s, nil
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-poll.C:
		}
	}
	return nil, errors.New("the server does not get ready")
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(os.Interrupt)
	_ = s.cmd.Wait()
}

// memory returns the resident memory now and at most, in MB.
func (s *server) memory() (now, most int) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(s.cmd.Process.Pid) + "/status")
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		n, _ := strconv.Atoi(fields[1])
		switch fields[0] {
		case "VmRSS:":
			now = n / 1024
		case "VmHWM:":
			most = n / 1024
		}
	}
	return now, most
}

// call sends one request and reads the answer into answer, if it is not nil.
func (s *server) call(ctx context.Context, method, path string, body []byte, answer any) error {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+address+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := s.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 500))
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, text)
	}
	if answer == nil {
		_, err = io.Copy(io.Discard, response.Body)
		return err
	}
	return json.NewDecoder(response.Body).Decode(answer)
}

// measure runs a call with all clients for a while and prints the result.
func (s *server) measure(ctx context.Context, o options, name string, call func(client, n int) error) error {
	var wait sync.WaitGroup
	var failed atomic.Pointer[error]
	took := make([][]time.Duration, o.clients)
	began := time.Now()
	until := began.Add(o.length)
	for client := range o.clients {
		wait.Go(func() {
			for n := 0; time.Now().Before(until) && ctx.Err() == nil; n++ {
				at := time.Now()
				if err := call(client, n); err != nil {
					failed.Store(&err)
					return
				}
				took[client] = append(took[client], time.Since(at))
			}
		})
	}
	wait.Wait()
	length := time.Since(began)
	if err := failed.Load(); err != nil {
		return fmt.Errorf("%s: %w", name, *err)
	}
	all := slices.Concat(took...)
	slices.Sort(all)
	if len(all) == 0 {
		return fmt.Errorf("%s: nothing was measured", name)
	}
	now, _ := s.memory()
	fmt.Printf("%-72s %9.0f/s   p50 %8s   p95 %8s   %4d MB\n", name, float64(len(all))/length.Seconds(), short(all[len(all)/2]), short(all[len(all)*95/100]), now)
	return ctx.Err()
}

func short(d time.Duration) string {
	return strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', 2, 64) + " ms"
}

func marshal(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // what is made here can be written
	}
	return data
}

type fields map[string]any

func bench(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "fairlead-mlflow-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir); _ = os.Remove(dir + ".log") }()
	s, err := start(ctx, o, dir)
	if err != nil {
		return err
	}
	defer s.stop()
	if err := s.logging(ctx, o); err != nil {
		return err
	}
	if err := s.artifacts(ctx, o); err != nil {
		return err
	}
	experiment, err := s.experiment(ctx, "searched")
	if err != nil {
		return err
	}
	there := 0
	for _, n := range o.runs {
		began := time.Now()
		if err := s.fill(ctx, o, experiment, there, n); err != nil {
			return err
		}
		fmt.Printf("%d runs more, with 10 metrics, 10 params and 5 tags each: %.0f runs/s\n", n-there, float64(n-there)/time.Since(began).Seconds())
		there = n
		if err := s.searches(ctx, o, experiment, n); err != nil {
			return err
		}
	}
	now, most := s.memory()
	fmt.Printf("memory: %d MB at the end, %d MB at most\n", now, most)
	return nil
}

func (s *server) experiment(ctx context.Context, name string) (string, error) {
	var answer struct {
		ID string `json:"experiment_id"`
	}
	err := s.call(ctx, http.MethodPost, "/api/2.0/mlflow/experiments/create", marshal(fields{"name": name}), &answer)
	return answer.ID, err
}

func (s *server) run(ctx context.Context, experiment, name string, tags []fields) (string, error) {
	var answer struct {
		Run struct {
			Info struct {
				ID string `json:"run_id"`
			} `json:"info"`
		} `json:"run"`
	}
	err := s.call(ctx, http.MethodPost, "/api/2.0/mlflow/runs/create", marshal(fields{"experiment_id": experiment, "run_name": name, "start_time": time.Now().UnixMilli(), "tags": tags}), &answer)
	return answer.Run.Info.ID, err
}

func (s *server) logging(ctx context.Context, o options) error {
	experiment, err := s.experiment(ctx, "logged")
	if err != nil {
		return err
	}
	runs := make([]string, o.clients)
	for i := range runs {
		if runs[i], err = s.run(ctx, experiment, "logger", nil); err != nil {
			return err
		}
	}
	err = s.measure(ctx, o, "create-run", func(int, int) error {
		_, err := s.run(ctx, experiment, "made", nil)
		return err
	})
	if err != nil {
		return err
	}
	err = s.measure(ctx, o, "log-metric", func(client, n int) error {
		return s.call(ctx, http.MethodPost, "/api/2.0/mlflow/runs/log-metric", marshal(fields{"run_id": runs[client], "key": "loss", "value": rand.Float64(), "timestamp": time.Now().UnixMilli(), "step": n}), nil)
	})
	if err != nil {
		return err
	}
	err = s.measure(ctx, o, "log-batch of 100 keys", func(client, n int) error {
		metrics := make([]fields, 100)
		for i := range metrics {
			metrics[i] = fields{"key": "metric_" + strconv.Itoa(i), "value": rand.Float64(), "timestamp": time.Now().UnixMilli(), "step": n}
		}
		return s.call(ctx, http.MethodPost, "/api/2.0/mlflow/runs/log-batch", marshal(fields{"run_id": runs[client], "metrics": metrics}), nil)
	})
	if err != nil {
		return err
	}
	return s.measure(ctx, o, "history of a metric that was logged here", func(client, _ int) error {
		return s.call(ctx, http.MethodGet, "/api/2.0/mlflow/metrics/get-history?metric_key=metric_7&run_id="+runs[client], nil, nil)
	})
}

func (s *server) artifacts(ctx context.Context, o options) error {
	for _, size := range []int{1, 100} {
		content := make([]byte, size<<20)
		for i := range content {
			content[i] = byte(i * 31)
		}
		clients := o
		clients.clients = min(o.clients, 4)
		path := func(client int) string {
			return "/api/2.0/mlflow-artifacts/artifacts/0/run/artifacts/file-" + strconv.Itoa(size) + "-" + strconv.Itoa(client)
		}
		err := s.measure(ctx, clients, fmt.Sprintf("artifact of %d MB up, %d clients", size, clients.clients), func(client, _ int) error {
			return s.call(ctx, http.MethodPut, path(client), content, nil)
		})
		if err != nil {
			return err
		}
		err = s.measure(ctx, clients, fmt.Sprintf("artifact of %d MB down, %d clients", size, clients.clients), func(client, _ int) error {
			return s.call(ctx, http.MethodGet, path(client), nil, nil)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// fill adds runs until there are n.
func (s *server) fill(ctx context.Context, o options, experiment string, there, n int) error {
	var next atomic.Int64
	next.Store(int64(there))
	var wait sync.WaitGroup
	var failed atomic.Pointer[error]
	for range o.clients {
		wait.Go(func() {
			for ctx.Err() == nil && failed.Load() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := s.fillOne(ctx, experiment, i); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	wait.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return ctx.Err()
}

func (s *server) fillOne(ctx context.Context, experiment string, i int) error {
	var tags, params, metrics []fields
	for k := range 4 {
		tags = append(tags, fields{"key": "tag_" + strconv.Itoa(k), "value": strconv.Itoa(i % (k + 2))})
	}
	id, err := s.run(ctx, experiment, "run-"+strconv.Itoa(i), tags)
	if err != nil {
		return err
	}
	for k := range 10 {
		params = append(params, fields{"key": "param_" + strconv.Itoa(k), "value": strconv.Itoa(rand.IntN(10 * (k + 1)))})
		metrics = append(metrics, fields{"key": "score_" + strconv.Itoa(k), "value": rand.Float64(), "timestamp": time.Now().UnixMilli(), "step": 0})
	}
	return s.call(ctx, http.MethodPost, "/api/2.0/mlflow/runs/log-batch", marshal(fields{"run_id": id, "metrics": metrics, "params": params}), nil)
}

// searches measures searches, each for the first page of 100 and of 1000 runs.
func (s *server) searches(ctx context.Context, o options, experiment string, n int) error {
	for _, c := range []struct {
		name, filter string
		order        []string
	}{
		{"newest", "", nil},
		{"filter by metric and param", "metrics.score_1 > 0.9 AND params.param_2 = '3'", nil},
		{"ordered by a metric", "", []string{"metrics.score_3 DESC"}},
		{"filter, ordered by a metric", "metrics.score_1 > 0.5 AND tags.tag_1 = '1'", []string{"metrics.score_3 ASC", "params.param_1 DESC"}},
	} {
		for _, most := range []int{100, 1000} {
			body := marshal(fields{"experiment_ids": []string{experiment}, "filter": c.filter, "order_by": c.order, "max_results": most})
			for _, clients := range []int{1, o.clients} {
				one := o
				one.clients = clients
				name := fmt.Sprintf("%d runs, page of %d, %s, %d clients", n, most, c.name, clients)
				err := s.measure(ctx, one, name, func(int, int) error { return s.call(ctx, http.MethodPost, "/api/2.0/mlflow/runs/search", body, nil) })
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}
