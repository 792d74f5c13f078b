package alert

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/entity"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
)

var columns = []string{
	"seq", "source", "identity", "fingerprint", "template_key", "name", "severity", "entity", "labels",
	"annotations", "generator_url", "state", "starts_at", "ends_at", "received_at", "last_received_at",
	"expires_at", "reports", "flaps", "flapping", "silenced_by", "inhibited_by", "incident", "why", "decision",
	"decision_lines", "chain",
}

const updateChanged = `UPDATE alerts SET severity = ?, annotations = coalesce(?, annotations),
	generator_url = coalesce(?, generator_url), state = ?, starts_at = ?, ends_at = ?,
	last_received_at = ?, expires_at = ?, reports = ?, flaps = ?, flapping = ?, silenced_by = ?, inhibited_by = ?, incident = ?,
	why = coalesce(?, why), decision = decision || ?, decision_lines = ?, chain = ? WHERE seq = ?`

const updateLabels = `UPDATE alerts SET template_key = ?, name = ?, entity = ?, labels = ? WHERE seq = ?`

const updateRepeated = `UPDATE alerts SET last_received_at = ?, expires_at = ?, reports = ? WHERE seq = ?`

// Save stores changed episodes within tx; call Changes.Stored after the commit. It returns, for the audit log, one entry for
// each changed decision record: the alert's id, a zero byte and the 32-byte chain.
func Save(ctx context.Context, tx store.Tx, c Changes) (decisions []byte, err error) {
	rows := make([][]any, len(c.Fresh))
	for i, e := range c.Fresh {
		decisions = appendDecision(decisions, e)
		rows[i] = row(e)
	}
	if err := store.Insert(ctx, tx, "alerts", columns, "", rows); err != nil {
		return nil, fmt.Errorf("insert %d alerts: %w", len(rows), err)
	}
	for _, e := range c.Changed {
		if len(e.Lines) > 0 {
			decisions = appendDecision(decisions, e)
		}
		var annotations, link, why any // nil leaves what is stored
		if e.textNew {
			annotations, link = encodeLabels(e.Annotations), e.GeneratorURL
		}
		if e.Why != nil {
			why = string(e.Why)
		}
		_, err := store.Exec(ctx, tx, updateChanged, int(e.Severity), annotations, link, string(e.State),
			store.Millis(e.StartsAt), store.Millis(e.EndsAt), store.Millis(e.LastReceivedAt), store.Millis(e.ExpiresAt), e.Reports, e.Flaps, flag(e.Flapping),
			strings.Join(e.SilencedBy, ","), strings.Join(e.InhibitedBy, ","), int64(e.Incident), why, e.encodeLines(), e.lines, hex.EncodeToString(e.Chain[:]), int64(e.Seq)) //nolint:gosec // numbers far below 2^63
		if err != nil {
			return nil, fmt.Errorf("update alert %s: %w", e.ID, err)
		}
		if !e.labelsNew {
			continue
		}
		if _, err := store.Exec(ctx, tx, updateLabels, e.TemplateKey, e.Name(), e.Entity().String(), encodeLabels(e.Labels), int64(e.Seq)); err != nil { //nolint:gosec // as above
			return nil, fmt.Errorf("update labels of alert %s: %w", e.ID, err)
		}
	}
	for _, e := range c.Repeated {
		if _, err := store.Exec(ctx, tx, updateRepeated, store.Millis(e.LastReceivedAt), store.Millis(e.ExpiresAt), e.Reports, int64(e.Seq)); err != nil { //nolint:gosec // as above
			return nil, fmt.Errorf("update alert %s: %w", e.ID, err)
		}
	}
	return decisions, nil
}

func row(e *Episode) []any {
	return []any{
		int64(e.Seq), e.Source, e.Identity, e.Fingerprint.String(), e.TemplateKey, e.Name(), int(e.Severity), //nolint:gosec // as above
		e.Entity().String(), encodeLabels(e.Labels), encodeLabels(e.Annotations), e.GeneratorURL, string(e.State),
		store.Millis(e.StartsAt), store.Millis(e.EndsAt), store.Millis(e.ReceivedAt), store.Millis(e.LastReceivedAt), store.Millis(e.ExpiresAt), e.Reports, e.Flaps, flag(e.Flapping),
		strings.Join(e.SilencedBy, ","), strings.Join(e.InhibitedBy, ","), int64(e.Incident), string(e.Why), e.encodeLines(), e.lines, hex.EncodeToString(e.Chain[:]), //nolint:gosec // as above
	}
}

func appendDecision(decisions []byte, e *Episode) []byte {
	decisions = append(decisions, e.ID...)
	decisions = append(decisions, 0)
	return append(decisions, e.Chain[:]...)
}

