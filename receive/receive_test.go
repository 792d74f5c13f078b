package receive

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/signal"
)

func TestResolveTimeoutHeader(t *testing.T) {
	tests := []struct {
		text string
		want time.Duration
		bad  bool
	}{
		{"", 5 * time.Minute, false},
		{"0", 0, false},
		{"0s", 0, false},
		{"90s", 90 * time.Second, false},
		{"1d", 24 * time.Hour, false},
		{"1h30m", 90 * time.Minute, false},
		{"-1m", 0, true},
		{"soon", 0, true},
		{"5", 0, true},
	}
	for _, test := range tests {
		r := httptest.NewRequest(http.MethodPost, "/", http.NoBody)
		r.Header.Set(ResolveTimeoutHeader, test.text)
		got, err := ResolveTimeout(r, 5*time.Minute)
		if got != test.want || (err != nil) != test.bad {
			t.Errorf("%q: got %s, %v, want %s, error %t", test.text, got, err, test.want, test.bad)
		}
	}
}

func TestTimeOnAnEventClockDoesNotMoveIt(t *testing.T) {
	event := &clock.Event{}
	event.Advance(time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC))
	r := httptest.NewRequest(http.MethodPost, "/", http.NoBody)
	r.Header.Set(EventTimeHeader, "2022-01-01T01:00:00+01:00")
	got, err := Time(r, event)
	if want := time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC); err != nil || !got.Equal(want) {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	if event.Now().Year() != 2021 {
		t.Errorf("the clock moved to %s", event.Now())
	}
}

func TestExcerptIsShortAndValid(t *testing.T) {
	for _, text := range []string{"", "short", strings.Repeat("ä", 1000), strings.Repeat("x", 79) + "ä", "\xff\xfe", strings.Repeat("\xff", 300), strings.Repeat("\x80", 300)} {
		got := Excerpt(text)
		if len(got) > 3*maxExcerpt+20 || !utf8.ValidString(got) {
			t.Errorf("Excerpt(%.20q...) = %q", text, got)
		}
	}
}

func TestBudgetHoldsEachSenderToHalf(t *testing.T) {
	b := NewBudget(1000)
	greedy, modest := b.lease("a"), b.lease("b")
	if err := greedy.grow(500); err != nil {
		t.Fatalf("half of the budget: %v", err)
	}
	second := b.lease("a")
	var problem *Problem
	if err := second.grow(1); !errors.As(err, &problem) || problem.Status != http.StatusServiceUnavailable {
		t.Errorf("more than half for one sender: %v, want a 503", err)
	}
	if err := modest.grow(400); err != nil {
		t.Errorf("another sender: %v", err)
	}
	if err := b.lease("c").grow(200); err == nil {
		t.Error("more than the whole budget was given")
	}
	greedy.release()
	greedy.release()
	if err := second.grow(500); err != nil {
		t.Errorf("after release: %v", err)
	}
	second.release()
	modest.release()
	if b.Used() != 0 || len(b.senders) != 0 {
		t.Errorf("%d bytes and %d senders are left, want none", b.Used(), len(b.senders))
	}
}

var capStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// admit sends the alerts numbered from to to-1, each with its own pod and one of 3 jobs.
func admit(c *Caps, sender string, now time.Time, from, to int) *Excess {
	var fingerprints []signal.Fingerprint
	var alerts []signal.Alert
	for i := from; i < to; i++ {
		labels := signal.NewLabels(map[string]string{"job": fmt.Sprint(i % 3), "pod": fmt.Sprint("p-", i), "app": "shop"})
		alerts = append(alerts, signal.Alert{Labels: labels})
		fingerprints = append(fingerprints, labels.Fingerprint())
	}
	return c.Admit(Sender{Integration: "prometheus", Address: sender}, now, fingerprints, func(i int) signal.Labels { return alerts[i].Labels })
}

