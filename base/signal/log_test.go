package signal

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func exampleLogs() LogBatch {
	return LogBatch{
		At: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Source: "collector",
		Resource: NewLabels(map[string]string{"service.name": "shop", "k8s.pod.name": "shop-1"}),
		Records: []LogRecord{
			{At: 1772366400000000001, Severity: 17, Level: "ERROR", Body: "out of stock", Scope: "cart", Trace: TraceID{1, 2}, Span: SpanID{3}, Attributes: Labels{{"sku", "7"}}},
			{At: -1, Event: "device.app.lifecycle"},
		},
	}
}

func exampleSpans() SpanBatch {
	return SpanBatch{
		At: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Source: "collector", Resource: NewLabels(map[string]string{"service.name": "shop"}),
		Spans: []Span{
			{
				Trace: TraceID{9, 15: 1}, ID: SpanID{1}, Name: "GET /cart", Kind: KindServer, Start: 1772366400000000000, End: 1772366400020000000,
				Status: StatusError, Message: "no stock", State: "a=b", Scope: "http", Attributes: Labels{{"http.response.status_code", "500"}},
				Events: []SpanEvent{{At: 1772366400010000000, Name: "exception", Attributes: Labels{{"exception.type", "E"}}}},
				Links:  []SpanLink{{Trace: TraceID{7}, Span: SpanID{8}, Attributes: Labels{{"why", "batch"}}}},
			},
			{Trace: TraceID{9, 15: 2}, ID: SpanID{2}, Parent: SpanID{1}, Name: "SELECT", Kind: KindClient, Start: 5, End: 5},
		},
	}
}

func TestLogRecordsComeOutOfARecordAsTheyWentIn(t *testing.T) {
	want := exampleLogs()
	data := AppendLogs(nil, want)
	got, err := DecodeLogs(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	for cut := range len(data) {
		if _, err := DecodeLogs(data[:cut]); !errors.Is(err, ErrRecord) {
			t.Fatalf("cut at %d of %d: error %v, want ErrRecord", cut, len(data), err)
		}
	}
}

func TestSpansComeOutOfARecordAsTheyWentIn(t *testing.T) {
	want := exampleSpans()
	data := AppendSpans(nil, want)
	got, err := DecodeSpans(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	for cut := range len(data) {
		if _, err := DecodeSpans(data[:cut]); !errors.Is(err, ErrRecord) {
			t.Fatalf("cut at %d of %d: error %v, want ErrRecord", cut, len(data), err)
		}
	}
}

func TestTheSpansOfATraceShareAPartitionAndEveryMessageFits(t *testing.T) {
	var batch SpanBatch
	for i := range 3000 {
		batch.Spans = append(batch.Spans, Span{Trace: TraceID{8: byte(i % 7), 9: byte(i % 3)}, ID: SpanID{byte(i), byte(i >> 8)}, Name: strings.Repeat("x", 300)})
	}
	of, count := map[TraceID]int{}, 0
	for _, d := range DealSpans(batch, 2) {
		count += len(d.Items)
		for _, s := range d.Items {
			if p, seen := of[s.Trace]; seen && p != d.Partition {
				t.Fatalf("trace %x is in two partitions", s.Trace)
			}
			of[s.Trace] = d.Partition
		}
		if size := len(AppendSpans(nil, SpanBatch{Spans: d.Items})); size > 1<<20 {
			t.Errorf("a message of %d bytes", size)
		}
	}
	if count != len(batch.Spans) {
		t.Errorf("%d of %d spans were dealt", count, len(batch.Spans))
	}
	if n := len(DealLogs(exampleLogs(), 2)); n != 1 {
		t.Errorf("log records of one resource are in %d messages, want 1", n)
	}
}

func FuzzDecodeLogsAndSpans(f *testing.F) {
	f.Add(AppendLogs(nil, exampleLogs()))
	f.Add(AppendSpans(nil, exampleSpans()))
	f.Fuzz(func(t *testing.T, data []byte) {
		if batch, err := DecodeLogs(data); err == nil {
			if again, err := DecodeLogs(AppendLogs(nil, batch)); err != nil || !cmp.Equal(batch, again) {
				t.Errorf("%v is not what it becomes: %v (%v)", batch, again, err)
			}
		}
		if batch, err := DecodeSpans(data); err == nil {
			if _, err := DecodeSpans(AppendSpans(nil, batch)); err != nil {
				t.Errorf("written again: %v", err)
			}
		}
	})
}
