package signal

import (
	"fmt"
	"time"
)

// TraceID tells a trace from others; all zero for none.
type TraceID [16]byte

// SpanID tells a span from the others of its trace; all zero for none.
type SpanID [8]byte

// LogBatch is what a receiver of log records publishes at once: those of one resource, received at one moment.
type LogBatch struct {
	// At is the time of receipt: wall time, or the event time of the recording.
	At time.Time
	// Source is the integration that sent it.
	Source string
	// Resource are the attributes of what the records are about.
	Resource Labels
	Records  []LogRecord
}

// LogRecord is one line, or one event, that a program wrote.
type LogRecord struct {
	// At is when it happened, in nanoseconds since 1970, UTC.
	At int64
	// Severity is OpenTelemetry's number: 1 (TRACE) to 24 (FATAL4); 0 if the sender does not say. Level is its own word.
	Severity uint8
	Level    string
	// Event is the name of the kind of event, "" for none. Body is the text; structured bodies are JSON.
	Event string
	Body  string
	// Scope is the library or logger that wrote it.
	Scope      string
	Attributes Labels
	// Trace and Span are what was done meanwhile.
	Trace TraceID
	Span  SpanID
}

// logVersion is the first byte of a record of log records.
const logVersion = 1

// AppendLogs appends the record of a batch to buf and returns the extended buffer. Each distinct string is written once.
func AppendLogs(buf []byte, batch LogBatch) []byte {
	w := recordWriter{index: make(map[string]uint64, 64)}
	w.head(batch.At, batch.Source, batch.Resource, len(batch.Records))
	for i := range batch.Records {
		r := &batch.Records[i]
		w.int(r.At)
		w.uint(uint64(r.Severity))
		for _, text := range [...]string{r.Level, r.Event, r.Body, r.Scope} {
			w.text(text)
		}
		w.labels(r.Attributes)
		w.body = append(append(w.body, r.Trace[:]...), r.Span[:]...)
	}
	return w.finish(buf, logVersion)
}

// DecodeLogs reads a record that AppendLogs wrote. The error wraps ErrRecord when data is none. The result shares no memory
// with data.
func DecodeLogs(data []byte) (LogBatch, error) {
	r := readerOf(data, logVersion)
	var batch LogBatch
	var count int
	batch.At, batch.Source, batch.Resource, count = r.head()
	for range count {
		if r.err != nil {
			break
		}
		record := LogRecord{At: r.int(), Severity: uint8(min(r.uint(), 255)), Level: r.text(), Event: r.text(), Body: r.text(), Scope: r.text()} //nolint:gosec // bounded
		record.Attributes = r.labels()
		r.bytes(record.Trace[:])
		r.bytes(record.Span[:])
		batch.Records = append(batch.Records, record)
	}
	if err := r.end(); err != nil {
		return LogBatch{}, fmt.Errorf("decode log records: %w", err)
	}
	return batch, nil
}

// head writes what begins a record of things of one resource.
func (w *recordWriter) head(at time.Time, source string, resource Labels, count int) {
	w.time(at)
	w.text(source)
	w.labels(resource)
	w.uint(uint64(count)) //nolint:gosec // a length
}

// readerOf begins to read a record of a version.
func readerOf(data []byte, version byte) recordReader {
	var r recordReader
	if len(data) == 0 || data[0] != version {
		r.fail()
		return r
	}
	r.data = data[1:]
	r.readTable(func(text []byte) string { return string(text) })
	return r
}

// head reads what head of a recordWriter wrote.
func (r *recordReader) head() (at time.Time, source string, resource Labels, count int) {
	return r.time(), r.text(), r.labels(), r.count()
}

// bytes reads so many bytes as into takes.
func (r *recordReader) bytes(into []byte) {
	if len(r.data) < len(into) {
		r.fail()
		return
	}
	r.data = r.data[copy(into, r.data):]
}

// end returns why the record could not be read; what is left over makes it none too.
func (r *recordReader) end() error {
	if r.err == nil && len(r.data) > 0 {
		r.fail()
	}
	return r.err
}
