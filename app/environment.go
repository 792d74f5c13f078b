package app

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/store"
)

// environmentPrefix begins the variables that set a key: http.listen is FAIRLEAD_HTTP_LISTEN.
const environmentPrefix = "FAIRLEAD_"

// reserved variables belong to the tests and to other commands.
var reserved = []string{"FAIRLEAD_DATA", "FAIRLEAD_REQUIRE_ALL", "FAIRLEAD_URL", "FAIRLEAD_BIN", "FAIRLEAD_TOKEN", "FAIRLEAD_TEST_ENGINE"}

// applyEnvironment sets the keys that environ names. A variable that starts with FAIRLEAD_ and names no key is an error.
func applyEnvironment(cfg *Config, environ []string) error {
	keys := map[string]Key{}
	for _, key := range Keys(cfg) {
		keys[key.Variable] = key
	}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, environmentPrefix) || slices.Contains(reserved, name) {
			continue
		}
		key, known := keys[name]
		if !known {
			return fmt.Errorf("environment variable %s: it names no key; unset it or correct its spelling (docs/reference/config.md lists all)", name)
		}
		if err := key.set(value); err != nil {
			return fmt.Errorf("environment variable %s: value %q cannot be used; write %w", name, value, err)
		}
	}
	return nil
}

// Key is one key of the configuration that holds a single value.
type Key struct {
	// Path is the key in YAML with dots, Variable the name of its environment variable.
	Path, Variable string
	value          reflect.Value
}

// Value returns the key's present value as YAML would write it, a password in a URL left out.
func (k Key) Value() string {
	if k.Path == "store.url" {
		return store.Redact(k.value.String())
	}
	if d, ok := reflect.TypeAssert[time.Duration](k.value); ok {
		return d.String()
	}
	return fmt.Sprint(k.value.Interface())
}

// Keys lists the keys of cfg that hold a single value, in the order of the file.
func Keys(cfg *Config) []Key { return keysOf(reflect.ValueOf(cfg).Elem(), "") }

func keysOf(v reflect.Value, prefix string) []Key {
	var keys []Key
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		if name == "" {
			continue
		}
		path := prefix + name
		switch field := v.Field(i); field.Kind() {
		case reflect.Struct:
			keys = append(keys, keysOf(field, path+".")...)
		case reflect.Slice, reflect.Map:
		default:
			variable := environmentPrefix + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
			keys = append(keys, Key{Path: path, Variable: variable, value: field})
		}
	}
	return keys
}

// set parses text into the key; the error says what to write instead.
func (k Key) set(text string) error {
	switch k.value.Interface().(type) {
	case time.Duration:
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%s", valueKinds["time.Duration"])
		}
		k.value.SetInt(int64(d))
	case string:
		k.value.SetString(text)
	case bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%s", valueKinds["bool"])
		}
		k.value.SetBool(b)
	case int, int64:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("%s", valueKinds["int"])
		}
		k.value.SetInt(n)
	default:
		return fmt.Errorf("it in the file")
	}
	return nil
}
