// Command reference writes the pages of docs/reference, and the description of the API that the page's types are made
// from, out of the program itself: its help, the comments of its configuration, and what a running server says.
//
//	go run ./test/reference cli|config|api|metrics|openapi > FILE
//
// test/run/generate.sh runs it for every file; "make check" fails when one of them is not up to date.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/fairlead/fairlead/app"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "reference:", err)
		os.Exit(1)
	}
}

// pages maps the name of a page to what writes it.
var pages = map[string]func(ctx context.Context, out io.Writer) error{
	"cli":    writeCLI,
	"config": writeConfig,
	"api":    writeAPI,
	"openapi": func(ctx context.Context, out io.Writer) error {
		text, err := ask(ctx, "/api/fairlead/v1/openapi.json")
		if err != nil {
			return err
		}
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, bytes.TrimSpace(text), "", "    "); err != nil {
			return fmt.Errorf("read the description of the API: %w", err)
		}
		pretty.WriteByte('\n')
		_, err = pretty.WriteTo(out)
		return err
	},
	"metrics": writeMetrics,
}

func run(args []string, out io.Writer) error {
	if len(args) != 1 || pages[args[0]] == nil {
		return errors.New("name one page: cli, config, api, metrics or openapi")
	}
	return pages[args[0]](context.Background(), out)
}

const warning = "<!-- Written by test/run/generate.sh. Do not edit. -->\n"

// commands are all commands of the program, in the order of the page.
var commands = []string{
	"", "serve", "demo", "access link", "replay", "eval incidents", "check-config", "import alertmanager", "notify-nagios", "audit verify", "version",
}

// writeCLI writes what each command says to --help.
func writeCLI(ctx context.Context, out io.Writer) error {
	folder, err := os.MkdirTemp("", "fairlead-reference-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer os.RemoveAll(folder)
	binary := filepath.Join(folder, "fairlead")
	if text, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/fairlead").CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w: %s", err, text)
	}
	fmt.Fprintf(out, "%s\n# Command line\n\nExit codes: 0 done, 1 failed, 2 wrong usage.\n", warning)
	for _, command := range commands {
		text, err := exec.CommandContext(ctx, binary, append(strings.Fields(command), "--help")...).Output()
		if err != nil {
			return fmt.Errorf("fairlead %s --help: %w", command, err)
		}
		fmt.Fprintf(out, "\n## %s\n\n```text\n%s\n```\n", strings.TrimSpace("fairlead "+command), bytes.TrimSpace(text))
	}
	return nil
}

// ask starts a server in an empty folder and returns its answer to one request.
func ask(ctx context.Context, path string) ([]byte, error) {
	folder, err := os.MkdirTemp("", "fairlead-reference-")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	defer os.RemoveAll(folder)
	cfg := app.DefaultConfig()
	cfg.Data.Dir, cfg.HTTP.Listen = folder, "127.0.0.1:0"
	server, err := app.New(ctx, cfg, app.Options{Version: "v1", Logger: slog.New(slog.DiscardHandler), Dev: true})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- server.Run(ctx) }()
	defer func() {
		stop()
		<-served
	}()
	// A request of each kind, so that every metric has a value.
	if _, err := fetch(ctx, http.MethodPost, server.URL()+"api/v2/alerts", `[{"labels":{"alertname":"Example"}}]`); err != nil {
		return nil, err
	}
	return fetch(ctx, http.MethodGet, strings.TrimSuffix(server.URL(), "/")+path, "")
}

func fetch(ctx context.Context, method, url, body string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", url, err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", url, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", url, err)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask %s: the server answered %s: %s", url, answer.Status, text)
	}
	return text, nil
}

// writeMetrics writes a table of our own metrics.
func writeMetrics(ctx context.Context, out io.Writer) error {
	text, err := ask(ctx, "/metrics")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, `%s
# Metrics

Served at `+"`/metrics`"+` in Prometheus' text format, beside those of the Go runtime (`+"`go_*`"+`) and the process
(`+"`process_*`"+`). Seconds, bytes and ratios from 0 to 1; names end in `+"`_total`"+` when they only grow.

| name | kind | labels | meaning |
| --- | --- | --- | --- |
`, warning)
	help, kinds, labels, names := readMetrics(string(text))
	for _, name := range names {
		fmt.Fprintf(out, "| `%s` | %s | %s | %s |\n", name, kinds[name], strings.Join(labels[name], ", "), help[name])
	}
	return nil
}
