package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGoEventsAreCounted(t *testing.T) {
	tests := []struct {
		name   string
		events []string
		want   string
		shown  string // part of the report
	}{
		{
			name: "a passed test",
			events: []string{
				`{"Action":"run","Package":"p","Test":"TestA"}`,
				`{"Action":"pass","Package":"p","Test":"TestA"}`,
				`{"Action":"pass","Package":"p"}`,
			},
			want: "1 passed, 0 failed, 0 skipped",
		},
		{
			name: "only the leaves of subtests count, and a failed leaf shows its own output",
			events: []string{
				`{"Action":"run","Package":"p","Test":"TestA"}`,
				`{"Action":"run","Package":"p","Test":"TestA/one"}`,
				`{"Action":"run","Package":"p","Test":"TestA/two"}`,
				`{"Action":"output","Package":"p","Test":"TestA/two","Output":"    a_test.go:7: got 1, want 2\n"}`,
				`{"Action":"output","Package":"p","Test":"TestA/two","Output":"    --- FAIL: TestA/two (0.00s)\n"}`,
				`{"Action":"fail","Package":"p","Test":"TestA/two"}`,
				`{"Action":"pass","Package":"p","Test":"TestA/one"}`,
				`{"Action":"output","Package":"p","Test":"TestA","Output":"--- FAIL: TestA (0.00s)\n"}`,
				`{"Action":"fail","Package":"p","Test":"TestA"}`,
				`{"Action":"fail","Package":"p"}`,
			},
			want:  "1 passed, 1 failed, 0 skipped",
			shown: "FAIL p TestA/two\n    a_test.go:7: got 1, want 2\n",
		},
		{
			name: "a skipped test says why",
			events: []string{
				`{"Action":"run","Package":"p","Test":"TestA"}`,
				`{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:7: no chromium\n"}`,
				`{"Action":"skip","Package":"p","Test":"TestA"}`,
				`{"Action":"pass","Package":"p"}`,
			},
			want:  "0 passed, 0 failed, 1 skipped",
			shown: "p TestA: no chromium",
		},
		{
			name: "a package that does not build is one failure",
			events: []string{
				`{"ImportPath":"p","Action":"build-output","Output":"./x.go:1: undefined: y\n"}`,
				`{"ImportPath":"p","Action":"build-fail"}`,
				`{"Action":"start","Package":"p"}`,
				`{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}`,
				`{"Action":"fail","Package":"p"}`,
			},
			want:  "0 passed, 1 failed, 0 skipped",
			shown: "undefined: y",
		},
		{
			name: "a package that dies in the middle of a test is one failure with the test's output",
			events: []string{
				`{"Action":"run","Package":"p","Test":"TestA"}`,
				`{"Action":"output","Package":"p","Test":"TestA","Output":"panic: test timed out after 20m0s\n"}`,
				`{"Action":"fail","Package":"p"}`,
			},
			want:  "0 passed, 1 failed, 0 skipped",
			shown: "panic: test timed out",
		},
		{
			name:   "a package without tests counts nothing",
			events: []string{`{"Action":"skip","Package":"p"}`},
			want:   "0 passed, 0 failed, 0 skipped",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := readGo(strings.NewReader(strings.Join(test.events, "\n")), &strings.Builder{})
			if err != nil {
				t.Fatalf("read: %v", err)
			}
			var report strings.Builder
			got.report(&report)
			if got.String() != test.want || !strings.HasSuffix(report.String(), "\n"+test.want+"\n") {
				t.Errorf("got %q, closing a report of %q, want %q", got, report.String(), test.want)
			}
			if !strings.Contains(report.String(), test.shown) {
				t.Errorf("got the report %q, want %q in it", report.String(), test.shown)
			}
		})
	}
}

func TestOutputThatIsNoEventIsAnError(t *testing.T) {
	if _, err := readGo(strings.NewReader("go: cannot find module\n"), &strings.Builder{}); err == nil {
		t.Error("got no error for a line that is not JSON")
	}
}

func TestVitestsReportIsCounted(t *testing.T) {
	got, err := readVitest([]byte(`{"testResults":[
		{"name":"a.test.ts","status":"failed","assertionResults":[
			{"fullName":"list shows rows","status":"passed"},
			{"fullName":"list sorts","status":"failed","failureMessages":["expected 1"]},
			{"fullName":"list later","status":"todo"}]},
		{"name":"b.test.ts","status":"failed","message":"SyntaxError","assertionResults":[]}]}`))
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	if want := "1 passed, 2 failed, 1 skipped"; got.String() != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTheClosingLineOfAScriptIsRead(t *testing.T) {
	tests := []struct{ name, output, want string }{
		{"the last line counts", "3 passed, 0 failed\nmore\n4 passed, 2 failed, 1 skipped\n", "4 passed, 2 failed, 1 skipped"},
		{"skipped may be left out", "4 passed, 0 failed\n", "4 passed, 0 failed, 0 skipped"},
		{"a line in a sentence does not count", "we had 4 passed, 0 failed\n", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := readClosingLine(test.output)
			if (err != nil) != (test.want == "") {
				t.Fatalf("got error %v, want one: %v", err, test.want == "")
			}
			if err == nil && got.String() != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestWhatFailedInABrowserIsNamedAndExplained(t *testing.T) {
	output := "TAP version 13\n# Subtest: first\nok 1 - first\n# Subtest: second - of two\nnot ok 2 - second - of two\n" +
		"  error: 'not within 15000 ms'\n# Subtest: third\nok 3 - third\n# fail 1\n2 passed, 1 failed\n"
	got, err := readClosingLine(output)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	want := []failure{{name: "browser, second - of two", output: "  error: 'not within 15000 ms'\n"}}
	if diff := cmp.Diff(want, got.failures, cmp.AllowUnexported(failure{})); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
}

func TestAMissingToolIsASkipOrWhenRequiredAFailure(t *testing.T) {
	for required, want := range map[string]string{"": "0 passed, 0 failed, 1 skipped", "1": "0 passed, 1 failed, 0 skipped"} {
		t.Setenv("FAIRLEAD_REQUIRE_ALL", required)
		got := &tally{}
		got.lack("browser", "chromium is not installed")
		if got.String() != want {
			t.Errorf("FAIRLEAD_REQUIRE_ALL=%s: got %q, want %q", required, got, want)
		}
	}
}
