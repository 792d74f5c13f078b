package access

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// What secrets begin with, so that people and scanners know them.
const (
	// TokenPrefix begins every API token.
	TokenPrefix   = "flt_"
	sessionPrefix = "fls_"
	linkPrefix    = "fll_"
)

const secretBytes = 32

// newSecret returns 256 random bits behind a prefix.
func newSecret(prefix string) string {
	b := make([]byte, secretBytes)
	rand.Read(b) //nolint:errcheck,gosec // it never fails
	return prefix + base64.RawURLEncoding.EncodeToString(b)
}

// hashOf returns what is stored of a secret: "" when it cannot be one. A secret is random and long, so a plain hash is enough.
func hashOf(prefix, secret string) string {
	const length = (secretBytes*8 + 5) / 6
	if !strings.HasPrefix(secret, prefix) || len(secret) != len(prefix)+length {
		return ""
	}
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// csrfOf returns what a session's changes must show: only who holds the session's secret can know it, and it does not give
// the secret away.
func csrfOf(secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("fairlead csrf v1"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:24])
}

// newID returns a random name for a session or token that is no secret.
func newID(prefix string) string { return prefix + strings.ToLower(rand.Text()[:16]) }
