package receive

import (
	"sync"
	"time"

	"github.com/fairlead/fairlead/base/signal"
)

// typeKept is how long a series is held to the type that it was last sent with: two programs that share a series are told
// apart, and a program that changed its type is heard again after a while.
const typeKept = 5 * time.Minute

// maxTypes bounds of how many series the type is remembered; beyond that all are learned anew. About 25 MB.
const maxTypes = 1 << 20

// typeMemory remembers the type of each series, so that values which mean different things do not end up in one: a counter
// that somebody else sends as a gauge, a sum that comes in both temporalities. The zero value is empty. It is safe for
// concurrent use.
type typeMemory struct {
	mu    sync.Mutex
	types map[signal.SeriesID]typeSeen // guarded by mu
}

type typeSeen struct {
	at   uint32 // seconds since 1970
	kind signal.SampleType
}

// admit notes the types of the series, and takes out those whose values do not go with what the series was until now.
func (m *typeMemory) admit(v *Visit, series []signal.Series) []signal.Series {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.types == nil || len(m.types) > maxTypes {
		m.types = make(map[signal.SeriesID]typeSeen)
	}
	at := uint32(v.At.Unix()) //nolint:gosec // until 2106
	good := series[:0]
	for i := range series {
		s := &series[i]
		kind := typeOf(s)
		if kind == signal.Untyped {
			good = append(good, *s)
			continue
		}
		id := s.Labels.SeriesID()
		before, known := m.types[id]
		if known && before.kind != kind && at < before.at+uint32(typeKept/time.Second) {
			reason, remedy := ReasonTypeChange, "give one of the two another name; after 5 minutes without the other this one is taken"
			if kind == signal.Delta || before.kind == signal.Delta {
				reason, remedy = ReasonTemporality, "send this series in one temporality, or with an attribute that tells the senders apart; after 5 minutes without the other this one is taken"
			}
			v.Refuse(len(s.Samples)+len(s.Histograms), reason, FieldError{
				Field: "series " + Excerpt(s.Labels.Get("__name__")), Value: kind.String() + ", was " + before.kind.String(), Remedy: remedy,
			})
			continue
		}
		m.types[id] = typeSeen{at: at, kind: kind}
		good = append(good, *s)
	}
	return good
}

// typeOf returns how the values of a series are to be read; Untyped when it has none or its sender does not say.
func typeOf(s *signal.Series) signal.SampleType {
	switch {
	case len(s.Histograms) == 0 && len(s.Samples) == 0:
		return signal.Untyped
	case len(s.Histograms) == 0:
		return s.Type
	case s.Histograms[0].Delta:
		return signal.Delta
	case s.Histograms[0].Gauge:
		return signal.Gauge
	}
	return signal.Counter
}
