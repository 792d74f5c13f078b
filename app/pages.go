package app

import (
	"net/http"

	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/receive/cloudevents"
	"github.com/fairlead/fairlead/receive/cloudwatch"
	"github.com/fairlead/fairlead/receive/heartbeat"
	"github.com/fairlead/fairlead/receive/oncall"
	"github.com/fairlead/fairlead/receive/opsgenie"
)

// pagers are the parts that the protocols of paging services and clouds need besides the publisher.
type pagers struct {
	heartbeats *heartbeat.Board
	lookup     opsgenie.Lookup
	verifier   *cloudwatch.Verifier
}

func (a *App) pagers() pagers {
	return pagers{heartbeats: a.heartbeats, lookup: lookup{a}, verifier: cloudwatch.NewVerifier(cloudwatch.Config{})}
}

// pages are the protocols of paging services, of clouds, and of heartbeats.
func pages(p pagers) []hook {
	act, read, beat := opsgenie.Act(p.lookup), opsgenie.Read(p.lookup), opsgenie.Heartbeats(p.heartbeats)
	return []hook{
		{"POST /v2/alerts", opsgenie.Create(), "/v2/alerts"},
		{"POST /v2/alerts/{identifier}/{what}", act, ""},
		{"POST /v2/alerts/{identifier}/{what}/{name}", act, ""},
		{"PUT /v2/alerts/{identifier}/{what}", act, ""},
		{"DELETE /v2/alerts/{identifier}", act, ""},
		{"DELETE /v2/alerts/{identifier}/{what}", act, ""},
		{"GET /v2/alerts", read, ""},
		{"GET /v2/alerts/{identifier}", read, ""},
		{"GET /v2/alerts/{identifier}/{what}", read, ""},
		{"GET /v2/heartbeats/{name}/{what}", beat, ""},
		{"POST /v2/heartbeats/{name}/{what}", beat, ""},
		{"PUT /v2/heartbeats/{name}/{what}", beat, ""},
		{"PATCH /v2/heartbeats/{name}/{what}", beat, ""},
		{"POST /v2/heartbeats", beat, "/v2/heartbeats"},
		{"GET /v2/heartbeats", beat, ""},
		{"GET /v2/heartbeats/{name}", beat, ""},
		{"PATCH /v2/heartbeats/{name}", beat, ""},
		{"DELETE /v2/heartbeats/{name}", beat, ""},
		{"POST /integrations/v1/alertmanager/{key}/{$}", oncall.Alertmanager(), "/integrations/v1/alertmanager/again/"},
		{"POST /integrations/v1/grafana_alerting/{key}/{$}", oncall.Grafana(), "/integrations/v1/grafana_alerting/again/"},
		{"POST /integrations/v1/formatted_webhook/{key}/{$}", oncall.Formatted(), "/integrations/v1/formatted_webhook/again/"},
		{"POST /integrations/v1/zabbix/{key}/{$}", oncall.Zabbix(), "/integrations/v1/zabbix/again/"},
		{"POST /integrations/v1/amazon_sns/{key}/{$}", oncall.SNS(p.verifier), "/integrations/v1/amazon_sns/again/"},
		{"POST /integrations/v1/{type}/{key}/{$}", oncall.Webhook(), "/integrations/v1/webhook/again/"},
		{"POST /integrations/v1/{type}/{key}/heartbeat/{$}", oncall.Heartbeat(p.heartbeats), ""},
		{"GET /integrations/v1/{type}/{key}/heartbeat/{$}", oncall.Heartbeat(p.heartbeats), ""},
		{"POST /in/cloudevents", cloudevents.Events(), "/in/cloudevents/{integration}"},
		{"OPTIONS /in/cloudevents", cloudevents.Events(), "/in/cloudevents/{integration}"},
		{"OPTIONS /in/cloudevents/{integration}", cloudevents.Events(), "/in/cloudevents/{integration}"},
		{"POST /in/cloudevents/{integration}", cloudevents.Events(), "/in/cloudevents/{integration}"},
		{"POST /in/sns/{integration}", cloudwatch.SNS(p.verifier), "/in/sns/{integration}"},
		{"POST /in/heartbeat/{integration}", heartbeat.Protocol(p.heartbeats), "/in/heartbeat/{integration}"},
		{"GET /in/heartbeat/{integration}", heartbeat.Protocol(p.heartbeats), "/in/heartbeat/{integration}"},
	}
}

// ownPages refuses a reading request that a foreign page made a browser send: a GET can be a ping here, and pictures are
// fetched without asking. guard does the same for all other methods.
func ownPages(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
			p := receive.Problem{
				Status: http.StatusForbidden, Detail: "A page of another origin may not send this.",
				Errors: []receive.FieldError{{Field: "Sec-Fetch-Site", Value: receive.Excerpt(site), Remedy: "send the request from a program, or from this server's own page"}},
			}
			p.Write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}
