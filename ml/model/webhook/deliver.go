package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/model"
)

// Bounds of deliveries.
const (
	queueLength  = 1000
	deliveryTime = 10 * time.Second
	answerBytes  = 4 << 10
	tries        = 3
)

// Hooks keeps webhooks and delivers to them. It is safe for concurrent use.
type Hooks struct {
	db     *store.DB
	config Config
	logger *slog.Logger
	client *http.Client
	queue  chan model.Change
	// Lost counts changes that were not told because too many waited.
	lost atomic.Uint64
}

// New returns the webhooks in a database. Run must run.
func New(db *store.DB, config Config, logger *slog.Logger) *Hooks {
	if config.Allow == nil {
		config.Allow = public
	}
	h := &Hooks{db: db, config: config, logger: logger, queue: make(chan model.Change, queueLength)}
	h.client = &http.Client{
		Timeout:       deliveryTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{DialContext: h.dial, DisableKeepAlives: true, TLSHandshakeTimeout: deliveryTime},
	}
	return h
}

// dial connects to an address that was checked, and not to what the name may mean a moment later.
func (h *Hooks) dial(ctx context.Context, network, hostPort string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, err
	}
	addresses, err := h.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	var dialer net.Dialer
	var failed error
	for _, address := range addresses {
		conn, err := dialer.DialContext(ctx, network, net.JoinHostPort(address.String(), port))
		if err == nil {
			return conn, nil
		}
		failed = errors.Join(failed, err)
	}
	return nil, failed
}

// Lost returns how many changes were not told because too many waited.
func (h *Hooks) Lost() uint64 { return h.lost.Load() }

// Tell lets those know of a change who want to, soon. It does not block.
func (h *Hooks) Tell(change model.Change) {
	select {
	case h.queue <- change:
	default:
		h.lost.Add(1)
	}
}

// Run delivers until ctx ends.
func (h *Hooks) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case change := <-h.queue:
			h.deliver(ctx, change)
		}
	}
}

func (h *Hooks) deliver(ctx context.Context, change model.Change) {
	hooks, err := h.wanting(ctx, Event{change.Entity, change.Action})
	if err != nil {
		h.logger.Warn("who is told of changes cannot be looked up", "error", err)
		return
	}
	for _, w := range hooks {
		for try := 1; ; try++ {
			result, err := h.send(ctx, w, Event{change.Entity, change.Action}, change.Data)
			if err == nil && result.Status >= 200 && result.Status < 300 || ctx.Err() != nil {
				break
			}
			if try == tries {
				h.logger.Warn("a webhook could not be told", "webhook", w.Name, "entity", change.Entity, "action", change.Action, "status", result.Status, "error", err)
				break
			}
			select {
			case <-ctx.Done():
			case <-time.After(time.Duration(try) * time.Second):
			}
		}
	}
}

// Result is what somebody who was told has answered.
type Result struct {
	Status int
	Body   string
}

// send delivers once.
func (h *Hooks) send(ctx context.Context, w Webhook, event Event, data map[string]any) (result Result, err error) {
	at := time.Now().UTC()
	body, err := json.Marshal(struct {
		Entity string         `json:"entity"`
		Action string         `json:"action"`
		At     string         `json:"timestamp"`
		Data   map[string]any `json:"data"`
	}{event.Entity, event.Action, at.Format(time.RFC3339Nano), data})
	if err != nil {
		return result, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body))
	if err != nil {
		return result, err
	}
	id, stamp := newID(), strconv.FormatInt(at.Unix(), 10)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-MLflow-Delivery-Id", id)
	request.Header.Set("X-MLflow-Timestamp", stamp)
	if w.secret != "" {
		request.Header.Set("X-MLflow-Signature", sign(w.secret, id, stamp, body))
	}
	response, err := h.client.Do(request)
	if err != nil {
		return result, fmt.Errorf("deliver: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	answer, err := io.ReadAll(io.LimitReader(response.Body, answerBytes))
	return Result{response.StatusCode, string(answer)}, err
}

// sign returns the signature of a delivery: "v1," and base64 of the HMAC-SHA256 of "id.stamp.body".
func sign(secret, id, stamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// newID returns a random UUID.
func newID() string {
	var id [16]byte
	rand.Read(id[:]) //nolint:errcheck,gosec // it never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	text := hex.EncodeToString(id[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

// Test delivers an example to a webhook, and says what came back. Without an event it is the first that the webhook wants.
func (h *Hooks) Test(ctx context.Context, id string, event *Event) (Result, error) {
	w, err := h.Webhook(ctx, id)
	if err != nil {
		return Result{}, err
	}
	if event == nil {
		event = &w.Events[0]
	} else if err := checkEvents([]Event{*event}); err != nil {
		return Result{}, err
	}
	result, err := h.send(ctx, w, *event, map[string]any{"name": "example", "version": "1", "key": "example", "value": "example", "alias": "example", "tags": map[string]string{}, "description": "An example."})
	if err != nil {
		return result, &DeliveryError{err}
	}
	return result, nil
}

// DeliveryError says that a test came to nobody.
type DeliveryError struct{ Err error }

// Error returns the reason.
func (e *DeliveryError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *DeliveryError) Unwrap() error { return e.Err }
