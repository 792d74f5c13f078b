package receive

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/base/signal"
)

// Request is what a Protocol reads.
type Request struct {
	*http.Request
	// Body is the whole body, decompressed.
	Body []byte
	// At is the time of receipt.
	At time.Time
	// Integration is the door that the request came through; nil before it is known.
	Integration *integration.Integration

	passing func() (*Passed, error) // waits for the answer of today's tool; nil when the request is not passed on
}

// Delivery is what a Protocol has understood of a request.
type Delivery struct {
	// ID names this delivery for the sender, "" if it has no name; a second one of the same ID changes nothing.
	ID string
	// IDs names the alerts one by one, for senders that batch; nil if they have no names. Those that came before are left out.
	IDs []string
	// Alerts are what the request says. Source and, unless the protocol says otherwise, ResolveTimeout are left to the hook.
	Alerts []signal.Alert
	// Rejected are the pieces that cannot be used.
	Rejected []Rejected
	// Pin is what has to be remembered of the first request and must stay (integration.Integration.Pinned); "" for nothing.
	Pin string
	// Reply is what Protocol.Answer needs to answer; nil if nothing.
	Reply any
}

// Rejected is a piece of a request that cannot be used.
type Rejected struct {
	// Problem says what is wrong with it.
	Problem FieldError
	// Raw is a complete body of the protocol, so that it can be offered again after mending.
	Raw []byte
}

// Protocol is one wire format of webhooks and the like. Its functions are safe for concurrent use and, but for Take,
// pure.
type Protocol struct {
	// Kind names it: integrations of this kind receive it.
	Kind string
	// Name tells the protocols of one kind apart in dead letters; "" is Kind.
	Name string
	// Secret returns the key that a request shows, "" for none. Bearer and basic authorization, and the query's token, are looked for
	// when it is nil.
	Secret func(r *Request) string
	// Verify proves who sends, as a signature does, and may refuse with a *Problem; nil for protocols with keys alone.
	Verify func(ctx context.Context, r *Request) error
	// Prove proves who sends, for protocols where a key tells the integration but does not do so; it may refuse with a *Problem.
	// What it refuses is no dead letter, unless it cannot be read at all (400). nil for all others.
	Prove func(ctx context.Context, r *Request) error
	// Signature returns the signature by the integration's key that a request carries, nil for none; nil for protocols without.
	Signature func(r *Request) *Signature
	// Parse reads a request, whose Integration may be nil. The error is a *Problem: nothing of the request can be used.
	Parse func(r *Request) (*Delivery, error)
	// Take takes what a delivery holds besides alerts, once those are durable; nil for protocols that bring nothing else. An
	// error is answered as one of a Publisher.
	Take func(ctx context.Context, r *Request, d *Delivery) error
	// Answer writes what the sender counts as success (problem is nil) or understands as failure; d is nil when nothing was
	// understood. A nil Answer writes 200 with nothing, or the problem.
	Answer func(w http.ResponseWriter, r *Request, d *Delivery, problem *Problem)
	// ResolveTimeout is the kind's default: most senders say themselves when an alert has ended, so 0 is never.
	ResolveTimeout time.Duration
	// Mapped says that a payload which Parse refuses may be one of the user's own making: it is offered to the integration's
	// mapper.
	Mapped bool
}

// Hooks serves protocols. It is safe for concurrent use.
type Hooks struct {
	config HookConfig
	seen   *seen

	requests *prometheus.CounterVec
	alerts   *prometheus.CounterVec
}

// HookConfig says what Hooks need.
type HookConfig struct {
	Publisher Publisher
	Clock     clock.Clock
	Bodies    *Bodies
	Caps      *Caps
	Gate      *Gate
	Registry  prometheus.Registerer
	Logger    *slog.Logger
}

// NewHooks returns Hooks.
func NewHooks(config HookConfig) *Hooks {
	h := &Hooks{
		config: config, seen: newSeen(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fairlead_receive_hook_requests_total", Help: "Requests of webhook senders, by kind of integration and HTTP status.",
		}, []string{"kind", "code"}),
		alerts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fairlead_receive_hook_alerts_total", Help: "Reports in them, by kind of integration and outcome: accepted, rejected, capped or repeated.",
		}, []string{"kind", "outcome"}),
	}
	if config.Registry != nil {
		config.Registry.MustRegister(h.requests, h.alerts)
	}
	return h
}

// Handle returns the handler of a protocol. The name of the integration is the path's {integration}, if it has one.
func (h *Hooks) Handle(p Protocol) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
		r := &Request{Request: raw}
		recorder := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		name, d, problem := h.serve(raw.Context(), recorder, r, &p)
		switch {
		case r.passing != nil:
			problem = AnswerPassed(recorder, r.passing, problem)
		case p.Answer != nil:
			p.Answer(recorder, r, d, problem)
		case problem != nil:
			problem.Write(recorder)
		}
		h.requests.WithLabelValues(p.Kind, fmt.Sprint(recorder.status)).Inc()
		if name == "" {
			return
		}
		alerts, rejected := 0, 0
		if d != nil {
			alerts, rejected = len(d.Alerts), len(d.Rejected)
		}
		if problem != nil {
			h.config.Logger.Debug("a request was refused", "integration", name, "kind", p.Kind, "status", recorder.status, "reason", problem.Detail)
		}
		h.config.Gate.Note(r.Integration, raw, r.At, r.Body, recorder.status, alerts, rejected, problem)
	})
}

