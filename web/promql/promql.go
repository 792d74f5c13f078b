// Package promql answers queries the way Prometheus does, below /api/v1, so that Grafana's Prometheus data source, promtool
// and every other client of that API can read what Fairlead stores.
//
// It is Prometheus' own API over our own database: queries, labels, series, exemplars, remote read and the forms of its
// answers and errors are its code. Metadata are those that senders sent along. There are no rules and no targets here, so
// that those lists are empty. What changes something is not served.
package promql

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"runtime"
	"strconv"
	"strings"

	"github.com/prometheus/common/route"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/rules"
	v1 "github.com/prometheus/prometheus/web/api/v1"

	"github.com/fairlead/fairlead/base/series"
)

// Prefix is where the API lies.
const Prefix = "/api/v1"

// speaks is the version of Prometheus whose API this is: clients ask for it to learn what they may use.
const speaks = "3.15.0"

// Bounds of remote read, Prometheus' own defaults.
const (
	readSamples, readConcurrency, readFrameBytes = 5e7, 10, 1 << 20
)

// Config says what a Handler needs.
type Config struct {
	Store  *series.Store
	Logger *slog.Logger
}

// Handler serves the API. It is safe for concurrent use.
type Handler struct {
	store  *series.Store
	api    http.Handler
	remote http.Handler // in place of api when samples are kept elsewhere
}

// New returns a handler.
func New(c Config) *Handler {
	if c.Store.Remote() {
		return &Handler{store: c.Store, remote: forward(c.Store, c.Logger)}
	}
	db := c.Store.DB()
	api := v1.NewAPI(
		c.Store.Engine(), db, nil, nil, db,
		nil, nil, nil,
		func() config.Config { return config.DefaultConfig }, map[string]string{}, v1.GlobalURLOptions{},
		func(next http.HandlerFunc) http.HandlerFunc { return next },
		nil, "", false, false, 0,
		c.Logger, func(context.Context) v1.RulesRetriever { return noRules{} },
		readSamples, readConcurrency, readFrameBytes, false, nil,
		func() (v1.RuntimeInfo, error) { return v1.RuntimeInfo{}, errors.New("see /metrics") },
		&v1.PrometheusVersion{Version: speaks, Revision: "fairlead", GoVersion: runtime.Version()},
		nil, nil, nil, nil, nil,
		false, nil, false, false, false, false,
		series.Lookback, false, false, nil, nil, v1.OpenAPIOptions{}, c.Store.Parser(),
	)
	router := route.New()
	api.Register(router)
	return &Handler{store: c.Store, api: http.StripPrefix(Prefix, router)}
}

// Patterns are the routes, as http.ServeMux writes them: those of the API that read.
func Patterns() []string {
	var patterns []string
	for _, path := range []string{"/query", "/query_range", "/query_exemplars", "/labels", "/series", "/format_query", "/parse_query"} {
		patterns = append(patterns, "GET "+Prefix+path, "POST "+Prefix+path)
	}
	for _, path := range []string{"/label/{name}/values", "/metadata", "/status/buildinfo", "/rules", "/alerts"} {
		patterns = append(patterns, "GET "+Prefix+path)
	}
	return append(patterns, "POST "+Prefix+"/read")
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.remote != nil {
		h.remote.ServeHTTP(w, r)
		return
	}
	if r.URL.Path == Prefix+"/metadata" {
		h.metadata(w, r)
		return
	}
	h.api.ServeHTTP(w, r)
}

// forward passes requests on to the store that keeps the samples. What lets the asker in here is not shown there.
func forward(store *series.Store, logger *slog.Logger) http.Handler {
	target, transport := store.QueryURL()
	return &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			for _, name := range []string{"Authorization", "Cookie", "Origin", "Referer"} {
				r.Out.Header.Del(name)
			}
		},
		ModifyResponse: func(r *http.Response) error {
			r.Header.Del("Set-Cookie")
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil {
				logger.Warn("the remote store does not answer", "error", err)
			}
			answer(w, http.StatusBadGateway, map[string]any{
				"status": "error", "errorType": "unavailable", "error": "the store of samples does not answer; see series.remote.query_url in the configuration",
			})
		},
	}
}

// metadata answers what is known of metrics.
func (h *Handler) metadata(w http.ResponseWriter, r *http.Request) {
	limit := -1
	if text := r.FormValue("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil {
			answer(w, http.StatusBadRequest, map[string]any{"status": "error", "errorType": "bad_data", "error": "limit must be a number"})
			return
		}
	}
	metric := r.FormValue("metric")
	data := map[string][]series.Metadata{}
	for name, m := range h.store.Metadata() {
		if limit >= 0 && len(data) >= limit {
			break
		}
		if metric == "" || name == metric {
			data[name] = []series.Metadata{m}
		}
	}
	answer(w, http.StatusOK, map[string]any{"status": "success", "data": data})
}

func answer(w http.ResponseWriter, code int, body map[string]any) {
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, strings.TrimSpace(err.Error()), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(text) // the asker has gone: nobody is left to tell
}

// noRules stands for Prometheus' rules: alerts are made elsewhere here.
type noRules struct{}

// RuleGroups returns none.
func (noRules) RuleGroups() []*rules.Group { return nil }

// AlertingRules returns none.
func (noRules) AlertingRules() []*rules.AlertingRule { return nil }
