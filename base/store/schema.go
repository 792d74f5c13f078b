package store

import (
	"embed"
	"io/fs"
)

//go:embed schema
var schemas embed.FS

// Schema returns the migrations of ops.db, each NNNNN_name.sql in goose's format.
func Schema() fs.FS {
	sub, err := fs.Sub(schemas, "schema/ops")
	if err != nil {
		panic(err) // only if the folder was renamed
	}
	return sub
}