func TestCapsRefuseOnlyWhatIsNew(t *testing.T) {
	c := NewCaps(CapsConfig{PerSender: 1000, Window: 24 * time.Hour})
	if excess := admit(c, "a", capStart, 0, 1000); excess != nil {
		t.Fatalf("up to the cap: %+v", excess)
	}
	excess := admit(c, "a", capStart.Add(time.Hour), 990, 1020)
	if excess == nil || len(excess.Refused) != 20 || excess.Refused[0] != 10 || excess.Known != 1000 || excess.Limit != 1000 {
		t.Fatalf("got %+v, want the last 20 of 30 refused", excess)
	}
	if excess.Label != "pod" || excess.Values < 900 || excess.Values > 1100 {
		t.Errorf("got label %s with %d values, want pod with about 1000", excess.Label, excess.Values)
	}
	if excess.RetryAfter != 11*time.Hour {
		t.Errorf("RetryAfter is %s, want 11h", excess.RetryAfter)
	}
	if excess := admit(c, "b", capStart.Add(time.Hour), 5000, 6000); excess != nil {
		t.Errorf("another sender: %+v", excess)
	}
}

func TestCapsForgetWithTime(t *testing.T) {
	c := NewCaps(CapsConfig{PerSender: 1000, Window: 24 * time.Hour})
	admit(c, "a", capStart, 0, 1000)
	if excess := admit(c, "a", capStart.Add(13*time.Hour), 0, 500); excess != nil {
		t.Fatalf("repeats in the next half: %+v", excess)
	}
	if excess := admit(c, "a", capStart.Add(14*time.Hour), 2000, 2001); excess == nil {
		t.Error("all 1000 were sent within 24 hours, yet a new one passed")
	}
	if excess := admit(c, "a", capStart.Add(25*time.Hour+time.Minute), 3000, 3500); excess != nil {
		t.Errorf("500 were not repeated and are forgotten, yet: %+v", excess)
	}
	if excess := admit(c, "a", capStart.Add(100*time.Hour), 4000, 5000); excess != nil {
		t.Errorf("after a long pause: %+v", excess)
	}
	if got := c.Known(); got != 1000 {
		t.Errorf("%d are remembered, want 1000", got)
	}
}

func TestCapsAreBoundedOverAllSenders(t *testing.T) {
	c := NewCaps(CapsConfig{PerSender: 1000, Total: 2000, Senders: 4, Window: 24 * time.Hour})
	admit(c, "a", capStart, 0, 1000)
	admit(c, "b", capStart, 0, 1000)
	if excess := admit(c, "c", capStart, 0, 100); excess != nil {
		t.Errorf("a small sender is refused because of large ones: %+v", excess)
	}
	if excess := admit(c, "a", capStart, 1000, 1001); excess == nil || excess.Limit >= 1000 {
		t.Errorf("a large sender got more than its share: %+v", excess)
	}
	for i := range 100 {
		admit(c, fmt.Sprint("x", i), capStart.Add(time.Duration(i)*time.Second), 0, 10)
	}
	if len(c.senders) != 4 || c.Known() != 40 {
		t.Errorf("%d senders with %d fingerprints are remembered, want 4 with 40", len(c.senders), c.Known())
	}
}

func TestTheSetOfFingerprintsIsExactUpToItsFolding(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var set fingerprintSet
	want := make(map[uint32]bool)
	for range 50_000 {
		n := shorten(signal.Fingerprint(random.Uint64() % 60_000))
		if set.has(n) != want[n] {
			t.Fatalf("has(%d) = %t", n, set.has(n))
		}
		set.add(n)
		want[n] = true
	}
	if set.count != len(want) {
		t.Errorf("count is %d, want %d", set.count, len(want))
	}
}

// TestEndlessFingerprintsTakeFewMegabytes is the memory that one exploding sender costs.
func TestEndlessFingerprintsTakeFewMegabytes(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	c := NewCaps(CapsConfig{PerSender: 100_000})
	refused := 0
	for from := 0; from < 300_000; from += 10_000 {
		if excess := admit(c, "a", capStart, from, from+10_000); excess != nil {
			refused += len(excess.Refused)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if refused < 199_000 || refused > 200_000 {
		t.Errorf("%d of 300,000 were refused, want about 200,000", refused)
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("the caps take %d bytes, want less than 4 MB", grown)
	}
	runtime.KeepAlive(c)
}

func BenchmarkAdmitKnown(b *testing.B) {
	c := NewCaps(CapsConfig{})
	var fingerprints []signal.Fingerprint
	alerts := make([]signal.Alert, 256)
	for i := range alerts {
		fingerprints = append(fingerprints, signal.Fingerprint(i*7919))
	}
	sender := Sender{Integration: "prometheus", Address: "127.0.0.1"}
	b.ReportAllocs()
	for b.Loop() {
		c.Admit(sender, capStart, fingerprints, func(i int) signal.Labels { return alerts[i].Labels })
	}
}
