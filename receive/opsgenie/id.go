package opsgenie

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
)

// action is what a request asked for; its number is part of request ids and must not change.
type action struct {
	number byte
	// name is Opsgenie's own, done its word for what has become of it.
	name, done string
}

var actions = []action{
	{0, "", ""},
	{1, "Create", "Created alert"},
	{2, "Close", "Closed alert"},
	{3, "Acknowledge", "Acknowledged alert"},
	{4, "UnAcknowledge", "Unacknowledged alert"},
	{5, "AddNote", "Added note to alert"},
	{6, "Snooze", "Snoozed alert"},
	{7, "EscalateToNext", "Escalated alert"},
	{8, "AssignOwnership", "Assigned alert"},
	{9, "AddResponder", "Added responder to alert"},
	{10, "AddTeam", "Added team to alert"},
	{11, "AddTags", "Added tags to alert"},
	{12, "AddDetails", "Added details to alert"},
	{13, "Update Message", "Updated message of alert"},
	{14, "Update Description", "Updated description of alert"},
	{15, "Update Priority", "Updated priority of alert"},
	{16, "Delete", "Deleted alert"},
	{17, "RemoveTags", "Removed tags of alert"},
	{18, "RemoveDetails", "Removed details of alert"},
	{19, "Custom Action", "Executed action on alert"},
}

const (
	alertMark   = 0x81 // UUID version 8, for our own use
	requestMark = 0x82
)

// epoch is the beginning of the milliseconds in request ids: 40 bits reach until 2058.
var epoch = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// fingerprintOf returns the fingerprint of the alert with this identity.
func fingerprintOf(identity string) signal.Fingerprint {
	return (&signal.Alert{Identity: identity, Keyed: true}).Fingerprint()
}

// alertID returns the id of an integration's alert: a UUID that holds the fingerprint of its identity and a checksum.
func alertID(integration string, f signal.Fingerprint) string {
	u := uuidOf(f, alertMark)
	sum := checksum(integration, f)
	copy(u[10:], sum[:6])
	return uuidText(u)
}

// requestID returns the id of a request about an alert.
func requestID(f signal.Fingerprint, act byte, at time.Time) string {
	u := uuidOf(f, requestMark)
	var millis [8]byte
	binary.BigEndian.PutUint64(millis[:], uint64(max(0, at.Sub(epoch).Milliseconds()))) //nolint:gosec // not negative
	copy(u[10:15], millis[3:])
	u[15] = act
	return uuidText(u)
}

// readAlertID returns the fingerprint in an integration's alert id; ok is false when it is not one.
func readAlertID(integration, id string) (f signal.Fingerprint, ok bool) {
	u, ok := uuidBytes(id)
	if !ok || u[6] != alertMark {
		return 0, false
	}
	f = fingerprintIn(u)
	return f, alertID(integration, f) == strings.ToLower(id)
}

// readRequestID returns what a request was about; ok is false when it is no request's id.
func readRequestID(id string) (f signal.Fingerprint, act action, at time.Time, ok bool) {
	u, ok := uuidBytes(id)
	if !ok || u[6] != requestMark || int(u[15]) >= len(actions) {
		return 0, action{}, time.Time{}, false
	}
	var millis [8]byte
	copy(millis[3:], u[10:15])
	at = epoch.Add(time.Duration(binary.BigEndian.Uint64(millis[:])) * time.Millisecond) //nolint:gosec // 40 bits
	return fingerprintIn(u), actions[u[15]], at, true
}

// uuidOf lays a fingerprint around the bits that make a UUID of version 8.
func uuidOf(f signal.Fingerprint, mark byte) (u [16]byte) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(f))
	copy(u[:6], b[:6])
	u[6], u[7], u[8], u[9] = mark, b[6], 0x80, b[7]
	return u
}

func fingerprintIn(u [16]byte) signal.Fingerprint {
	var b [8]byte
	copy(b[:6], u[:6])
	b[6], b[7] = u[7], u[9]
	return signal.Fingerprint(binary.BigEndian.Uint64(b[:]))
}

func checksum(integration string, f signal.Fingerprint) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%s\x00%s", integration, f))
}

func uuidText(u [16]byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

func uuidBytes(text string) (u [16]byte, ok bool) {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return u, false
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil || len(raw) != len(u) {
		return u, false
	}
	copy(u[:], raw)
	return u, true
}

// bodyKey makes the key of an alert without alias: the id of its body, in the form of a UUID.
func bodyKey(body []byte) string {
	sum := sha256.Sum256(body)
	u := [16]byte(sum[:16])
	u[6], u[8] = u[6]&0x0f|0x80, u[8]&0x3f|0x80
	return uuidText(u)
}

// anyID returns a fresh random id, for answers that are about no alert.
func anyID() string {
	var u [16]byte
	_, _ = rand.Read(u[:]) // it never fails
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return uuidText(u)
}
