package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// description is what we read of an OpenAPI document.
type description struct {
	Paths map[string]map[string]operation
}

type operation struct {
	Summary, Description string
	Parameters           []struct {
		Name, In, Description string
		Required              bool
	}
	Responses map[string]struct{ Description string }
}

// others are the paths that OpenAPI does not describe, because they are other projects' protocols.
const others = `
## Other protocols on the same port

| path | protocol |
| --- | --- |
| ` + "`/api/v2/alerts` `/api/v2/alerts/groups` `/api/v2/silences` `/api/v2/silence/{id}` `/api/v2/status` `/api/v2/receivers`" + ` | Alertmanager's API v2, for Prometheus, ` + "`amtool`" + ` and Grafana |
| ` + "`/api/fairlead/v1/events`" + ` | live updates as server-sent events: ` + "`incident`, `step`, `stats`, `ping`, `reset`" + ` |
| ` + "`/api/fairlead/v1/openapi.json`" + ` | this description, OpenAPI 3.1 |
| ` + "`/metrics` `/-/healthy` `/-/ready`" + ` | own telemetry |
| ` + "`POST /-/reload`" + ` | reads the configuration again |
`

// writeAPI writes a section for each path of the API.
func writeAPI(ctx context.Context, out io.Writer) error {
	text, err := ask(ctx, "/api/fairlead/v1/openapi.json")
	if err != nil {
		return err
	}
	var described description
	if err := json.Unmarshal(text, &described); err != nil {
		return fmt.Errorf("read the description of the API: %w", err)
	}
	fmt.Fprintf(out, `%s
# HTTP API

JSON in camelCase; times are RFC 3339 in UTC with milliseconds; what is unknown is left out or null. Lists are cut into
pages: pass `+"`next`"+` as `+"`cursor`"+` for the following one. Errors are problem details (RFC 9457):

`+"```json"+`
{"type":"about:blank","title":"Bad Request","status":400,"detail":"what is wrong, in words",
 "errors":[{"field":"labels[3].name","value":"a b","remedy":"use letters, digits and _"}],"id":"for support"}
`+"```"+`

Before version 1 this API is the contract; the Go packages are not.
`, warning)
	methods := []string{"get", "put", "post", "delete"}
	for _, path := range slices.Sorted(maps.Keys(described.Paths)) {
		for _, method := range methods {
			if operation, known := described.Paths[path][method]; known {
				writeOperation(out, method, path, &operation)
			}
		}
	}
	_, err = io.WriteString(out, others)
	return err
}

func writeOperation(out io.Writer, method, path string, o *operation) {
	fmt.Fprintf(out, "\n## %s %s\n\n%s\n", strings.ToUpper(method), path, cmp.Or(o.Description, o.Summary))
	if len(o.Parameters) > 0 {
		fmt.Fprint(out, "\n| parameter | in | meaning |\n| --- | --- | --- |\n")
	}
	for _, p := range o.Parameters {
		name := "`" + p.Name + "`"
		if p.Required {
			name += " (required)"
		}
		fmt.Fprintf(out, "| %s | %s | %s |\n", name, p.In, strings.ReplaceAll(p.Description, "|", `\|`))
	}
}
