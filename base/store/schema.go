package store

import (
	"embed"
	"io/fs"
)

//go:embed schema
var schemas embed.FS

// Schema returns the migrations of ops.db, each NNNNN_name.sql in goose's format.
func Schema() fs.FS { return schema("ops") }

// LearningSchema returns the migrations of ml.db.
func LearningSchema() fs.FS { return schema("ml") }

func schema(name string) fs.FS {
	sub, err := fs.Sub(schemas, "schema/"+name)
	if err != nil {
		panic(err) // only if the folder was renamed
	}
	return sub
}
