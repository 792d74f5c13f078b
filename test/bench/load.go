package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// connection is a HTTP/1.1 client of one keep-alive connection that can do just what the measurement needs. It costs a
// tenth of net/http's, which would take the processor from the server that is measured beside it.
type connection struct {
	address string
	conn    net.Conn
	reader  *bufio.Reader
	buffer  []byte
}

// dial connects from a loopback address of its own for each number: a server that counts what each sender sends takes them
// for different senders, as the machines of a fleet are.
func dial(address string, number int) (*connection, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+number%250))}} //nolint:gosec // small
	conn, err := dialer.Dial("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return &connection{address: address, conn: conn, reader: bufio.NewReaderSize(conn, 16<<10)}, nil
}

// post sends one body and returns the status of the answer and how long the server said to wait.
func (c *connection) post(path string, body []byte) (status int, wait time.Duration, err error) {
	c.buffer = c.buffer[:0]
	c.buffer = append(c.buffer, "POST "...)
	c.buffer = append(c.buffer, path...)
	c.buffer = append(c.buffer, " HTTP/1.1\r\nHost: "...)
	c.buffer = append(c.buffer, c.address...)
	c.buffer = append(c.buffer, "\r\nContent-Type: application/json\r\nFairlead-Resolve-Timeout: 0\r\nContent-Length: "...)
	c.buffer = strconv.AppendInt(c.buffer, int64(len(body)), 10)
	c.buffer = append(c.buffer, "\r\n\r\n"...)
	c.buffer = append(c.buffer, body...)
	if _, err := c.conn.Write(c.buffer); err != nil {
		return 0, 0, fmt.Errorf("send: %w", err)
	}
	return c.answer()
}

func (c *connection) answer() (status int, wait time.Duration, err error) {
	line, err := c.reader.ReadSlice('\n')
	if err != nil || len(line) < 12 {
		return 0, 0, fmt.Errorf("read answer: %w", errors.Join(err, io.ErrUnexpectedEOF))
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, 0, fmt.Errorf("read status: %w", err)
	}
	length := int64(-1)
	for {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			return 0, 0, fmt.Errorf("read header: %w", err)
		}
		name, value, found := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(": "))
		if !found {
			break
		}
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.ParseInt(string(value), 10, 64); err != nil {
				return 0, 0, fmt.Errorf("read length: %w", err)
			}
		case bytes.EqualFold(name, []byte("Retry-After")):
			if seconds, err := strconv.Atoi(string(value)); err == nil {
				wait = time.Duration(seconds) * time.Second
			}
		}
	}
	if length < 0 {
		return 0, 0, fmt.Errorf("answer %d has no length", status)
	}
	if _, err := io.CopyN(io.Discard, c.reader, length); err != nil {
		return 0, 0, fmt.Errorf("read answer: %w", err)
	}
	return status, wait, nil
}

// load is one measurement of accepting alerts.
type load struct {
	address     string
	name        string // names its alerts apart from those of other loads
	batch       int
	connections int
	repeats     bool // every second alert is one that was sent before
	duration    time.Duration
	limit       int // stops after so many alerts; 0 for no limit
	// rate is how many alerts a second are sent; 0 means the next request follows the answer at once. With a rate, a
	// latency counts from the moment when the request was due, so a server that falls behind cannot hide it.
	rate float64
}

// outcome is what a load did.
type outcome struct {
	alerts, requests, refused int
	latencies                 []time.Duration // sorted
	took                      time.Duration   // until the last answer
}

// run sends until the time or the limit is reached.
func (l load) run() (outcome, error) {
	parts := make([]outcome, l.connections)
	errs := make([]error, l.connections)
	begin := time.Now()
	var group sync.WaitGroup
	for i := range l.connections {
		group.Go(func() { parts[i], errs[i] = l.worker(i, begin) })
	}
	group.Wait()
	total := outcome{took: time.Since(begin)}
	for _, p := range parts {
		total.alerts += p.alerts
		total.requests += p.requests
		total.refused += p.refused
		total.latencies = append(total.latencies, p.latencies...)
	}
	slices.Sort(total.latencies)
	return total, errors.Join(errs...)
}

func (l load) worker(number int, begin time.Time) (outcome, error) {
	c, err := dial(l.address, number)
	if err != nil {
		return outcome{}, err
	}
	defer c.conn.Close()
	var out outcome
	var body []byte
	starts := begin.UTC().Format(time.RFC3339)
	next := 0
	for time.Since(begin) < l.duration && (l.limit == 0 || out.alerts < l.limit/l.connections) {
		body = append(body[:0], '[')
		fresh := next
		for i := range l.batch {
			if i > 0 {
				body = append(body, ',')
			}
			// With batches of one every second request repeats, else every second alert.
			if l.repeats && (out.alerts+i)%2 == 1 && fresh > 0 {
				body = l.appendAlert(body, number, max(fresh-1-i, 0), starts)
				continue
			}
			body = l.appendAlert(body, number, next, starts)
			next++
		}
		body = append(body, ']')
		sent := time.Now()
		if l.rate > 0 {
			every := float64(l.batch*l.connections) / l.rate * float64(time.Second)
			sent = begin.Add(time.Duration((float64(out.requests) + float64(number)/float64(l.connections)) * every))
			if wait := time.Until(sent); wait > 0 {
				<-time.After(wait)
			}
		}
		status, wait, err := c.post("/api/v2/alerts", body)
		if err != nil {
			return out, err
		}
		out.requests++
		switch status {
		case 200:
			out.latencies = append(out.latencies, time.Since(sent))
			out.alerts += l.batch
		case 429, 503:
			out.refused++
			next = fresh
			<-time.After(max(wait, 10*time.Millisecond))
		default:
			return out, fmt.Errorf("server answered %d to %.200s", status, body)
		}
	}
	return out, nil
}

// appendAlert adds alert n of a worker: an alert as a Prometheus of a middle-sized shop sends it.
func (l load) appendAlert(body []byte, worker, n int, starts string) []byte {
	service := int64(n*7+worker) % 40
	body = append(body, `{"labels":{"alertname":"PodErrorRateHigh`...)
	body = strconv.AppendInt(body, int64(n)%12, 10)
	body = append(body, `","cluster":"prod-eu-1","namespace":"shop","service":"service-`...)
	body = strconv.AppendInt(body, service, 10)
	body = append(body, `","pod":"`...)
	body = append(body, l.name...)
	body = append(body, '-')
	body = strconv.AppendInt(body, int64(worker), 10)
	body = append(body, '-')
	body = strconv.AppendInt(body, int64(n), 10)
	body = append(body, `","instance":"10.42.7.19:8080","job":"kubernetes-pods","severity":"warning"},"annotations":{"summary":"errors above 5 percent for two minutes","runbook_url":"https://runbooks.example/PodErrorRateHigh"},"startsAt":"`...)
	body = append(body, starts...)
	return append(body, `","generatorURL":"http://prometheus.example:9090/graph?g0.expr=pod%3Ahttp_errors%3Aratio_rate1m+%3E+0.05&g0.tab=1"}`...)
}
