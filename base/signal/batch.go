package signal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// AlertBatch is what a receiver publishes at once: alerts of one tenant, received at one moment of the server's clock.
type AlertBatch struct {
	// At is the time of receipt: wall time, or the event time of the recording.
	At     time.Time
	Alerts []Alert
}

// ErrRecord says that bytes are no batch record that this version can read. A record which a newer version wrote is one.
var ErrRecord = errors.New("not a batch record of a known version")

// recordVersion is the first byte of each record: string table, then alerts that refer to it. Version 1 knows only reports
// that are told apart by their labels; it can still be read.
const recordVersion = 2

// maxRecordItems bounds counts in a record, so that a damaged length cannot ask for unbounded memory.
const maxRecordItems = 1 << 22

// AppendAlerts appends the record of batch to buf and returns the extended buffer. Each distinct string is written once.
func AppendAlerts(buf []byte, batch AlertBatch) []byte {
	w := recordWriter{index: make(map[string]uint64, 64)}
	w.time(batch.At)
	w.uint(uint64(len(batch.Alerts)))
	for i := range batch.Alerts {
		a := &batch.Alerts[i]
		flags := uint64(a.Act) << 1
		if a.Keyed {
			flags |= 1
		}
		w.uint(flags)
		w.text(a.Source)
		w.text(a.Identity)
		w.labels(a.Labels)
		w.labels(a.Annotations)
		w.text(a.GeneratorURL)
		w.time(a.StartsAt)
		w.time(a.EndsAt)
		w.uint(uint64(a.ResolveTimeout))
		w.text(a.Actor)
		w.text(a.Text)
		w.uint(uint64(len(a.Notes)))
		for _, note := range a.Notes {
			w.text(note)
		}
	}
	return w.finish(buf, recordVersion)
}

// DecodeAlerts reads a record that AppendAlerts wrote. The error wraps ErrRecord when data is none. The result shares no
// memory with data; equal strings share theirs.
func DecodeAlerts(data []byte) (AlertBatch, error) {
	if len(data) == 0 || data[0] == 0 || data[0] > recordVersion {
		return AlertBatch{}, fmt.Errorf("decode alerts: %w", ErrRecord)
	}
	r := recordReader{data: data[1:]}
	r.readTable(func(text []byte) string { return string(text) })
	batch := AlertBatch{At: r.time()}
	count := r.count()
	batch.Alerts = make([]Alert, 0, min(count, len(data)/8+1))
	for range count {
		if r.err != nil {
			break
		}
		var a Alert
		if data[0] >= 2 {
			flags := r.uint()
			a.Keyed = flags&1 == 1
			if flags >>= 1; flags >= uint64(acts) {
				r.fail()
			} else {
				a.Act = Act(flags)
			}
		}
		a = Alert{
			Act: a.Act, Keyed: a.Keyed, Source: r.text(), Identity: r.text(), Labels: r.labels(), Annotations: r.labels(), GeneratorURL: r.text(),
			StartsAt: r.time(), EndsAt: r.time(), ResolveTimeout: time.Duration(r.uint()), //nolint:gosec // written from a Duration
		}
		if data[0] >= 2 {
			a.Actor, a.Text = r.text(), r.text()
		}
		for range r.count() {
			if r.err != nil {
				break
			}
			a.Notes = append(a.Notes, r.text())
		}
		batch.Alerts = append(batch.Alerts, a)
	}
	if r.err == nil && len(r.data) > 0 {
		r.fail()
	}
	if r.err != nil {
		return AlertBatch{}, fmt.Errorf("decode alerts: %w", r.err)
	}
	return batch, nil
}

// Partitions is how many partitions the alerts of a tenant are dealt to.
const Partitions = 2

// Mixed stands in the place of a partition where alerts of several travel together.
const Mixed = -1

// Bounds of one message: 64 KB make good use of an fsync.
const (
	messageAlerts = 256
	messageBytes  = 64 << 10
)

// Portion is what one message carries: alerts of one partition, or of several (Mixed).
type Portion struct {
	Partition int
	Alerts    []Alert
}

// DealAlerts divides alerts into the messages that carry them: one, as long as they fit, because an fsync costs the more the
// smaller what it carries; else each partition has its own. The order within a partition is kept. Portions reach the engine one
// by one, so whoever wants the same incidents has to deal the alerts in the same way.
func DealAlerts(alerts []Alert) []Portion {
	if len(alerts) == 0 {
		return nil
	}
	if fit(alerts) == len(alerts) {
		return []Portion{{Mixed, alerts}}
	}
	var portions []Portion
	for partition, part := range splitAlerts(alerts, Partitions) {
		for len(part) > 0 {
			n := fit(part)
			portions = append(portions, Portion{partition, part[:n]})
			part = part[n:]
		}
	}
	return portions
}

