package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/test/postgres"
	"github.com/fairlead/fairlead/web/api"
)

// busy fills a server with a row of every kind that the audit log attests, and a person in as many places.
func busy(c *closed) (root []string) {
	c.t.Helper()
	root = c.browser(c.admin())
	annabella := c.browser(c.user("annabella", access.Grant{Role: access.Responder}, access.Grant{Role: access.Approver}))
	c.as(root, http.MethodPost, "/integrations", `{"name":"old","kind":"datadog"}`, 200, nil)
	c.as(root, http.MethodPost, "/integrations", `{"name":"kept","kind":"json"}`, 200, nil)
	c.as(root, http.MethodPost, "/teams", `{"name":"payments","description":"annabella and others"}`, 200, nil)
	now := time.Now().UTC()
	c.as(annabella, http.MethodPost, "/maintenance", fmt.Sprintf(`{"title":"disks","matchers":["service=db"],"startsAt":%q,"endsAt":%q,"comment":"ask annabella"}`,
		now.Add(time.Hour).Format(time.RFC3339), now.Add(2*time.Hour).Format(time.RFC3339)), 200, nil)
	silence := fmt.Sprintf(`{"matchers":[{"name":"alertname","value":"Noise","isEqual":true,"isRegex":false}],"startsAt":%q,"endsAt":%q,"createdBy":"annabella","comment":"annabella knows"}`,
		now.Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339))
	if status, body := c.request(http.MethodPost, "/api/v2/silences", silence, annabella...); status != 200 {
		c.t.Fatalf("silence: %d %s", status, body)
	}
	if status, body := c.request(http.MethodPost, "/api/v2/alerts", `[{"labels":{"alertname":"Down","severity":"critical"}},{"labels":{"alertname":"Slow"}}]`); status != 200 {
		c.t.Fatalf("alerts: %d %s", status, body)
	}
	if status, body := c.request(http.MethodPost, "/api/v2/alerts", `[{"labels":{"alertname":"Down"},"startsAt":"by annabella"}]`); status != 400 {
		c.t.Fatalf("a wrong alert: %d %s", status, body)
	}
	var page api.IncidentPage
	c.until("there is an incident", func() bool {
		c.as(root, http.MethodGet, "/incidents", "", 200, &page)
		return len(page.Items) > 0
	})
	id := page.Items[0].ID
	c.as(annabella, http.MethodPost, "/incidents/"+id+"/acknowledge", `{"note":"annabella is on it"}`, 200, nil)
	c.as(annabella, http.MethodPost, "/incidents/"+id+"/own", `{"owner":"annabella"}`, 200, nil)
	var noted api.ActionResult
	c.as(root, http.MethodPost, "/incidents/"+id+"/own", `{"owner":"root"}`, 200, &noted)
	c.as(root, http.MethodPost, "/incidents/"+id+"/notes", `{"text":"@annabella, look"}`, 200, nil)
	c.as(annabella, http.MethodPost, "/steps/"+noted.Step.ID+"/undo", "", 200, nil)
	c.as(annabella, http.MethodPut, "/me/views", `{"page":"incidents","name":"mine","query":"state:open"}`, 200, nil)
	var asked api.Approval
	c.as(root, http.MethodDelete, "/integrations/old?reason=annabella+said+so", "", 202, &asked)
	c.as(annabella, http.MethodPost, "/approvals/"+asked.ID+"/approve", `{"reason":"right"}`, 200, nil)
	c.until("it is deleted", func() bool {
		status, _ := c.request(http.MethodGet, api.Prefix+"/integrations/old", "", root...)
		return status == http.StatusNotFound
	})
	return root
}

func (c *closed) verify() AuditReport {
	c.t.Helper()
	report, err := VerifyAudit(c.t.Context(), &c.cfg, AuditProof{}, c.opts.Logger)
	if err != nil {
		c.t.Fatal(err)
	}
	return report
}

