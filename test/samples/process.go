package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is a running Fairlead.
type server struct {
	command *exec.Cmd
	url     string
	dir     string
	ready   time.Duration // how long it took until it took samples
}

// serve starts the binary on a folder.
func serve(ctx context.Context, binary, dir string) (*server, error) {
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := probe.Addr().String()
	_ = probe.Close() // it was only to find a port
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	s := &server{url: "http://" + address, dir: dir}
	s.command = exec.Command(binary, "serve", "--dev", "--data.dir", filepath.Join(dir, "data"), "--http.listen", address, "--otlp.grpc.listen", "", "--otlp.http.listen", "")
	s.command.Stdout, s.command.Stderr = log, log
	start := time.Now()
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/-/ready", http.NoBody)
		if err != nil {
			return nil, err
		}
		answer, err := http.DefaultClient.Do(r)
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				s.ready = time.Since(start)
				return s, nil
			}
		}
		if ctx.Err() != nil || time.Since(start) > time.Minute {
			s.stop()
			return nil, fmt.Errorf("the server does not become ready; see %s/log", dir)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// stop ends the server and waits for it.
func (s *server) stop() {
	_ = s.command.Process.Signal(syscall.SIGTERM)
	_ = s.command.Wait() // killed by us
}

// cpu returns the processor time that the server has used.
func (s *server) cpu() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.command.Process.Pid))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(after)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond // clock ticks are 100 a second on Linux
}

// residentBytes returns the memory of a process.
func residentBytes(pid int) int64 { return statusBytes(pid, "VmRSS:") }

// peak returns the most memory that the server had.
func (s *server) peak() int64 { return statusBytes(s.command.Process.Pid, "VmHWM:") }

func statusBytes(pid int, name string) int64 {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	defer func() { _ = file.Close() }()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if rest, found := strings.CutPrefix(lines.Text(), name); found {
			kilobytes, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}

// errRefused says that the server did not take a request.
var errRefused = errors.New("the server refused")
