package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/fairlead/fairlead/base/approval"
	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/base/signal"
)

// Integration is one sender's door.
type Integration struct {
	Name           string             `json:"name" example:"prod-datadog"`
	Kind           string             `json:"kind" example:"datadog"`
	Keys           []IntegrationKey   `json:"keys" doc:"Without their secrets."`
	ResolveTimeout string             `json:"resolveTimeout" doc:"How long after the last report an alert without end counts as ended; empty takes the kind's default, 0 means never." example:"5m"`
	Mapper         integration.Mapper `json:"mapper"`
	Forward        string             `json:"forward" doc:"Where each request is sent on, untouched."`
	Observe        bool               `json:"observe" doc:"Only watch: nobody is told of what comes through."`
	Pinned         string             `json:"pinned"`
	CreatedAt      time.Time          `json:"createdAt"`
	CreatedBy      string             `json:"createdBy"`
	Version        int64              `json:"version"`
	Requests       uint64             `json:"requests" doc:"Since the server started."`
	Refused        uint64             `json:"refused"`
	Alerts         uint64             `json:"alerts"`
	Rejected       uint64             `json:"rejected"`
	LastAt         *time.Time         `json:"lastAt,omitempty"`
	LastError      string             `json:"lastError"`
	LastErrorAt    *time.Time         `json:"lastErrorAt,omitempty"`
}

// IntegrationKey is a key without its secret.
type IntegrationKey struct {
	Hint      string     `json:"hint" doc:"Its last characters."`
	CreatedAt time.Time  `json:"createdAt"`
	ExpiresAt *time.Time `json:"expiresAt,omitempty"`
}

// IntegrationList holds all integrations and the kinds there may be.
type IntegrationList struct {
	Items  []Integration `json:"items"`
	Kinds  []string      `json:"kinds"`
	Mapped []string      `json:"mapped" doc:"Those of the kinds whose payloads a mapper may read."`
	Signed []string      `json:"signed" doc:"Those of the kinds whose senders can sign instead of showing the key."`
}

// IntegrationDetail is an integration with the payloads that came last.
type IntegrationDetail struct {
	Integration
	Captures []integration.Capture `json:"captures" doc:"Newest first, at most 10, without secrets."`
}

// IntegrationEdit is what people set.
type IntegrationEdit struct {
	ResolveTimeout string             `json:"resolveTimeout,omitempty"`
	Mapper         integration.Mapper `json:"mapper,omitzero"`
	Forward        string             `json:"forward,omitempty"`
	Observe        bool               `json:"observe,omitempty"`
}

// NewIntegration is what an integration is made of.
type NewIntegration struct {
	Name string `json:"name" minLength:"1" maxLength:"63"`
	Kind string `json:"kind"`
	Key  string `json:"key,omitempty" maxLength:"200" doc:"A key that the sender has already, such as a PagerDuty routing key; empty makes a new one."`
	IntegrationEdit
}

// IntegrationMade is a new integration or key. The key is never shown again.
type IntegrationMade struct {
	Integration Integration `json:"integration"`
	Key         string      `json:"key"`
	SigningKey  string      `json:"signing_key,omitempty" doc:"What senders of this kind sign with instead of showing the key: its SHA-256 in hexadecimal. Only for kinds that can sign."`
}

func madeOf(i *integration.Integration, secret string) IntegrationMade {
	view := IntegrationMade{Integration: toIntegration(i, nil), Key: secret}
	if integration.Signs(i.Kind) {
		view.SigningKey = integration.SigningKey(secret)
	}
	return view
}

// Preview is what a mapper makes of a payload.
type Preview struct {
	Alerts []PreviewAlert `json:"alerts"`
	Error  string         `json:"error" doc:"Why the payload gives no alerts; empty when it does."`
}