// fit returns how many of the alerts fit into one message, at least one.
func fit(alerts []Alert) int {
	size := 0
	for n := range alerts {
		size += alertBytes(&alerts[n])
		if n > 0 && (size > messageBytes || n >= messageAlerts) {
			return n
		}
	}
	return len(alerts)
}

// alertBytes estimates from above the size of an alert in a record.
func alertBytes(a *Alert) int {
	return 64 + len(a.Source) + len(a.Identity) + len(a.GeneratorURL) + len(a.Actor) + len(a.Text) + labelBytes(a.Labels) + labelBytes(a.Annotations)
}

// Partition returns the partition, 0 to n-1, that an alert with this fingerprint belongs to.
func Partition(f Fingerprint, n int) int {
	mixed := uint64(f) * 0x9E3779B97F4A7C15
	return int((mixed >> 33) % uint64(n)) //nolint:gosec // n is small and positive
}

// splitAlerts deals alerts out to n partitions by fingerprint; the order within a partition is kept. Every alert of one
// fingerprint lands in the same partition. With one partition the slice itself is returned.
func splitAlerts(alerts []Alert, n int) [][]Alert {
	if n <= 1 {
		return [][]Alert{alerts}
	}
	parts := make([][]Alert, n)
	for i := range alerts {
		p := Partition(alerts[i].Fingerprint(), n)
		parts[p] = append(parts[p], alerts[i])
	}
	return parts
}

type recordWriter struct {
	index map[string]uint64
	table []string
	body  []byte
}

// finish appends the record to buf: its version, each string once, and what refers to them.
func (w *recordWriter) finish(buf []byte, version byte) []byte {
	buf = append(buf, version)
	buf = binary.AppendUvarint(buf, uint64(len(w.table)))
	for _, text := range w.table {
		buf = binary.AppendUvarint(buf, uint64(len(text)))
		buf = append(buf, text...)
	}
	return append(buf, w.body...)
}

func (w *recordWriter) uint(n uint64) { w.body = binary.AppendUvarint(w.body, n) }

func (w *recordWriter) text(text string) {
	n, known := w.index[text]
	if !known {
		n = uint64(len(w.table))
		w.index[text] = n
		w.table = append(w.table, text)
	}
	w.uint(n)
}

func (w *recordWriter) labels(labels Labels) {
	w.uint(uint64(len(labels)))
	for _, label := range labels {
		w.text(label.Name)
		w.text(label.Value)
	}
}

// time writes milliseconds since 1970 (zigzag) plus one, and 0 for the zero time.
func (w *recordWriter) time(t time.Time) {
	if t.IsZero() {
		w.uint(0)
		return
	}
	ms := t.UnixMilli()
	w.uint(uint64((ms<<1)^(ms>>63)) + 1) //nolint:gosec // zigzag
}

type recordReader struct {
	data  []byte
	table []string
	err   error
}

func (r *recordReader) fail() {
	if r.err == nil {
		r.err = ErrRecord
	}
	r.data = nil
}

func (r *recordReader) uint() uint64 {
	n, size := binary.Uvarint(r.data)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.data = r.data[size:]
	return n
}

func (r *recordReader) count() int {
	n := r.uint()
	if n > maxRecordItems {
		r.fail()
		return 0
	}
	return int(n) //nolint:gosec // bounded above
}

// readTable reads the strings of a record, each made by text of its bytes.
func (r *recordReader) readTable(text func([]byte) string) {
	count := r.count()
	if count > len(r.data) {
		r.fail()
		return
	}
	r.table = make([]string, count)
	for i := range r.table {
		size := r.count()
		if size > len(r.data) {
			r.fail()
			return
		}
		r.table[i] = text(r.data[:size])
		r.data = r.data[size:]
	}
}

func (r *recordReader) text() string {
	n := r.uint()
	if n >= uint64(len(r.table)) {
		r.fail()
		return ""
	}
	return r.table[n]
}

func (r *recordReader) labels() Labels {
	count := r.count()
	if r.err != nil || count == 0 {
		return nil
	}
	labels := make(Labels, 0, min(count, len(r.data)/2+1))
	for range count {
		if r.err != nil {
			return nil
		}
		labels = append(labels, Label{Name: r.text(), Value: r.text()})
	}
	return labels
}

func (r *recordReader) time() time.Time {
	n := r.uint()
	if n == 0 {
		return time.Time{}
	}
	n--
	return time.UnixMilli(int64(n>>1) ^ -int64(n&1)).UTC() //nolint:gosec // zigzag
}
