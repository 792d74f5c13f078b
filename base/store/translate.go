package store

import (
	"bytes"
	"io/fs"
	"path"
	"strings"
)

// translated is a folder of migrations whose SQL is PostgreSQL's when it is read.
type translated struct{ fs.FS }

// Open opens a file; one that ends in .sql is translated.
func (t translated) Open(name string) (fs.File, error) {
	file, err := t.FS.Open(name)
	if err != nil || path.Ext(name) != ".sql" {
		return file, err
	}
	info, err := file.Stat()
	if err == nil && !info.IsDir() {
		var text []byte
		if text, err = fs.ReadFile(t.FS, name); err == nil {
			sql := toPostgres(string(text))
			return &translatedFile{File: file, Reader: bytes.NewReader([]byte(sql)), info: translatedInfo{info, int64(len(sql))}}, nil
		}
	}
	if err != nil {
		_ = file.Close() // it was only looked at
		return nil, err
	}
	return file, nil
}

// translatedFile reads the translation.
type translatedFile struct {
	fs.File
	*bytes.Reader
	info translatedInfo
}

// Read reads the translation.
func (f *translatedFile) Read(b []byte) (int, error) { return f.Reader.Read(b) }

// Stat describes the translation.
func (f *translatedFile) Stat() (fs.FileInfo, error) { return f.info, nil }

type translatedInfo struct {
	fs.FileInfo
	size int64
}

// Size returns the length of the translation in bytes.
func (i translatedInfo) Size() int64 { return i.size }

// postgresTypes are the types, in capitals as migrations write them, that have another name in PostgreSQL. Its text is
// ordered by its bytes then, as SQLite's is, and its INTEGER would have 32 bits.
var postgresTypes = map[string]string{"TEXT": `TEXT COLLATE "C"`, "BLOB": "BYTEA", "INTEGER": "BIGINT"}

// toPostgres translates the types in a migration. It leaves alone what stands in quotes and comments.
func toPostgres(text string) string {
	var out strings.Builder
	for len(text) > 0 {
		n := 1
		switch c := text[0]; {
		case c == '\'' || c == '"':
			n = quoted(text, c)
		case strings.HasPrefix(text, "--"):
			if n = strings.IndexByte(text, '\n'); n < 0 {
				n = len(text)
			}
		case wordByte(c):
			for n < len(text) && wordByte(text[n]) {
				n++
			}
			if other, ok := postgresTypes[text[:n]]; ok {
				out.WriteString(other)
				text = text[n:]
				continue
			}
		}
		out.WriteString(text[:n])
		text = text[n:]
	}
	return out.String()
}

// quoted returns the length of the quoted piece that text begins with.
func quoted(text string, quote byte) int {
	if end := strings.IndexByte(text[1:], quote); end >= 0 {
		return end + 2 // a doubled quote begins the next piece
	}
	return len(text)
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}
