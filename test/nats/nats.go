// Package nats gives tests a real NATS server with JetStream, in a process and a folder of its own, that they stop, kill and
// start again.
package nats

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

// Server is one server. It is not safe for concurrent use.
type Server struct {
	binary, dir, config string
	port                int
	running             *exec.Cmd
}

// Start returns a server that ends with the test. It flushes each message to the disk before it acknowledges it. Settings are
// further lines of its configuration, "" for none.
func Start(t testing.TB, settings string) *Server {
	t.Helper()
	s := &Server{binary: need.Tool(t, "nats-server"), dir: t.TempDir()}
	probe, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("find a free port: %v", err)
	}
	s.port = probe.Addr().(*net.TCPAddr).Port
	if err := probe.Close(); err != nil {
		t.Fatalf("find a free port: %v", err)
	}
	s.config = filepath.Join(s.dir, "nats.conf")
	text := fmt.Sprintf("listen: 127.0.0.1:%d\njetstream { store_dir: %q, sync_interval: always }\n%s\n", s.port, filepath.Join(s.dir, "data"), settings)
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatalf("configure NATS: %v", err)
	}
	if err := s.Run(t.Context()); err != nil {
		t.Fatalf("start NATS: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Stop("KILL"); err != nil {
			t.Errorf("end NATS: %v", err)
		}
	})
	return s
}

// Address returns the server's host and port.
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL returns the address for clients.
func (s *Server) URL() string { return "nats://" + s.Address() }

// Run starts the server, on the same port and data, and returns when it listens.
func (s *Server) Run(ctx context.Context) error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the server's log: %w", err)
	}
	defer func() { _ = log.Close() }() // the server has its own
	s.running = exec.CommandContext(context.WithoutCancel(ctx), s.binary, "-c", s.config)
	s.running.Stdout, s.running.Stderr = log, log
	if err := s.running.Start(); err != nil {
		return fmt.Errorf("start nats-server: %w", err)
	}
	err = need.Until(20*time.Second, func() error {
		conn, err := net.DialTimeout("tcp", s.Address(), time.Second)
		if err != nil {
			return err
		}
		return conn.Close()
	})
	if err != nil {
		text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		return fmt.Errorf("nats-server does not answer: %w\n%s", err, text)
	}
	return nil
}

// Stop ends the server: "INT" lets it say goodbye, "KILL" and "QUIT" do not.
func (s *Server) Stop(signal string) error {
	if s.running == nil {
		return nil
	}
	how := syscall.SIGKILL
	if signal == "INT" {
		how = syscall.SIGINT
	}
	err := s.running.Process.Signal(how)
	_ = s.running.Wait() // it was ended, and says so
	s.running = nil
	if errors.Is(err, os.ErrProcessDone) {
		return errors.New("it had ended by itself")
	}
	return err
}