// DecisionEntries calls visit for each entry of what Save returned; false when data is damaged.
func DecisionEntries(data []byte, visit func(id string, chain [sha256.Size]byte)) bool {
	for len(data) > 0 {
		end := strings.IndexByte(string(data[:min(24, len(data))]), 0)
		if end < 0 || len(data) < end+1+sha256.Size {
			return false
		}
		visit(string(data[:end]), [sha256.Size]byte(data[end+1:end+1+sha256.Size]))
		data = data[end+1+sha256.Size:]
	}
	return true
}

// encodeLines returns the lines that were not stored yet.
func (e *Episode) encodeLines() string { return encodeLines(e.Lines) }

// encodeLines returns lines of a decision record as JSON, one a line.
func encodeLines(lines []Line) string {
	var buf []byte
	for _, line := range lines {
		buf = append(buf, `{"at":"`...)
		buf = line.At.AppendFormat(buf, "2006-01-02T15:04:05.000Z07:00")
		buf = append(buf, `","stage":`...)
		buf = appendJSON(buf, line.Stage)
		buf = append(buf, `,"outcome":`...)
		buf = appendJSON(buf, line.Outcome)
		buf = append(buf, `,"reason":`...)
		buf = appendJSON(buf, line.Reason)
		buf = append(buf, '}', '\n')
	}
	return string(buf)
}

// encodeLabels writes labels as a JSON object, names in order.
func encodeLabels(labels signal.Labels) string {
	buf := make([]byte, 0, 32*len(labels)+2)
	buf = append(buf, '{')
	for i, label := range labels {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = appendJSON(buf, label.Name)
		buf = append(buf, ':')
		buf = appendJSON(buf, label.Value)
	}
	return string(append(buf, '}'))
}

// appendJSON appends text as a JSON string; plain text, the usual case, without the detour over reflection.
func appendJSON(buf []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			quoted, err := json.Marshal(text)
			if err != nil {
				return append(buf, `""`...) // a string always marshals
			}
			return append(buf, quoted...)
		}
	}
	buf = append(buf, '"')
	buf = append(buf, text...)
	return append(buf, '"')
}

// textHash tells whether what a report says beside its labels has changed.
func textHash(a *signal.Alert) uint64 {
	h := fnv.New64a()
	for _, l := range a.Annotations {
		_, _ = io.WriteString(h, l.Name)
		_, _ = h.Write([]byte{0xff})
		_, _ = io.WriteString(h, l.Value)
		_, _ = h.Write([]byte{0xff})
	}
	_, _ = io.WriteString(h, a.GeneratorURL)
	return h.Sum64()
}

// decodeLabels reads what encodeLabels wrote. Plain text, the usual case, is cut out of text without the detour over
// reflection: a restart reads many.
func decodeLabels(text string) (signal.Labels, error) {
	if labels, plain := cutLabels(text); plain {
		return labels, nil
	}
	m := map[string]string{}
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return nil, fmt.Errorf("stored labels: %w", err)
	}
	return signal.NewLabels(m), nil
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

