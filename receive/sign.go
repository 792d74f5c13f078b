package receive

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/integration"
)

// Signature is an HMAC-SHA256 that a request carries instead of a key, or beside it.
type Signature struct {
	// Header is where it stands.
	Header string
	// MAC is what stands there, in hexadecimal, with or without "sha256=" before it; Message is what was signed.
	MAC     string
	Message []byte
	// SignedAt is when, in seconds since 1970, if the sender signs that too: an old signature is then refused.
	SignedAt string
}

// signedFor is how long a signature with a time is good, and how far ahead that time may lie.
const signedFor = 10 * time.Minute

// SignatureOf returns the signature of the body under the first of headers that the request has, nil if it has none.
func SignatureOf(r *Request, headers ...string) *Signature {
	for _, header := range headers {
		if mac := r.Header.Get(header); mac != "" {
			return &Signature{Header: header, MAC: mac, Message: r.Body}
		}
	}
	return nil
}

// SigningKey is integration.SigningKey.
func SigningKey(secret string) string { return integration.SigningKey(secret) }

// signed reports whether a request carries a good signature of the integration that it names. Without a key there is nothing
// to check it against, and the other rules of Admit hold.
func (g *Gate) signed(s *Signature, knock integration.Knock, now time.Time) (good bool, problem *Problem) {
	if s == nil {
		return false, nil
	}
	i, _, _, err := g.Integrations.Find(knock.Name)
	if err != nil || i.Kind != knock.Kind {
		return false, nil //nolint:nilerr // Admit says so
	}
	mac, _ := hex.DecodeString(strings.TrimPrefix(strings.TrimSpace(s.MAC), "sha256=")) //nolint:errcheck // then no sum is equal
	known := false
	for _, k := range i.Keys {
		if !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt) {
			continue
		}
		known = true
		sum := hmac.New(sha256.New, []byte(k.Hash))
		sum.Write(s.Message)
		good = hmac.Equal(sum.Sum(nil), mac) || good
	}
	if good && s.SignedAt != "" {
		seconds, err := strconv.ParseInt(s.SignedAt, 10, 64)
		if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > signedFor {
			return false, &Problem{
				Status: http.StatusUnauthorized, Detail: "The signature is old.",
				Errors: []FieldError{{Field: "time of " + s.Header, Value: Excerpt(s.SignedAt), Remedy: "it must be within " + signedFor.String() + " of now, in seconds since 1970; set the sender's clock"}},
			}
		}
	}
	if good || !known {
		return good, nil
	}
	return false, &Problem{
		Status: http.StatusUnauthorized, Detail: "The signature is wrong.",
		Errors: []FieldError{{Field: s.Header, Value: hint(s.MAC), Remedy: "send the HMAC-SHA256 of the body in hexadecimal, by the integration's signing key: the SHA-256 of its key in hexadecimal"}},
	}
}
