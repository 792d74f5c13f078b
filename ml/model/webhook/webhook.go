// Package webhook tells other systems over HTTPS of changes in the model registry, as MLflow does.
//
//	hooks := webhook.New(db, webhook.Config{}, logger)
//	registry.Watch(hooks.Tell)
//	err := hooks.Run(ctx)
//
// A delivery is a POST of {entity, action, timestamp, data}, signed with the webhook's secret by HMAC-SHA256. It goes to
// public addresses only: the name is resolved, every address that is not public is refused, and the connection is made to the
// address that was checked; redirects are not followed. A delivery that fails is tried again twice, then it is given up and
// logged. Deliveries wait in a bounded queue: when it is full, further changes are not told, and counted.
package webhook

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"

	"github.com/fairlead/fairlead/ml/experiment"
)

// Event is a change that is told: MLflow's entity and action.
type Event struct {
	Entity string `json:"entity"`
	Action string `json:"action"`
}

// actions are those of each entity.
var actions = map[string][]string{
	"REGISTERED_MODEL": {"CREATED"}, "MODEL_VERSION": {"CREATED"},
	"MODEL_VERSION_TAG": {"SET", "DELETED"}, "MODEL_VERSION_ALIAS": {"CREATED", "DELETED"},
	"PROMPT": {"CREATED"}, "PROMPT_VERSION": {"CREATED"}, "PROMPT_TAG": {"SET", "DELETED"},
	"PROMPT_VERSION_TAG": {"SET", "DELETED"}, "PROMPT_ALIAS": {"CREATED", "DELETED"},
}

// The states of a webhook.
const (
	Active   = "ACTIVE"
	Disabled = "DISABLED"
)

// Webhook is somebody who is told.
type Webhook struct {
	ID          string
	Name        string
	Description string
	URL         string
	Events      []Event
	Status      string
	CreatedAt   int64
	UpdatedAt   int64

	secret string
}

// Edit is what people set of a webhook; nil leaves it as it is.
type Edit struct {
	Name        *string
	Description *string
	URL         *string
	Events      []Event
	Secret      *string
	Status      *string
}

// Config is what may be changed for tests.
type Config struct {
	// Allow reports whether an address may be called; nil means public ones only.
	Allow func(netip.Addr) bool
}

func invalid(format string, args ...any) error {
	return experiment.Refuse(experiment.InvalidParameterValue, format, args...)
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`)

// apply checks an edit and makes it.
func (h *Hooks) apply(ctx context.Context, w *Webhook, e Edit) error {
	if e.Name != nil {
		if !nameForm.MatchString(*e.Name) {
			return invalid("name: %q is not 1 to 63 letters, digits, . _ or -, with a letter or digit at both ends", experiment.Cut(*e.Name))
		}
		w.Name = *e.Name
	}
	if e.Description != nil {
		w.Description = *e.Description
	}
	if e.URL != nil {
		if err := h.checkURL(ctx, *e.URL); err != nil {
			return err
		}
		w.URL = *e.URL
	}
	if e.Events != nil {
		if err := checkEvents(e.Events); err != nil {
			return err
		}
		w.Events = e.Events
	}
	if e.Secret != nil {
		w.secret = *e.Secret
	}
	if e.Status != nil {
		w.Status = *e.Status
	}
	return nil
}

func checkEvents(events []Event) error {
	if len(events) == 0 {
		return invalid("events: it is empty; name at least one")
	}
	for i, event := range events {
		if !slices.Contains(actions[event.Entity], event.Action) {
			return invalid("events: %s %s is not known", experiment.Cut(event.Entity), experiment.Cut(event.Action))
		}
		if slices.Contains(events[:i], event) {
			return experiment.Refuse(experiment.BadRequest, "events: %s %s is there twice", event.Entity, event.Action)
		}
	}
	return nil
}

// checkURL refuses what must not be called.
func (h *Hooks) checkURL(ctx context.Context, text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "":
		return invalid("url: %q is not a URL", experiment.Cut(text))
	case u.Scheme != "https":
		return invalid("url: %q must begin with https", experiment.Cut(text))
	case u.User != nil:
		return invalid("url: leave user and password out")
	}
	if _, err := h.resolve(ctx, u.Hostname()); err != nil {
		return invalid("url: %v", err)
	}
	return nil
}

// resolve returns the addresses of a host, all of which may be called.
func (h *Hooks) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if address, err := netip.ParseAddr(host); err == nil {
		if !h.config.Allow(address) {
			return nil, invalid("%s is not a public address", host)
		}
		return []netip.Addr{address}, nil
	}
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, invalid("%s has no address: %v", experiment.Cut(host), err)
	}
	for _, address := range addresses {
		if !h.config.Allow(address) {
			return nil, invalid("%s leads to %s, which is not a public address", experiment.Cut(host), address)
		}
	}
	return addresses, nil
}

// reserved are networks that are not public, besides those that netip knows.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
}

// public reports whether an address is one of the internet.
func public(address netip.Addr) bool {
	address = address.Unmap()
	if !address.IsGlobalUnicast() || address.IsPrivate() || address.IsLoopback() || address.IsLinkLocalUnicast() {
		return false
	}
	return !slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(address) })
}
