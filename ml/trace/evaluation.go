package trace

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// EvaluationSet is a set of questions, with answers that are expected.
type EvaluationSet struct {
	// ID is "d-" and 32 hexadecimal digits.
	ID   string
	Name string
	// Tags is a JSON object of texts, as it was sent; "" for none.
	Tags string
	// Source and Kind are what clients call source and source_type.
	Source, Kind         string
	CreatedAt, UpdatedAt int64
	CreatedBy, UpdatedBy string
	Experiments          []int64
	// Schema and Profile describe the records, as JSON; "" without records.
	Schema, Profile string
	Digest          string
}

// object is a JSON object whose members keep their order of writing.
type object map[string]json.RawMessage

// recordDigest tells records with different inputs apart.
func recordDigest(inputs json.RawMessage) string {
	var plain any
	decoder := json.NewDecoder(bytes.NewReader(inputs))
	decoder.UseNumber()
	text := []byte(inputs)
	if decoder.Decode(&plain) == nil {
		if sorted, err := json.Marshal(plain); err == nil { // keys in order
			text = sorted
		}
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// kindOf names the type of a JSON value as schemas do.
func kindOf(value json.RawMessage) string {
	text := strings.TrimSpace(string(value))
	switch {
	case text == "":
		return "unknown"
	case text[0] == '"':
		return "string"
	case text[0] == '{':
		return "object"
	case text[0] == '[':
		return "array"
	case text == "true" || text == "false":
		return "boolean"
	case text == "null":
		return "unknown"
	case strings.ContainsAny(text, ".eE"):
		return "float"
	}
	return "integer"
}

// describe returns schema and profile of records.
func describe(records []object) (schema, profile string) {
	if len(records) == 0 {
		return "", ""
	}
	parts := []string{"inputs", "outputs", "expectations"}
	types := map[string]map[string]string{}
	for _, part := range parts {
		types[part] = map[string]string{}
		for _, record := range records {
			var members object
			if json.Unmarshal(record[part], &members) != nil {
				continue
			}
			for key, value := range members {
				types[part][key] = kindOf(value)
			}
		}
	}
	var b strings.Builder
	b.WriteByte('{')
	for _, part := range parts {
		quote(&b, part)
		b.WriteString(": {")
		for i, key := range slices.Sorted(maps.Keys(types[part])) {
			if i > 0 {
				b.WriteString(", ")
			}
			quote(&b, key)
			b.WriteString(": ")
			quote(&b, types[part][key])
		}
		b.WriteString("}, ")
	}
	b.WriteString(`"version": "1.0"}`)
	return b.String(), `{"num_records": ` + strconv.Itoa(len(records)) + "}"
}
