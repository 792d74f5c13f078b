package main

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

var labelName = regexp.MustCompile(`([a-zA-Z_]+)="`)

// readMetrics reads Prometheus' text format and returns help, kind and label names of our own metrics, and their names in
// order.
func readMetrics(text string) (help, kinds map[string]string, labels map[string][]string, names []string) {
	help, kinds, labels = map[string]string{}, map[string]string{}, map[string][]string{}
	name := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		words := strings.SplitN(line, " ", 4)
		switch {
		case strings.HasPrefix(line, "# HELP fairlead_"):
			name = words[2]
			help[name] = words[3]
		case strings.HasPrefix(line, "# TYPE fairlead_"):
			kinds[words[2]] = words[3]
		case strings.HasPrefix(line, "#"):
		case name != "" && strings.HasPrefix(line, name):
			for _, match := range labelName.FindAllStringSubmatch(line, -1) {
				if match[1] != "le" && !slices.Contains(labels[name], match[1]) {
					labels[name] = append(labels[name], match[1])
				}
			}
		}
	}
	return help, kinds, labels, slices.Sorted(maps.Keys(help))
}
