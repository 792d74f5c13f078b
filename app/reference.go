package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
)

// References lists what Reference can write.
var References = []string{"openapi", "config", "metrics", "api"}

// Reference writes a page of docs/reference, or the description of the API, out of the running program itself, so that
// they cannot differ.
func Reference(ctx context.Context, what string, out io.Writer) (err error) {
	if what == "config" {
		return configReference(out)
	}
	dir, err := os.MkdirTemp("", "fairlead-reference-")
	if err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	cfg := DefaultConfig()
	cfg.Data.Dir, cfg.HTTP.Listen = dir, "127.0.0.1:0"
	a, err := New(ctx, cfg, Options{Version: "v1", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer a.close(ctx)
	description, err := a.api.OpenAPI()
	if err != nil {
		return fmt.Errorf("describe the API: %w", err)
	}
	switch what {
	case "openapi":
		var text bytes.Buffer
		if err := json.Indent(&text, description, "", "  "); err != nil {
			return fmt.Errorf("describe the API: %w", err)
		}
		_, err = fmt.Fprintln(out, text.String())
		return err
	case "api":
		return apiReference(description, out)
	case "metrics":
		return a.metricsReference(out)
	}
	return fmt.Errorf("%q is no reference; there are %s", what, strings.Join(References, ", "))
}

func configReference(out io.Writer) error {
	cfg := DefaultConfig()
	var text strings.Builder
	text.WriteString("# Configuration\n\nOne YAML file (`fairlead serve --config FILE`); no file is needed. Each key can also be set by its environment\n" +
		"variable. An unknown key is an error. `SIGHUP` or `POST /-/reload` reads the file again: `inhibit_rules` and\n" +
		"`receive.resolve_timeout` take effect at once, the others at the next start.\n\n| key | variable | default |\n| --- | --- | --- |\n")
	for _, k := range Keys(&cfg) {
		fmt.Fprintf(&text, "| `%s` | `%s` | `%s` |\n", k.Path, k.Variable, k.Value())
	}
	text.WriteString("| `inhibit_rules` | | none; rules in [Alertmanager's syntax](https://prometheus.io/docs/alerting/latest/configuration/#inhibit_rule) |\n")
	_, err := io.WriteString(out, text.String())
	return err
}

func (a *App) metricsReference(out io.Writer) error {
	families, err := a.registry.Gather()
	if err != nil {
		return fmt.Errorf("gather the metrics: %w", err)
	}
	var text strings.Builder
	text.WriteString("# Metrics\n\nOn `/metrics`, beside those of the Go runtime and the process. Metrics with labels appear with their first value.\n\n| metric | type | meaning |\n| --- | --- | --- |\n")
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "fairlead_") {
			fmt.Fprintf(&text, "| `%s` | %s | %s |\n", f.GetName(), strings.ToLower(f.GetType().String()), f.GetHelp())
		}
	}
	_, err = io.WriteString(out, text.String())
	return err
}

func apiReference(description []byte, out io.Writer) error {
	var api struct {
		Paths map[string]map[string]struct {
			Summary    string
			Parameters []struct{ Name, In, Description string }
		}
	}
	if err := json.Unmarshal(description, &api); err != nil {
		return fmt.Errorf("read the description of the API: %w", err)
	}
	var rows []string
	for path, methods := range api.Paths {
		for method, operation := range methods {
			var parameters []string
			for _, p := range operation.Parameters {
				if p.In == "query" {
					parameters = append(parameters, "`"+p.Name+"`")
				}
			}
			rows = append(rows, fmt.Sprintf("| `%s` | `%s` | %s | %s |\n", path, strings.ToUpper(method), operation.Summary, strings.Join(parameters, " ")))
		}
	}
	slices.Sort(rows)
	var text strings.Builder
	text.WriteString("# API\n\nThe whole description, with every field, is at `/api/fairlead/v1/openapi.json` of a running Fairlead. Lists answer\n" +
		"`{items, next}`; pass `next` as `cursor` for the following page. Errors are RFC 9457 problems:\n`{type, title, status, detail, errors: [{field, value, remedy}], id}`. `GET /api/fairlead/v1/events` sends server-sent events\n" +
		"named `incident`, `step`, `stats`, `ping` and `reset`.\n\n| path | method | what it does | query |\n| --- | --- | --- | --- |\n" + strings.Join(rows, ""))
	_, err := io.WriteString(out, text.String())
	return err
}