// serve reads and publishes a request. It returns the integration's name once it is known.
func (h *Hooks) serve(ctx context.Context, w http.ResponseWriter, r *Request, p *Protocol) (name string, d *Delivery, problem *Problem) {
	var err error
	if r.At, err = Time(r.Request, h.config.Clock); err != nil {
		return "", nil, AsProblem(err)
	}
	sender := SenderOf(r.Request, p.Kind)
	raw := RawBody(r.Request)
	body, release, err := h.config.Bodies.Read(w, r.Request, sender)
	if err != nil {
		return "", nil, AsProblem(err)
	}
	defer release()
	r.Body = body
	if r.Integration, problem = h.admit(ctx, r, p); problem != nil {
		if p.Secret != nil && p.Secret(r) == "" {
			// Where the key stands in the body, a body that cannot be read has none: say that instead.
			if _, err := p.Parse(r); err != nil {
				problem = AsProblem(err)
			}
		}
		return "", nil, problem
	}
	name, sender.Integration = r.Integration.Name, r.Integration.Name
	if p.Prove != nil && !Replaying(ctx) {
		if err := p.Prove(ctx, r); err != nil {
			problem = AsProblem(err)
			if problem.Status == http.StatusBadRequest { // there is nothing to prove: it is another product's
				h.keep(ctx, r, p, problem.Detail, body, true)
			}
			return name, nil, problem
		}
	}
	if h.config.Gate.Tee != nil && r.Integration.Forward != "" && !Replaying(ctx) {
		r.passing = h.config.Gate.Tee.Pass(ctx, name, r.Integration.Forward, r.Request, raw(body))
	}
	d, err = h.parse(r, p)
	if err != nil {
		problem = AsProblem(err)
		h.keep(ctx, r, p, problem.Detail, body, true)
		return name, nil, problem
	}
	if d.Pin != "" && r.Integration.Pinned != d.Pin {
		if problem := h.config.Gate.pin(ctx, r, d.Pin); problem != nil {
			return name, nil, problem
		}
	}
	if d.ID != "" && h.seen.before(name, d.ID) {
		h.alerts.WithLabelValues(p.Kind, "repeated").Add(float64(len(d.Alerts)))
		return name, d, nil
	}
	h.leaveOut(p, name, d)
	problem = h.publish(ctx, r, p, d, sender)
	if problem == nil || problem.Status == http.StatusBadRequest { // what was good in it is durable
		for _, id := range d.IDs {
			h.seen.add(name, id)
		}
	}
	if problem == nil && p.Take != nil {
		if err := p.Take(ctx, r, d); err != nil {
			problem = PublishProblem(err)
		}
	}
	if problem == nil && d.ID != "" {
		h.seen.add(name, d.ID)
	}
	return name, d, problem
}

// leaveOut takes alerts that came before out of a delivery.
func (h *Hooks) leaveOut(p *Protocol, name string, d *Delivery) {
	if len(d.IDs) != len(d.Alerts) {
		return
	}
	n := 0
	for i, id := range d.IDs {
		if h.seen.before(name, id) {
			h.alerts.WithLabelValues(p.Kind, "repeated").Inc()
			continue
		}
		d.IDs[n], d.Alerts[n] = id, d.Alerts[i]
		n++
	}
	d.IDs, d.Alerts = d.IDs[:n], d.Alerts[:n]
}

// admit finds the integration that a request belongs to.
func (h *Hooks) admit(ctx context.Context, r *Request, p *Protocol) (*integration.Integration, *Problem) {
	knock := integration.Knock{Kind: p.Kind, Name: r.PathValue("integration")}
	if p.Secret != nil {
		knock.Secret = p.Secret(r)
	} else {
		knock.Secret = SecretOf(r.Request)
	}
	if p.Verify != nil && !Replaying(ctx) {
		if err := p.Verify(ctx, r); err != nil {
			return nil, AsProblem(err)
		}
		knock.Verified = true
	}
	if p.Signature != nil && !Replaying(ctx) {
		good, problem := h.config.Gate.signed(p.Signature(r), knock, r.At)
		if problem != nil {
			return nil, problem
		}
		knock.Verified = knock.Verified || good
	}
	return h.config.Gate.Admit(ctx, r.Request, knock)
}