func split(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// Row is one stored alert.
type Row struct {
	Episode
	// Decision is the stored decision record.
	Decision []Line
	// IncidentState is the state of the incident that it belongs to, after merges; "" if none.
	IncidentState string
	// Root is the number of that incident; 0 if none.
	Root uint64
}

const selectColumns = `a.seq, a.source, a.identity, a.fingerprint, a.template_key, a.severity, a.labels, a.annotations,
	a.generator_url, a.state, a.starts_at, a.ends_at, a.received_at, a.last_received_at, a.expires_at, a.reports, a.flaps,
	a.flapping, a.silenced_by, a.inhibited_by, a.incident, a.why, a.decision_lines, a.chain`

func scan(rows *sql.Rows, more ...any) (*Episode, error) {
	e := &Episode{timer: -1}
	var fingerprint, labels, annotations, state, silenced, inhibited, why, chain string
	var severity, flapping int
	var starts, ends, received, last, expires int64
	dest := []any{
		&e.Seq, &e.Source, &e.Identity, &fingerprint, &e.TemplateKey, &severity, &labels, &annotations, &e.GeneratorURL, &state,
		&starts, &ends, &received, &last, &expires, &e.Reports, &e.Flaps, &flapping, &silenced, &inhibited, &e.Incident, &why, &e.lines, &chain,
	}
	if err := rows.Scan(append(dest, more...)...); err != nil {
		return nil, fmt.Errorf("read alert: %w", err)
	}
	e.ID = "A" + strconv.FormatUint(e.Seq, 10)
	f, err := strconv.ParseUint(fingerprint, 16, 64)
	if err != nil {
		return nil, fmt.Errorf("read alert %s: %w", e.ID, err)
	}
	e.Fingerprint, e.State, e.Severity = signal.Fingerprint(f), State(state), signal.Severity(severity) //nolint:gosec // stored from a Severity
	e.Flapping = flapping != 0
	e.StartsAt, e.EndsAt, e.ReceivedAt, e.LastReceivedAt, e.ExpiresAt = store.Time(starts), store.Time(ends), store.Time(received), store.Time(last), store.Time(expires)
	e.SilencedBy, e.InhibitedBy, e.Why = split(silenced), split(inhibited), []byte(why)
	if sum, err := hex.DecodeString(chain); err == nil && len(sum) == len(e.Chain) {
		copy(e.Chain[:], sum)
	}
	if e.Labels, err = decodeLabels(labels); err != nil {
		return nil, fmt.Errorf("read alert %s: %w", e.ID, err)
	}
	if e.Annotations, err = decodeLabels(annotations); err != nil {
		return nil, fmt.Errorf("read alert %s: %w", e.ID, err)
	}
	e.text = textHash(&signal.Alert{Annotations: e.Annotations, GeneratorURL: e.GeneratorURL})
	e.Service, e.Instance, e.Host = entity.Of(e.Labels.Get)
	return e, nil
}

// DecisionLines returns the length of the stored decision record.
func (e *Episode) DecisionLines() int { return e.lines }

// Load returns the alerts that still fire or that ended at or after since, those of the given incidents, and those with
// the given ids.
func Load(ctx context.Context, db store.Querier, since time.Time, incidents []uint64, ids []string) ([]*Episode, error) {
	where, args := "a.state = 'firing' OR (a.state = 'resolved' AND a.last_received_at >= ?)", []any{store.Millis(since)}
	if len(incidents) > 0 {
		where += " OR a.incident IN (?)"
		args = append(args, store.List(incidents))
	}
	if len(ids) > 0 {
		where += " OR a.seq IN (?)"
		args = append(args, store.List(sequences(ids)))
	}
	if since.IsZero() {
		where = strings.TrimPrefix(where, "a.state = 'firing' OR (a.state = 'resolved' AND a.last_received_at >= ?)")
		where, args = strings.TrimPrefix(where, " OR "), args[1:]
		if where == "" {
			return nil, nil
		}
	}
	rows, err := db.QueryContext(ctx, "SELECT "+selectColumns+" FROM alerts a WHERE "+where+" ORDER BY a.seq", args...)
	if err != nil {
		return nil, fmt.Errorf("load alerts: %w", err)
	}
	defer rows.Close()
	var episodes []*Episode
	for rows.Next() {
		e, err := scan(rows)
		if err != nil {
			return nil, err
		}
		episodes = append(episodes, e)
	}
	return episodes, rows.Err()
}

func sequences(ids []string) []int64 {
	out := make([]int64, 0, len(ids))
	for _, id := range ids {
		if n, err := ParseID(id); err == nil {
			out = append(out, int64(n)) //nolint:gosec // numbers far below 2^63
		}
	}
	return out
}

// ParseID returns the number in an id such as "A12".
func ParseID(id string) (uint64, error) {
	digits, found := strings.CutPrefix(id, "A")
	n, err := strconv.ParseUint(digits, 10, 63)
	if !found || err != nil || n == 0 {
		return 0, fmt.Errorf("id %q: want A and a number, for instance A12", id)
	}
	return n, nil
}

// cutLabels cuts names and values out of a JSON object without escapes whose names are in order.
func cutLabels(text string) (labels signal.Labels, plain bool) {
	if len(text) < 2 || text[0] != '{' || text[len(text)-1] != '}' || strings.IndexByte(text, '\\') >= 0 {
		return nil, false
	}
	rest := text[1 : len(text)-1]
	if rest == "" {
		return nil, true
	}
	labels = make(signal.Labels, 0, strings.Count(rest, `":"`))
	for {
		var name, value string
		var ok bool
		if rest, ok = strings.CutPrefix(rest, `"`); !ok {
			return nil, false
		}
		if name, rest, ok = strings.Cut(rest, `":"`); !ok {
			return nil, false
		}
		if value, rest, ok = strings.Cut(rest, `"`); !ok {
			return nil, false
		}
		if n := len(labels); n > 0 && labels[n-1].Name >= name {
			return nil, false
		}
		labels = append(labels, signal.Label{Name: name, Value: value})
		if rest == "" {
			return labels, true
		}
		if rest, ok = strings.CutPrefix(rest, ","); !ok {
			return nil, false
		}
	}
}
