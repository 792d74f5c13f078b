// Command run runs all tests of the project: Go's with the race detector, those that keep rows once more on PostgreSQL, the
// UI's and the browser's.
//
// It shows one line a package, then every failure with its output, then why tests were skipped, and ends with one line
// that sums all kinds: "N passed, N failed, N skipped". Complete output goes to .cache/test. It exits with 1 when
// anything failed. A tool that is missing is a skip, or with FAIRLEAD_REQUIRE_ALL=1 a failure.
//
//	go run ./test/run [-only go|postgres|ui|browser] [package pattern...]
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

const outputFolder = ".cache/test"

func main() {
	only := flag.String("only", "", "run one kind of tests: go, postgres, ui or browser")
	flag.Parse()
	patterns := flag.Args()
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	if err := os.MkdirAll(outputFolder, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, "run tests:", err)
		os.Exit(2)
	}
	total := &tally{}
	for _, kind := range []struct {
		name string
		run  func() *tally
	}{
		{"go", func() *tally { return runGo(patterns) }},
		{"postgres", runPostgres},
		{"ui", runUI},
		{"browser", runBrowser},
	} {
		if *only != "" && *only != kind.name || *only == "" && flag.NArg() > 0 && kind.name == "postgres" {
			continue // whoever names packages wants these
		}
		start := time.Now()
		result := kind.run()
		fmt.Printf("%-8s %s in %.0f s\n", kind.name, result, time.Since(start).Seconds())
		total.add(result)
	}
	total.report(os.Stdout)
	if len(total.failures) > 0 {
		os.Exit(1)
	}
}

// tally counts results and keeps what a person must see of them. The zero value is empty.
type tally struct {
	passed   int
	failures []failure
	skips    map[string][]string // reason -> names of tests
}

// failure is one failed test with the output that explains it.
type failure struct {
	name   string
	output string
}

// String returns the counts as "N passed, N failed, N skipped".
func (t *tally) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", t.passed, len(t.failures), t.skipped())
}

func (t *tally) skipped() int {
	count := 0
	for _, names := range t.skips {
		count += len(names)
	}
	return count
}

func (t *tally) fail(name, output string) {
	t.failures = append(t.failures, failure{name: name, output: output})
}

func (t *tally) skip(name, reason string) {
	if t.skips == nil {
		t.skips = map[string][]string{}
	}
	t.skips[reason] = append(t.skips[reason], name)
}

// lack notes that a tool is missing: a skip, or a failure when everything is required.
func (t *tally) lack(name, reason string) {
	if os.Getenv("FAIRLEAD_REQUIRE_ALL") == "1" {
		t.fail(name, reason+" (FAIRLEAD_REQUIRE_ALL=1)")
		return
	}
	t.skip(name, reason)
}

func (t *tally) add(other *tally) {
	t.passed += other.passed
	t.failures = append(t.failures, other.failures...)
	for reason, names := range other.skips {
		for _, name := range names {
			t.skip(name, reason)
		}
	}
}

// maxShown is how many lines of a failure's output are shown; the rest stands in the folder of outputs.
const maxShown = 60

// report prints failures, reasons of skips, and the closing line.
func (t *tally) report(w io.Writer) {
	for _, failure := range t.failures {
		fmt.Fprintf(w, "\nFAIL %s\n", failure.name)
		lines := strings.Split(strings.TrimRight(failure.output, "\n"), "\n")
		if len(lines) > maxShown {
			fmt.Fprintf(w, "    ... %d lines more in %s\n", len(lines)-maxShown, outputFolder)
			lines = lines[len(lines)-maxShown:]
		}
		for _, line := range lines {
			fmt.Fprintf(w, "    %s\n", line)
		}
	}
	if len(t.skips) > 0 {
		fmt.Fprintln(w, "\nskipped:")
	}
	reasons := make([]string, 0, len(t.skips))
	for reason := range t.skips {
		reasons = append(reasons, reason)
	}
	slices.Sort(reasons)
	for _, reason := range reasons {
		names := t.skips[reason]
		shown := strings.Join(names[:min(3, len(names))], ", ")
		if len(names) > 3 {
			shown += fmt.Sprintf(" and %d more", len(names)-3)
		}
		fmt.Fprintf(w, "    %s: %s\n", shown, reason)
	}
	fmt.Fprintf(w, "\n%s\n", t)
}

// runGo runs the Go tests, with the race detector when there is a C compiler.
func runGo(patterns []string) *tally {
	result := &tally{}
	args := []string{"-timeout=20m"}
	environment := os.Environ()
	if _, err := exec.LookPath("gcc"); err == nil {
		args = append(args, "-race")
		environment = append(environment, "CGO_ENABLED=1")
	} else {
		result.lack("race detector", "gcc is not installed; the tests run without -race")
	}
	result.add(goTest("go", environment, append(args, patterns...)))
	return result
}

