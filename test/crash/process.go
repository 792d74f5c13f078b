package crash

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// process is one run of the server.
type process struct {
	command *exec.Cmd
	url     string
	output  *os.File
	started time.Time
}

// freeAddress returns a loopback address that nobody listens on.
func freeAddress() (string, error) {
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	address := probe.Addr().String()
	return address, probe.Close()
}

// start runs the server on the data folder. Its output is added to server.log beside the folder.
func start(ctx context.Context, binary, dir string, environment []string) (*process, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	output, err := os.OpenFile(filepath.Join(dir, "..", "server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the server's log: %w", err)
	}
	command := exec.CommandContext(ctx, binary, "serve", "--dev", "--data.dir", dir, "--http.listen", address, "--otlp.grpc.listen", "",
		"--otlp.http.listen", "")
	command.Stdout, command.Stderr, command.Env = output, output, environment
	p := &process{command: command, url: "http://" + address, output: output, started: time.Now()}
	if err := command.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start the server: %w", err), output.Close())
	}
	return p, nil
}

// environment returns ours without what configures a server, or the tests.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(setting string) bool { return strings.HasPrefix(setting, "FAIRLEAD_") })
}

// kill ends the server as a power cut ends a process: without a word.
func (p *process) kill() error {
	err := p.command.Process.Kill()
	_ = p.command.Wait() // it was killed, and says so
	return errors.Join(err, p.output.Close())
}

// accepts sends the alert until the server takes it and returns how long after its start that was.
func (p *process) accepts(ctx context.Context, client *http.Client, alert wireAlert, limit time.Duration) (time.Duration, error) {
	for {
		if accepted, _ := post(ctx, client, p.url, []wireAlert{alert}); accepted {
			return time.Since(p.started), nil
		}
		if time.Since(p.started) > limit {
			return 0, fmt.Errorf("the server accepts nothing %s after its start; see server.log", limit)
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return 0, err
		}
	}
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

// verifyAudit runs "fairlead audit verify" on the folder of a server that does not run.
func verifyAudit(ctx context.Context, binary, dir string, environment []string) error {
	var output bytes.Buffer
	command := exec.CommandContext(ctx, binary, "audit", "verify", "--data.dir", dir)
	command.Stdout, command.Stderr, command.Env = &output, &output, environment
	if err := command.Run(); err != nil {
		return fmt.Errorf("audit verify: %w: %s", err, bytes.TrimSpace(output.Bytes()))
	}
	return nil
}
