package app

import (
	"context"
	"net/http"
	"slices"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/receive/alertmanager"
	"github.com/fairlead/fairlead/receive/otlp"
	"github.com/fairlead/fairlead/receive/pagerduty"
	"github.com/fairlead/fairlead/receive/promwrite"
)

// hook is one address of a protocol.
type hook struct {
	pattern  string // of http.ServeMux
	protocol receive.Protocol
	replay   string // where a dead letter without a request line is offered again; "" where all have one
}

// hooks are all protocols but Alertmanager's own, with their addresses. recorder keeps what another Alertmanager has told people.
func hooks(recorder *witness, parts pagers) []hook {
	return slices.Concat([]hook{
		{"POST /v2/enqueue", pagerduty.Events(), "/v2/enqueue"},
		{"POST /generic/2010-04-15/create_event.json", pagerduty.Legacy(), "/generic/2010-04-15/create_event.json"},
		{"POST /in/am-told/{integration}", told(recorder), "/in/am-told/{integration}"},
	}, senders(recorder), pages(parts))
}

// kinds returns the kinds of integrations.
func kinds() []string {
	list := []string{alertmanager.Integration, promwrite.Protocol, otlp.Protocol}
	for _, h := range hooks(nil, pagers{}) {
		list = append(list, h.protocol.Kind)
	}
	return list
}

func (a *App) openIntegrations(ctx context.Context) (err error) {
	a.integrations, err = integration.NewRegistry(ctx, integration.NewSQL(a.db), kinds(), a.clock.Now, a.part("integration"))
	a.gate = &receive.Gate{
		Integrations: a.integrations, Redactor: &integration.Redactor{}, Tee: receive.NewTee(a.registry),
		Anonymous: func(r *http.Request) bool {
			return a.cfg.Access.AnonymousLoopback && access.PeerOf(r.Context()).Loopback
		},
	}
	return err
}

// hookRoutes puts the protocols of webhook senders on mux.
func (a *App) hookRoutes(mux *routes) {
	served := receive.NewHooks(receive.HookConfig{
		Publisher: a.ingest, Clock: a.clock,
		Bodies:   receive.NewBodies(receive.DefaultLimits(), receive.NewBudget(0)),
		Caps:     receive.NewCaps(receive.CapsConfig{PerSender: a.cfg.Receive.MaxFingerprintsPerSender}),
		Gate:     a.gate,
		Registry: a.registry, Logger: a.part("receive"),
	})
	for _, h := range hooks(&witness{db: a.db, now: a.clock.Now}, a.pagers()) {
		mux.Handle(h.pattern, ownPages(served.Handle(h.protocol)))
	}
}
