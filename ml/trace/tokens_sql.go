package trace

import (
	"context"
	"encoding/json"

	"github.com/fairlead/fairlead/base/store"
)

// countTokens sums what the spans of a trace took.
func countTokens(ctx context.Context, tx store.Tx, id string) (input, output int64, err error) {
	var texts []string
	if err := tx.NewRaw("SELECT attributes FROM trace_spans WHERE trace = ?", id).Scan(ctx, &texts); err != nil {
		return 0, 0, err
	}
	for _, text := range texts {
		var attributes map[string]string
		if err := json.Unmarshal([]byte(text), &attributes); err != nil {
			return 0, 0, err
		}
		var usage struct {
			Input  int64 `json:"input_tokens"`
			Output int64 `json:"output_tokens"`
		}
		if json.Unmarshal([]byte(attributes["mlflow.chat.tokenUsage"]), &usage) == nil { // another form counts nothing
			input, output = input+usage.Input, output+usage.Output
		}
	}
	return input, output, nil
}
