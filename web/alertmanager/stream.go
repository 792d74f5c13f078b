package alertmanager

import (
	"bufio"
	"encoding/json"
	"net/http"
)

// list writes a JSON array while it is made. Nothing is sent before its first 64 KiB, so that an early error has an answer
// of its own.
type list struct {
	out     *bufio.Writer
	encoder *json.Encoder
	begun   bool // something was sent
	any     bool
}

// sender notes that something is sent.
type sender struct {
	w    http.ResponseWriter
	list *list
}

// Write sends a part of the answer.
func (s sender) Write(part []byte) (int, error) {
	if !s.list.begun {
		s.list.begun = true
		s.w.Header().Set("Content-Type", "application/json")
		s.w.WriteHeader(http.StatusOK)
	}
	return s.w.Write(part)
}

const listBuffer = 64 << 10

// add writes one more element.
func (l *list) add(element any) error {
	if err := l.separate(); err != nil {
		return err
	}
	return l.encoder.Encode(element)
}

// separate begins an element.
func (l *list) separate() error {
	separator := byte(',')
	if !l.any {
		l.any, separator = true, '['
	}
	return l.out.WriteByte(separator)
}

// raw writes JSON as it is.
func (l *list) raw(text string) error {
	_, err := l.out.WriteString(text)
	return err
}

// stream answers with the list that serve makes.
func (h *Handler) stream(w http.ResponseWriter, r *http.Request, serve func(*http.Request, *list) error) {
	w.Header().Set("Cache-Control", "no-store")
	l := &list{}
	l.out = bufio.NewWriterSize(sender{w, l}, listBuffer)
	l.encoder = json.NewEncoder(l.out)
	err := serve(r, l)
	if err == nil {
		end := "]\n"
		if !l.any {
			end = "[]\n"
		}
		if err = l.raw(end); err == nil {
			err = l.out.Flush()
		}
	}
	switch {
	case err == nil:
	case !l.begun:
		h.answer(w, r, func(*http.Request) (any, error) { return nil, err })
	case r.Context().Err() == nil: // else the client has gone
		h.config.Logger.Error("an answer ends in the middle", "path", r.URL.Path, "error", err)
		panic(http.ErrAbortHandler) // so that no client takes what was sent for all
	}
}
