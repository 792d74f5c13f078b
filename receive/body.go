package receive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// Limits bounds one request.
type Limits struct {
	// Body is the most bytes of a body, after decompression.
	Body int64
	// Compressed is the most bytes of a body that arrives compressed, before decompression.
	Compressed int64
	// ReadTimeout is how long a sender may take to send its body.
	ReadTimeout time.Duration
}

// DefaultLimits are 16 MB raw, 5 MB compressed and 20 seconds.
func DefaultLimits() Limits {
	return Limits{Body: 16 << 20, Compressed: 5 << 20, ReadTimeout: 20 * time.Second}
}

// maxDrain is how much of a body that is refused for its size is still read, so that the sender sees the answer and not
// a broken connection.
const maxDrain = 64 << 20

// Bodies reads the bodies of requests within limits and within a budget that all receivers share. It is safe for
// concurrent use.
type Bodies struct {
	limits Limits
	budget *Budget
	unzip  sync.Pool // of *gzip.Reader
	unzstd sync.Pool // of *zstd.Decoder
}

// NewBodies returns a reader of bodies.
func NewBodies(limits Limits, budget *Budget) *Bodies {
	return &Bodies{limits: limits, budget: budget}
}

// Read returns the decompressed body of r. release must be called once when the body is no longer needed; it is nil only
// on error. A sender that is slower than the read timeout, that stops half-way, or that sends too much gets a *Problem, and
// its connection is closed. Memory is taken from the budget as bytes arrive, so who sends slowly holds only what it sent.
func (b *Bodies) Read(w http.ResponseWriter, r *http.Request, sender Sender) (body []byte, release func(), err error) {
	encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	wireLimit, compressed := b.limits.Body, false
	switch encoding {
	case "", "identity":
		encoding = ""
	case "x-gzip":
		encoding, wireLimit, compressed = "gzip", b.limits.Compressed, true
	case "gzip", "zstd", "snappy":
		wireLimit, compressed = b.limits.Compressed, true
	default:
		return nil, nil, &Problem{
			Status: http.StatusUnsupportedMediaType, Detail: "The Content-Encoding of the body is not supported.",
			Errors: []FieldError{{Field: "Content-Encoding", Value: Excerpt(encoding), Remedy: "send gzip or zstd, or leave the header out"}},
		}
	}
	control := http.NewResponseController(w)
	// Without a deadline one slow sender would hold its goroutine and memory for ever. Writers that know no deadline, as in
	// tests, have no connection to hold either.
	_ = control.SetReadDeadline(time.Now().Add(b.limits.ReadTimeout))
	if r.ContentLength > wireLimit {
		b.drain(r)
		return nil, nil, tooLarge(r.ContentLength, wireLimit, compressed)
	}
	lease := b.budget.lease(sender.String())
	body, err = b.read(r, lease, wireLimit, encoding)
	if err != nil {
		lease.release()
		return nil, nil, err
	}
	_ = control.SetReadDeadline(time.Time{})
	return body, lease.release, nil
}

func (b *Bodies) read(r *http.Request, lease *lease, wireLimit int64, encoding string) ([]byte, error) {
	wire := &wireReader{source: r.Body, left: wireLimit}
	var body []byte
	var err error
	switch encoding {
	case "":
		body, err = readAll(wire, lease, r.ContentLength, b.limits.Body)
		if errors.Is(err, errWireLimit) || errors.Is(err, errBodyLimit) {
			b.drain(r)
			return nil, tooLarge(-1, b.limits.Body, false)
		}
		return body, readProblem(err)
	case "gzip":
		body, err = b.readGzip(wire, lease, 4*r.ContentLength)
	case "zstd":
		body, err = b.readZstd(wire, lease, 4*r.ContentLength)
	default:
		body, err = b.readSnappy(wire, lease, r.ContentLength)
	}
	switch {
	case errors.Is(err, errBodyLimit):
		b.drain(r)
		return nil, &Problem{
			Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("The body is larger than %d bytes after decompression.", b.limits.Body),
			Errors: []FieldError{{Field: "body", Value: encoding, Remedy: "send smaller batches"}},
		}
	case errors.Is(err, errWireLimit):
		b.drain(r)
		return nil, tooLarge(-1, wireLimit, true)
	case err != nil && wire.err == nil && !errors.As(err, new(*Problem)):
		// The bytes arrived; what they say is not what they claim to be.
		return nil, Invalid(FieldError{Field: "body", Value: encoding, Remedy: fmt.Sprintf("the body is not valid %s (%v); send it as Content-Encoding says", encoding, err)})
	}
	return body, readProblem(err)
}

// drain reads what a refused sender still sends, so that it reads our answer, except when it waits for permission to send.
func (b *Bodies) drain(r *http.Request) {
	if !strings.EqualFold(r.Header.Get("Expect"), "100-continue") {
		_, _ = io.CopyN(io.Discard, r.Body, maxDrain) // refused anyway
	}
}

func tooLarge(got, limit int64, compressed bool) *Problem {
	value := "more"
	if got > 0 {
		value = fmt.Sprintf("%d bytes", got)
	}
	form := "uncompressed"
	if compressed {
		form = "compressed"
	}
	return &Problem{
		Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("The body is larger than %d bytes (%s).", limit, form),
		Errors: []FieldError{{Field: "body", Value: value, Remedy: "send smaller batches"}},
	}
}

// readProblem turns an error of reading a connection into an answer. nil stays nil.
func readProblem(err error) error {
	var problem *Problem
	switch {
	case err == nil:
		return nil
	case errors.As(err, &problem):
		return problem
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &Problem{Status: http.StatusRequestTimeout, Detail: "The body did not arrive in time. Nothing of it was used.", cause: err}
	}
	return &Problem{
		Status: http.StatusBadRequest, Detail: "The body ended before it was complete. Nothing of it was used.", cause: err,
		Errors: []FieldError{{Field: "body", Value: "incomplete", Remedy: "send as many bytes as Content-Length says"}},
	}
}

var (
	errWireLimit = errors.New("too many bytes on the wire")
	errBodyLimit = errors.New("too many bytes after decompression")
)

// wireReader reads at most left bytes and remembers the error of its source, to tell a bad connection from a bad encoding.
type wireReader struct {
	source io.Reader
	left   int64
	err    error
}

func (r *wireReader) Read(p []byte) (int, error) {
	if r.left < 0 {
		return 0, errWireLimit
	}
	if int64(len(p)) > r.left+1 {
		p = p[:r.left+1] // one byte more tells "exactly the limit" from "too much"
	}
	n, err := r.source.Read(p)
	r.left -= int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	if r.left < 0 {
		return n, errWireLimit
	}
	return n, err
}

const (
	firstRead = 16 << 10
	// maxFirst bounds how much memory a mere claim of a length takes.
	maxFirst = 256 << 10
)

// readAll reads source to its end into memory from lease, at most limit bytes. hint is how much is expected; 0 or less means
// unknown.
func readAll(source io.Reader, lease *lease, hint, limit int64) ([]byte, error) {
	size := max(firstRead, min(hint+bytes.MinRead, maxFirst))
	if err := lease.grow(size); err != nil {
		return nil, err
	}
	body := make([]byte, 0, size)
	for {
		if len(body) == cap(body) {
			larger := min(2*int64(cap(body)), limit+1)
			if err := lease.grow(larger - int64(cap(body))); err != nil {
				return nil, err
			}
			grown := make([]byte, len(body), larger)
			copy(grown, body)
			body = grown
		}
		n, err := source.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > limit:
			return nil, errBodyLimit
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return nil, err
		}
	}
}
