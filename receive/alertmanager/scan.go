package alertmanager

import (
	"fmt"
	"net/http"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/fairlead/fairlead/receive"
)

// maxDepth bounds the nesting of values that are skipped.
const maxDepth = 64

// scanner reads JSON from one body, strictly by RFC 8259. Strings that it returns share the one copy of the body.
type scanner struct {
	data string
	pos  int
	buf  []byte // scratch for strings with escapes
	// repaired says that the newest string was not valid UTF-8 and now holds U+FFFD in place of what was wrong.
	repaired bool
}

// syntax returns the 400 for a body that is no JSON at pos.
func (s *scanner) syntax(pos int, want string) *receive.Problem {
	got := "the end of the body"
	if pos < len(s.data) {
		r, _ := utf8.DecodeRuneInString(s.data[pos:])
		got = strconv.QuoteRune(r)
	}
	return &receive.Problem{
		Status: http.StatusBadRequest,
		Detail: fmt.Sprintf("The body is not valid JSON at byte %d: want %s, got %s. Nothing of it was used.", pos, want, got),
		Errors: []receive.FieldError{{Field: "body", Value: receive.Excerpt(s.data[max(0, min(pos, len(s.data))-20):min(len(s.data), pos+20)]), Remedy: fmt.Sprintf("at byte %d: want %s, got %s; send a JSON array of alerts", pos, want, got)}},
	}
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// peek returns the next byte behind white space, 0 at the end.
func (s *scanner) peek() byte {
	s.space()
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

// accept reads c behind white space if it comes next.
func (s *scanner) accept(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.pos++
	return true
}

// more steps to the next member of an array or object that ends in end: first says that none was read yet. It returns false
// behind the end.
func (s *scanner) more(first bool, end byte) (bool, error) {
	switch {
	case s.accept(end):
		return false, nil
	case first:
		return true, nil
	case s.accept(','):
		return true, nil
	}
	return false, s.syntax(s.pos, `"," or "`+string(end)+`"`)
}

// key reads the name of a member and the colon behind it.
func (s *scanner) key() (string, error) {
	if s.peek() != '"' {
		return "", s.syntax(s.pos, "a name in double quotes")
	}
	name, err := s.text()
	if err != nil {
		return "", err
	}
	if !s.accept(':') {
		return "", s.syntax(s.pos, `":"`)
	}
	return name, nil
}

// text reads a string; its opening quote comes next.
func (s *scanner) text() (string, error) {
	s.repaired = false
	start := s.pos + 1
	for i := start; i < len(s.data); i++ {
		switch c := s.data[i]; {
		case c == '"':
			s.pos = i + 1
			return s.data[start:i], nil
		case c == '\\' || c < 0x20 || c >= utf8.RuneSelf:
			return s.slowText(start, i)
		}
	}
	return "", s.syntax(len(s.data), `'"' at the end of a string`)
}

// slowText reads on from i a string that holds escapes or other than ASCII.
func (s *scanner) slowText(start, i int) (string, error) {
	s.buf = append(s.buf[:0], s.data[start:i]...)
	same := true // buf still equals the body
	for i < len(s.data) {
		c := s.data[i]
		switch {
		case c == '"':
			s.pos = i + 1
			if same {
				return s.data[start:i], nil
			}
			return string(s.buf), nil
		case c == '\\':
			same = false
			next, err := s.escape(i)
			if err != nil {
				return "", err
			}
			i = next
		case c < 0x20:
			return "", s.syntax(i, "no control character in a string")
		case c < utf8.RuneSelf:
			s.buf = append(s.buf, c)
			i++
		default:
			r, size := utf8.DecodeRuneInString(s.data[i:])
			if r == utf8.RuneError && size == 1 {
				same, s.repaired = false, true
			}
			s.buf = utf8.AppendRune(s.buf, r)
			i += size
		}
	}
	return "", s.syntax(len(s.data), `'"' at the end of a string`)
}

// escape reads the escape at i into buf and returns the position behind it.
func (s *scanner) escape(i int) (int, error) {
	if i+1 >= len(s.data) {
		return 0, s.syntax(len(s.data), "an escape")
	}
	switch c := s.data[i+1]; c {
	case '"', '\\', '/':
		s.buf = append(s.buf, c)
	case 'b':
		s.buf = append(s.buf, '\b')
	case 'f':
		s.buf = append(s.buf, '\f')
	case 'n':
		s.buf = append(s.buf, '\n')
	case 'r':
		s.buf = append(s.buf, '\r')
	case 't':
		s.buf = append(s.buf, '\t')
	case 'u':
		r, ok := s.hex(i + 2)
		if !ok {
			return 0, s.syntax(i, "four hexadecimal digits behind \\u")
		}
		if !utf16.IsSurrogate(r) {
			s.buf = utf8.AppendRune(s.buf, r)
			return i + 6, nil
		}
		if i+7 < len(s.data) && s.data[i+6] == '\\' && s.data[i+7] == 'u' {
			if low, ok := s.hex(i + 8); ok {
				if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
					s.buf = utf8.AppendRune(s.buf, pair)
					return i + 12, nil
				}
			}
		}
		s.repaired = true // half a pair
		s.buf = utf8.AppendRune(s.buf, utf8.RuneError)
		return i + 6, nil
	default:
		return 0, s.syntax(i+1, `one of "\/bfnrtu behind \`)
	}
	return i + 2, nil
}

func (s *scanner) hex(i int) (rune, bool) {
	if i+4 > len(s.data) {
		return 0, false
	}
	var r rune
	for _, c := range []byte(s.data[i : i+4]) {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// kind names the value that comes next, for people.
func (s *scanner) kind() string {
	switch s.peek() {
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "an array"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	default:
		return "a number"
	}
}

// null reads null if it comes next.
func (s *scanner) null() (bool, error) {
	if s.peek() != 'n' {
		return false, nil
	}
	return true, s.literal("null")
}

func (s *scanner) literal(want string) error {
	if len(s.data)-s.pos < len(want) || s.data[s.pos:s.pos+len(want)] != want {
		return s.syntax(s.pos, want)
	}
	s.pos += len(want)
	return nil
}

// skip reads one value of any kind and forgets it.
func (s *scanner) skip(depth int) error {
	if depth > maxDepth {
		return s.syntax(s.pos, fmt.Sprintf("at most %d values in one another", maxDepth))
	}
	switch c := s.peek(); c {
	case '"':
		_, err := s.text()
		return err
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	case '{', '[':
		s.pos++
		end := c + 2 // } follows {, and ] follows [, with one character between
		for first := true; ; first = false {
			more, err := s.more(first, end)
			if err != nil || !more {
				return err
			}
			if c == '{' {
				if _, err := s.key(); err != nil {
					return err
				}
			}
			if err := s.skip(depth + 1); err != nil {
				return err
			}
		}
	default:
		return s.number()
	}
}

func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.data) && '0' <= s.data[s.pos] && s.data[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > start
}

func (s *scanner) one(set string) bool {
	if s.pos < len(s.data) {
		for i := range len(set) {
			if s.data[s.pos] == set[i] {
				s.pos++
				return true
			}
		}
	}
	return false
}

func (s *scanner) number() error {
	start := s.pos
	s.one("-")
	if !s.one("0") && !s.digits() {
		return s.syntax(start, "a value")
	}
	if s.one(".") && !s.digits() {
		return s.syntax(s.pos, "a digit")
	}
	if s.one("eE") {
		s.one("+-")
		if !s.digits() {
			return s.syntax(s.pos, "a digit")
		}
	}
	return nil
}
