//go:build !linux && !darwin

package app

// diskSpace returns 0 where it is not known how to ask.
func diskSpace(string) (total, free int64) { return 0, 0 }
