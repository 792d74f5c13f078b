//go:build !unix

package anomaly

// newSeries returns a chunk's worth of zero series.
func newSeries() []Series { return make([]Series, chunkSize) }

// releaseSeries leaves the series to the garbage collector.
func releaseSeries([]Series) {}
