package app

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// giveBackCode lets go of those pages of the program's own file that are in memory: most of them only its start has
// touched, to set up libraries. What is still needed comes back from the kernel's cache by itself, page by page. It returns
// how many bytes were in memory. Pages that were changed are left alone.
func giveBackCode() (bytes int64, err error) {
	program, err := os.Executable()
	if err != nil {
		return 0, err
	}
	file, err := os.Open("/proc/self/smaps")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	areas, err := codeAreas(file, program)
	for _, a := range areas {
		if _, _, failed := unix.Syscall(unix.SYS_MADVISE, a.begin, a.end-a.begin, unix.MADV_DONTNEED); failed != 0 {
			return bytes, failed
		}
		bytes += a.resident
	}
	return bytes, err
}

// area is a part of the address space.
type area struct {
	begin, end uintptr
	resident   int64
}

// codeAreas reads from the kernel's list of mappings those of a file that cannot be written and of which nothing is changed.
func codeAreas(smaps io.Reader, program string) (list []area, err error) {
	var one area
	ours := false
	keep := func() {
		if ours && one.resident > 0 {
			list = append(list, one)
		}
		ours = false
	}
	lines := bufio.NewScanner(smaps)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			continue
		}
		if begin, end, found := strings.Cut(fields[0], "-"); found && !strings.HasSuffix(fields[0], ":") {
			keep()
			from, wrong := strconv.ParseUint(begin, 16, 64)
			to, alsoWrong := strconv.ParseUint(end, 16, 64)
			ours = wrong == nil && alsoWrong == nil && len(fields) >= 6 && fields[5] == program && !strings.Contains(fields[1], "w")
			one = area{begin: uintptr(from), end: uintptr(to)}
			continue
		}
		kilobytes, wrong := strconv.ParseInt(fields[1], 10, 64)
		switch {
		case wrong != nil:
		case fields[0] == "Rss:":
			one.resident = kilobytes << 10
		case (fields[0] == "Anonymous:" || fields[0] == "Locked:") && kilobytes > 0: // a copy that was changed, or shall stay
			ours = false
		}
	}
	keep()
	return list, lines.Err()
}
