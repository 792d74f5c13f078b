package opsgenie

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

// sent is what a client sends to edit an alert.
type sent struct{ method, path, body string }

func TestEditsChangeTheAlert(t *testing.T) {
	long := strings.Repeat("x", 140)
	for name, test := range map[string]struct {
		edits []sent
		want  func(a *shownAlert)
		says  string
	}{
		"message":                     {[]sent{{"PUT", "/message", `{"message":"Disk is full","user":"ann"}`}}, func(a *shownAlert) { a.Message = "Disk is full" }, "ann: Changed the message to: Disk is full"},
		"a long message":              {[]sent{{"PUT", "/message", `{"message":"` + long + `"}`}}, func(a *shownAlert) { a.Message = long[:130] }, ": Changed the message to: " + long},
		"description":                 {[]sent{{"PUT", "/description", `{"description":"see wiki"}`}}, func(a *shownAlert) { a.Description = "see wiki" }, ": Changed the description to: see wiki"},
		"priority":                    {[]sent{{"PUT", "/priority", `{"priority":"P4","note":"not that bad"}`}}, func(a *shownAlert) { a.Priority = "P4" }, ": Changed the priority to P4. not that bad"},
		"priority in small letters":   {[]sent{{"PUT", "/priority", `{"priority":"p2"}`}}, func(a *shownAlert) { a.Priority = "P2" }, ": Changed the priority to P2."},
		"tags":                        {[]sent{{"POST", "/tags", `{"tags":["a","Critical","env:prod"]}`}}, func(a *shownAlert) { a.Tags = append(a.Tags, "a", "env:prod"); a.Details["environment"] = "prod" }, ": Added tags a, Critical, env:prod."},
		"tags taken away":             {[]sent{{"DELETE", "/tags?tags=Critical,unknown&user=ann", ""}}, func(a *shownAlert) { a.Tags = a.Tags[:1] }, "ann: Removed tags Critical,unknown."},
		"tags added and taken away":   {[]sent{{"POST", "/tags", `{"tags":["env:prod"]}`}, {"DELETE", "/tags?tags=env%3Aprod", ""}}, func(*shownAlert) {}, ": Removed tags env:prod."},
		"details":                     {[]sent{{"POST", "/details", `{"details":{"key1":"value2","key3":"3","host":"web-2"}}`}}, func(a *shownAlert) { a.Details = map[string]string{"key1": "value2", "key3": "3", "host": "web-2"} }, ": Added details host: web-2, key1: value2, key3: 3."},
		"details taken away":          {[]sent{{"DELETE", "/details?keys=key1,host,summary", ""}}, func(a *shownAlert) { a.Details = map[string]string{} }, ": Removed details key1,host,summary."},
		"a detail named as a field":   {[]sent{{"POST", "/details", `{"details":{"description":"other","tags":"other"}}`}}, func(*shownAlert) {}, ""},
		"several, one after another":  {[]sent{{"PUT", "/message", `{"message":"m"}`}, {"PUT", "/description", `{"description":"d"}`}}, func(a *shownAlert) { a.Message, a.Description = "m", "d" }, ": Changed the description to: d"},
		"the same message once again": {[]sent{{"PUT", "/message", `{"message":"An example alert message"}`}}, func(*shownAlert) {}, ""},
		"the same, with a note":       {[]sent{{"PUT", "/message", `{"message":"An example alert message","note":"hm","user":"ann"}`}}, func(*shownAlert) {}, "ann: hm"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			s.send(http.StatusAccepted, http.MethodPost, "/v2/alerts", documented)
			path := "/v2/alerts/Life%20is%20too%20short%20for%20no%20alias"
			var want, got shownAlert
			s.send(http.StatusOK, http.MethodGet, path+"?identifierType=alias", "").into(t, &want)
			reports := want.Count
			test.want(&want)
			for n, edit := range test.edits {
				what, query, _ := strings.Cut(edit.path, "?")
				identifiers := []string{path + what + "?identifierType=alias&", "/v2/alerts/1" + what + "?identifierType=tiny&", "/v2/alerts/" + want.ID + what + "?"}
				accepted := s.send(http.StatusAccepted, edit.method, identifiers[n%3]+query, edit.body)
				var status struct {
					IsSuccess       bool
					Action, AlertID string
				}
				s.send(http.StatusOK, http.MethodGet, "/v2/alerts/requests/"+accepted.RequestID, "").into(t, &status)
				if !status.IsSuccess || status.AlertID != want.ID || status.Action == "Create" {
					t.Errorf("%s: its status is %+v", edit.path, status)
				}
				// The same request again, as after a lost answer, changes nothing more.
				first := s.desk.newest("Life is too short for no alias")
				before, lines := *first, len(first.Lines)
				s.send(http.StatusAccepted, edit.method, identifiers[(n+1)%3]+query, edit.body)
				if again := s.desk.newest("Life is too short for no alias"); again.Reports != before.Reports || len(again.Lines) != lines && !strings.Contains(edit.body, "note") {
					t.Errorf("%s: sent again, it makes %d reports of %d, %d lines of %d", edit.path, again.Reports, before.Reports, len(again.Lines), lines)
				}
			}
			s.send(http.StatusOK, http.MethodGet, path+"?identifierType=alias", "").into(t, &got)
			if got.Count > reports+len(test.edits) {
				t.Errorf("got %d reports of %d", got.Count, reports)
			}
			want.Count = got.Count
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if lines := s.desk.newest(want.Alias).Lines; test.says != "" && !slices.ContainsFunc(lines, func(l Line) bool { return l.Text == test.says }) || test.says == "" && len(lines) > 0 {
				t.Errorf("its record is %+v, want %q", lines, test.says)
			}
		})
	}
}

