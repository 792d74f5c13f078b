package audit

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// ErrCheckpoint says that a text is no checkpoint, or not one that the given key signed.
var ErrCheckpoint = errors.New("not a checkpoint of this log")

// Checkpoint says how large the log was and what its root was: it commits to every leaf before.
type Checkpoint struct {
	// Origin names the log; it is the name in the key.
	Origin string
	// Size is the number of leaves.
	Size int64
	// Root is the hash of the tree over them.
	Root tlog.Hash
	// At is when it was signed, to the second.
	At time.Time
}

// timeLine begins the line of a checkpoint that holds its time; readers of the format pass over lines they do not know.
const timeLine = "time "

// body returns the text that is signed: origin, size, root, and the time (C2SP tlog-checkpoint).
func (c Checkpoint) body() string {
	return c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + c.Root.String() + "\n" + timeLine + c.At.UTC().Format(time.RFC3339) + "\n"
}

// Signer signs checkpoints with an Ed25519 key in the form of a signed note (golang.org/x/mod/sumdb/note). It is safe for
// concurrent use.
type Signer struct {
	signer   note.Signer
	verifier string
}

// OpenSigner reads the signing key in a file, and makes key and file if there is none, with mode 0600. Name begins the name
// of a new key, which names the log.
func OpenSigner(file, name string) (*Signer, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = makeKey(file, name)
	}
	if err != nil {
		return nil, fmt.Errorf("signing key of the audit log: %w", err)
	}
	private, public, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	signer, err := note.NewSigner(private)
	if err != nil {
		return nil, fmt.Errorf("signing key in %s: %w; restore the file, or move it away to get a new key", file, err)
	}
	if _, err := note.NewVerifier(public); err != nil {
		return nil, fmt.Errorf("public key in %s: %w; restore the file, or move it away to get a new key", file, err)
	}
	return &Signer{signer: signer, verifier: public}, nil
}

func makeKey(file, name string) ([]byte, error) {
	private, public, err := note.GenerateKey(rand.Reader, name+"-"+strings.ToLower(rand.Text()[:8]))
	if err != nil {
		return nil, err
	}
	text := []byte(private + "\n" + public + "\n")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(text)
	return text, errors.Join(err, f.Sync(), f.Close())
}

// Key returns the public key with which everybody can check what is signed: name, hash and Ed25519 key in one line.
func (s *Signer) Key() string { return s.verifier }

// Sign returns the checkpoint of the log as it is now, as a signed note.
func (s *Signer) Sign(ctx context.Context, db bun.IDB, now time.Time) ([]byte, Checkpoint, error) {
	c := Checkpoint{Origin: s.signer.Name(), At: now}
	var err error
	if c.Size, c.Root, err = Root(ctx, db); err != nil {
		return nil, c, err
	}
	text, err := note.Sign(&note.Note{Text: c.body()}, s.signer)
	if err != nil {
		return nil, c, fmt.Errorf("sign checkpoint: %w", err)
	}
	return text, c, nil
}

// ReadCheckpoint checks the signature of a checkpoint by a public key, as Signer.Key returned it, and reads it. Errors wrap
// ErrCheckpoint.
func ReadCheckpoint(text []byte, key string) (Checkpoint, error) {
	bad := func(err error) (Checkpoint, error) { return Checkpoint{}, fmt.Errorf("%w: %w", ErrCheckpoint, err) }
	verifier, err := note.NewVerifier(strings.TrimSpace(key))
	if err != nil {
		return bad(fmt.Errorf("public key: %w", err))
	}
	signed, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return bad(err)
	}
	for _, signature := range signed.Sigs {
		// A byte whose change leaves the decoded signature as it is is a changed checkpoint all the same.
		if _, err := base64.StdEncoding.Strict().DecodeString(signature.Base64); err != nil {
			return bad(err)
		}
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return bad(errors.New("want the log's name, its size and its root, a line each"))
	}
	c := Checkpoint{Origin: lines[0]}
	if c.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.Size < 0 {
		return bad(fmt.Errorf("size %q is no number of leaves", lines[1]))
	}
	if c.Root, err = tlog.ParseHash(lines[2]); err != nil {
		return bad(err)
	}
	for _, line := range lines[3:] {
		if at, found := strings.CutPrefix(line, timeLine); found {
			if c.At, err = time.Parse(time.RFC3339, at); err != nil {
				return bad(err)
			}
		}
	}
	return c, nil
}

// Root returns the size of the log and the hash of its tree.
func Root(ctx context.Context, db bun.IDB) (size int64, root tlog.Hash, err error) {
	size, err = count(ctx, db)
	if err != nil {
		return 0, root, err
	}
	root, err = tlog.TreeHash(size, hashReader(ctx, db))
	if err != nil {
		return 0, root, fmt.Errorf("root of the audit log: %w", err)
	}
	return size, root, nil
}

// hashReader reads stored hashes for tlog.
func hashReader(ctx context.Context, db bun.IDB) tlog.HashReaderFunc {
	return func(positions []int64) ([]tlog.Hash, error) {
		stored, err := readHashes(ctx, db, positions)
		if err != nil {
			return nil, err
		}
		hashes := make([]tlog.Hash, 0, len(positions))
		for _, position := range positions {
			hash, ok := stored[position]
			if !ok {
				return nil, errDamaged
			}
			hashes = append(hashes, hash)
		}
		return hashes, nil
	}
}
