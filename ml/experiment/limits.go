package experiment

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What may be how long, in characters.
const (
	maxKey           = 250
	maxParam         = 6000
	maxTag           = 8000
	maxExperiment    = 500
	maxExperimentTag = 5000
	maxDatasetName   = 500
	maxDigest        = 36
	maxSource        = 65535
	maxSchema        = 1048575
	maxProfile       = 16777215
	maxInputTag      = 255
	maxInputTagValue = 500
)

// Bounds of one batch.
const (
	maxBatchMetrics = 1000
	maxBatchOthers  = 100
	maxBatch        = 1000
)

// CheckKey refuses what is no key of a metric, param or tag; what names the kind and field in the message.
func CheckKey(what, key string) error {
	length := utf8.RuneCountInString(key)
	if length == 0 {
		return invalid("%s: the key is missing; give a text of 1 to %d characters", what, maxKey)
	}
	if length > maxKey {
		return invalid("%s: the key %q has %d characters; at most %d are allowed", what, Cut(key), length, maxKey)
	}
	if strings.ContainsFunc(key, foreign) || !utf8.ValidString(key) {
		return invalid("%s: the key %q may hold letters, digits and _ - . / : and spaces only", what, Cut(key))
	}
	// The key becomes a path, which must mean itself.
	if path.Clean(key) != key || key == "." || key == ".." || strings.HasPrefix(key, "/") || strings.HasPrefix(key, "../") {
		return invalid("%s: the key %q is not a plain path: leave out leading, trailing and double slashes, and parts that are . or ..", what, Cut(key))
	}
	return nil
}

func foreign(r rune) bool {
	return r != '_' && r != '-' && r != '.' && r != '/' && r != ':' && r != ' ' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
}

// CutTo returns at most n characters of a text.
func CutTo(text string, n int) string {
	if len(text) <= n {
		return text
	}
	count := 0
	for i := range text {
		if count == n {
			return text[:i]
		}
		count++
	}
	return text
}

// checkLength refuses a text that is too long.
func checkLength(what, text string, most int) error {
	if n := utf8.RuneCountInString(text); n > most {
		return invalid("%s: %d characters; at most %d are allowed", what, n, most)
	}
	return nil
}
