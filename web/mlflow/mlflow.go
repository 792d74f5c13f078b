// Package mlflow answers MLflow's REST API over the packages of ml: the unmodified clients 2.x and 3.x work with Fairlead as
// their tracking server.
//
// It is a thin face: it reads requests by MLflow's rules (protobuf's JSON with snake_case names), calls ml, and writes
// answers and errors as MLflow's client wants them. A mistake of the sender is always a 4xx: clients repeat 5xx for
// minutes. What MLflow answers with HTML (unknown paths, wrong methods) is JSON here.
package mlflow

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"syscall"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/artifact"
	"github.com/fairlead/fairlead/ml/experiment"
	"github.com/fairlead/fairlead/ml/model"
	"github.com/fairlead/fairlead/ml/model/webhook"
	"github.com/fairlead/fairlead/ml/trace"
)

// Version is what the server says it is. Clients from 3.4 on save spans as that version does.
const Version = "3.11.0"

// Config is what the API is a face of.
type Config struct {
	Experiments *experiment.Store
	Files       *artifact.Files
	Models      *model.Registry
	Traces      *trace.Store
	Webhooks    *webhook.Hooks
	// People are who may do what with which experiment and model.
	People *access.Directory
	Logger *slog.Logger
}

// Face answers the API.
type Face struct {
	Config
}

// Mux takes routes.
type Mux interface {
	Handle(pattern string, handler http.Handler)
}

// handler answers one call: with something that encoding/json writes, or an error.
type handler func(ctx context.Context, in *object) (any, error)

// Right is what a route needs.
type Right int

// The rights.
const (
	// Everybody may: health and version.
	Everybody Right = iota
	// Read is for all who may read.
	Read
	// Write is for researchers.
	Write
	// Manage is for admins.
	Manage
	// Account is for whoever has shown who they are, also on this machine.
	Account
	// Accounts is for admins who have shown who they are.
	Accounts
)

// route is one call of the API.
type route struct {
	method string
	// path is behind the prefix, for instance "runs/create".
	path string
	// versions are those of the API that have it.
	versions []string
	right    Right
	handle   handler
	// serve is set instead of handle by what does not speak JSON.
	serve http.HandlerFunc
}

// The prefixes of the API.
var prefixes = []string{"/api/2.0/mlflow", "/ajax-api/2.0/mlflow", "/api/3.0/mlflow", "/ajax-api/3.0/mlflow"}

// pattern is a route as the mux knows it.
type pattern struct {
	method, path string
	right        Right
	handler      http.Handler
}

func (p pattern) String() string { return p.method + " " + p.path }

func (f *Face) patterns() []pattern {
	var list []pattern
	for _, r := range f.routes() {
		if r.versions == nil {
			r.versions = two
		}
		serve := r.serve
		if serve == nil {
			serve = f.answering(f.guard(r))
		}
		for _, prefix := range prefixes {
			if !slices.ContainsFunc(r.versions, func(v string) bool { return strings.Contains(prefix, "/"+v+"/") }) {
				continue
			}
			list = append(list, pattern{r.method, prefix + "/" + r.path, r.right, serve})
		}
	}
	list = append(list, f.plain()...)
	// What is no call: a wrong method of a path that there is, or nothing.
	calls := slices.Clone(list)
	for _, prefix := range []string{"/api/", "/ajax-api/"} {
		for _, rest := range []string{"2.0/mlflow/", "2.0/mlflow-artifacts/", "3.0/mlflow/", "3.0/mlflow-artifacts/"} {
			for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
				list = append(list, pattern{method, prefix + rest, Read, noCall(calls)})
			}
		}
	}
	return list
}

// Patterns returns all routes with the right that each needs.
func Patterns() map[string]Right {
	rights := map[string]Right{}
	for _, p := range (&Face{}).patterns() {
		rights[p.String()] = p.right
	}
	return rights
}

// Routes puts the API on a mux.
func Routes(mux Mux, config Config) *Face {
	f := &Face{Config: config}
	for _, p := range f.patterns() {
		mux.Handle(p.String(), p.handler)
	}
	return f
}

// noCall answers what none of the calls is.
func noCall(calls []pattern) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var allowed []string
		for _, c := range calls {
			if c.at(r.URL.Path) {
				allowed = append(allowed, c.method)
			}
		}
		if len(allowed) == 0 {
			fail(w, http.StatusNotFound, "ENDPOINT_NOT_FOUND", "This path is not part of the API.")
			return
		}
		allow := strings.Join(allowed, ", ")
		w.Header().Set("Allow", allow)
		fail(w, http.StatusMethodNotAllowed, "BAD_REQUEST", "The method "+r.Method+" is not known for this path; use "+allow+".")
	}
}

// at reports whether a path is this pattern's.
func (p pattern) at(path string) bool {
	want, got := strings.Split(p.path, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if want[i] != got[i] && !strings.HasPrefix(want[i], "{") {
			return false
		}
	}
	return true
}

// answering makes a handler of HTTP from a call.
func (f *Face) answering(handle handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		in, err := read(r)
		if err != nil {
			f.refuse(w, r, err)
			return
		}
		answer, err := handle(r.Context(), in)
		if err == nil {
			err = in.err()
		}
		if err != nil {
			f.refuse(w, r, err)
			return
		}
		write(w, http.StatusOK, answer)
	}
}

// statuses are those of the codes; any other is 400.
var statuses = map[experiment.Code]int{
	experiment.DoesNotExist: http.StatusNotFound, experiment.Exhausted: http.StatusTooManyRequests, permissionDenied: http.StatusForbidden,
}

// refuse answers with an error.
func (f *Face) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var refusal *experiment.Error
	switch {
	case errors.As(err, &refusal):
		status, known := statuses[refusal.Code]
		if !known {
			status = http.StatusBadRequest
		}
		fail(w, status, string(refusal.Code), refusal.Message)
	case errors.Is(err, errNoMultipart):
		notImplemented(w, r)
	case errors.Is(err, artifact.ErrNotFound):
		fail(w, http.StatusNotFound, "RESOURCE_DOES_NOT_EXIST", err.Error())
	case errors.Is(err, artifact.ErrPath):
		fail(w, http.StatusBadRequest, "INVALID_PARAMETER_VALUE", err.Error())
	case errors.Is(err, artifact.ErrQuota):
		fail(w, http.StatusRequestEntityTooLarge, "RESOURCE_EXHAUSTED", err.Error()+"; nothing was stored. Delete files, have what was deleted purged, or ask an admin for a larger learning.quota.")
	case errors.Is(err, syscall.ENOSPC):
		f.Logger.Error("the disk is full", "route", r.Pattern, "error", err)
		fail(w, http.StatusInsufficientStorage, "RESOURCE_EXHAUSTED", "The disk is full, and nothing was stored: free space on the server, and send it again.")
	case r.Context().Err() != nil:
		fail(w, 499, "CANCELLED", "The request was given up.")
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, store.ErrClosed):
		f.Logger.Error("a request could not be stored or read", "route", r.Pattern, "error", err)
		w.Header().Set("Retry-After", "5")
		fail(w, http.StatusServiceUnavailable, "TEMPORARILY_UNAVAILABLE", "The database does not take or give anything at the moment, and nothing was stored; try again. Perhaps the disk is full: the log says more.")
	default:
		f.Logger.Error("a request failed", "route", r.Pattern, "error", err)
		fail(w, http.StatusInternalServerError, "INTERNAL_ERROR", "Something went wrong here; the log has it.")
	}
}
