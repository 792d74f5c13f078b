package main

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/fairlead/fairlead/app"
)

const module = "github.com/fairlead/fairlead/"

// writeConfig writes a table of all keys with their defaults and the comments of the Go fields behind them.
func writeConfig(_ context.Context, out io.Writer) error {
	defaults := app.DefaultConfig()
	fmt.Fprintf(out, `%s
# Configuration

One YAML file, named by `+"`fairlead serve --config FILE`"+`; none is needed. Every key that holds a single value can also be
set in the environment, and the most used ones by flags; flags win over the environment, the environment over the file. An
unknown key or a value that cannot be used is an error with its line, and `+"`fairlead check-config FILE`"+` finds it without
starting anything.

`+"`SIGHUP`"+` or `+"`POST /-/reload`"+` reads the file again: `+"`inhibit_rules`"+`, `+"`notify`"+` with
the files it names, and `+"`receive.resolve_timeout`"+` take effect at once, the others at the next start. A file with an error is refused, and the
running configuration stays.

| key | default | environment | meaning |
| --- | --- | --- | --- |
`, warning)
	variables := map[string]app.Key{}
	for _, key := range app.Keys(&defaults) {
		variables[key.Path] = key
	}
	w := &configWriter{out: out, keys: variables, comments: map[string]map[string]string{}}
	return w.table(reflect.TypeOf(defaults), "")
}

// configWriter writes rows of the table.
type configWriter struct {
	out      io.Writer
	keys     map[string]app.Key
	comments map[string]map[string]string // package -> "Type.Field" -> comment
}

func (w *configWriter) table(t reflect.Type, prefix string) error {
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if name == "" {
			continue
		}
		path := prefix + name
		if field.Type.Kind() == reflect.Struct {
			if err := w.table(field.Type, path+"."); err != nil {
				return err
			}
			continue
		}
		comment, err := w.comment(t, field.Name)
		if err != nil {
			return err
		}
		key, single := w.keys[path]
		switch {
		case single:
			value := "`" + key.Value() + "`"
			if key.Value() == "" {
				value = "(empty)"
			}
			fmt.Fprintf(w.out, "| `%s` | %s | `%s` | %s |\n", path, value, key.Variable, comment)
		case field.Type.Kind() == reflect.Slice && field.Type.Elem().Kind() == reflect.Struct:
			fmt.Fprintf(w.out, "| `%s` | (none) | | %s Each has: |\n", path, comment)
			if err := w.table(field.Type.Elem(), path+"[]."); err != nil {
				return err
			}
		default:
			fmt.Fprintf(w.out, "| `%s` | (none) | | %s |\n", path, comment)
		}
	}
	return nil
}

// comment returns the comment of a field as one line; an error when it has none.
func (w *configWriter) comment(t reflect.Type, field string) (string, error) {
	folder := strings.TrimPrefix(t.PkgPath(), module)
	if w.comments[folder] == nil {
		comments, err := readComments(folder)
		if err != nil {
			return "", err
		}
		w.comments[folder] = comments
	}
	text := w.comments[folder][t.Name()+"."+field]
	if text == "" {
		return "", fmt.Errorf("%s.%s.%s has no comment", folder, t.Name(), field)
	}
	// "Dir is the folder" becomes "The folder": readers of the page know the key, not the field.
	for _, verb := range []string{" is ", " are ", " "} {
		if rest, begins := strings.CutPrefix(text, field+verb); begins {
			return strings.ToUpper(rest[:1]) + rest[1:], nil
		}
	}
	return text, nil
}

// readComments returns the comments of all fields of all structs in a package's folder.
func readComments(folder string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, fmt.Errorf("look for Go files: %w", err)
	}
	comments := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read comments: %w", err)
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("read comments: %w", err)
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			spec, isType := node.(*ast.TypeSpec)
			if !isType {
				return true
			}
			structure, isStruct := spec.Type.(*ast.StructType)
			if !isStruct {
				return false
			}
			addComments(comments, spec.Name.Name, structure)
			return false
		})
	}
	return comments, nil
}

// addComments adds the comments of a struct's fields. A field without one shares that of the field before it.
func addComments(comments map[string]string, name string, structure *ast.StructType) {
	last := ""
	for _, field := range structure.Fields.List {
		if field.Doc != nil {
			last = strings.Join(strings.Fields(field.Doc.Text()), " ")
		}
		for _, fieldName := range field.Names {
			comments[name+"."+fieldName.Name] = strings.ReplaceAll(last, "|", `\|`)
		}
	}
}
