package experiment

import "testing"

// FuzzHistory looks for stored histories that panic when they are read: a disk may damage them.
func FuzzHistory(f *testing.F) {
	f.Add(appendEntry(nil, 7, point{1.5, 1000, -3}))
	f.Add(appendChunk(nil, []point{{1, 2, 3}, {4, 5, 6}}))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_ = readJournal(data, func(int64, point) {}) // an error is fine
		_, _ = readChunk(data, nil)                  // and here
	})
}
