// Package artifact keeps files that belong to runs, logged models and traces, by path: "3/<run>/artifacts/model/MLmodel".
// The names stand in the database ml, with size and SHA-256; the content is in base/blob.
//
//	files := artifact.New(db, blobs, artifact.Quota{}, logger)
//	file, err := files.Put(ctx, "3/"+run+"/artifacts/notes.txt", body)
//	file, content, err := files.Open(ctx, path)
//
// # What it guarantees
//
//   - Content streams from and to the blobs: memory does not grow with the size of a file, and there is no copy in between.
//   - A file is seen when its content and name are on disk, whole, or not at all. One that is written again keeps its old
//     content until the new one is complete; whoever reads the old one reads it to its end.
//   - Names are any text but for what could lead elsewhere (Clean); upper and lower case, spaces, # and % are themselves.
//   - A quota is not exceeded, also not by writers at once: a file without room is refused as a whole.
//   - Content that no name leads to any more, also what a crash left behind, is removed by Run.
package artifact

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"
)

// Errors that callers act on.
var (
	// ErrPath says that a path is not one; the text around it says why.
	ErrPath = errors.New("not a path of an artifact")
	// ErrName says that a path leads nowhere else, but no file can have it. It is an ErrPath too.
	ErrName = errors.New("not a name of a file")
	// ErrNotFound says that there is no such file.
	ErrNotFound = errors.New("there is no such artifact")
)

// File is one file, or a folder in a listing.
type File struct {
	// Path is where it is, below the root of all artifacts.
	Path string
	// Folder says that it is one; then there is neither size nor digest.
	Folder bool
	// Size is in bytes.
	Size int64
	// Digest is the SHA-256 of the content, in hexadecimal.
	Digest string
	// AddedAt is in milliseconds since 1970.
	AddedAt int64

	blob string
}

// Name returns the last part of the path.
func (f File) Name() string { return path.Base(f.Path) }

// maxPath is the longest path, in bytes; maxPart the longest name in it.
const (
	maxPath = 4096
	maxPart = 1024
)

// Clean returns a path in its one form: parts between single slashes, none in front or behind; "" is the root. It refuses,
// as ErrPath, what could mean something else to somebody: parts that are "." or "..", also when they are percent-encoded
// (several times), absolute paths, drive letters, back-slashes, control characters and URLs of files.
func Clean(p string) (string, error) {
	if len(p) > maxPath {
		return "", fmt.Errorf("%w: %d bytes; at most %d are allowed", ErrPath, len(p), maxPath)
	}
	if !utf8.ValidString(p) {
		return "", fmt.Errorf("%w: %.100q is not UTF-8", ErrPath, p)
	}
	for decoded := p; ; {
		if err := check(decoded); err != nil {
			return "", fmt.Errorf("%w: %.100q %w", ErrPath, p, err)
		}
		once, err := url.PathUnescape(decoded)
		if err != nil || once == decoded {
			break
		}
		decoded = once
	}
	parts := strings.FieldsFunc(p, func(r rune) bool { return r == '/' })
	for _, part := range parts {
		if len(part) > maxPart {
			return "", fmt.Errorf("%w: the part %.100q has %d bytes; at most %d are allowed", ErrPath, part, len(part), maxPart)
		}
	}
	return strings.Join(parts, "/"), nil
}

func check(p string) error {
	switch {
	case strings.HasPrefix(p, "/"):
		return errors.New("begins with a slash; leave it out")
	case len(p) >= 2 && p[1] == ':' && (p[0]|0x20) >= 'a' && (p[0]|0x20) <= 'z':
		return errors.New("begins with a drive letter")
	case strings.ContainsRune(p, '\\'):
		return fmt.Errorf("holds a back-slash; use /: %w", ErrName)
	case strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return errors.New("holds a control character")
	case strings.HasPrefix(strings.ToLower(p), "file:"):
		return errors.New("is the URL of a file; give a path")
	}
	for part := range strings.SplitSeq(p, "/") {
		if part == ".." {
			return errors.New("has a part that is ..; leave it out")
		}
		if part == "." {
			return fmt.Errorf("has a part that is .; leave it out: %w", ErrName)
		}
	}
	return nil
}
