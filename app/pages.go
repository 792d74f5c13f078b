package app

import (
	"net/http"

	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/receive/heartbeat"
)

// pagers are the parts that the protocols of paging services and clouds need besides the publisher.
type pagers struct {
	heartbeats *heartbeat.Board
}

func (a *App) pagers() pagers { return pagers{heartbeats: a.heartbeats} }

// pages are the protocols of paging services, of clouds, and of heartbeats.
func pages(p pagers) []hook {
	return []hook{
		{"POST /in/heartbeat/{integration}", heartbeat.Protocol(p.heartbeats), ""},
		{"GET /in/heartbeat/{integration}", heartbeat.Protocol(p.heartbeats), ""},
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
