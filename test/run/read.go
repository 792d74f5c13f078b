package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// event is one line of "go test -json" (go doc test2json).
type event struct {
	Action     string
	Package    string
	ImportPath string // of build-output and build-fail
	Test       string
	Output     string
	Elapsed    float64 // seconds
}

// goReader turns the events of go test into a tally.
type goReader struct {
	result   tally
	outputs  map[string]*strings.Builder // package or "package test" -> its output
	children map[string]bool             // tests that have subtests: only the leaves are counted
	counts   map[string]*tally           // package -> its own results
	progress io.Writer
}

// readGo reads the output of "go test -json" and writes one line a package to progress. Only the leaves of the tree of
// subtests are counted. A package that does not build, or dies without a failed test, counts as one failure.
func readGo(input io.Reader, progress io.Writer) (*tally, error) {
	reader := &goReader{
		outputs: map[string]*strings.Builder{}, children: map[string]bool{}, counts: map[string]*tally{}, progress: progress,
	}
	scanner := bufio.NewScanner(input)
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		var e event
		if err := json.Unmarshal(scanner.Bytes(), &e); err != nil {
			return &reader.result, fmt.Errorf("read go test -json: %w: %q", err, scanner.Text())
		}
		reader.read(e)
	}
	return &reader.result, scanner.Err()
}

func (r *goReader) read(e event) {
	switch {
	case e.Action == "build-output":
		r.output(e.ImportPath).WriteString(e.Output)
	case e.Action == "build-fail":
		r.result.fail(e.ImportPath+" (does not build)", r.output(e.ImportPath).String())
	case e.Action == "output":
		r.output(e.Package + " " + e.Test).WriteString(e.Output)
	case e.Test != "":
		r.endTest(e)
	case e.Action == "pass", e.Action == "fail", e.Action == "skip":
		r.endPackage(e)
	}
}

func (r *goReader) output(name string) *strings.Builder {
	if r.outputs[name] == nil {
		r.outputs[name] = &strings.Builder{}
	}
	return r.outputs[name]
}

func (r *goReader) endTest(e event) {
	name := e.Package + " " + e.Test
	if e.Action == "run" {
		if slash := strings.LastIndex(name, "/"); slash > len(e.Package) {
			r.children[name[:slash]] = true
		}
		return
	}
	if r.counts[e.Package] == nil {
		r.counts[e.Package] = &tally{}
	}
	counts := r.counts[e.Package]
	own := strings.TrimSpace(withoutFrame(r.output(name).String()))
	switch {
	case e.Action == "fail" && (!r.children[name] || own != ""):
		// A parent fails with its subtest; it is a failure of its own only when it said something itself.
		counts.fail(name, own)
	case r.children[name]:
	case e.Action == "pass":
		counts.passed++
	case e.Action == "skip":
		counts.skip(strings.TrimPrefix(name, modulePrefix), skipReason(own))
	}
	delete(r.outputs, name)
}

const modulePrefix = "github.com/fairlead/fairlead/"

func (r *goReader) endPackage(e event) {
	counts := r.counts[e.Package]
	if counts == nil {
		counts = &tally{}
	}
	output := r.output(e.Package + " ").String()
	buildFailed := strings.Contains(output, "[build failed]") || strings.Contains(output, "[setup failed]")
	if e.Action == "fail" && len(counts.failures) == 0 && !buildFailed {
		counts.fail(e.Package, r.unfinished(e.Package)+output)
	}
	r.result.add(counts)
	if e.Action != "skip" { // skip: the package has no tests
		word := map[string]string{"pass": "ok", "fail": "FAIL"}[e.Action]
		fmt.Fprintf(r.progress, "%-5s%-48s %6.1f s  %s\n", word, strings.TrimPrefix(e.Package, modulePrefix), e.Elapsed, counts)
	}
}

// unfinished returns the output of the package's tests that began and never ended, for instance because of a panic or
// the time limit.
func (r *goReader) unfinished(pkg string) string {
	var text strings.Builder
	for name, output := range r.outputs {
		if strings.HasPrefix(name, pkg+" ") && name != pkg+" " {
			text.WriteString(name + "\n" + output.String())
		}
	}
	return text.String()
}

var (
	frame    = regexp.MustCompile(`(?m)^\s*(=== (RUN|PAUSE|CONT|NAME) .*|--- (PASS|FAIL|SKIP): .*)\n?`)
	location = regexp.MustCompile(`^\s*\S+\.go:\d+: `)
)

// withoutFrame drops the lines that go test itself puts around a test's output.
func withoutFrame(output string) string { return frame.ReplaceAllString(output, "") }

func skipReason(output string) string {
	reason := location.ReplaceAllString(output, "")
	if reason == "" {
		return "no reason given"
	}
	return reason
}

// readVitest reads the report of "vitest run --reporter=json".
func readVitest(content []byte) (*tally, error) {
	var report struct {
		TestResults []struct {
			Name             string
			Status           string
			Message          string
			AssertionResults []struct {
				FullName        string
				Status          string
				FailureMessages []string
			}
		}
	}
	if err := json.Unmarshal(content, &report); err != nil {
		return nil, fmt.Errorf("read vitest's report: %w", err)
	}
	result := &tally{}
	for _, file := range report.TestResults {
		for _, test := range file.AssertionResults {
			switch test.Status {
			case "passed":
				result.passed++
			case "failed":
				result.fail("ui "+test.FullName, strings.Join(test.FailureMessages, "\n"))
			default:
				result.skip("ui "+test.FullName, "vitest says "+test.Status)
			}
		}
		if file.Status == "failed" && len(file.AssertionResults) == 0 {
			result.fail("ui "+file.Name, file.Message)
		}
	}
	return result, nil
}

var closing = regexp.MustCompile(`(?m)^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$`)

// readClosingLine reads the last line of the form "N passed, N failed, N skipped" of a script's output. What the script wrote
// of a failed test in the form of TAP explains its failure; without that the whole output does.
func readClosingLine(output string) (*tally, error) {
	matches := closing.FindAllStringSubmatch(output, -1)
	if len(matches) == 0 {
		return nil, fmt.Errorf("the output has no line of the form %q", "N passed, N failed, N skipped")
	}
	last := matches[len(matches)-1]
	count := func(text string) int {
		number, _ := strconv.Atoi(text) // digits by the pattern, or "" for none
		return number
	}
	result := &tally{passed: count(last[1])}
	named := notOK(output)
	for i := range count(last[2]) {
		switch {
		case i < len(named):
			result.fail("browser, "+named[i].name, named[i].output)
		case i == 0:
			result.fail("browser", output)
		default:
			result.fail("browser", "see above")
		}
	}
	for range count(last[3]) {
		result.skip("browser", "see "+outputFolder+"/browser.txt")
	}
	return result, nil
}

// notOK returns the failed tests of an output in the form of TAP (testanything.org): a line "not ok N - name" and what stands
// below it until the next test.
func notOK(output string) []failure {
	var failures []failure
	var inside bool
	for line := range strings.Lines(output) {
		head, found := strings.CutPrefix(line, "not ok ")
		switch {
		case found:
			_, name, _ := strings.Cut(strings.TrimSpace(head), " - ")
			failures, inside = append(failures, failure{name: name}), true
		case strings.HasPrefix(line, "ok "), strings.HasPrefix(line, "# "):
			inside = false
		case inside:
			failures[len(failures)-1].output += line
		}
	}
	return failures
}
