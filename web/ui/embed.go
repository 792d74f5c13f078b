// Package ui provides the web page of Fairlead as one http.Handler, built by Vite from the sources beside this file and
// embedded in the binary.
//
// Handler answers GET and HEAD only. Files with a hash in their name are cached for ever, the page itself never. A path
// that names no file and has no dot in its last element gets the page, so that links into it work, but only when the client
// asks for HTML, as browsers do: programs tell servers apart by what they do not have (Grafana takes one that answers
// /alertmanager/api/v2/status for a Mimir). A client that takes
// gzip gets the compressed twin which the build wrote beside each large file. Every answer carries a content security
// policy which allows no script but our own files.
//
// The built files are not in the repository. A binary built without them serves one page that says how to build them.
package ui

import (
	"bytes"
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// built holds dist, which contains at least the file that keeps the folder in the repository.
//
//go:embed all:dist
var built embed.FS

// policy is the Content-Security-Policy of every answer. Styles may stand in the page because the component library sets
// sizes and colours that way; scripts may not.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Handler returns the handler that serves the page at / and its files. It is safe for concurrent use.
func Handler() http.Handler {
	dist, err := fs.Sub(built, "dist")
	if err != nil { // cannot happen: the name is constant and valid
		return http.HandlerFunc(serveMissing)
	}
	return newHandler(dist)
}

// newHandler serves the files of dist.
func newHandler(dist fs.FS) http.Handler {
	if _, err := fs.Stat(dist, "index.html"); err != nil {
		return protect(http.HandlerFunc(serveMissing))
	}
	return protect(&site{files: dist})
}

// protect refuses methods that change something and sets the headers that every answer has.
func protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "the page can only be read", http.StatusMethodNotAllowed)
			return
		}
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// site serves one built page.
type site struct{ files fs.FS }

// ServeHTTP implements http.Handler.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if name == "" {
		name = "index.html"
	}
	if !s.has(name) || strings.HasSuffix(name, ".gz") || strings.HasPrefix(path.Base(name), ".") {
		if !linksIntoPage(r) {
			http.NotFound(w, r)
			return
		}
		name = "index.html"
	}
	header := w.Header()
	if strings.HasPrefix(name, "assets/") {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		header.Set("Cache-Control", "no-cache")
	}
	header.Set("Content-Type", contentType(name))
	if s.has(name + ".gz") {
		header.Add("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			header.Set("Content-Encoding", "gzip")
			name += ".gz"
		}
	}
	content, err := fs.ReadFile(s.files, name)
	if err != nil {
		http.Error(w, "read "+name+" of the page: "+err.Error(), http.StatusInternalServerError)
		return
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// linksIntoPage reports whether a path that names no file gets the page.
func linksIntoPage(r *http.Request) bool {
	name := path.Clean("/" + r.URL.Path)
	return name == "/" || !strings.Contains(path.Base(name), ".") && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// has reports whether name is a file of the site.
func (s *site) has(name string) bool {
	info, err := fs.Stat(s.files, name)
	return err == nil && !info.IsDir()
}

// acceptsGzip reports whether the client takes a gzip answer.
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			return strings.ReplaceAll(weight, " ", "") != "q=0"
		}
	}
	return false
}

// contentType returns the type of a file by its ending. The table is ours because the system's differs from one machine
// to the next.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	case ".json", ".webmanifest":
		return "application/json"
	case ".png":
		return "image/png"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}

// missing is the page of a binary that was built without the UI.
const missing = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Fairlead: page not built</title>
<style>body{font:14px/1.6 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem;color-scheme:light dark}
code{font-family:ui-monospace,monospace}</style></head>
<body><h1>The page is not built into this binary</h1>
<p>Fairlead works: alerts are taken and the API answers at <a href="/api/fairlead/v1/incidents">/api/fairlead/v1/incidents</a>.</p>
<p>To have the page, run <code>make ui build</code> in the source folder (Node 20 or later) and start Fairlead again.</p>
</body></html>
`

// serveMissing says how to build the page.
func serveMissing(w http.ResponseWriter, r *http.Request) {
	if !linksIntoPage(r) {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(missing))
}
