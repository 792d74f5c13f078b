package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairlead/fairlead/base/signal"
)

// sender sends samples by a protocol.
type sender struct {
	url, path, encoding string
	make                func(from, to int, at time.Time, labels []signal.Labels) ([]byte, error)
	labels              []signal.Labels
	client              *http.Client
}

func newSender(o options, url string) *sender {
	s := &sender{url: url, path: "/api/v1/write", encoding: "snappy", make: remoteWrite, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: o.workers}}}
	if o.protocol == "otlp" {
		s.path, s.encoding, s.make = "/v1/metrics", "", otlp
	}
	s.labels = make([]signal.Labels, o.series)
	for n := range s.labels {
		s.labels[n] = labelsOf(n)
	}
	return s
}

// post sends series from one to another and returns once they are durable.
func (s *sender) post(ctx context.Context, from, to int, at time.Time) error {
	body, err := s.make(from, to, at, s.labels)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+s.path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-protobuf")
	if s.encoding != "" {
		r.Header.Set("Content-Encoding", s.encoding)
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("%w: %d %s", errRefused, answer.StatusCode, text)
	}
	return nil
}

// metric returns the sum of one of the server's own metrics.
func (s *sender) metric(ctx context.Context, name string) float64 {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/metrics", http.NoBody)
	if err != nil {
		return 0
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return 0
	}
	defer func() { _ = answer.Body.Close() }()
	text, _ := io.ReadAll(answer.Body)
	sum := 0.0
	for line := range bytes.Lines(text) {
		if rest, found := bytes.CutPrefix(line, []byte(name)); found && (rest[0] == ' ' || rest[0] == '{') {
			fields := bytes.Fields(rest)
			value, _ := strconv.ParseFloat(string(fields[len(fields)-1]), 64)
			sum += value
		}
	}
	return sum
}

// send sends as fast as the server takes.
func send(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "fairlead-samples-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	server, err := serve(ctx, o.binary, dir)
	if err != nil {
		return err
	}
	defer server.stop()
	s := newSender(o, server.url)
	var next, sent, refused atomic.Int64
	start := time.Now()
	begin := start.Add(-time.Hour)
	requests := int64((o.series + o.batch - 1) / o.batch)
	var workers sync.WaitGroup
	for range o.workers {
		workers.Go(func() {
			for time.Since(start) < o.length && ctx.Err() == nil {
				n := next.Add(1) - 1
				round := int(n / requests)
				from := int(n%requests) * o.batch
				to := min(from+o.batch, o.series)
				if err := s.post(ctx, from, to, begin.Add(time.Duration(round)*o.interval)); err != nil {
					refused.Add(1)
					time.Sleep(100 * time.Millisecond)
					continue
				}
				sent.Add(int64(to - from))
			}
		})
	}
	workers.Wait()
	took := time.Since(start)
	for s.metric(ctx, "fairlead_series_samples_total")+s.metric(ctx, "fairlead_series_rejected_samples_total") < float64(sent.Load()) && ctx.Err() == nil {
		time.Sleep(50 * time.Millisecond)
	}
	fmt.Printf("send: %s, %d series, %d a request, %d senders, %s, generator on the same machine\n", o.protocol, o.series, o.batch, o.workers, o.length)
	fmt.Printf("  %.0f samples/s acknowledged, durable; %.0f samples/s stored and judged; %d requests refused\n",
		float64(sent.Load())/took.Seconds(), float64(sent.Load())/time.Since(start).Seconds(), refused.Load())
	fmt.Printf("  the server: %.0f ns of CPU a sample, memory %d MB, at most %d MB\n",
		float64(server.cpu().Nanoseconds())/float64(max(sent.Load(), 1)), residentBytes(server.command.Process.Pid)>>20, server.peak()>>20)
	return nil
}
