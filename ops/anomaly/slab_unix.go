//go:build unix

package anomaly

import (
	"syscall"
	"unsafe"
)

// newSeries returns a chunk's worth of zero series outside the garbage collector's memory.
func newSeries() []Series {
	memory, err := syscall.Mmap(-1, 0, chunkSize*SeriesBytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return make([]Series, chunkSize)
	}
	return unsafe.Slice((*Series)(unsafe.Pointer(unsafe.SliceData(memory))), chunkSize)
}

// releaseSeries gives back what newSeries returned.
func releaseSeries(series []Series) {
	memory := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(series))), chunkSize*SeriesBytes)
	_ = syscall.Munmap(memory) // of memory that was not mapped this is an error without effect
}
