package signal

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
)

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t
}

func sample() AlertBatch {
	return AlertBatch{
		At: at("2026-01-02T03:04:05.678Z"),
		Alerts: []Alert{
			{
				Source: "prometheus", Identity: "ab", Labels: NewLabels(map[string]string{"alertname": "Down", "service": "cart"}),
				Annotations:  NewLabels(map[string]string{"summary": "cart is down"}),
				GeneratorURL: "http://p/g", StartsAt: at("1970-01-01T00:00:00Z"), EndsAt: at("1969-12-31T23:59:59.5Z"),
				ResolveTimeout: 5 * time.Minute, Notes: []string{"clamped"},
			},
			{Act: Acknowledge, Source: "pagerduty", Identity: "db/7", Keyed: true, Actor: "ann", Text: "on it", Labels: Labels{}, Annotations: Labels{}},
			{Source: "prometheus", Identity: "cd", Labels: NewLabels(map[string]string{"alertname": "Down", "service": "pay"}), StartsAt: at("2026-01-02T03:00:00Z")},
		},
	}
}

func TestARecordReadsBackAsItWasWritten(t *testing.T) {
	want := sample()
	got, err := DecodeAlerts(AppendAlerts(nil, want))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestARecordOfTheFirstVersionIsStillRead(t *testing.T) {
	old := append([]byte{1, 5, 0, 10}, "prometheus\x02ab\x09alertname\x04Down"...)
	old = append(old, 0, 1, 1, 2, 1, 3, 4, 0, 0, 0, 0, 0, 1, 2)
	got, err := DecodeAlerts(old)
	if err != nil {
		t.Fatal(err)
	}
	want := AlertBatch{Alerts: []Alert{{Source: "prometheus", Identity: "ab", Labels: NewLabels(map[string]string{"alertname": "Down"}), Notes: []string{"ab"}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestATruncatedOrForeignRecordIsAnError(t *testing.T) {
	record := AppendAlerts(nil, sample())
	for n := range record {
		if _, err := DecodeAlerts(record[:n]); !errors.Is(err, ErrRecord) {
			t.Fatalf("first %d of %d bytes: got error %v, want ErrRecord", n, len(record), err)
		}
	}
	record[0] = 99
	if _, err := DecodeAlerts(record); !errors.Is(err, ErrRecord) {
		t.Errorf("version 99: got error %v, want ErrRecord", err)
	}
}

func FuzzDecodeAlerts(f *testing.F) {
	f.Add(AppendAlerts(nil, sample()))
	f.Add([]byte{1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		batch, err := DecodeAlerts(data)
		if err != nil {
			return
		}
		again, err := DecodeAlerts(AppendAlerts(nil, batch))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(batch, again); diff != "" {
			t.Error(diff)
		}
	})
}

func TestFingerprintIsAlertmanagers(t *testing.T) {
	for _, m := range []map[string]string{{"alertname": "Down"}, {"a": "1", "b": "ü", "alertname": "x"}, {}} {
		want := model.LabelSet{}
		for name, value := range m {
			want[model.LabelName(name)] = model.LabelValue(value)
		}
		if got := NewLabels(m).Fingerprint().String(); got != want.Fingerprint().String() {
			t.Errorf("fingerprint of %v: got %s, want %s", m, got, want.Fingerprint())
		}
	}
}

func TestDealtAlertsFillOneMessageOrKeepToTheirPartitions(t *testing.T) {
	few := sample().Alerts
	portions := DealAlerts(few)
	if len(portions) != 1 || portions[0].Partition != Mixed || len(portions[0].Alerts) != len(few) {
		t.Errorf("%d alerts were dealt as %v, want one message for all", len(few), portions)
	}
	if portions := DealAlerts(nil); len(portions) != 0 {
		t.Errorf("no alerts were dealt as %v", portions)
	}
	var many []Alert
	for n := range 3 * messageAlerts {
		many = append(many, Alert{Labels: NewLabels(map[string]string{"alertname": "Down", "pod": strconv.Itoa(n % 500)}), GeneratorURL: strconv.Itoa(n)})
	}
	wide := Alert{Labels: NewLabels(map[string]string{"alertname": strings.Repeat("x", messageBytes)})}
	many = append(many, wide, wide)
	seen := map[Fingerprint]int{}
	total := 0
	for _, portion := range DealAlerts(many) {
		last, size := -1, 0
		for i := range portion.Alerts {
			total++
			a := &portion.Alerts[i]
			size += alertBytes(a)
			f := a.Labels.Fingerprint()
			if before, known := seen[f]; known && before != portion.Partition {
				t.Errorf("fingerprint %s in partitions %d and %d", f, before, portion.Partition)
			}
			seen[f] = portion.Partition
			if n, err := strconv.Atoi(a.GeneratorURL); err == nil && n <= last {
				t.Errorf("alert %d comes behind %d", n, last)
			} else if err == nil {
				last = n
			}
		}
		if n := len(portion.Alerts); n > messageAlerts || n > 1 && size > messageBytes {
			t.Errorf("a message of %d alerts and %d bytes", n, size)
		}
	}
	if total != len(many) || len(seen) != 501 {
		t.Errorf("got %d alerts of %d fingerprints in all messages, want %d of 501", total, len(seen), len(many))
	}
}