// PreviewAlert is an alert that a mapper makes.
type PreviewAlert struct {
	Identity    string            `json:"identity"`
	Name        string            `json:"name"`
	State       string            `json:"state" enum:"firing,resolved,acknowledged"`
	Severity    string            `json:"severity"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	Link        string            `json:"link"`
	StartsAt    time.Time         `json:"startsAt"`
}

// IntegrationPath names an integration in a path. It is exported because huma fills embedded structs only then.
type IntegrationPath struct {
	Name string `path:"name" example:"prod-datadog"`
}

type createIntegration struct{ Body NewIntegration }

type updateIntegration struct {
	IntegrationPath
	IfMatch int64 `header:"If-Match" doc:"The version that was edited; 0 takes any."`
	Body    IntegrationEdit
}

type rotateKey struct {
	IntegrationPath
	Body struct {
		Overlap string `json:"overlap,omitempty" doc:"How long the keys before stay good." example:"24h"`
	} `required:"false"`
}

type previewMapper struct {
	IntegrationPath
	Body struct {
		Mapper  integration.Mapper `json:"mapper"`
		Payload string             `json:"payload" maxLength:"65536" doc:"JSON."`
		Headers map[string]string  `json:"headers,omitempty"`
	}
}

func (a *API) integrationRoutes() {
	route(a, http.MethodGet, "/integrations", "listIntegrations", "List who may send through what", a.listIntegrations)
	route(a, http.MethodPost, "/integrations", "createIntegration", "Make an integration", a.createIntegration)
	route(a, http.MethodGet, "/integrations/{name}", "getIntegration", "Get an integration with its last payloads", a.getIntegration)
	route(a, http.MethodPut, "/integrations/{name}", "updateIntegration", "Change an integration", a.updateIntegration)
	route(a, http.MethodDelete, "/integrations/{name}", "deleteIntegration", "Ask to delete an integration; another person approves", a.deleteIntegration)
	route(a, http.MethodPost, "/integrations/{name}/keys", "rotateKey", "Give it a new key; the old ones stay good for a while", a.rotateKey)
	route(a, http.MethodPost, "/integrations/{name}/preview", "previewMapper", "What a mapper makes of a payload", a.previewMapper)
}

// door turns an error of the registry into an answer.
func door(err error) error {
	var status int
	switch {
	case errors.Is(err, integration.ErrNotFound):
		status = http.StatusNotFound
	case errors.Is(err, integration.ErrInvalid):
		status = http.StatusUnprocessableEntity
	case errors.Is(err, integration.ErrConflict):
		status = http.StatusConflict
	case errors.Is(err, integration.ErrFull):
		status = http.StatusInsufficientStorage
	default:
		return err
	}
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: sentence(integration.Reason(err)), ID: newID(), Errors: fieldOf(err)}
}

// fieldOf names the field that an invalid integration's error begins with.
func fieldOf(err error) []ErrorDetail {
	field, remedy, ok := integration.Field(err)
	if !ok {
		return nil
	}
	return []ErrorDetail{{Field: "body." + field, Remedy: remedy}}
}

func (a *API) listIntegrations(context.Context, *none) (*body[IntegrationList], error) {
	list := IntegrationList{Items: []Integration{}, Kinds: a.cfg.Integrations.Kinds()}
	list.Mapped, list.Signed = []string{}, []string{}
	for _, kind := range list.Kinds {
		if integration.Maps(kind) {
			list.Mapped = append(list.Mapped, kind)
		}
		if integration.Signs(kind) {
			list.Signed = append(list.Signed, kind)
		}
	}
	for _, i := range a.cfg.Integrations.List() {
		_, counters, _, err := a.cfg.Integrations.Find(i.Name)
		if err == nil {
			list.Items = append(list.Items, toIntegration(i, &counters))
		}
	}
	return answer(list), nil
}

func (a *API) createIntegration(ctx context.Context, in *createIntegration) (*body[IntegrationMade], error) {
	secret := in.Body.Key
	if secret == "" {
		secret = integration.NewSecret()
	}
	made, err := a.cfg.Integrations.Create(ctx, &integration.Integration{
		Name: in.Body.Name, Kind: in.Body.Kind, Keys: []integration.Key{integration.NewKey(secret, a.cfg.Clock.Now())},
		ResolveTimeout: in.Body.ResolveTimeout, Mapper: in.Body.Mapper, Forward: in.Body.Forward, Observe: in.Body.Observe,
	}, actor(ctx), "")
	if err != nil {
		return nil, door(err)
	}
	return answer(madeOf(made, secret)), nil
}

func (a *API) getIntegration(_ context.Context, in *IntegrationPath) (*body[IntegrationDetail], error) {
	i, counters, captures, err := a.cfg.Integrations.Find(in.Name)
	if err != nil {
		return nil, door(err)
	}
	if captures == nil {
		captures = []integration.Capture{}
	}
	return answer(IntegrationDetail{Integration: toIntegration(i, &counters), Captures: captures}), nil
}

func (a *API) updateIntegration(ctx context.Context, in *updateIntegration) (*body[Integration], error) {
	i, err := a.cfg.Integrations.Update(ctx, in.Name, in.IfMatch, actor(ctx), "integration.update", func(i *integration.Integration) error {
		i.ResolveTimeout, i.Mapper, i.Forward, i.Observe = in.Body.ResolveTimeout, in.Body.Mapper, in.Body.Forward, in.Body.Observe
		return nil
	})
	if errors.Is(err, integration.ErrConflict) {
		present, err := a.getIntegration(ctx, &in.IntegrationPath)
		if err != nil {
			return nil, err
		}
		return nil, changedMeanwhile(present.Body.Integration)
	}
	if err != nil {
		return nil, door(err)
	}
	return answer(toIntegration(i, nil)), nil
}

type deleteIntegration struct {
	IntegrationPath
	Reason string `query:"reason" maxLength:"1000" doc:"Why, for who decides."`
}

// deleteIntegration asks for the deletion: senders lose their door, so another person agrees first.
func (a *API) deleteIntegration(ctx context.Context, in *deleteIntegration) (*accepted, error) {
	i, _, _, err := a.cfg.Integrations.Find(in.Name)
	if err != nil {
		return nil, door(err)
	}
	return a.ask(ctx, approval.Question{
		Kind: DeleteIntegration, Object: i.Name, Reason: in.Reason,
		Summary: "Delete the integration " + i.Name + " of kind " + i.Kind + ": its senders are refused from then on, and its captured payloads are gone.",
		Payload: IntegrationDeletion{Name: i.Name, Kind: i.Kind, CreatedAt: i.CreatedAt},
	})
}

func (a *API) rotateKey(ctx context.Context, in *rotateKey) (*body[IntegrationMade], error) {
	overlap := 24 * time.Hour
	if in.Body.Overlap != "" {
		var err error
		if overlap, err = time.ParseDuration(in.Body.Overlap); err != nil || overlap < 0 {
			return nil, invalid("body.overlap", in.Body.Overlap, "not a duration; write for instance 24h, or 0s to close the old keys at once")
		}
	}
	secret, i, err := a.cfg.Integrations.Rotate(ctx, in.Name, overlap, actor(ctx))
	if err != nil {
		return nil, door(err)
	}
	return answer(madeOf(i, secret)), nil
}

func (a *API) previewMapper(_ context.Context, in *previewMapper) (*body[Preview], error) {
	view := Preview{Alerts: []PreviewAlert{}}
	program, err := in.Body.Mapper.Compile()
	if err != nil {
		view.Error = integration.Reason(err) + "."
		return answer(view), nil
	}
	header := http.Header{}
	for name, value := range in.Body.Headers {
		header.Set(name, value)
	}
	alerts, err := program.Alerts([]byte(in.Body.Payload), header.Get, a.cfg.Clock.Now())
	if err != nil {
		view.Error = err.Error() + "."
		return answer(view), nil
	}
	for i := range alerts {
		alert := &alerts[i]
		state := "firing"
		switch {
		case alert.Act == signal.Acknowledge:
			state = "acknowledged"
		case !alert.EndsAt.IsZero():
			state = "resolved"
		}
		view.Alerts = append(view.Alerts, PreviewAlert{
			Identity: alert.Identity, Name: alert.Name(), State: state, Severity: alert.Severity().String(), Labels: alert.Labels.Map(),
			Annotations: alert.Annotations.Map(), Link: alert.GeneratorURL, StartsAt: alert.StartsAt,
		})
	}
	return answer(view), nil
}

func toIntegration(i *integration.Integration, c *integration.Counters) Integration {
	view := Integration{
		Name: i.Name, Kind: i.Kind, Keys: []IntegrationKey{}, ResolveTimeout: i.ResolveTimeout, Mapper: i.Mapper, Forward: i.Forward,
		Observe: i.Observe, Pinned: i.Pinned, CreatedAt: i.CreatedAt, CreatedBy: i.CreatedBy, Version: i.Version,
	}
	for _, k := range i.Keys {
		view.Keys = append(view.Keys, IntegrationKey{Hint: k.Hint, CreatedAt: k.CreatedAt, ExpiresAt: optional(k.ExpiresAt)})
	}
	if c != nil {
		view.Requests, view.Refused, view.Alerts, view.Rejected = c.Requests, c.Refused, c.Alerts, c.Rejected
		view.LastAt, view.LastError, view.LastErrorAt = optional(c.LastAt), c.LastError, optional(c.LastErrorAt)
	}
	return view
}