func TestAPersonIsErasedEverywhereAndTheLogStaysWhole(t *testing.T) {
	c := startClosed(t, testConfig(t))
	root := busy(c)
	c.as(root, http.MethodPost, "/people/annabella/erase", `{"reason":"she left"}`, 409, nil)
	var user struct {
		Version int64 `json:"version"`
	}
	c.as(root, http.MethodGet, "/users/annabella", "", 200, &user)
	c.as(append(root, "If-Match", fmt.Sprintf(`"%d"`, user.Version)), http.MethodDelete, "/users/annabella?reason=left", "", 204, nil)
	var erased api.Erasure
	c.as(root, http.MethodPost, "/people/annabella/erase", `{"reason":"she left"}`, 200, &erased)
	if !strings.HasPrefix(erased.Pseudonym, "person:") || erased.Steps < 4 || erased.Texts < 1 {
		t.Errorf("got %+v", erased)
	}
	c.as(root, http.MethodPost, "/people/annabella/erase", `{"reason":"she left"}`, 404, nil)
	if report := c.verify(); len(report.Problems) > 0 {
		t.Errorf("the audit log: %+v", report.Problems)
	}
	// What is in memory must have forgotten too: act again, stop, and look at every byte.
	var page api.IncidentPage
	c.as(root, http.MethodGet, "/incidents", "", 200, &page)
	c.as(root, http.MethodPost, "/incidents/"+page.Items[0].ID+"/resolve", `{"reason":"done"}`, 200, nil)
	if page.Items[0].AcknowledgedBy != erased.Pseudonym || page.Items[0].Owner != erased.Pseudonym {
		t.Errorf("acknowledged by %q, owned by %q", page.Items[0].AcknowledgedBy, page.Items[0].Owner)
	}
	var log api.AuditPage
	c.as(root, http.MethodGet, "/audit?actor="+erased.Pseudonym, "", 200, &log)
	if len(log.Items) < 5 || !log.Items[0].Erased || log.Items[0].Reason != "" {
		t.Errorf("the log of the erased person: %+v", log.Items)
	}
	if report := c.verify(); len(report.Problems) > 0 {
		t.Errorf("the audit log after another step: %+v", report.Problems)
	}
	rows := c.everyRow()
	for _, row := range rows {
		// What root wrote about her is root's: only root's erasure takes it away, and it is sealed in the log.
		if strings.Contains(row, "annabella") {
			t.Errorf("still named in %.300s", row)
		}
	}
	if len(rows) < 40 {
		t.Errorf("only %d rows were looked at", len(rows))
	}
}

// everyRow returns all rows of all tables as text.
func (c *closed) everyRow() (rows []string) {
	c.t.Helper()
	var tables []string
	if err := c.db.Read().NewRaw(postgres.Tables(c.db.Read())).Scan(c.t.Context(), &tables); err != nil {
		c.t.Fatal(err)
	}
	for _, table := range tables {
		var list []map[string]any
		if err := c.db.Read().NewRaw("SELECT * FROM "+table).Scan(c.t.Context(), &list); err != nil {
			c.t.Fatalf("%s: %v", table, err)
		}
		for _, row := range list {
			var text bytes.Buffer
			text.WriteString(table)
			for column, value := range row {
				if data, ok := value.([]byte); ok {
					value = string(data)
				}
				fmt.Fprintf(&text, " %s=%v", column, value)
			}
			rows = append(rows, text.String())
		}
	}
	return rows
}

