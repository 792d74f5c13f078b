package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// server is a process under measurement.
type server struct {
	name    string
	address string
	command *exec.Cmd
	output  *os.File
	// settings are added to the environment.
	settings []string
	ready    time.Duration // from its start until it answered that it is ready
	// listed asks whether the API lists the alert of a pod.
	listed func(ctx context.Context, pod string) (bool, error)
}

// startFairlead starts our server, with its rows in the PostgreSQL of a URL; "" means SQLite.
func startFairlead(ctx context.Context, binary, dir, url string) (*server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	s := &server{name: "Fairlead", address: address}
	if url != "" {
		s.name, s.settings = "Fairlead on PostgreSQL", []string{"FAIRLEAD_STORE_URL=" + url}
	}
	s.listed = func(ctx context.Context, pod string) (bool, error) {
		var page struct {
			Items []struct {
				Labels map[string]string `json:"labels"`
			} `json:"items"`
		}
		err := s.get(ctx, "/api/fairlead/v1/alerts?limit=5", &page)
		for _, item := range page.Items {
			if item.Labels["pod"] == pod {
				return true, err
			}
		}
		return false, err
	}
	return s, s.start(ctx, dir, binary, "serve", "--dev", "--data.dir", filepath.Join(dir, "data"), "--http.listen", address,
		"--otlp.grpc.listen", "", "--otlp.http.listen", "")
}

func startAlertmanager(ctx context.Context, binary, dir string) (*server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(config, []byte("route: {receiver: none, group_by: [service]}\nreceivers: [{name: none}]\n"), 0o600); err != nil {
		return nil, fmt.Errorf("write its configuration: %w", err)
	}
	s := &server{name: "Alertmanager", address: address}
	s.listed = func(ctx context.Context, pod string) (bool, error) {
		var alerts []json.RawMessage
		err := s.get(ctx, "/api/v2/alerts?filter=pod%3D%22"+pod+"%22", &alerts)
		return len(alerts) > 0, err
	}
	return s, s.start(ctx, dir, binary, "--config.file="+config, "--storage.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--cluster.listen-address=")
}

func freeAddress() (string, error) {
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	address := probe.Addr().String()
	return address, probe.Close()
}

func (s *server) start(ctx context.Context, dir, binary string, args ...string) error {
	output, err := os.Create(filepath.Join(dir, s.name+".log"))
	if err != nil {
		return fmt.Errorf("make its log: %w", err)
	}
	s.output = output
	s.command = exec.CommandContext(ctx, binary, args...)
	s.command.Stdout, s.command.Stderr = output, output
	s.command.Env = slices.DeleteFunc(os.Environ(), func(setting string) bool { return strings.HasPrefix(setting, "FAIRLEAD_") })
	s.command.Env = append(s.command.Env, s.settings...)
	begin := time.Now()
	if err := s.command.Start(); err != nil {
		return fmt.Errorf("start %s: %w", s.name, err)
	}
	for {
		answer, err := http.Get("http://" + s.address + "/-/ready")
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				s.ready = time.Since(begin)
				return nil
			}
		}
		if time.Since(begin) > time.Minute {
			return fmt.Errorf("%s is not ready after a minute; see %s", s.name, output.Name())
		}
		if err := pause(ctx, 2*time.Millisecond); err != nil {
			return err
		}
	}
}

func (s *server) stop() error {
	err := s.command.Process.Signal(os.Interrupt)
	_ = s.command.Wait() // it was told to end
	return errors.Join(err, s.output.Close())
}

// get asks the API and decodes the answer.
func (s *server) get(ctx context.Context, path string, to any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+path, http.NoBody)
	if err != nil {
		return fmt.Errorf("ask %s: %w", path, err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask %s: %w", path, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("ask %s: %w", path, err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("ask %s: %s answered %d: %.300s", path, s.name, answer.StatusCode, text)
	}
	return json.Unmarshal(text, to)
}

// waitFor sends one more alert and returns when the API lists it, and so everything before it.
func (s *server) waitFor(ctx context.Context, name string) error {
	c, err := dial(s.address, 0)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	body := []byte(`[{"labels":{"alertname":"Last","pod":"` + name + `","severity":"warning"},"annotations":{},"startsAt":"` +
		time.Now().UTC().Format(time.RFC3339) + `"}]`)
	for {
		status, wait, err := c.post("/api/v2/alerts", body)
		if err != nil {
			return err
		}
		if status == http.StatusOK {
			break
		}
		if err := pause(ctx, max(wait, 10*time.Millisecond)); err != nil {
			return err
		}
	}
	for {
		found, err := s.listed(ctx, name)
		if err != nil || found {
			return err
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
}

// memory returns the resident memory now and at its highest, in MB.
func (s *server) memory() (now, highest float64) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.command.Process.Pid))
	if err != nil {
		return 0, 0 // not Linux: not shown
	}
	field := func(name string) float64 {
		_, rest, _ := bytes.Cut(status, []byte(name+":"))
		text, _, _ := strings.Cut(strings.TrimSpace(string(rest[:min(len(rest), 40)])), " ")
		kilobytes, _ := strconv.ParseFloat(text, 64)
		return kilobytes / 1024
	}
	return field("VmRSS"), field("VmHWM")
}

// cpu returns the processor time that the process has used.
func (s *server) cpu() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.command.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(text, []byte(") "))
	fields := strings.Fields(string(rest))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
