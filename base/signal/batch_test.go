package signal

import (
	"errors"
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

func TestEveryAlertOfAFingerprintLandsInOnePartition(t *testing.T) {
	batch := sample()
	alerts := append(append([]Alert{}, batch.Alerts...), batch.Alerts...)
	seen := map[Fingerprint]int{}
	total := 0
	for p, part := range SplitAlerts(alerts, 2) {
		for i := range part {
			total++
			f := part[i].Labels.Fingerprint()
			if before, known := seen[f]; known && before != p {
				t.Errorf("fingerprint %s in partitions %d and %d", f, before, p)
			}
			seen[f] = p
		}
	}
	if total != len(alerts) {
		t.Errorf("got %d alerts in all partitions, want %d", total, len(alerts))
	}
}