func TestAnEditIsAReportOfTheSameAlert(t *testing.T) {
	s := serve(t)
	s.send(http.StatusAccepted, http.MethodPost, "/v2/alerts", documented)
	created := s.desk.alerts[0]
	got := s.Send(http.MethodPut, "/v2/alerts/1/priority?identifierType=tiny", `{"priority":"P3"}`, "Authorization", "GenieKey "+key)
	alerts := s.Taken()
	if got.Status != http.StatusAccepted || len(alerts) != 2 {
		t.Fatalf("got %d %s with %+v", got.Status, got.Body, alerts)
	}
	report := alerts[0]
	if report.Act != signal.Report || report.Identity != created.Identity || !report.Keyed || report.Severity() != signal.Warning || !report.StartsAt.Equal(created.CreatedAt) || !report.EndsAt.IsZero() {
		t.Errorf("got %+v", report)
	}
}

func TestAnEditOfAnAlertThatHasEndedOrIsUnknownBeginsNone(t *testing.T) {
	s := serve(t)
	s.send(http.StatusAccepted, http.MethodPost, "/v2/alerts", `{"message":"m","alias":"a"}`)
	s.send(http.StatusAccepted, http.MethodPost, "/v2/alerts/a/close?identifierType=alias", `{}`)
	s.send(http.StatusAccepted, http.MethodPut, "/v2/alerts/a/message?identifierType=alias", `{"message":"late"}`)
	if a := s.desk.newest("a"); a.Firing || len(s.desk.alerts) != 1 || len(a.Lines) != 1 {
		t.Errorf("got %+v", a)
	}
	for _, path := range []string{"nobody/message?identifierType=alias", "77/message?identifierType=tiny", "4513b7ea-3b91-438f-b7e4-e3e54af9147c/message"} {
		accepted := s.send(http.StatusAccepted, http.MethodPut, "/v2/alerts/"+path, `{"message":"x"}`)
		var status struct {
			IsSuccess bool
			Status    string
		}
		s.send(http.StatusOK, http.MethodGet, "/v2/alerts/requests/"+accepted.RequestID, "").into(t, &status)
		if status.IsSuccess || status.Status != "Alert does not exist" || len(s.desk.alerts) != 1 {
			t.Errorf("%s: got %+v", path, status)
		}
	}
	for path, body := range map[string]string{
		"a/message?identifierType=alias": `{}`, "a/priority?identifierType=alias": `{"priority":"P9"}`, "a/message?identifierType=nick": `{"message":"m"}`, "%20/message?identifierType=alias": `{"message":"m"}`,
	} {
		if got := s.send(http.StatusUnprocessableEntity, http.MethodPut, "/v2/alerts/"+path, body); len(got.Errors) != 1 {
			t.Errorf("%s %s: got %+v", path, body, got)
		}
	}
}

func TestEditsAtTheSameTimeLoseNone(t *testing.T) {
	s := serve(t)
	s.send(http.StatusAccepted, http.MethodPost, "/v2/alerts", `{"message":"m","alias":"a"}`)
	s.desk.published = s.Taken
	var all sync.WaitGroup
	for n := range 20 {
		all.Go(func() {
			got := s.Send(http.MethodPost, "/v2/alerts/a/tags?identifierType=alias", fmt.Sprintf(`{"tags":["t%d"]}`, n), "Authorization", "GenieKey "+key)
			if got.Status != http.StatusAccepted {
				t.Errorf("got %d %s", got.Status, got.Body)
			}
		})
	}
	all.Wait()
	s.desk.take(s.Taken())
	if tags := s.desk.newest("a").tags(); len(tags) != 20 {
		t.Errorf("got %d tags of 20: %v", len(tags), tags)
	}
}

func TestOneEditOfAnAlertAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLocks()
		first, end := context.WithCancel(t.Context())
		if err := l.hold(first, "ops", 1); err != nil {
			t.Fatal(err)
		}
		held := make(chan error, 1)
		second, endSecond := context.WithCancel(t.Context())
		go func() { held <- l.hold(second, "ops", 1) }()
		synctest.Wait()
		if len(held) != 0 {
			t.Fatal("a second edit did not wait")
		}
		end()
		if err := <-held; err != nil {
			t.Fatal(err)
		}
		// One that takes too long is not waited for for ever.
		problem, ok := errors.AsType[*receive.Problem](l.hold(t.Context(), "ops", 1))
		if !ok || problem.Status != http.StatusServiceUnavailable || problem.RetryAfter == 0 {
			t.Errorf("got %+v, want a 503 with a time", problem)
		}
		endSecond()
		synctest.Wait()
		if err := l.hold(second, "ops", 1); err == nil {
			t.Error("a request that has gone gets the lock")
		}
	})
}
