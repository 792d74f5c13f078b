package bus

import (
	"errors"
	"testing"
)

func TestAcknowledgementsAreUnderstood(t *testing.T) {
	for _, test := range []struct {
		name, status, data string
		sequence           uint64
		err                error
	}{
		{"stored", "", `{"stream":"SIGNAL","seq":7}`, 7, nil},
		{"full", "", `{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"},"stream":"SIGNAL","seq":0}`, 0, ErrFull},
		{"account full", "", `{"error":{"code":500,"err_code":10047,"description":"insufficient storage resources available"}}`, 0, ErrFull},
		{"another failure of the store", "", `{"error":{"code":503,"err_code":10077,"description":"broken"}}`, 0, ErrUnavailable},
		{"another error", "", `{"error":{"code":400,"err_code":10054,"description":"message size exceeds maximum allowed"}}`, 0, ErrUnavailable},
		{"nobody listens", "503", "", 0, ErrUnavailable},
		{"not JSON", "", "+OK", 0, ErrUnavailable},
		{"no sequence", "", "{}", 0, ErrUnavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			sequence, err := parseAck(test.status, []byte(test.data))
			if sequence != test.sequence || !errors.Is(err, test.err) {
				t.Errorf("got %d, %v; want %d, %v", sequence, err, test.sequence, test.err)
			}
		})
	}
}

func FuzzParseAck(f *testing.F) {
	f.Add("", []byte(`{"stream":"SIGNAL","seq":7}`))
	f.Add("503", []byte(nil))
	f.Add("", []byte(`{"error":{"err_code":10077}}`))
	f.Fuzz(func(t *testing.T, status string, data []byte) {
		sequence, err := parseAck(status, data)
		if (sequence == 0) != (err != nil) {
			t.Errorf("sequence %d with error %v", sequence, err)
		}
	})
}