// parse reads a request by its protocol, or by the integration's mapper.
func (h *Hooks) parse(r *Request, p *Protocol) (*Delivery, error) {
	d, err := p.Parse(r)
	if err == nil || !p.Mapped {
		return d, err
	}
	program, compileErr := r.Integration.Mapper.Compile()
	if compileErr != nil {
		return nil, err
	}
	alerts, mapErr := program.Alerts(r.Body, r.Header.Get, r.At)
	if mapErr != nil {
		problem := *AsProblem(err)
		problem.Detail += " The mapper does not read it either: " + mapErr.Error() + "."
		return nil, &problem
	}
	for i := range alerts {
		alerts[i].Notes = append(alerts[i].Notes, "It was read by the integration's mapper: its payload is not what "+p.Kind+" sends.")
	}
	return &Delivery{Alerts: alerts}, nil
}

// publish publishes what is good in a delivery, and keeps what is not.
func (h *Hooks) publish(ctx context.Context, r *Request, p *Protocol, d *Delivery, sender Sender) *Problem {
	timeout := r.Integration.Timeout(p.ResolveTimeout)
	fingerprints := make([]signal.Fingerprint, len(d.Alerts))
	for i := range d.Alerts {
		a := &d.Alerts[i]
		a.Source = r.Integration.Name
		if a.ResolveTimeout == 0 {
			a.ResolveTimeout = timeout
		}
		h.tidy(a, r.At)
		fingerprints[i] = a.Fingerprint()
	}
	kept := d.Alerts
	var excess *Excess
	if h.config.Caps != nil {
		excess = h.config.Caps.Admit(sender, r.At, fingerprints, func(i int) signal.Labels { return d.Alerts[i].Labels })
	}
	if excess != nil {
		kept = slices.Clone(kept)
		for _, n := range slices.Backward(excess.Refused) {
			kept = slices.Delete(kept, n, n+1)
		}
		h.alerts.WithLabelValues(p.Kind, "capped").Add(float64(len(excess.Refused)))
	}
	if len(kept) > 0 {
		if err := h.config.Publisher.PublishAlerts(ctx, r.At, kept); err != nil {
			return PublishProblem(err)
		}
		h.alerts.WithLabelValues(p.Kind, "accepted").Add(float64(len(kept)))
	}
	if excess != nil {
		return &Problem{
			Status: http.StatusTooManyRequests, RetryAfter: excess.RetryAfter,
			Detail: fmt.Sprintf("This sender has sent %d different alerts already; the limit is %d (receive.max_fingerprints_per_sender). Label %q has the most values, about %d. %d of the request were kept.", excess.Known, excess.Limit, excess.Label, excess.Values, len(kept)),
		}
	}
	if len(d.Rejected) == 0 {
		return nil
	}
	h.alerts.WithLabelValues(p.Kind, "rejected").Add(float64(len(d.Rejected)))
	problem := &Problem{Status: http.StatusBadRequest, Detail: fmt.Sprintf("%d of %d pieces cannot be accepted; the others are kept.", len(d.Rejected), len(d.Rejected)+len(kept))}
	for i := range d.Rejected[:min(len(d.Rejected), MaxErrors)] {
		problem.Errors = append(problem.Errors, d.Rejected[i].Problem)
		h.keep(ctx, r, p, d.Rejected[i].Problem.Field+": "+d.Rejected[i].Problem.Remedy+".", d.Rejected[i].Raw, false)
	}
	return problem
}

type replayKey struct{}

// Replay marks a request that offers a dead letter of an integration again: it needs no key, and what is refused again makes
// no second dead letter.
func Replay(ctx context.Context, integration string) context.Context {
	return context.WithValue(ctx, replayKey{}, integration)
}

// Replaying reports whether ctx is that of a request which offers a dead letter again.
func Replaying(ctx context.Context) bool { return ctx.Value(replayKey{}) != nil }

// keep keeps a refused piece, or a whole body, as a dead letter. That it cannot be kept does not change the answer.
func (h *Hooks) keep(ctx context.Context, r *Request, p *Protocol, reason string, payload []byte, whole bool) {
	if Replaying(ctx) {
		return
	}
	letter := DeadLetter{Receiver: cmp.Or(p.Name, p.Kind) + "/" + r.Integration.Name, Reason: reason, Payload: h.config.Gate.letterOf(r, h.config.Gate.Redactor.Bytes(payload), whole)}
	if err := h.config.Publisher.DeadLetter(ctx, r.At, letter); err != nil {
		h.config.Logger.Warn("a refused piece could not be kept", "error", err)
	}
}

// kept are the headers that a capture shows: those that say what a payload is.
var kept = []string{"Content-Type", "User-Agent"}

func (g *Gate) headers(r *http.Request) map[string]string {
	shown := map[string]string{}
	for name := range r.Header {
		event := strings.HasPrefix(name, "Ce-") || strings.HasPrefix(name, "X-") && !secretive(name)
		if event || slices.Contains(kept, name) {
			shown[name] = g.Redactor.Text(cut(r.Header.Get(name), 200))
		}
	}
	return shown
}

// secretive reports whether the header's name says that it holds a secret.
func secretive(name string) bool {
	lower := strings.ToLower(name)
	for _, part := range []string{"key", "token", "secret", "auth", "signature", "password", "cookie"} {
		if strings.Contains(lower, part) {
			return true
		}
	}
	return false
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader is http.ResponseWriter's.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
