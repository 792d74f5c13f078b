package access

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/trustelem/zxcvbn"
	"golang.org/x/crypto/argon2"
)

// How passwords are hashed: OWASP's second choice for argon2id, 19 MiB and two passes.
const (
	argonMemory  = 19 << 10 // KiB
	argonTime    = 2
	argonThreads = 1
	argonKey     = 32
	argonSalt    = 16
	// hashers bounds the memory that logins take together.
	hashers = 4
)

// Bounds of a password.
const (
	minPassword = 12
	maxPassword = 200
	// guessed is how much of a password is looked at for whether it could be guessed; looking costs more than its length.
	guessed  = 40
	minScore = 3 // of zxcvbn, 0 to 4: 10^8 guesses or more
)

// CheckPassword returns an *InvalidError when a password is too short, too long or easy to guess; words are what somebody
// would try first, such as the user's name.
func CheckPassword(password string, words ...string) error {
	switch n := utf8.RuneCountInString(password); {
	case !utf8.ValidString(password):
		return invalid("password", "it is not text in UTF-8")
	case n < minPassword:
		return invalid("password", "it has %d characters: take at least %d, for instance four words", n, minPassword)
	case len(password) > maxPassword:
		return invalid("password", "it has %d bytes: take at most %d", len(password), maxPassword)
	}
	head := password
	if len(head) > guessed {
		head = head[:guessed]
	}
	if zxcvbn.PasswordStrength(head, append(words, "fairlead")).Score < minScore {
		return invalid("password", "it is easy to guess: take several unrelated words, and neither your name nor a known password")
	}
	return nil
}

// hasher hashes passwords, a few at a time.
type hasher struct {
	slots chan struct{}
	dummy string
}

func newHasher() *hasher {
	h := &hasher{slots: make(chan struct{}, hashers)}
	h.dummy = encode(derive(rand.Text(), make([]byte, argonSalt), argonMemory, argonTime, argonThreads), make([]byte, argonSalt))
	return h
}

func derive(password string, salt []byte, memory, passes uint32, threads uint8) []byte {
	return argon2.IDKey([]byte(password), salt, passes, memory, threads, argonKey)
}

func encode(key, salt []byte) string {
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads, b.EncodeToString(salt), b.EncodeToString(key))
}

func (h *hasher) wait(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// hash returns the hash of a password in the usual form ($argon2id$v=19$m=...).
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	if err := h.wait(ctx); err != nil {
		return "", err
	}
	defer func() { <-h.slots }()
	salt := make([]byte, argonSalt)
	rand.Read(salt) //nolint:errcheck,gosec // it never fails
	return encode(derive(password, salt, argonMemory, argonTime, argonThreads), salt), nil
}

// matches reports whether password has this hash; "" takes as long as any other and matches nothing.
func (h *hasher) matches(ctx context.Context, password, hash string) (bool, error) {
	known := hash != ""
	if !known {
		hash = h.dummy
	}
	memory, passes, threads, salt, key, err := parseHash(hash)
	if err != nil {
		return false, err
	}
	if len(password) > maxPassword {
		password = password[:maxPassword] // none that long was ever set
		known = false
	}
	if err := h.wait(ctx); err != nil {
		return false, err
	}
	defer func() { <-h.slots }()
	same := subtle.ConstantTimeCompare(derive(password, salt, memory, passes, threads), key) == 1
	return same && known, nil
}

// parseHash reads what hash has written, with whatever parameters were usual then, up to 1 GiB.
func parseHash(hash string) (memory, passes uint32, threads uint8, salt, key []byte, err error) {
	bad := func() (uint32, uint32, uint8, []byte, []byte, error) {
		return 0, 0, 0, nil, nil, fmt.Errorf("a stored password hash is damaged")
	}
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return bad()
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &threads); n != 3 || err != nil {
		return bad()
	}
	if memory < 8 || memory > 1<<20 || passes < 1 || passes > 64 || threads < 1 {
		return bad()
	}
	b := base64.RawStdEncoding
	salt, saltErr := b.DecodeString(parts[4])
	key, keyErr := b.DecodeString(parts[5])
	if saltErr != nil || keyErr != nil || len(salt) < 8 || len(key) != argonKey {
		return bad()
	}
	return memory, passes, threads, salt, key, nil
}
