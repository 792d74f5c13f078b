package docs_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/test/need"
)

// testName is a test as a document names it, and testFunc as code defines it.
var (
	testName = regexp.MustCompile("`(Test[A-Z][A-Za-z0-9]*)`")
	testFunc = regexp.MustCompile(`(?m)^func (Test[A-Z][A-Za-z0-9]*)\(`)
)

// TestTheTestsThatDocumentsNameExist keeps what is said to be shown by a test shown by one.
func TestTheTestsThatDocumentsNameExist(t *testing.T) {
	root := os.DirFS(need.Root(t))
	known := map[string]bool{}
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".") && name != "."):
			return fs.SkipDir
		case !strings.HasSuffix(name, "_test.go"):
			return nil
		}
		text, err := fs.ReadFile(root, name)
		for _, found := range testFunc.FindAllStringSubmatch(string(text), -1) {
			known[found[1]] = true
		}
		return err
	})
	if err != nil || len(known) < 100 {
		t.Fatalf("find tests: got %d, %v", len(known), err)
	}
	named := 0
	for name, text := range documents(t) {
		for _, found := range testName.FindAllStringSubmatch(text, -1) {
			named++
			if !known[found[1]] {
				t.Errorf("%s names %s, and there is no such test", name, found[1])
			}
		}
	}
	if named < 20 {
		t.Errorf("the documents name %d tests, want more than 20", named)
	}
}