// TestAnyFlippedByteOfAnAuditedRowIsNamed flips one bit of one attested column of one row at a time.
func TestAnyFlippedByteOfAnAuditedRowIsNamed(t *testing.T) {
	c := startClosed(t, testConfig(t))
	busy(c)
	if report := c.verify(); len(report.Problems) > 0 {
		t.Fatalf("untouched: %+v", report.Problems)
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for _, place := range []struct{ table, key, columns string }{
		{"alerts", "seq", "decision"},
		{"steps", "number", "body kind undone_by"},
		{"silences", "id", "matchers created_by comment"},
		{"maintenance", "id", "body"},
		{"integrations", "name", "body kind"},
		{"users", "name", "body"},
		{"teams", "name", "body"},
		{"approvals", "id", "body state"},
		{"audit_leaves", "n", "actor action object reason data"},
		{"audit_hashes", "position", "hash"},
		{"audit_subjects", "id", "name seal_key"},
	} {
		flips := 0
		for column := range strings.FieldsSeq(place.columns) {
			for range 6 {
				flips += c.flip(random, place.table, place.key, column)
			}
		}
		if flips < 6 {
			t.Errorf("%s: only %d bytes could be flipped", place.table, flips)
		}
	}
	if report := c.verify(); len(report.Problems) > 0 {
		t.Errorf("after all was undone: %+v", report.Problems)
	}
}

// flip flips a bit of a random row's column, expects that verify names something, and undoes it. It returns how many bytes
// it flipped: none if the row holds nothing there.
func (c *closed) flip(random *rand.Rand, table, key, column string) int {
	c.t.Helper()
	ctx := c.t.Context()
	var keys []string
	if err := c.db.Read().NewRaw("SELECT CAST("+key+" AS VARCHAR) FROM "+table+" WHERE length("+column+") > 0").Scan(ctx, &keys); err != nil {
		c.t.Fatal(err)
	}
	if len(keys) == 0 {
		return 0
	}
	at := keys[random.IntN(len(keys))]
	var old []byte
	read := postgres.Damage(c.db.Read(), "SELECT CAST("+column+" AS BLOB) FROM "+table+" WHERE CAST("+key+" AS VARCHAR) = ?")
	if err := c.db.Read().DB.QueryRowContext(ctx, read, at).Scan(&old); err != nil {
		c.t.Fatal(err)
	}
	flipped := bytes.Clone(old)
	i := random.IntN(len(flipped))
	flipped[i] ^= 1 << random.IntN(7)
	if !c.setRaw(table, key, column, at, flipped) {
		return 0
	}
	report := c.verify()
	if len(report.Problems) == 0 {
		c.t.Errorf("%s %s: byte %d of %s was flipped unnoticed: %.200q became %.200q", table, at, i, column, old, flipped)
	}
	c.setRaw(table, key, column, at, old)
	return 1
}

// setRaw sets a column to bytes; false if the engine does not let it hold them.
func (c *closed) setRaw(table, key, column, at string, value []byte) bool {
	c.t.Helper()
	as := "CAST(? AS TEXT)"
	if column == "data" || column == "hash" || column == "seal_key" {
		as = "?"
	}
	query := postgres.Damage(c.db.Read(), "UPDATE "+table+" SET "+column+" = "+as+" WHERE CAST("+key+" AS VARCHAR) = ?")
	err := c.db.Write(c.t.Context(), func(_ context.Context, tx store.Tx) error {
		_, err := tx.Tx.Exec(query, value, at)
		return err
	})
	if err != nil && !postgres.Refuses(err) {
		c.t.Fatal(err)
	}
	return err == nil
}

func TestCheckpointsAreExportedAndAnExportIsVerifiedWithoutADatabase(t *testing.T) {
	cfg := testConfig(t)
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	cfg.Audit.Export.To, cfg.Audit.Export.Every = elsewhere, time.Second
	c := startClosed(t, cfg)
	root := busy(c)
	c.until("a checkpoint is exported", func() bool {
		files, _ := filepath.Glob(filepath.Join(elsewhere, "checkpoint-*"))
		return len(files) > 0
	})
	var state api.AuditState
	c.as(root, http.MethodGet, "/audit/state", "", 200, &state)
	if state.Exported == nil || state.Exported.Problem != "" || state.Key == "" {
		t.Errorf("state %+v", state)
	}
	file := filepath.Join(t.TempDir(), "audit.jsonl")
	to, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ExportAudit(t.Context(), &c.cfg, to, c.opts.Logger); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	report, err := VerifyAuditExport(file, AuditProof{Checkpoints: elsewhere, Key: state.Key})
	if err != nil || len(report.Problems) > 0 || report.Size < 20 {
		t.Errorf("export: %+v, %v", report, err)
	}
	if report, err := VerifyAudit(t.Context(), &c.cfg, AuditProof{Checkpoints: elsewhere}, c.opts.Logger); err != nil || len(report.Problems) > 0 {
		t.Errorf("with checkpoints: %+v, %v", report.Problems, err)
	}
	var proof api.InclusionProof
	c.as(root, http.MethodGet, "/audit/leaves/3/proof", "", 200, &proof)
	if data, _ := json.Marshal(proof); proof.Leaf != 3 || len(proof.Path) == 0 {
		t.Errorf("proof %s", data)
	}
}
