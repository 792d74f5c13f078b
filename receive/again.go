package receive

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Again is a request that is offered again from its dead letter.
type Again struct {
	// Method and Target are those of the request line; Target is a path with a query.
	Method, Target string
	Header         http.Header
	Body           []byte
}

// headPattern is how a dead letter begins that holds more of a request than its body.
var headPattern = regexp.MustCompile(`^(GET|POST|PUT|PATCH|DELETE|OPTIONS) (/\S*) HTTP/1\.1\r?\n`)

// pathValues are the names of a pattern's wildcards.
var pathValues = regexp.MustCompile(`\{(\w+)`)

// maxHeader is how much of a header is kept in a dead letter.
const maxHeader = 4 << 10

// letterOf returns what a dead letter keeps of a request: the payload alone where a POST of it to the integration's address is
// the same request, and else a request line and the headers that say what the payload is before it, as HTTP writes them. whole
// says that the payload is the request's body, and not a piece of it in a form of its own. Keys are left out.
func (g *Gate) letterOf(r *Request, payload []byte, whole bool) []byte {
	query := r.URL.Query()
	for _, name := range []string{"token", "access_token", "apiKey"} {
		query.Del(name)
	}
	for name, values := range query {
		if secretive(name) {
			query.Del(name)
			continue
		}
		for i := range values {
			values[i] = g.Redactor.Text(values[i])
		}
	}
	header := map[string]string{}
	if whole {
		header = g.telling(r.Request)
	}
	if r.Method == http.MethodPost && len(query) == 0 && len(header) == 0 && !placed(r.Pattern) && !headPattern.Match(payload) {
		return payload
	}
	if media := r.Header.Get("Content-Type"); whole && media != "" {
		header["Content-Type"] = cut(media, maxHeader)
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s %s", r.Method, g.path(r))
	if len(query) > 0 {
		text.WriteString("?" + query.Encode())
	}
	text.WriteString(" HTTP/1.1\n")
	for _, name := range slices.Sorted(maps.Keys(header)) {
		fmt.Fprintf(&text, "%s: %s\n", name, header[name])
	}
	text.WriteString("\n")
	text.Write(payload)
	return text.Bytes()
}

// placed reports whether a pattern's path says more than which integration it is.
func placed(pattern string) bool {
	for _, found := range pathValues.FindAllStringSubmatch(pattern, -1) {
		if found[1] != "integration" && found[1] != "key" {
			return true
		}
	}
	return false
}

// path returns the path of a request without its key and other secrets.
func (g *Gate) path(r *Request) string {
	parts := strings.Split(r.URL.EscapedPath(), "/")
	for i, part := range parts {
		plain, err := url.PathUnescape(part)
		switch {
		case err != nil:
		case plain != "" && plain == r.PathValue("key"):
			parts[i] = "again"
		default:
			if clean := g.Redactor.Text(plain); clean != plain {
				parts[i] = url.PathEscape(clean)
			}
		}
	}
	return strings.Join(parts, "/")
}

// telling returns the headers that say what a body is, without Content-Type where the body itself shows it.
func (g *Gate) telling(r *http.Request) map[string]string {
	told := map[string]string{}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err != nil, media == "application/json", media == "text/plain", media == "application/x-www-form-urlencoded":
	default:
		told["Content-Type"] = cut(r.Header.Get("Content-Type"), maxHeader)
	}
	for name := range r.Header {
		event := strings.HasPrefix(name, "Ce-") || strings.HasPrefix(name, "X-") && !secretive(name)
		if event && !strings.HasPrefix(name, "X-Forwarded") && !strings.HasPrefix(name, "X-Real") && !strings.HasPrefix(name, "X-Amz") {
			value := strings.Map(func(c rune) rune {
				if c < ' ' || c == 0x7f {
					return ' '
				}
				return c
			}, r.Header.Get(name))
			told[name] = g.Redactor.Text(cut(value, maxHeader))
		}
	}
	return told
}

// ReadAgain returns the request that a dead letter's payload stands for; one without a request line of its own is a POST of JSON
// to target, which may be "".
func ReadAgain(payload []byte, target string) (*Again, error) {
	line := headPattern.FindSubmatch(payload)
	if line == nil {
		return &Again{Method: http.MethodPost, Target: target, Header: http.Header{"Content-Type": {"application/json"}}, Body: payload}, nil
	}
	reader := bufio.NewReader(bytes.NewReader(payload[len(line[0]):]))
	header, err := textproto.NewReader(reader).ReadMIMEHeader()
	if err != nil {
		return nil, fmt.Errorf("read the head of a dead letter: %w", err)
	}
	body, err := io.ReadAll(reader)
	if err != nil {
		return nil, fmt.Errorf("read a dead letter: %w", err)
	}
	return &Again{Method: string(line[1]), Target: string(line[2]), Header: http.Header(header), Body: body}, nil
}
