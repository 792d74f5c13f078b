package notify

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"time"
)

// call is one request that a fake took.
type call struct {
	Path, Key string
	Body      map[string]any
}

// text returns a value deep in the body, "" if it is no text; a number in the path is an index.
func (c *call) text(path ...any) string {
	var at any = c.Body
	for _, step := range path {
		switch key := step.(type) {
		case string:
			m, _ := at.(map[string]any)
			at = m[key]
		case int:
			list, _ := at.([]any)
			if key >= len(list) {
				return ""
			}
			at = list[key]
		}
	}
	text, _ := at.(string)
	return text
}

// targets is one HTTP server that stands for webhooks (/hook/...), Slack (/slack), PagerDuty (/v2/enqueue) and a webhook that
// never answers (/hang). It answers as they do and keeps their state.
type targets struct {
	mu    sync.Mutex
	calls []call            // guarded by mu
	pages map[string]string // guarded by mu: PagerDuty's incidents by dedup_key: open or resolved
	fail  map[string]int    // guarded by mu: how many requests to a path are answered with 503 first
	done  chan struct{}     // closed at the end, so that the one that hangs goes
}

func newTargets() *targets {
	return &targets{pages: map[string]string{}, fail: map[string]int{}, done: make(chan struct{})}
}

// ServeHTTP takes a notification.
func (s *targets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/hang" {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-s.done:
		case <-r.Context().Done():
		}
		return
	}
	c := call{Path: r.URL.Path, Key: r.Header.Get("Fairlead-Delivery")}
	if err := json.NewDecoder(r.Body).Decode(&c.Body); err != nil || r.Method != http.MethodPost {
		http.Error(w, "no JSON was posted", http.StatusBadRequest)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/slow/") {
		defer func() { <-time.After(10 * time.Millisecond) }() // it was taken, and the answer is late
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail[r.URL.Path] > 0 {
		s.fail[r.URL.Path]--
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	}
	switch r.URL.Path {
	case "/slack":
		if c.text("channel") == "" || c.text("attachments", 0, "title") == "" {
			http.Error(w, "invalid_payload", http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, "ok")
	case "/v2/enqueue":
		if !s.page(&c) {
			http.Error(w, `{"status":"invalid event"}`, http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"status":"success"}`)
	}
	s.calls = append(s.calls, c)
}

// page does what PagerDuty does with an event. The lock is held.
func (s *targets) page(c *call) bool {
	key := c.text("dedup_key")
	if len(c.text("routing_key")) != 32 || key == "" {
		return false
	}
	switch c.text("event_action") {
	case "trigger":
		if c.text("payload", "summary") == "" || c.text("payload", "source") == "" || !slices.Contains([]string{"critical", "error", "warning", "info"}, c.text("payload", "severity")) {
			return false
		}
		s.pages[key] = "open"
	case "resolve":
		s.pages[key] = "resolved"
	default:
		return false
	}
	return true
}

// to returns the requests to a path.
func (s *targets) to(path string) []call {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []call
	for i := range s.calls {
		if s.calls[i].Path == path {
			found = append(found, s.calls[i])
		}
	}
	return found
}

// paged returns how many of PagerDuty's incidents are in a state.
func (s *targets) paged(state string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, is := range s.pages {
		if is == state {
			n++
		}
	}
	return n
}

// letter is one e-mail.
type letter struct {
	From   string
	To     []string
	Header mail.Header
	HTML   string
}

// postOffice is a small SMTP server (RFC 5321, without extensions) that keeps what it was sent.
type postOffice struct {
	listener net.Listener
	sessions sync.WaitGroup

	mu      sync.Mutex
	letters []letter // guarded by mu
}

func openPostOffice(ctx context.Context) (*postOffice, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &postOffice{listener: listener}
	p.sessions.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p.sessions.Go(func() { p.serve(conn) })
		}
	})
	return p, nil
}

func (p *postOffice) close() error {
	err := p.listener.Close()
	p.sessions.Wait()
	return err
}

func (p *postOffice) received() []letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.letters)
}

// serve speaks with one client.
func (p *postOffice) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	c := textproto.NewConn(conn)
	say := func(text string) bool { return c.PrintfLine("%s", text) == nil }
	var now letter
	for ok := say("220 post office"); ok; {
		line, err := c.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO", "HELO":
			ok = say("250 post office")
		case "MAIL":
			now = letter{From: address(rest)}
			ok = say("250 OK")
		case "RCPT":
			if now.From == "" {
				ok = say("503 MAIL first")
				continue
			}
			now.To = append(now.To, address(rest))
			ok = say("250 OK")
		case "DATA":
			if len(now.To) == 0 {
				ok = say("503 RCPT first")
				continue
			}
			if !say("354 go on") {
				return
			}
			if err := now.read(c.DotReader()); err != nil {
				ok = say("554 " + err.Error())
				continue
			}
			p.mu.Lock()
			p.letters = append(p.letters, now)
			p.mu.Unlock()
			ok = say("250 OK")
		case "QUIT":
			say("221 bye")
			return
		default:
			ok = say("502 not known")
		}
	}
}

func address(text string) string {
	_, text, _ = strings.Cut(text, "<")
	text, _, _ = strings.Cut(text, ">")
	return text
}

// read reads headers and the HTML part.
func (l *letter) read(text io.Reader) error {
	message, err := mail.ReadMessage(bufio.NewReader(text))
	if err != nil {
		return err
	}
	l.Header = message.Header
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	parts := multipart.NewReader(message.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			continue
		}
		html, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			return err
		}
		l.HTML = string(html)
	}
}

// failNext makes the next n requests to a path fail.
func (s *targets) failNext(path string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail[path] = n
}

// told reports whether a path was told of a service.
func (s *targets) told(path, service string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.calls, func(c call) bool { return c.Path == path && c.text("groupLabels", "service") == service })
}

// keys returns the keys of all requests, with what they told, and how many came more than once.
func (s *targets) keys() (keys map[string]string, twice int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys = map[string]string{}
	for i := range s.calls {
		c := &s.calls[i]
		if keys[c.Key] != "" {
			twice++
		}
		keys[c.Key] = c.content()
	}
	return keys, twice
}

// content names what a webhook told.
func (c *call) content() string {
	return c.Path + " " + c.text("groupKey") + " " + c.text("status") + " " + c.text("notification_reason") + " " + c.text("alerts", 0, "startsAt") + " " + c.text("alerts", 0, "endsAt")
}

// reporter is what a testing.T has.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
}

// sameContentSameKey checks that what was told twice to one path carries one key, and that a key stands for one thing.
func (s *targets) sameContentSameKey(t reporter) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	keys, contents := map[string]string{}, map[string]string{}
	for i := range s.calls {
		c := &s.calls[i]
		content := c.content()
		if before := keys[content]; before != "" && before != c.Key {
			t.Errorf("%q was told under the keys %s and %s", content, before, c.Key)
		}
		if before := contents[c.Key]; before != "" && before != content {
			t.Errorf("the key %s stands for %q and %q", c.Key, before, content)
		}
		keys[content], contents[c.Key] = c.Key, content
	}
}
