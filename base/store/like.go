package store

import "strings"

// Contains returns the pattern of LIKE ... ESCAPE '!' that finds text anywhere.
func Contains(text string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(text) + "%"
}
