// Package docs_test keeps the documents true: links lead somewhere, the README stays short, the changelog has its form, and
// the glossary its order.
package docs_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/test/need"
)

// documents returns the text of all Markdown files by their path.
func documents(t *testing.T) map[string]string {
	t.Helper()
	root := os.DirFS(need.Root(t))
	found := map[string]string{}
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == "bin" || (strings.HasPrefix(entry.Name(), ".") && name != ".")) {
			return fs.SkipDir
		}
		if path.Ext(name) == ".md" {
			text, err := fs.ReadFile(root, name)
			if err != nil {
				return err
			}
			found[name] = string(text)
		}
		return nil
	})
	if err != nil || len(found) == 0 {
		t.Fatalf("find documents: got %d, %v", len(found), err)
	}
	return found
}

var link = regexp.MustCompile(`\]\(([^)#\s]+)(?:#[^)]*)?\)`)

// brokenLinks returns the relative links of a document that lead nowhere.
func brokenLinks(root fs.FS, name, text string) []string {
	var broken []string
	for _, match := range link.FindAllStringSubmatch(text, -1) {
		target := match[1]
		if strings.Contains(target, "://") {
			continue
		}
		if _, err := fs.Stat(root, path.Join(path.Dir(name), target)); err != nil {
			broken = append(broken, target)
		}
	}
	return broken
}

func TestLinksLeadSomewhere(t *testing.T) {
	root := os.DirFS(need.Root(t))
	for name, text := range documents(t) {
		for _, target := range brokenLinks(root, name, text) {
			t.Errorf("%s: the link to %s leads nowhere", name, target)
		}
	}
}

func TestABrokenLinkIsFound(t *testing.T) {
	got := brokenLinks(os.DirFS(need.Root(t)), "docs/x.md", "[a](../README.md) [b](nowhere.md#part) [c](https://example.org/)")
	if want := []string{"nowhere.md"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestDocumentsBeginWithATitle(t *testing.T) {
	comment := regexp.MustCompile(`(?s)^<!--.*?-->\s*`)
	for name, text := range documents(t) {
		if !strings.HasPrefix(comment.ReplaceAllString(text, ""), "# ") {
			t.Errorf("%s: it does not begin with a title (# ...)", name)
		}
	}
}

func TestTheReadmeFillsAtMostTwoScreens(t *testing.T) {
	const limit = 80
	if lines := strings.Count(documents(t)["README.md"], "\n"); lines > limit {
		t.Errorf("README.md has %d lines, the limit is %d", lines, limit)
	}
}

var entry = regexp.MustCompile(`^\* \[(CHANGE|FEATURE|ENHANCEMENT|PERF|BUGFIX|SECURITY)\] \S.*\.$`)

// badEntries returns the lines of a changelog that have not its form.
func badEntries(text string) []string {
	var bad []string
	released := false
	for line := range strings.SplitSeq(text, "\n") {
		released = released || strings.HasPrefix(line, "## ")
		if released && line != "" && !strings.HasPrefix(line, "## ") && !entry.MatchString(line) {
			bad = append(bad, line)
		}
	}
	return bad
}

func TestTheChangelogIsTagged(t *testing.T) {
	text := documents(t)["CHANGELOG.md"]
	if !strings.Contains(text, "\n## Unreleased\n") {
		t.Error("CHANGELOG.md has no section ## Unreleased")
	}
	for _, line := range badEntries(text) {
		t.Errorf("CHANGELOG.md: %q; want * [FEATURE] A sentence.", line)
	}
}

func TestABadChangelogEntryIsFound(t *testing.T) {
	got := badEntries("# Changelog\nfree text\n## Unreleased\n* [FEATURE] Good.\n* [NEW] Bad tag.\n* No tag.\n* [BUGFIX] no period")
	if len(got) != 3 {
		t.Errorf("got %q, want three bad lines", got)
	}
}

func TestTheGlossaryIsInOrder(t *testing.T) {
	var words []string
	for line := range strings.SplitSeq(documents(t)["docs/glossary.md"], "\n") {
		if rest, found := strings.CutPrefix(line, "| **"); found {
			word, _, _ := strings.Cut(rest, "**")
			words = append(words, strings.ToLower(word))
		}
	}
	if len(words) < 40 {
		t.Errorf("got %d words, want at least 40", len(words))
	}
	if !slices.IsSorted(words) {
		t.Errorf("the words are not in order: %q", words)
	}
}

func TestEveryScenarioSaysWhatItIsAbout(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(need.Root(t), "test", "scenario", "*.test"))
	if err != nil || len(files) == 0 {
		t.Fatalf("find scenarios: got %v, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		if !strings.HasPrefix(string(text), "# ") {
			t.Errorf("%s: it does not begin with a comment that says what it shows", filepath.Base(file))
		}
	}
}

func TestDecisionRecordsHaveTheirParts(t *testing.T) {
	for name, text := range documents(t) {
		if !strings.HasPrefix(name, "docs/design/") {
			continue
		}
		for _, part := range []string{"**Context.**", "**Decision.**", "**Consequences.**"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s: the part %s is missing", name, part)
			}
		}
	}
}
