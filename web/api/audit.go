package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/fairlead/fairlead/base/audit"
)

// AuditEntry is one leaf of the audit log.
type AuditEntry struct {
	N      int64     `json:"n" doc:"Its number; the log counts from 0 without gaps."`
	At     time.Time `json:"at"`
	Actor  string    `json:"actor" doc:"Who did it; the pseudonym if the person was erased."`
	Person string    `json:"person,omitempty" doc:"The pseudonym under which the log keeps the person; absent if the actor is none."`
	Erased bool      `json:"erased" doc:"The person was erased: reason and row cannot be read any more."`
	Action string    `json:"action" doc:"What was done." example:"silence.create"`
	Object string    `json:"object" doc:"What it was done to."`
	Reason string    `json:"reason"`
	Row    any       `json:"row,omitempty" doc:"The stored row as it was from then on, if the leaf attests one."`
}

// AuditPage is a page of the audit log, newest first.
type AuditPage struct {
	Items []AuditEntry `json:"items"`
	Next  string       `json:"next" doc:"Empty at the end. A page that looks for a text may be short although more follow."`
}

// AuditState says how large the log is, what commits to it, and whether that is kept elsewhere.
type AuditState struct {
	Size int64  `json:"size" doc:"Leaves."`
	Root string `json:"root" doc:"The hash of the Merkle tree, base64: it commits to every leaf."`
	Key  string `json:"key" doc:"The public key that checkpoints are signed with, in the form of a signed note (golang.org/x/mod/sumdb/note)."`
	// Exported is absent when checkpoints are exported nowhere.
	Exported *AuditExported `json:"exported,omitempty"`
}

// AuditExported says how the export of checkpoints goes.
type AuditExported struct {
	Size    int64      `json:"size" doc:"The size of the log in the newest exported checkpoint; -1 before the first."`
	At      *time.Time `json:"at,omitempty"`
	Problem string     `json:"problem,omitempty" doc:"Why the newest attempt failed."`
}

// InclusionProof proves that a leaf is in the log (RFC 6962, section 2.1.1).
type InclusionProof struct {
	Leaf   int64    `json:"leaf"`
	Size   int64    `json:"size" doc:"The size of the log it is proved for."`
	Root   string   `json:"root" doc:"That log's root, base64."`
	Hash   string   `json:"hash" doc:"SHA-256 of a zero byte and the record, base64."`
	Record []byte   `json:"record" doc:"What is hashed, base64."`
	Path   []string `json:"path" doc:"The hashes from the leaf up to the root, base64."`
}

// ConsistencyProof proves that an earlier log is the beginning of a later one (RFC 6962, section 2.1.2).
type ConsistencyProof struct {
	From     int64    `json:"from"`
	FromRoot string   `json:"fromRoot"`
	To       int64    `json:"to"`
	ToRoot   string   `json:"toRoot"`
	Path     []string `json:"path"`
}

// Erasure says what was done to forget a person.
type Erasure struct {
	Name      string `json:"-"`
	Pseudonym string `json:"pseudonym" doc:"Stands wherever the name stood."`
	Steps     int    `json:"steps" doc:"Steps of incidents that held the name."`
	Records   int    `json:"records" doc:"Decision records of alerts that held it."`
	Texts     int    `json:"texts" doc:"Messages and refused payloads that held it."`
}

