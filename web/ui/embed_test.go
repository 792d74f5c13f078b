package ui

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

// gzipped returns text compressed.
func gzipped(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// get asks h for target as a browser does and returns the answer.
func get(t *testing.T, h http.Handler, method, target, encoding string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, http.NoBody)
	r.Header.Set("Accept-Encoding", encoding)
	r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestBuiltPage(t *testing.T) {
	dist := fstest.MapFS{
		".gitkeep":            {},
		"index.html":          {Data: []byte("<html>page")},
		"theme.js":            {Data: []byte("theme()")},
		"assets/app-1a.js":    {Data: []byte("app()")},
		"assets/app-1a.js.gz": {Data: gzipped(t, "app()")},
	}
	const forever, never = "public, max-age=31536000, immutable", "no-cache"
	tests := []struct {
		name, method, target, encoding string
		status                         int
		body, cache, coding, kind      string
	}{
		{"the root is the page", "GET", "/", "", 200, "<html>page", never, "", "text/html; charset=utf-8"},
		{"a link into the page is the page", "GET", "/incidents/INC-12?tab=alerts", "", 200, "<html>page", never, "", "text/html; charset=utf-8"},
		{"a folder is the page, never a listing", "GET", "/assets/", "", 200, "<html>page", never, "", "text/html; charset=utf-8"},
		{"a hashed file is kept for ever", "GET", "/assets/app-1a.js", "", 200, "app()", forever, "", "text/javascript; charset=utf-8"},
		{"a client that takes gzip gets the twin", "GET", "/assets/app-1a.js", "br, gzip;q=0.8", 200, "app()", forever, "gzip", "text/javascript; charset=utf-8"},
		{"a client that refuses gzip gets the file", "GET", "/assets/app-1a.js", "gzip;q=0", 200, "app()", forever, "", "text/javascript; charset=utf-8"},
		{"a file without hash is asked for again", "GET", "/theme.js", "gzip", 200, "theme()", never, "", "text/javascript; charset=utf-8"},
		{"a missing file is not the page", "GET", "/assets/gone.js", "", 404, "404 page not found\n", "", "", "text/plain; charset=utf-8"},
		{"the twin has no address of its own", "GET", "/assets/app-1a.js.gz", "", 404, "404 page not found\n", "", "", "text/plain; charset=utf-8"},
		{"a dot file is not served", "GET", "/.gitkeep", "", 404, "404 page not found\n", "", "", "text/plain; charset=utf-8"},
		{"climbing out of the folder is not possible", "GET", "/../../etc/passwd", "", 200, "<html>page", never, "", "text/html; charset=utf-8"},
		{"HEAD has no body", "HEAD", "/", "", 200, "", never, "", "text/html; charset=utf-8"},
		{"POST is refused", "POST", "/", "", 405, "the page can only be read\n", "", "", "text/plain; charset=utf-8"},
	}
	h := newHandler(dist)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			response := get(t, h, test.method, test.target, test.encoding)
			defer response.Body.Close()
			var reader io.Reader = response.Body
			if response.Header.Get("Content-Encoding") == "gzip" {
				zipped, err := gzip.NewReader(response.Body)
				if err != nil {
					t.Fatal(err)
				}
				reader = zipped
			}
			body, err := io.ReadAll(reader)
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != test.status || string(body) != test.body {
				t.Errorf("got %d %q, want %d %q", response.StatusCode, body, test.status, test.body)
			}
			for name, want := range map[string]string{"Cache-Control": test.cache, "Content-Encoding": test.coding, "Content-Type": test.kind} {
				if got := response.Header.Get(name); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestAProgramIsToldWhatIsNotThere(t *testing.T) {
	h := newHandler(fstest.MapFS{"index.html": {Data: []byte("<html>page")}, "theme.js": {}})
	for target, want := range map[string]int{
		"/": 200, "/index.html": 200, "/theme.js": 200, "/incidents/INC-1": 404,
		"/alertmanager/api/v2/status": 404, "/alertmanager/api/v1/status/buildinfo": 404, "/api/v1/alerts": 404,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody)
		r.Header.Set("Accept", "application/json, text/plain, */*")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: got %d, want %d", target, w.Code, want)
		}
	}
}

func TestPolicyAllowsNoInlineScript(t *testing.T) {
	response := get(t, newHandler(fstest.MapFS{"index.html": {}}), "GET", "/", "")
	defer response.Body.Close()
	got := response.Header.Get("Content-Security-Policy")
	if !strings.Contains(got, "default-src 'none'; script-src 'self';") {
		t.Errorf("policy %q lets foreign or inline script run", got)
	}
}

func TestBinaryWithoutPageSaysHowToBuildIt(t *testing.T) {
	h := newHandler(fstest.MapFS{".gitkeep": {}})
	response := get(t, h, "GET", "/incidents/INC-1", "")
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK || !strings.Contains(string(body), "make ui build") {
		t.Errorf("got %d %q, want a page that names the command", response.StatusCode, body)
	}
	file := get(t, h, "GET", "/favicon.ico", "")
	defer file.Body.Close()
	if file.StatusCode != http.StatusNotFound {
		t.Errorf("a file of the missing page: got %d, want 404", file.StatusCode)
	}
}

func TestEmbeddedHandlerAnswers(t *testing.T) {
	response := get(t, Handler(), "GET", "/", "")
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("got %d, want 200 with or without the built page", response.StatusCode)
	}
}
