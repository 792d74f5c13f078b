package badinput_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

// from returns a client whose requests come from another loopback address, so that it counts as another sender.
func from(address string) *http.Client {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	return &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}}
}

// exploding returns alerts of one rule whose label request_id never repeats.
func exploding(begin, count int) io.Reader {
	var b strings.Builder
	for i := range count {
		fmt.Fprintf(&b, `,{"labels":{"alertname":"Exploding","service":"cart","request_id":"%d"}}`, begin+i)
	}
	return strings.NewReader("[" + b.String()[1:] + "]")
}

func TestASenderWithEndlessLabelValuesIsCappedAndOthersGoOn(t *testing.T) {
	const limit, batch, batches = 2000, 500, 20
	s := serve(t, t.TempDir(), []string{fmt.Sprintf("FAIRLEAD_RECEIVE_MAX_FINGERPRINTS_PER_SENDER=%d", limit)})
	refused := 0
	var last answer
	for i := range batches {
		got := s.send(t, http.DefaultClient, http.MethodPost, "/api/v2/alerts", exploding(i*batch, batch))
		switch got.status {
		case http.StatusOK:
		case http.StatusTooManyRequests:
			refused, last = refused+1, got
		default:
			t.Fatalf("got %d %s, want 200 or 429", got.status, got.body)
		}
		// Another sender is served all the same.
		other := s.send(t, from("127.0.0.2"), http.MethodPost, "/api/v2/alerts", strings.NewReader(alerts(fmt.Sprintf("Other%d", i))))
		if other.status != http.StatusOK {
			t.Errorf("another sender got %d %s, want 200", other.status, other.body)
		}
	}
	if want := batches - limit/batch; refused != want {
		t.Errorf("%d of %d batches were refused, want %d", refused, batches, want)
	}
	p := last.problem(t)
	if len(p.Errors) == 0 || !strings.HasSuffix(p.Errors[0].Field, ".labels.request_id") || last.header.Get("Retry-After") == "" {
		t.Errorf("got %+v with Retry-After %q, want the label request_id named and a time", p, last.header.Get("Retry-After"))
	}
	// A known alert of the capped sender still gets through: it must be able to end.
	again := s.send(t, http.DefaultClient, http.MethodPost, "/api/v2/alerts", exploding(0, 1))
	if again.status != http.StatusOK {
		t.Errorf("a known alert of the capped sender got %d %s, want 200", again.status, again.body)
	}
	need.Eventually(t, 20*time.Second, "the alerts of the other sender", func() bool { return len(s.names(t, "Other")) == batches })
}

func TestSendersThatStopHalfWaySlowNobody(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	const stuck = 300
	for i := range stuck {
		connection, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatalf("connect: %v", err)
		}
		defer connection.Close()
		// Half of them stop in the middle of the head, half in the middle of the body.
		head := "POST /api/v2/alerts HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
		if i%2 == 0 {
			head += "Content-Length: 100000\r\n\r\n[{\"labels\":"
		}
		if _, err := io.WriteString(connection, head); err != nil {
			t.Fatalf("write half a request: %v", err)
		}
	}
	var slowest time.Duration
	for i := range 20 {
		got := s.send(t, http.DefaultClient, http.MethodPost, "/api/v2/alerts", strings.NewReader(alerts(fmt.Sprintf("Quick%d", i))))
		if got.status != http.StatusOK {
			t.Fatalf("got %d %s, want 200", got.status, got.body)
		}
		slowest = max(slowest, got.took)
	}
	if slowest > 2*time.Second {
		t.Errorf("beside %d stuck senders a request took %v, want under 2s", stuck, slowest)
	}
	need.Eventually(t, 10*time.Second, "all quick alerts", func() bool { return len(s.names(t, "Quick")) == 20 })
	if peak := s.resident(t); peak > 300<<20 {
		t.Errorf("the server held %d MiB at most, want under 300", peak>>20)
	}
}

func TestABodyThatEndsTooEarlyIsAnswered(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	connection, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, "POST /api/v2/alerts HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n[{"); err != nil {
		t.Fatalf("write: %v", err)
	}
	if err := connection.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatalf("stop writing: %v", err)
	}
	if err := connection.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatalf("set a deadline: %v", err)
	}
	text, err := io.ReadAll(connection)
	if err != nil || !strings.HasPrefix(string(text), "HTTP/1.1 400 ") || !strings.Contains(string(text), "Content-Length") {
		t.Errorf("got %q, %v, want a 400 that names Content-Length", text, err)
	}
}
