package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"time"

	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/store"
)

// Heartbeats are the senders that are expected to be heard. Pause and Delete return an error that wraps store.ErrNotFound
// for a heartbeat that is not there.
type Heartbeats interface {
	// List returns all, by integration and name, without ids.
	List() []Heartbeat
	// Pause says that the silence of one means nothing, or means something again; a fresh interval begins then.
	Pause(ctx context.Context, at time.Time, integration, name string, paused bool) error
	// Delete forgets one and ends its alert. It is known again when it is heard again.
	Delete(ctx context.Context, at time.Time, integration, name string) error
}

// Heartbeat is one sender that is expected to be heard.
type Heartbeat struct {
	ID          string     `json:"id" doc:"Made of integration and name; it stays the same."`
	Name        string     `json:"name"`
	Integration string     `json:"integration" doc:"Through which it is heard."`
	Interval    string     `json:"interval" example:"10m0s" doc:"How long it may be silent; empty while that is not known yet."`
	State       string     `json:"state" enum:"heard,waiting,missing,paused" doc:"waiting: it never came, or only once and nobody knows how often it will. missing: its alert HeartbeatMissing fires. paused: its silence means nothing."`
	Since       *time.Time `json:"since,omitempty" doc:"When it came into this state; absent for heartbeats of an older version."`
	LastSeenAt  *time.Time `json:"lastSeenAt,omitempty" doc:"When it was heard last; absent when it never was."`
	DueAt       *time.Time `json:"dueAt,omitempty" doc:"When it counts as missing unless it is heard before; for a missing one, since when."`
	Severity    string     `json:"severity" doc:"That of its alert."`
	Watchdog    bool       `json:"watchdog" doc:"It is a Watchdog alert of a Prometheus; its interval is learned."`
}

// HeartbeatPage is a page of heartbeats; next is the cursor of the following page, empty on the last. The counts are of all
// heartbeats of the integration, whatever the state asked for.
type HeartbeatPage struct {
	Items   []Heartbeat `json:"items"`
	Next    string      `json:"next"`
	Heard   int         `json:"heard"`
	Waiting int         `json:"waiting"`
	Missing int         `json:"missing"`
	Paused  int         `json:"paused"`
}

type listHeartbeats struct {
	Integration string `query:"integration" maxLength:"200" doc:"Only those heard through this integration."`
	State       string `query:"state" enum:"heard,waiting,missing,paused"`
	Cursor      string `query:"cursor" doc:"next of the page before."`
	Limit       int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

type heartbeatPath struct {
	ID string `path:"id" maxLength:"64"`
}

func (a *API) heartbeatRoutes() {
	route(a, http.MethodGet, "/heartbeats", "listHeartbeats", "List who is expected to be heard, by integration and name", a.listHeartbeats)
	route(a, http.MethodPost, "/heartbeats/{id}/pause", "pauseHeartbeat", "Let its silence mean nothing; its alert ends", a.pauseHeartbeat)
	route(a, http.MethodPost, "/heartbeats/{id}/resume", "resumeHeartbeat", "Expect it again, with a fresh interval", a.resumeHeartbeat)
	route(a, http.MethodDelete, "/heartbeats/{id}", "deleteHeartbeat", "Forget it and end its alert; it is known again when it is heard again", a.deleteHeartbeat)
}

func heartbeatID(integration, name string) string {
	sum := sha256.Sum256([]byte(integration + "\x00" + name))
	return hex.EncodeToString(sum[:8])
}

// heartbeats returns all with their ids.
func (a *API) heartbeats() []Heartbeat {
	if a.cfg.Heartbeats == nil {
		return nil
	}
	list := a.cfg.Heartbeats.List()
	for i := range list {
		list[i].ID = heartbeatID(list[i].Integration, list[i].Name)
	}
	return list
}

func (a *API) listHeartbeats(_ context.Context, in *listHeartbeats) (*body[HeartbeatPage], error) {
	page := HeartbeatPage{Items: []Heartbeat{}}
	began := in.Cursor == ""
	for _, h := range a.heartbeats() {
		if in.Integration != "" && h.Integration != in.Integration {
			continue
		}
		switch h.State {
		case "heard":
			page.Heard++
		case "waiting":
			page.Waiting++
		case "missing":
			page.Missing++
		case "paused":
			page.Paused++
		}
		wanted := in.State == "" || h.State == in.State
		switch {
		case !began:
			began = h.ID == in.Cursor
		case wanted && len(page.Items) < in.Limit:
			page.Items = append(page.Items, h)
		case wanted && page.Next == "":
			page.Next = page.Items[in.Limit-1].ID
		}
	}
	if !began {
		return nil, invalid("query.cursor", in.Cursor, "use the value of next from the page before; a heartbeat that was deleted meanwhile is none: begin again without a cursor")
	}
	return answer(page), nil
}

func (a *API) findHeartbeat(id string) (Heartbeat, error) {
	list := a.heartbeats()
	if i := slices.IndexFunc(list, func(h Heartbeat) bool { return h.ID == id }); i >= 0 {
		return list[i], nil
	}
	return Heartbeat{}, notFound("There is no heartbeat " + id + ".")
}

func (a *API) pauseHeartbeat(ctx context.Context, in *heartbeatPath) (*body[Heartbeat], error) {
	return a.setPaused(ctx, in.ID, true)
}

func (a *API) resumeHeartbeat(ctx context.Context, in *heartbeatPath) (*body[Heartbeat], error) {
	return a.setPaused(ctx, in.ID, false)
}

func (a *API) setPaused(ctx context.Context, id string, paused bool) (*body[Heartbeat], error) {
	h, err := a.findHeartbeat(id)
	if err != nil {
		return nil, err
	}
	if (h.State == "paused") == paused {
		return answer(h), nil
	}
	now := a.cfg.Clock.Now()
	if err := a.cfg.Heartbeats.Pause(ctx, now, h.Integration, h.Name, paused); err != nil {
		return nil, err
	}
	action := "heartbeat.resume"
	if paused {
		action = "heartbeat.pause"
	}
	if err := a.audit(ctx, now, action, h.Integration+"/"+h.Name); err != nil {
		return nil, err
	}
	h, err = a.findHeartbeat(id)
	return answer(h), err
}

func (a *API) deleteHeartbeat(ctx context.Context, in *heartbeatPath) (*body[none], error) {
	h, err := a.findHeartbeat(in.ID)
	if err != nil {
		return nil, err
	}
	now := a.cfg.Clock.Now()
	if err := a.cfg.Heartbeats.Delete(ctx, now, h.Integration, h.Name); err != nil {
		return nil, err
	}
	return answer(none{}), a.audit(ctx, now, "heartbeat.delete", h.Integration+"/"+h.Name)
}

// audit records what a person did.
func (a *API) audit(ctx context.Context, at time.Time, action, object string) error {
	return a.cfg.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := audit.Append(ctx, tx, audit.Leaf{At: at, Actor: actor(ctx), Action: action, Object: object})
		return err
	})
}

func notFound(detail string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(http.StatusNotFound), Status: http.StatusNotFound, Detail: detail, ID: newID()}
}
