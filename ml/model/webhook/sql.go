package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/experiment"
)

const columns = "id, name, description, url, events, secret, status, created_at, updated_at"

func scan(row interface{ Scan(into ...any) error }, more ...any) (w Webhook, err error) {
	var events string
	if err := row.Scan(append([]any{&w.ID, &w.Name, &w.Description, &w.URL, &events, &w.secret, &w.Status, &w.CreatedAt, &w.UpdatedAt}, more...)...); err != nil {
		return w, err
	}
	return w, json.Unmarshal([]byte(events), &w.Events)
}

func save(ctx context.Context, tx store.Tx, w Webhook, n int64) error {
	events, err := json.Marshal(w.Events)
	if err != nil {
		return err
	}
	_, err = store.Exec(ctx, tx, `INSERT INTO webhooks (id, n, name, description, url, events, secret, status, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description, url = excluded.url, events = excluded.events, secret = excluded.secret,
		status = excluded.status, updated_at = excluded.updated_at`,
		w.ID, n, w.Name, w.Description, w.URL, string(events), w.secret, w.Status, w.CreatedAt, w.UpdatedAt)
	return err
}

// Create adds a webhook.
func (h *Hooks) Create(ctx context.Context, e Edit) (Webhook, error) {
	w := Webhook{ID: newID(), Status: Active, CreatedAt: time.Now().UnixMilli()}
	w.UpdatedAt = w.CreatedAt
	if e.Name == nil || e.URL == nil || e.Events == nil {
		return w, invalid("name, url and events are needed")
	}
	if err := h.apply(ctx, &w, e); err != nil {
		return w, err
	}
	err := h.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		n, err := experiment.Next(ctx, tx, "webhook")
		if err != nil {
			return err
		}
		return save(ctx, tx, w, n)
	})
	return w, err
}

func absent(id string) error {
	return experiment.Refuse(experiment.DoesNotExist, "Webhook with ID %s not found.", experiment.Cut(id))
}

// Webhook returns one webhook.
func (h *Hooks) Webhook(ctx context.Context, id string) (Webhook, error) {
	return find(ctx, h.db.Read(), id)
}

func find(ctx context.Context, db store.Querier, id string) (Webhook, error) {
	w, err := scan(db.QueryRowContext(ctx, "SELECT "+columns+" FROM webhooks WHERE id = ?", id))
	if err = store.Classify(err); errors.Is(err, store.ErrNotFound) {
		err = absent(id)
	}
	return w, err
}

// Update changes a webhook.
func (h *Hooks) Update(ctx context.Context, id string, e Edit) (w Webhook, err error) {
	if w, err = h.Webhook(ctx, id); err != nil {
		return w, err
	}
	if err := h.apply(ctx, &w, e); err != nil { // looks names up, so not while others wait for the writer
		return w, err
	}
	w.UpdatedAt = time.Now().UnixMilli()
	err = h.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if _, err := find(ctx, tx, id); err != nil {
			return err
		}
		return save(ctx, tx, w, 0)
	})
	return w, err
}

// Delete removes a webhook.
func (h *Hooks) Delete(ctx context.Context, id string) error {
	return h.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		result, err := store.Exec(ctx, tx, "DELETE FROM webhooks WHERE id = ?", id)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return absent(id)
		}
		return nil
	})
}

// List returns a page of webhooks, the newest first, and the token of the next page or "".
func (h *Hooks) List(ctx context.Context, most int, token string) (list []Webhook, next string, err error) {
	before := int64(1) << 62
	if token != "" {
		if before, err = strconv.ParseInt(token, 10, 64); err != nil {
			return nil, "", invalid("page_token: %q is not one that this call gave", experiment.Cut(token))
		}
	}
	rows, err := h.db.Read().QueryContext(ctx, "SELECT "+columns+", n FROM webhooks WHERE n < ? ORDER BY n DESC LIMIT ?", before, most+1)
	if err != nil {
		return nil, "", store.Classify(err)
	}
	defer rows.Close()
	var last int64
	for rows.Next() {
		if len(list) == most {
			next = strconv.FormatInt(last, 10)
			break
		}
		w, err := scan(rows, &last)
		if err != nil {
			return nil, "", err
		}
		list = append(list, w)
	}
	return list, next, store.Classify(rows.Err())
}

// wanting returns the active webhooks that want an event.
func (h *Hooks) wanting(ctx context.Context, event Event) ([]Webhook, error) {
	rows, err := h.db.Read().QueryContext(ctx, "SELECT "+columns+" FROM webhooks WHERE status = ? ORDER BY n", Active)
	if err != nil {
		return nil, store.Classify(err)
	}
	defer rows.Close()
	var list []Webhook
	for rows.Next() {
		w, err := scan(rows)
		if err != nil {
			return nil, err
		}
		if slices.Contains(w.Events, event) {
			list = append(list, w)
		}
	}
	return list, store.Classify(rows.Err())
}
