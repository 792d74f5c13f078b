package receive

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// placeLabels are the names of free fields that say where an alert is or how it is told apart: they become labels, so that
// grouping and silences see them; other fields become annotations.
var placeLabels = map[string]string{
	"alertname": "alertname", "service": "service", "service_name": "service", "app": "app", "application": "app", "component": "component",
	"host": "host", "hostname": "host", "node": "node", "instance": "instance", "pod": "pod", "container": "container", "job": "job",
	"namespace": "namespace", "kubernetes_namespace": "namespace", "deployment": "deployment", "cluster": "cluster", "env": "environment",
	"environment": "environment", "region": "region", "availability_zone": "zone", "zone": "zone", "datacenter": "datacenter", "team": "team",
	"group": "group", "class": "class", "database": "database", "queue": "queue", "topic": "topic",
}

// maxDetails is how many free fields are read.
const maxDetails = 64

// Details sorts free fields of a payload, such as custom_details or tags: those that say where an alert is go into labels,
// the others into annotations. A field that is set already keeps its value.
func Details(details map[string]any, labels, annotations map[string]string) {
	for n, name := range sortedNames(details) {
		if n >= maxDetails {
			return
		}
		text := Text(details[name])
		if text == "" {
			continue
		}
		if label := placeLabels[strings.ToLower(strings.ReplaceAll(name, "-", "_"))]; label != "" && len(text) <= 256 {
			if labels[label] == "" {
				labels[label] = text
			}
			continue
		}
		if annotations[name] == "" {
			annotations[name] = text
		}
	}
}

// Tags is Details for tags of the form name:value or name=value; a tag without a value is an annotation of the value "true".
func Tags(tags []string, labels, annotations map[string]string) {
	details := map[string]any{}
	for _, tag := range tags {
		name, value, found := strings.Cut(tag, ":")
		if !found {
			name, value, found = strings.Cut(tag, "=")
		}
		if !found {
			value = "true"
		}
		if name = strings.TrimSpace(name); name != "" {
			details[name] = strings.TrimSpace(value)
		}
	}
	Details(details, labels, annotations)
}

// Text returns a JSON value as text: a scalar as it is, anything else as JSON, "" for null.
func Text(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(text)
}

func sortedNames(details map[string]any) []string { return slices.Sorted(maps.Keys(details)) }
