//go:build linux || darwin

package app

import "syscall"

// diskSpace returns the size of the disk that a folder is on and what is free for this user, in bytes; 0 when the system does
// not say.
func diskSpace(dir string) (total, free int64) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, 0
	}
	size := int64(s.Bsize)                                //nolint:unconvert // darwin has 32 bits
	return int64(s.Blocks) * size, int64(s.Bavail) * size //nolint:gosec // no disk has 2^63 bytes
}