// onPostgres are the packages whose tests keep rows where FAIRLEAD_TEST_ENGINE says: those that store rows, the scenarios,
// and those that run the built binary beside real senders and receivers.
var onPostgres = []string{
	"./base/audit", "./base/access", "./base/approval", "./base/integration", "./base/view", "./ops/...", "./web/api", "./app",
	"./test/scenario", "./test/access", "./test/notify", "./test/e2e",
}

// runPostgres runs once more, with rows in PostgreSQL, the tests that keep rows.
func runPostgres() *tally {
	result := &tally{}
	if need.FindPostgres() == "" {
		result.lack("postgres", "PostgreSQL is not installed; make setup installs it where it may")
		return result
	}
	// Not cached, because the tests cannot know it; more at a time than processors, because they wait a lot.
	args := append([]string{"-timeout=15m", "-count=1", "-p=3"}, onPostgres...)
	return goTest("postgres", append(os.Environ(), "FAIRLEAD_TEST_ENGINE=postgres"), args)
}

// goTest runs go test with an environment and arguments; name is that of its complete output.
func goTest(name string, environment, args []string) *tally {
	result := &tally{}
	command := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	command.Env = environment
	command.Stderr = os.Stderr
	output, err := command.StdoutPipe()
	if err != nil {
		result.fail(name, err.Error())
		return result
	}
	if err := command.Start(); err != nil {
		result.fail(name, err.Error())
		return result
	}
	raw, err := os.Create(filepath.Join(outputFolder, name+".jsonl"))
	if err != nil {
		result.fail(name, err.Error())
		return result
	}
	defer raw.Close()
	read, err := readGo(io.TeeReader(output, raw), os.Stdout)
	result.add(read)
	if err != nil {
		result.fail(name, err.Error())
	}
	if err := command.Wait(); err != nil && len(result.failures) == 0 {
		result.fail(name, err.Error())
	}
	return result
}

// runUI runs the UI's unit tests by vitest.
func runUI() *tally {
	result := &tally{}
	folder := filepath.Join("web", "ui")
	if !present(result, folder, "ui") {
		return result
	}
	report, err := filepath.Abs(filepath.Join(outputFolder, "ui.json"))
	if err != nil {
		result.fail("ui", err.Error())
		return result
	}
	_ = os.Remove(report) // an old report must not stand in for a run that died
	command := exec.Command("npx", "vitest", "run", "--reporter=json", "--outputFile="+report)
	command.Dir = folder
	output, runErr := command.CombinedOutput()
	content, err := os.ReadFile(report)
	if err != nil {
		result.fail("ui", errors.Join(runErr, err).Error()+"\n"+string(output))
		return result
	}
	read, err := readVitest(content)
	if err != nil {
		result.fail("ui", err.Error())
		return result
	}
	if runErr != nil && len(read.failures) == 0 {
		read.fail("ui", runErr.Error()+"\n"+string(output))
	}
	return read
}

// runBrowser runs the short subset of the browser tests against the built binary: the script test/browser/run.sh, whose
// output ends with the closing line.
func runBrowser() *tally {
	result := &tally{}
	script := filepath.Join("test", "browser", "run.sh")
	if _, err := os.Stat(script); err != nil {
		return result // no browser tests yet
	}
	if !present(result, filepath.Join("web", "ui"), "browser") {
		return result
	}
	if _, err := exec.LookPath("chromium"); err != nil {
		result.lack("browser", "chromium is not installed; make setup installs it where it may")
		return result
	}
	output, runErr := exec.Command("bash", script, "short").CombinedOutput()
	if err := os.WriteFile(filepath.Join(outputFolder, "browser.txt"), output, 0o600); err != nil {
		result.fail("browser", err.Error())
	}
	read, err := readClosingLine(string(output))
	if err != nil {
		result.fail("browser", errors.Join(runErr, err).Error()+"\n"+string(output))
		return result
	}
	if runErr != nil && len(read.failures) == 0 {
		read.fail("browser", runErr.Error()+"\n"+string(output))
	}
	return read
}

// present reports whether the tests of a folder of the UI can run, and notes why not.
func present(result *tally, folder, kind string) bool {
	if _, err := os.Stat(filepath.Join(folder, "package.json")); err != nil {
		return false
	}
	if _, err := os.Stat(filepath.Join(folder, "node_modules")); err != nil {
		result.lack(kind, "the npm packages of "+folder+" are not installed; make setup says why")
		return false
	}
	return true
}
