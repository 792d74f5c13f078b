// Package need gives tests what they need from the machine: tools, data sets, the built binary, and patience with real
// processes.
//
// A missing tool skips the test and says so; with FAIRLEAD_REQUIRE_ALL=1, as in CI, it fails the test, because there a
// skipped test would be a test that never runs. A missing data set always skips: data are not part of the project.
package need

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Root returns the absolute path of the project's root, the folder with go.mod.
func Root(t testing.TB) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatalf("find the project's root: %v", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			t.Fatal("find the project's root: no go.mod above the working directory")
		}
		folder = parent
	}
}

// Tool returns the path of a command: from .cache/bin, where "make setup" builds the pinned ones, else from PATH.
// Without it the test skips, or fails when everything is required.
func Tool(t testing.TB, name string) string {
	t.Helper()
	if own := filepath.Join(Root(t), ".cache", "bin", name); isExecutable(own) {
		return own
	}
	found, err := exec.LookPath(name)
	if daemon := filepath.Join("/usr/sbin", name); err != nil && isExecutable(daemon) {
		return daemon // where Debian keeps daemons, and not all users look
	}
	if err != nil {
		Skip(t, name+" is not installed; make setup installs it where it may")
	}
	return found
}

// Binary returns the path of the built bin/fairlead. "make test" builds it first.
func Binary(t testing.TB) string {
	t.Helper()
	file := filepath.Join(Root(t), "bin", "fairlead")
	if !isExecutable(file) {
		Skip(t, file+" is not built; make build builds it")
	}
	return file
}

// Postgres returns the folder with PostgreSQL's server programs, which Debian keeps out of PATH. Without them the test
// skips, or fails when everything is required.
func Postgres(t testing.TB) string {
	t.Helper()
	folder := FindPostgres()
	if folder == "" {
		Skip(t, "PostgreSQL is not installed; make setup installs it where it may")
	}
	return folder
}

// FindPostgres returns the folder of the newest PostgreSQL's server programs; "" if there is none.
func FindPostgres() string {
	if found, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(found)
	}
	newest, folder := 0, ""
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return ""
	}
	for _, file := range found {
		dir := filepath.Dir(file)
		if version, err := strconv.Atoi(filepath.Base(filepath.Dir(dir))); err == nil && version > newest {
			newest, folder = version, dir
		}
	}
	return folder
}

// Data returns the path of a data set below $FAIRLEAD_DATA, else below ../shared/data beside the project. The test
// skips when the set is absent, whatever is required: the data are not part of the project.
func Data(t testing.TB, name string) string {
	t.Helper()
	folder := os.Getenv("FAIRLEAD_DATA")
	if folder == "" {
		folder = filepath.Join(filepath.Dir(Root(t)), "shared", "data")
	}
	file := filepath.Join(folder, filepath.FromSlash(name))
	if _, err := os.Stat(file); err != nil {
		t.Skipf("the data set %s is absent (looked for %s; set FAIRLEAD_DATA)", name, file)
	}
	return file
}

// Skip skips the test because a tool is missing, or fails it with FAIRLEAD_REQUIRE_ALL=1.
func Skip(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("FAIRLEAD_REQUIRE_ALL") == "1" {
		t.Fatalf("%s (FAIRLEAD_REQUIRE_ALL=1)", reason)
	}
	t.Skip(reason)
}

// Eventually asks ok every 20 ms until it says true; when it has not after the limit, the test fails with what was
// waited for. For real processes only: code with a clock is tested with testing/synctest.
func Eventually(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain for: %s", limit, what)
		}
	}
}

// Until tries every 20 ms until it works, and returns the last error when it has not after the limit. It is Eventually for
// what is no test.
func Until(limit time.Duration, try func() error) error {
	for deadline := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		if err := try(); err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// Page compares a page of docs/reference with what its test makes of it, after writing it if that was asked for; command is
// how to ask.
func Page(t testing.TB, name, got string, write bool, command string) {
	t.Helper()
	file := filepath.Join(Root(t), "docs", "reference", name)
	if write {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatalf("write the page: %v", err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("read the page: %v", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("docs/reference/%s is not up to date; run %s (-want +got):\n%s", name, command, diff)
	}
}

func isExecutable(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
