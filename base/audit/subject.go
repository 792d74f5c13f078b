package audit

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/fairlead/fairlead/base/store"
)

const (
	// subjectPrefix begins every pseudonym.
	subjectPrefix = "person:"
	sealedPrefix  = "sealed:"
	keyBytes      = 32
)

// machines are the actors that are no people; their names stand in the log as they are.
var machines = map[string]bool{"": true, "engine": true, "fairlead": true}

// Person reports whether an actor is sealed: everybody but Fairlead itself.
func Person(actor string) bool { return !machines[actor] }

// subject is one person as the log knows them.
type subject struct {
	id, name string
	aead     cipher.AEAD
}

func newSubject(id, name string, key []byte) (*subject, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", id, err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", id, err)
	}
	return &subject{id: id, name: name, aead: aead}, nil
}

// pseudonym returns how the log calls a person: HMAC-SHA256 of the name under the person's key. So it commits to both, and
// says nothing once the key is gone.
func pseudonym(name string, key []byte) string {
	mac := hmac.New(sha256.New, key)
	_, _ = io.WriteString(mac, name)
	return subjectPrefix + strings.ToLower(base32.StdEncoding.EncodeToString(mac.Sum(nil)[:15]))
}

// seal encrypts with AES-256-GCM under the person's key; the pseudonym is authenticated with it.
func (s *subject) seal(text []byte) []byte { return s.aead.Seal(nil, nil, text, []byte(s.id)) }

func (s *subject) open(sealed []byte) ([]byte, error) {
	return s.aead.Open(nil, nil, sealed, []byte(s.id))
}

// sealText seals a text for a column of text; an empty one stays empty.
func (s *subject) sealText(text string) string {
	if text == "" {
		return ""
	}
	return sealedPrefix + base64.RawStdEncoding.EncodeToString(s.seal([]byte(text)))
}

func (s *subject) openText(text string) (string, error) {
	encoded, sealed := strings.CutPrefix(text, sealedPrefix)
	if !sealed {
		return text, nil
	}
	data, err := base64.RawStdEncoding.DecodeString(encoded)
	if err != nil {
		return "", err
	}
	opened, err := s.open(data)
	return string(opened), err
}

// sealer seals leaves within one transaction.
type sealer struct {
	ctx   context.Context
	tx    bun.Tx
	known map[string]*subject // by name
}

// seal returns the leaf as the log keeps it: of a person only the pseudonym, and reason and row sealed.
func (s *sealer) seal(leaf *Leaf) (Leaf, error) {
	kept := *leaf
	var who *subject
	if Person(leaf.Actor) {
		var err error
		if who, err = s.subject(store.Text(leaf.Actor), leaf.At); err != nil {
			return kept, fmt.Errorf("seal audit leaf: %w", err)
		}
		kept.Actor, kept.Reason = who.id, who.sealText(leaf.Reason)
	}
	if aboutPerson(leaf.Action) && leaf.Object != "" {
		var err error
		if who, err = s.subject(store.Text(leaf.Object), leaf.At); err != nil {
			return kept, fmt.Errorf("seal audit leaf: %w", err)
		}
		kept.Object = who.id // and the row is theirs, not that of whoever wrote it
	}
	if leaf.Row != nil {
		kept.Data = attestRow(leaf.Row, who)
		kept.Row = nil
	}
	return kept, nil
}

// aboutPerson reports whether the object of an action is a person, who is sealed as an actor is: so it is with every action
// that begins with "user.", and with links for a user.
func aboutPerson(action string) bool {
	return strings.HasPrefix(action, "user.") || action == "link.user"
}

// subject returns the person of this name, who is made if there is none.
func (s *sealer) subject(name string, now time.Time) (*subject, error) {
	if known := s.known[name]; known != nil {
		return known, nil
	}
	var id string
	var key []byte
	err := s.tx.QueryRowContext(s.ctx, "SELECT id, seal_key FROM audit_subjects WHERE name = ?", name).Scan(&id, &key)
	if errors.Is(err, sql.ErrNoRows) {
		key = make([]byte, keyBytes)
		_, _ = rand.Read(key) // never fails
		id = pseudonym(name, key)
		_, err = s.tx.NewRaw("INSERT INTO audit_subjects (id, name, seal_key, created_at) VALUES (?, ?, ?, ?)", id, name, key, store.Millis(now)).Exec(s.ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("person %q: %w", name, store.Classify(err))
	}
	who, err := newSubject(id, name, key)
	if err != nil {
		return nil, err
	}
	s.known[name] = who
	return who, nil
}

// EraseAction is the action of the leaf that an erasure leaves.
const EraseAction = "person.erase"

// Erase forgets a person within tx: name and key are gone, so what is sealed can never be read again, while every leaf and
// every proof stays as it is. It adds one leaf: by gives At, Actor, Reason, and Data, with which whoever clears rows of other
// tables attests what they are now. It returns the pseudonym that remains. The error wraps store.ErrNotFound if the log
// knows nobody of this name.
func Erase(ctx context.Context, tx bun.Tx, name string, by Leaf) (id string, err error) {
	err = tx.QueryRowContext(ctx, "SELECT id FROM audit_subjects WHERE name = ?", name).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("person %q: %w", name, store.ErrNotFound)
	}
	if err != nil {
		return "", fmt.Errorf("erase %q: %w", name, store.Classify(err))
	}
	by.Action, by.Object = EraseAction, id
	if _, err := Append(ctx, tx, by); err != nil {
		return "", err
	}
	// The key is overwritten before the row goes, so that it does not stay readable in the free part of a page.
	for _, statement := range []string{"UPDATE audit_subjects SET name = id, seal_key = ? WHERE id = ?", "DELETE FROM audit_subjects WHERE seal_key = ? AND id = ?"} {
		if _, err := tx.NewRaw(statement, make([]byte, keyBytes), id).Exec(ctx); err != nil {
			return "", fmt.Errorf("erase %q: %w", name, store.Classify(err))
		}
	}
	return id, nil
}

// readSubjects returns everybody the log knows, by pseudonym.
func readSubjects(ctx context.Context, db bun.IDB) (people map[string]*subject, err error) {
	rows, err := db.QueryContext(ctx, "SELECT id, name, seal_key FROM audit_subjects")
	if err != nil {
		return nil, fmt.Errorf("read people of the audit log: %w", store.Classify(err))
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	people = map[string]*subject{}
	for rows.Next() {
		var id, name string
		var key []byte
		if err := rows.Scan(&id, &name, &key); err != nil {
			return nil, fmt.Errorf("read people of the audit log: %w", store.Classify(err))
		}
		if pseudonym(name, key) != id {
			continue // somebody changed it: nobody must be blamed by that name
		}
		who, err := newSubject(id, name, key)
		if err != nil {
			return nil, err
		}
		people[id] = who
	}
	return people, rows.Err()
}
