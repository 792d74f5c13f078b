package signal

import (
	"slices"
	"strings"
)

// Label is one name and value of a signal.
type Label struct {
	Name  string
	Value string
}

// Labels is a set of labels sorted by name, each name once, no empty value. The zero value is the empty set. A Labels is
// immutable once built: share it freely.
type Labels []Label

// NewLabels returns the sorted set of m. Labels with an empty value are left out, as Prometheus does.
func NewLabels(m map[string]string) Labels {
	labels := make(Labels, 0, len(m))
	for name, value := range m {
		if value != "" {
			labels = append(labels, Label{Name: name, Value: value})
		}
	}
	slices.SortFunc(labels, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
	return labels
}

// Get returns the value of name, "" when the set lacks it.
func (l Labels) Get(name string) string {
	for i := range l {
		if l[i].Name == name {
			return l[i].Value
		}
	}
	return ""
}

// Map returns a fresh map with the same content.
func (l Labels) Map() map[string]string {
	m := make(map[string]string, len(l))
	for _, label := range l {
		m[label.Name] = label.Value
	}
	return m
}

// Equal reports whether both sets hold the same labels.
func (l Labels) Equal(other Labels) bool { return slices.Equal(l, other) }

// Fingerprint identifies a label set.
type Fingerprint uint64

// Fingerprint returns Alertmanager's fingerprint of the set: FNV-1a (64 bit) over each name, 0xff, value, 0xff in the
// order of names (prometheus/common, model.LabelSet.Fingerprint), so that tools which know an alert by it find it here.
func (l Labels) Fingerprint() Fingerprint {
	sum := offset64
	for i := range l {
		sum = fnvString(sum, l[i].Name)
		sum = fnvByte(sum, 0xff)
		sum = fnvString(sum, l[i].Value)
		sum = fnvByte(sum, 0xff)
	}
	return Fingerprint(sum)
}

// String returns the 16 hexadecimal digits that Alertmanager's API shows.
func (f Fingerprint) String() string {
	const digits = "0123456789abcdef"
	var text [16]byte
	for i := 15; i >= 0; i-- {
		text[i] = digits[f&0xf]
		f >>= 4
	}
	return string(text[:])
}

const (
	offset64 uint64 = 14695981039346656037
	prime64  uint64 = 1099511628211
)

func fnvString(sum uint64, text string) uint64 {
	for i := range len(text) {
		sum = (sum ^ uint64(text[i])) * prime64
	}
	return sum
}

func fnvByte(sum uint64, b byte) uint64 { return (sum ^ uint64(b)) * prime64 }
