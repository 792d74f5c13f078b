package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/fairlead/fairlead/ops/incident"
)

const (
	// historyEvents is how many events a client may have missed and still get.
	historyEvents = 2000
	// clientEvents is how many events may wait for one client; a slower one is told to load anew.
	clientEvents = 256
	// flushEvery is how often changes are sent: several changes of one incident in between are one event.
	flushEvery = 200 * time.Millisecond
	// flushIncidents bounds the incidents read for one flush; the others follow with the next.
	flushIncidents = 200
	pingEvery      = 2 * time.Second
	// recheckEvery is how often it is looked whether a client still may see events: a session can end meanwhile.
	recheckEvery = 5 * time.Second
	statsEvery   = time.Second
)

// event is one server-sent event.
type event struct {
	id   uint64
	name string
	data []byte
	// incident is the one that it is about; 0 for none.
	incident uint64
}

// hub hands events to clients. It is safe for concurrent use.
type hub struct {
	mu      sync.Mutex
	next    uint64              // guarded by mu
	history []event             // oldest first; guarded by mu
	clients map[chan event]bool // guarded by mu
	dirty   map[uint64]bool     // numbers of changed incidents; guarded by mu
	steps   []*incident.Step    // guarded by mu
}

func newHub() *hub {
	return &hub{next: 1, clients: map[chan event]bool{}, dirty: map[uint64]bool{}}
}

// maxPending bounds what is remembered between two flushes; in a flood, clients load anew instead.
const maxPending = 5000

// Committed tells the clients of the events what changed: give it to the Desk. It does not block.
func (a *API) Committed(numbers []uint64, steps []*incident.Step) {
	h := a.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.clients) == 0 && len(h.history) == 0 {
		return
	}
	for _, n := range numbers {
		if len(h.dirty) < maxPending {
			h.dirty[n] = true
		}
	}
	if room := maxPending - len(h.steps); room > 0 {
		h.steps = append(h.steps, steps[:min(room, len(steps))]...)
	}
}

// Run sends events until ctx ends.
func (a *API) Run(ctx context.Context) error {
	flush := time.NewTicker(flushEvery)
	defer flush.Stop()
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	var counted time.Time
	owed := false // something changed after the counts were sent
	for {
		select {
		case <-ctx.Done():
			a.hub.close()
			return nil
		case <-ping.C:
			a.hub.send("ping", map[string]any{"now": a.cfg.Clock.Now()}, 0, false)
		case now := <-flush.C:
			owed = a.flush(ctx) || owed
			if !owed || now.Sub(counted) < statsEvery {
				continue
			}
			counted, owed = now, false
			if stats, err := a.getStats(ctx, nil); err == nil {
				a.hub.send("stats", stats.Body, 0, true)
			}
		}
	}
}

// flush sends what changed since the last one, and reports whether there was anything.
func (a *API) flush(ctx context.Context) bool {
	h := a.hub
	h.mu.Lock()
	var numbers []uint64
	for n := range h.dirty {
		if len(numbers) == flushIncidents {
			break
		}
		numbers = append(numbers, n)
		delete(h.dirty, n)
	}
	steps := h.steps
	h.steps = nil
	h.mu.Unlock()
	if len(numbers) > 0 {
		list, err := incident.FindAll(ctx, a.cfg.DB.Read(), numbers)
		if err != nil && ctx.Err() == nil {
			a.cfg.Logger.Warn("changed incidents cannot be read for the events", "error", err)
		}
		for _, inc := range list {
			h.send("incident", toIncident(inc), inc.Number, true)
		}
	}
	for _, s := range steps {
		h.send("step", toStep(s), s.Incident, true)
	}
	return len(numbers) > 0 || len(steps) > 0
}

// send hands an event to all clients. A client that does not keep up is dropped and told so when it comes back.
func (h *hub) send(name string, value any, incident uint64, keep bool) {
	data, err := json.Marshal(value)
	if err != nil {
		return // the types of this package marshal
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	e := event{name: name, data: data, incident: incident}
	if keep {
		e.id = h.next
		h.next++
		h.history = append(h.history, e)
		if len(h.history) > historyEvents {
			h.history = append(h.history[:0:0], h.history[len(h.history)-historyEvents/2:]...)
		}
	}
	for client := range h.clients {
		select {
		case client <- e:
		default:
			delete(h.clients, client)
			close(client)
		}
	}
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for client := range h.clients {
		delete(h.clients, client)
		close(client)
	}
}

// join returns a channel of events, and the events after last that are still remembered; whole is false when some of those
// are gone, so that the client has to load anew.
func (h *hub) join(last uint64, known bool) (client chan event, missed []event, whole bool, newest uint64) {
	client = make(chan event, clientEvents)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clients[client] = true
	newest = h.next - 1
	if !known || last == newest {
		return client, nil, true, newest
	}
	if last > newest || len(h.history) == 0 || h.history[0].id > last+1 {
		return client, nil, false, newest
	}
	for _, e := range h.history {
		if e.id > last {
			missed = append(missed, e)
		}
	}
	return client, missed, true, newest
}

func (h *hub) leave(client chan event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.clients, client)
}

// serveEvents is GET /events: server-sent events named incident, step, stats and ping, and reset when a client has missed
// too much and must load anew.
func (a *API) serveEvents(w http.ResponseWriter, r *http.Request) {
	out := http.NewResponseController(w)
	if err := out.SetWriteDeadline(time.Time{}); err != nil {
		a.cfg.Logger.Debug("no write deadline to lift", "error", err)
	}
	last, err := strconv.ParseUint(r.Header.Get("Last-Event-ID"), 10, 64)
	client, missed, whole, newest := a.hub.join(last, err == nil)
	defer a.hub.leave(client)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	fmt.Fprintf(w, "retry: 1000\n\n")
	if !whole {
		write(w, event{id: newest, name: "reset", data: []byte("{}")})
	}
	if !a.writeEvents(w, r, missed) {
		return
	}
	checked := time.Now()
	for {
		if err := out.Flush(); err != nil {
			return
		}
		if time.Since(checked) > recheckEvery {
			if checked = time.Now(); a.cfg.Still != nil && !a.cfg.Still(r) {
				return
			}
		}
		select {
		case <-r.Context().Done():
			return
		case e, open := <-client:
			if !open {
				return
			}
			if !a.writeEvents(w, r, waiting(client, e)) {
				return
			}
		}
	}
}

// waiting returns e with the events that wait behind it.
func waiting(client chan event, e event) []event {
	events := []event{e}
	for len(events) < clientEvents {
		select {
		case e, open := <-client:
			if !open {
				return events // the next read of the channel sees it too
			}
			events = append(events, e)
		default:
			return events
		}
	}
	return events
}

// writeEvents writes those that the client may see. It returns false when that cannot be told: the client comes again, and
// loads what it missed.
func (a *API) writeEvents(w http.ResponseWriter, r *http.Request, events []event) bool {
	events, err := a.visible(r.Context(), events)
	if err != nil {
		a.cfg.Logger.Warn("events cannot be sorted by team", "error", err)
		return false
	}
	for _, e := range events {
		write(w, e)
	}
	return true
}

func write(w http.ResponseWriter, e event) {
	if e.id != 0 {
		fmt.Fprintf(w, "id: %d\n", e.id)
	}
	fmt.Fprintf(w, "event: %s\ndata: %s\n\n", e.name, e.data)
}