type eraseBody struct {
	Name string `path:"name" maxLength:"200"`
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"2000"`
	}
}

type auditQuery struct {
	Actor     string    `query:"actor" maxLength:"200" doc:"A name or a pseudonym."`
	Action    string    `query:"action" maxLength:"100" doc:"An action, or the beginning of some if it ends in a full stop." example:"incident."`
	Object    string    `query:"object" maxLength:"500"`
	Text      string    `query:"text" maxLength:"200" doc:"Stands in actor, action, object or reason; letter case does not matter."`
	Since     time.Time `query:"since"`
	Until     time.Time `query:"until"`
	Decisions bool      `query:"decisions" doc:"With the leaves of automatic decisions, one a commit."`
	Cursor    string    `query:"cursor" doc:"next of the page before."`
	Limit     int       `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

// AuditLeafPath names a leaf.
type AuditLeafPath struct {
	N int64 `path:"n" minimum:"0"`
}

type inclusionQuery struct {
	AuditLeafPath
	Size int64 `query:"size" minimum:"0" doc:"The size of the log to prove it for; 0 takes the whole."`
}

type consistencyQuery struct {
	From int64 `query:"from" minimum:"1" required:"true"`
	To   int64 `query:"to" minimum:"0" doc:"0 takes the whole log."`
}

// checkpointText answers a signed note as it is.
type checkpointText struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (a *API) auditRoutes() {
	route(a, http.MethodGet, "/audit", "list-audit", "The audit log, newest first", a.listAudit)
	route(a, http.MethodGet, "/audit/state", "get-audit-state", "Size, root and key of the audit log", a.auditState)
	route(a, http.MethodGet, "/audit/checkpoint", "get-audit-checkpoint", "The log as it is now, signed", a.checkpoint)
	route(a, http.MethodGet, "/audit/consistency", "get-audit-consistency", "Prove that the log only grew", a.consistency)
	route(a, http.MethodGet, "/audit/leaves/{n}", "get-audit-leaf", "One leaf of the audit log", a.auditLeaf)
	route(a, http.MethodPost, "/people/{name}/erase", "erase-person", "Forget a person who is no user any more", a.erasePerson)
	route(a, http.MethodGet, "/audit/leaves/{n}/proof", "get-audit-proof", "Prove that a leaf is in the log", a.inclusion)
}

func auditEntry(e *audit.Entry) AuditEntry {
	entry := AuditEntry{N: e.N, At: e.At, Actor: e.Actor, Person: e.Person, Erased: e.Erased, Action: e.Action, Object: e.Object, Reason: e.Reason}
	var row map[string]any
	if e.Row != nil && json.Unmarshal(e.Row, &row) == nil {
		for name, value := range row {
			if text, ok := value.(string); ok && name == "body" { // a document within the row
				var document any
				if json.Unmarshal([]byte(text), &document) == nil {
					row[name] = document
				}
			}
		}
		entry.Row = row
	}
	return entry
}

func (a *API) listAudit(ctx context.Context, in *auditQuery) (*body[AuditPage], error) {
	list, next, err := audit.List(ctx, a.cfg.DB.Read(), audit.Filter{
		Actor: in.Actor, Action: in.Action, Object: in.Object, Text: in.Text, Since: in.Since, Until: in.Until,
		Decisions: in.Decisions, Cursor: in.Cursor, Limit: in.Limit,
	})
	if errors.Is(err, audit.ErrRange) {
		return nil, invalid("query.cursor", in.Cursor, "use the value of next from the page before")
	}
	if err != nil {
		return nil, err
	}
	page := AuditPage{Items: []AuditEntry{}, Next: next}
	for i := range list {
		page.Items = append(page.Items, auditEntry(&list[i]))
	}
	return answer(page), nil
}

func (a *API) auditLeaf(ctx context.Context, in *AuditLeafPath) (*body[AuditEntry], error) {
	e, err := audit.Find(ctx, a.cfg.DB.Read(), in.N)
	if err != nil {
		return nil, err
	}
	return answer(auditEntry(&e)), nil
}

func (a *API) auditState(ctx context.Context, _ *none) (*body[AuditState], error) {
	size, root, err := audit.Root(ctx, a.cfg.DB.Read())
	if err != nil {
		return nil, err
	}
	state := AuditState{Size: size, Root: root.String()}
	if a.cfg.Signer != nil {
		state.Key = a.cfg.Signer.Key()
	}
	if a.cfg.Exported != nil {
		e := a.cfg.Exported()
		state.Exported = &AuditExported{Size: e.Size, At: optional(e.At)}
		if e.Err != nil {
			state.Exported.Problem = e.Err.Error()
		}
	}
	return answer(state), nil
}

func (a *API) checkpoint(ctx context.Context, _ *none) (*checkpointText, error) {
	text, _, err := a.cfg.Signer.Sign(ctx, a.cfg.DB.Read(), a.cfg.Clock.Now())
	if err != nil {
		return nil, err
	}
	return &checkpointText{ContentType: "text/plain; charset=utf-8", Body: text}, nil
}

func (a *API) inclusion(ctx context.Context, in *inclusionQuery) (*body[InclusionProof], error) {
	p, err := audit.ProveInclusion(ctx, a.cfg.DB.Read(), in.N, in.Size)
	if errors.Is(err, audit.ErrRange) {
		return nil, invalid("query.size", strconv.FormatInt(in.Size, 10), sentence(err.Error()))
	}
	if err != nil {
		return nil, err
	}
	return answer(InclusionProof{Leaf: p.Leaf, Size: p.Size, Root: p.Root.String(), Hash: p.Hash.String(), Record: p.Record, Path: hashes(p.Path)}), nil
}

func (a *API) consistency(ctx context.Context, in *consistencyQuery) (*body[ConsistencyProof], error) {
	p, err := audit.ProveConsistency(ctx, a.cfg.DB.Read(), in.From, in.To)
	if errors.Is(err, audit.ErrRange) {
		return nil, invalid("query.from", strconv.FormatInt(in.From, 10), sentence(err.Error()))
	}
	if err != nil {
		return nil, err
	}
	return answer(ConsistencyProof{From: p.From, FromRoot: p.FromRoot.String(), To: p.To, ToRoot: p.ToRoot.String(), Path: hashes(p.Path)}), nil
}

func hashes(path []audit.Hash) []string {
	texts := make([]string, len(path))
	for i, hash := range path {
		texts[i] = hash.String()
	}
	return texts
}

func (a *API) erasePerson(ctx context.Context, in *eraseBody) (*body[Erasure], error) {
	done, err := a.cfg.Erase(ctx, in.Name, actor(ctx), in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return answer(done), nil
}
