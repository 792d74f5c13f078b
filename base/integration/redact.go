package integration

import (
	"bytes"
	"regexp"
	"strings"
)

// Redactor takes secrets and personal data out of text before it is stored: authorization headers, tokens of well-known
// makers, passwords in assignments and URLs, card numbers (checked by Luhn's sum) and, unless asked not to, e-mail
// addresses. The zero value has only the built-in patterns. It is safe for concurrent use.
type Redactor struct {
	// More are further patterns whose matches are taken out.
	More []*regexp.Regexp
}

// redacted stands where something was taken out.
const redacted = "[redacted]"

// secrets are what is taken out; a first group is kept.
var secrets = []*regexp.Regexp{
	regexp.MustCompile(`(?i)((?:bearer|basic|geniekey|apikey)[ =:]+)[a-z0-9._~+/=-]{8,}`),
	regexp.MustCompile(`(?i)(token["']?\s*[=: ]\s*["']?)[a-z0-9._~+/=-]{8,}`),
	regexp.MustCompile(`(?i)((?:password|passwd|pwd|secret|api[_-]?key|access[_-]?key|routing[_-]?key|service[_-]?key|auth[_-]?token|private[_-]?token)["']?\s*[=:]\s*["']?)[^\s"'&,;}]{3,}`),
	regexp.MustCompile(`()\b(?:AKIA|ASIA)[A-Z0-9]{16}\b`),
	regexp.MustCompile(`()\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|xox[abprs]-[A-Za-z0-9-]{10,}|sk_live_[A-Za-z0-9]{16,}|fl_[a-z0-9]{20,})`),
	regexp.MustCompile(`()\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`),
	regexp.MustCompile(`(://)[^/\s:@]+:[^/\s@]+@`),
}

var (
	email = regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+`)
	card  = regexp.MustCompile(`\b\d(?:[ -]?\d){12,18}\b`)
)

// hints are what a text must hold for one of the secrets to be in it, in lower case: most texts hold none.
var hints = []string{
	"bearer", "basic", "key", "token", "pass", "pwd", "secret", "akia", "asia", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_",
	"glpat-", "xox", "sk_live_", "fl_", "eyj",
}

// hintsBy holds the hints by their first letter.
var hintsBy = func() (table [256][]string) {
	for _, hint := range hints {
		table[hint[0]] = append(table[hint[0]], hint[1:])
	}
	return table
}()

// Text returns text without secrets and without e-mail addresses.
func (r *Redactor) Text(text string) string { return r.clean(text, true) }

// Label is Text that leaves e-mail addresses: who owns a thing is often told by one, and is part of what tells alerts apart.
func (r *Redactor) Label(text string) string { return r.clean(text, false) }

// Bytes is Text for a payload.
func (r *Redactor) Bytes(payload []byte) []byte {
	clean := r.Text(string(payload))
	return bytes.ToValidUTF8([]byte(clean), []byte("\uFFFD"))
}

func (r *Redactor) clean(text string, emails bool) string {
	if len(text) < 8 {
		return text
	}
	if hinted(text) {
		for _, pattern := range secrets {
			text = pattern.ReplaceAllString(text, "${1}"+redacted)
		}
	}
	if emails && strings.IndexByte(text, '@') >= 0 {
		text = email.ReplaceAllString(text, redacted)
	}
	if digits(text) >= 13 {
		text = card.ReplaceAllStringFunc(text, func(number string) string {
			if luhn(number) {
				return redacted
			}
			return number
		})
	}
	for _, pattern := range r.More {
		text = pattern.ReplaceAllString(text, redacted)
	}
	return text
}

func hinted(text string) bool {
	for i := range len(text) {
		c := text[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		for _, rest := range hintsBy[c] {
			if len(text) > i+len(rest) && strings.EqualFold(text[i+1:i+1+len(rest)], rest) {
				return true
			}
		}
	}
	return strings.IndexByte(text, '@') >= 0 && strings.Contains(text, "://")
}

// digits returns the length of the longest run of digits, spaces and dashes between them not counted.
func digits(text string) int {
	most, run := 0, 0
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			run++
			most = max(most, run)
		case c == ' ' || c == '-':
		default:
			run = 0
		}
	}
	return most
}

// luhn reports whether the digits of number end in the check digit of ISO/IEC 7812-1.
func luhn(number string) bool {
	sum, double, any := 0, false, false
	for i := len(number) - 1; i >= 0; i-- {
		if number[i] < '0' || number[i] > '9' {
			continue
		}
		d := int(number[i] - '0')
		any = any || d != 0
		if double {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
		double = !double
	}
	return any && sum%10 == 0
}
