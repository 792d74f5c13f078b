package mlflow

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// double is a number as protobuf's JSON has it: with a decimal point, and "NaN" in quotes.
type double float64

// MarshalJSON writes the number.
func (d double) MarshalJSON() ([]byte, error) { return appendDouble(nil, float64(d)), nil }

func appendDouble(b []byte, v float64) []byte {
	switch {
	case math.IsNaN(v):
		return append(b, `"NaN"`...)
	case math.IsInf(v, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(v, -1):
		return append(b, `"-Infinity"`...)
	}
	begin := len(b)
	format := byte('f')
	if a := math.Abs(v); a != 0 && (a < 1e-4 || a >= 1e16) {
		format = 'e'
	}
	b = strconv.AppendFloat(b, v, format, -1, 64)
	if !bytes.ContainsAny(b[begin:], ".e") {
		b = append(b, '.', '0')
	}
	return b
}

type none struct{}

// answer is one that is written as JSON already, in memory that is used again.
type answer struct{ bytes *[]byte }

var answers = sync.Pool{New: func() any { return new([]byte) }}

func newAnswer() answer {
	b := answers.Get().(*[]byte) //nolint:forcetypeassert // it holds nothing else
	*b = (*b)[:0]
	return answer{b}
}

// write answers with JSON.
func write(w http.ResponseWriter, status int, content any) {
	if content == nil {
		content = none{}
	}
	var body bytes.Buffer
	if ready, ok := content.(answer); ok {
		body = *bytes.NewBuffer(*ready.bytes)
		defer answers.Put(ready.bytes)
	} else {
		encoder := json.NewEncoder(&body)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(content); err != nil {
			status = http.StatusInternalServerError
			body.Reset()
			body.WriteString(`{"error_code":"INTERNAL_ERROR","message":"The answer cannot be written."}`)
		}
	}
	if n := body.Len(); n > 0 && body.Bytes()[n-1] == '\n' {
		body.Truncate(n - 1)
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // who asked may be gone
}

// fail answers with an error as MLflow's client reads it.
func fail(w http.ResponseWriter, status int, code, message string) {
	write(w, status, struct {
		Code    string `json:"error_code"`
		Message string `json:"message"`
	}{code, strings.ToValidUTF8(message, "?")})
}
