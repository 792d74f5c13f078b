package crash

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver of PostgreSQL
	_ "modernc.org/sqlite"             // the driver of SQLite
)

// reader asks the server's API.
type reader struct {
	client *http.Client
	url    string
}

// errUnavailable says that the server cannot read now, and is to be asked again.
var errUnavailable = errors.New("unavailable")

// get decodes the answer of one request into to.
func (r reader) get(ctx context.Context, path string, to any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+"/api/fairlead/v1"+path, http.NoBody)
	if err != nil {
		return fmt.Errorf("ask %s: %w", path, err)
	}
	answer, err := r.client.Do(request)
	if err != nil {
		return fmt.Errorf("ask %s: %w", path, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("ask %s: %w", path, err)
	}
	if answer.StatusCode == http.StatusServiceUnavailable && answer.Header.Get("Retry-After") != "" {
		return fmt.Errorf("ask %s: %w: %s", path, errUnavailable, text)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("ask %s: server answered %d: %s", path, answer.StatusCode, text)
	}
	if err := json.Unmarshal(text, to); err != nil {
		return fmt.Errorf("ask %s: %w", path, err)
	}
	return nil
}

// page is one page of a list.
type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
}

// all reads every page of a list.
func all[T any](ctx context.Context, r reader, path string) ([]T, error) {
	var items []T
	for cursor := ""; ; {
		var got page[T]
		if err := r.get(ctx, path+"?limit=500&cursor="+url.QueryEscape(cursor), &got); err != nil {
			return nil, err
		}
		items = append(items, got.Items...)
		if got.Next == "" {
			return items, nil
		}
		cursor = got.Next
	}
}

type apiAlert struct {
	ID       string            `json:"id"`
	State    string            `json:"state"`
	Labels   map[string]string `json:"labels"`
	Reports  int               `json:"reports"`
	Incident string            `json:"incident"`
}

type apiIncident struct {
	ID         string `json:"id"`
	AlertCount int    `json:"alertCount"`
	Reports    int    `json:"reports"`
}

// alerts returns all alerts that the API lists.
func (r reader) alerts(ctx context.Context) ([]stored, error) {
	items, err := all[apiAlert](ctx, r, "/alerts")
	if err != nil {
		return nil, err
	}
	alerts := make([]stored, 0, len(items))
	for _, a := range items {
		alerts = append(alerts, stored{ID: a.ID, Key: a.Labels[keyLabel], State: a.State, Reports: a.Reports, Incident: a.Incident})
	}
	return alerts, nil
}

// incidentProblems compares the incidents with the alerts: every alert in exactly one, and every count right. With each,
// the alerts of every incident are listed as well.
func (r reader) incidentProblems(ctx context.Context, alerts []stored, each bool) ([]string, error) {
	incidents, err := all[apiIncident](ctx, r, "/incidents")
	if err != nil {
		return nil, err
	}
	var problems []string
	counts, reports, of := map[string]int{}, map[string]int{}, map[string]string{}
	for _, a := range alerts {
		counts[a.Incident]++
		reports[a.Incident] += a.Reports
		of[a.ID] = a.Incident
		if a.Incident == "" {
			problems = append(problems, "alert "+a.ID+" is in no incident")
		}
	}
	known := map[string]bool{}
	for _, i := range incidents {
		if known[i.ID] {
			problems = append(problems, i.ID+" is listed twice")
		}
		known[i.ID] = true
		if i.AlertCount != counts[i.ID] || i.Reports != reports[i.ID] {
			problems = append(problems, fmt.Sprintf("%s counts %d alerts and %d reports, its alerts are %d with %d", i.ID,
				i.AlertCount, i.Reports, counts[i.ID], reports[i.ID]))
		}
		if !each {
			continue
		}
		members, err := all[apiAlert](ctx, r, "/incidents/"+i.ID+"/alerts")
		if err != nil {
			return nil, err
		}
		for _, a := range members {
			if of[a.ID] != i.ID {
				problems = append(problems, fmt.Sprintf("%s lists alert %s, which is in %q", i.ID, a.ID, of[a.ID]))
			}
			delete(of, a.ID)
		}
	}
	for id := range counts {
		if id != "" && !known[id] {
			problems = append(problems, fmt.Sprintf("%d alerts are in %s, which is not listed", counts[id], id))
		}
	}
	if each {
		for id, incident := range of {
			if incident != "" {
				problems = append(problems, fmt.Sprintf("%s does not list its alert %s", incident, id))
			}
		}
	}
	return problems, nil
}

// open opens the database of a server that does not run, and says what is wrong with it.
func open(ctx context.Context, dir, url string) (db *sql.DB, problems []string, err error) {
	if url != "" {
		if db, err = sql.Open("pgx", url); err != nil {
			return nil, nil, fmt.Errorf("open the database: %w", err)
		}
		db.SetMaxOpenConns(1)
		if _, err = db.ExecContext(ctx, "SET search_path = ops"); err != nil {
			return nil, nil, errors.Join(fmt.Errorf("open the database: %w", err), db.Close())
		}
		return db, nil, nil
	}
	if db, err = sql.Open("sqlite", "file:"+filepath.Join(dir, "ops.db")); err != nil {
		return nil, nil, fmt.Errorf("open the database: %w", err)
	}
	var intact string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check").Scan(&intact); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("check the database: %w", err), db.Close())
	}
	if intact != "ok" {
		problems = append(problems, "the database is damaged: "+intact)
	}
	return db, problems, nil
}

// sqlProblems compares the rows in the database of a server that does not run with what the API listed.
func sqlProblems(ctx context.Context, dir, url string, alerts []stored) ([]string, error) {
	db, problems, err := open(ctx, dir, url)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows := map[string]stored{}
	for _, a := range alerts {
		rows[a.Key] = a
	}
	found, err := db.QueryContext(ctx, "SELECT seq, labels, state, reports FROM alerts")
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	defer found.Close()
	count := 0
	for found.Next() {
		var seq, reports int
		var labels, state string
		if err := found.Scan(&seq, &labels, &state, &reports); err != nil {
			return nil, fmt.Errorf("read alerts: %w", err)
		}
		var set map[string]string
		if err := json.Unmarshal([]byte(labels), &set); err != nil {
			return nil, fmt.Errorf("read labels of alert %d: %w", seq, err)
		}
		count++
		if a, ok := rows[set[keyLabel]]; !ok || a.Reports != reports || a.State != state {
			problems = append(problems, fmt.Sprintf("row %d is %s with %d reports, the API had %+v", seq, state, reports, a))
		}
	}
	if err := found.Err(); err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	if count != len(alerts) {
		problems = append(problems, fmt.Sprintf("the database has %d alerts, the API listed %d", count, len(alerts)))
	}
	return problems, nil
}
