package crash

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// liar stands before a server and answers 200 before the server has stored anything: it passes alerts on a moment later.
// With it a crash must lose alerts that were accepted, or the test has no power.
type liar struct {
	target string
	delay  time.Duration
	client *http.Client
	ctx    context.Context // the life of the requests that are passed on later
	group  sync.WaitGroup
}

// lie starts the proxy. stop ends it and what it has not passed on.
func lie(ctx context.Context, target string, delay time.Duration) (url string, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	l := &liar{target: target, delay: delay, client: &http.Client{}, ctx: ctx}
	server := httptest.NewServer(l)
	return server.URL, func() {
		cancel()
		server.Close()
		l.group.Wait()
	}
}

// ServeHTTP answers first and passes the request on later.
func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	path, header := r.URL.Path, r.Header.Clone()
	l.group.Go(func() {
		if pause(l.ctx, l.delay) != nil {
			return
		}
		request, err := http.NewRequestWithContext(l.ctx, http.MethodPost, l.target+path, bytes.NewReader(body))
		if err != nil {
			return
		}
		request.Header = header
		answer, err := l.client.Do(request)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	})
	w.WriteHeader(http.StatusOK)
}
