package opsgenie

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

// Bounds of lists: how many alerts a page holds, and by default.
const (
	mostListed    = 100
	defaultListed = 20
)

// read is the Reply of a reading request: what it found.
type read struct {
	data   any
	paging map[string]string
}

// Read returns the protocol of reading: GET /v2/alerts, /v2/alerts/{identifier} (count too) and /v2/alerts/{identifier}/{what}
// (requests/{requestId} too).
func Read(lookup Lookup) receive.Protocol {
	return receive.Protocol{
		Kind: Kind, Name: "opsgenie-read", Secret: secretOf,
		Parse: func(*receive.Request) (*receive.Delivery, error) { return &receive.Delivery{Reply: &read{}}, nil },
		Take: func(ctx context.Context, r *receive.Request, d *receive.Delivery) error {
			answer, ok := d.Reply.(*read)
			if !ok {
				return nil
			}
			s := reader{ctx, lookup, r}
			identifier, what := r.PathValue("identifier"), r.PathValue("what")
			var err error
			switch {
			case identifier == "":
				answer.data, answer.paging, err = s.list()
			case identifier == "count" && what == "":
				answer.data, err = s.count()
			case identifier == "requests":
				answer.data, err = s.status(what)
			default:
				answer.data, err = s.alert(identifier, what)
			}
			if errors.Is(err, ErrNotFound) {
				return &receive.Problem{Status: http.StatusNotFound, Detail: "Alert does not exist."}
			}
			return err
		},
		Answer: func(w http.ResponseWriter, r *receive.Request, d *receive.Delivery, p *receive.Problem) {
			if p != nil {
				if p.Status == http.StatusNotFound && r.PathValue("identifier") == "requests" {
					w.Header().Set("X-Opsgenie-Errortype", "RequestNotProcessed") // clients ask again
				}
				fail(w, r, p)
				return
			}
			body := map[string]any{}
			if answer, ok := d.Reply.(*read); ok {
				body["data"] = answer.data
				if answer.paging != nil {
					body["paging"] = answer.paging
				}
			}
			write(w, r, http.StatusOK, anyID(), body)
		},
	}
}

// reader answers one request.
type reader struct {
	ctx    context.Context
	lookup Lookup
	r      *receive.Request
}

// alert answers about one alert.
func (s reader) alert(identifier, what string) (any, error) {
	a, _, err := find(s.ctx, s.lookup, s.r.Integration.Name, identifier, cmp.Or(s.r.URL.Query().Get("identifierType"), "id"))
	if err != nil {
		return nil, err
	}
	switch what {
	case "":
		return a.full(s.r.Integration.Name), nil
	case "notes":
		return a.record(true), nil
	case "logs":
		return a.record(false), nil
	case "recipients", "attachments":
		return []any{}, nil
	}
	return nil, &receive.Problem{Status: http.StatusNotFound, Detail: "There is nothing of this name about an alert."}
}

// status answers what has become of a request.
func (s reader) status(id string) (any, error) {
	f, act, at, ok := readRequestID(id)
	if !ok {
		return nil, &receive.Problem{Status: http.StatusNotFound, Detail: "Request not found. It might not be processed, yet."}
	}
	integration := s.r.Integration.Name
	data := map[string]any{
		"isSuccess": false, "success": false, "action": act.name, "processedAt": at, "integrationId": integration, "status": "Alert does not exist",
		"alertId": "", "alias": "",
	}
	if f == 0 {
		return data, nil
	}
	a, err := s.lookup.ByKey(s.ctx, integration, f)
	switch {
	case errors.Is(err, ErrNotFound):
		if act.name == "Create" { // it was accepted, so it is on its way
			return nil, &receive.Problem{Status: http.StatusNotFound, Detail: "Request not found. It might not be processed, yet."}
		}
		return data, nil
	case err != nil:
		return nil, err
	}
	data["isSuccess"], data["success"], data["status"] = true, true, act.done
	data["alertId"], data["alias"] = alertID(integration, f), a.Identity
	return data, nil
}

// list answers GET /v2/alerts.
func (s reader) list() (any, map[string]string, error) {
	query := s.r.URL.Query()
	match, err := parseQuery(query.Get("query"), s.r.Integration.Name)
	if err != nil {
		return nil, nil, err
	}
	limit, err := number(query.Get("limit"), "query.limit", defaultListed, 1, mostListed)
	if err != nil {
		return nil, nil, err
	}
	offset, err := number(query.Get("offset"), "query.offset", 0, 0, 20_000)
	if err != nil {
		return nil, nil, err
	}
	order := cmp.Or(query.Get("order"), "desc")
	if order != "asc" && order != "desc" {
		return nil, nil, invalid("query.order", order, "send asc or desc")
	}
	by, known := sorts[cmp.Or(query.Get("sort"), "createdAt")]
	if !known {
		return nil, nil, invalid("query.sort", query.Get("sort"), "send createdAt, updatedAt, tinyId, alias, message, status, count, lastOccurredAt or acknowledged")
	}
	var found []*Alert
	err = s.lookup.Newest(s.ctx, s.r.Integration.Name, func(a *Alert) bool {
		if match(a) {
			found = append(found, a)
		}
		return true
	})
	if err != nil {
		return nil, nil, err
	}
	slices.SortStableFunc(found, func(a, b *Alert) int {
		if order == "asc" {
			a, b = b, a
		}
		return by(b, a)
	})
	data := []map[string]any{}
	for _, a := range found[min(offset, len(found)):min(offset+limit, len(found))] {
		data = append(data, a.brief(s.r.Integration.Name))
	}
	page := func(from int) string {
		next := *s.r.URL
		query.Set("offset", strconv.Itoa(max(0, from)))
		query.Set("limit", strconv.Itoa(limit))
		query.Del("apiKey")
		next.RawQuery = query.Encode()
		next.Scheme, next.Host = "http", s.r.Host
		return next.String()
	}
	paging := map[string]string{"first": page(0), "last": page((len(found) - 1) / limit * limit)}
	if offset+limit < len(found) {
		paging["next"] = page(offset + limit)
	}
	if offset > 0 {
		paging["prev"] = page(offset - limit)
	}
	return data, paging, nil
}

// sorts compare alerts by a field.
var sorts = map[string]func(a, b *Alert) int{
	"createdAt":      func(a, b *Alert) int { return a.CreatedAt.Compare(b.CreatedAt) },
	"updatedAt":      func(a, b *Alert) int { return a.changedAt().Compare(b.changedAt()) },
	"lastOccurredAt": func(a, b *Alert) int { return a.UpdatedAt.Compare(b.UpdatedAt) },
	"lastOccuredAt":  func(a, b *Alert) int { return a.UpdatedAt.Compare(b.UpdatedAt) }, // as the Go client writes it
	"tinyId":         func(a, b *Alert) int { return cmp.Compare(a.Number, b.Number) },
	"alias":          func(a, b *Alert) int { return strings.Compare(a.Identity, b.Identity) },
	"message":        func(a, b *Alert) int { return strings.Compare(a.message(), b.message()) },
	"status":         func(a, b *Alert) int { return strings.Compare(a.status(), b.status()) },
	"count":          func(a, b *Alert) int { return cmp.Compare(a.Reports, b.Reports) },
	"acknowledged":   func(a, b *Alert) int { return strings.Compare(fmt.Sprint(a.Acknowledged), fmt.Sprint(b.Acknowledged)) },
}

func (s reader) count() (any, error) {
	match, err := parseQuery(s.r.URL.Query().Get("query"), s.r.Integration.Name)
	if err != nil {
		return nil, err
	}
	count := 0
	err = s.lookup.Newest(s.ctx, s.r.Integration.Name, func(a *Alert) bool {
		if match(a) {
			count++
		}
		return true
	})
	return map[string]any{"count": count}, err
}

func number(text, field string, fallback, least, most int) (int, error) {
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, invalid(field, text, fmt.Sprintf("send a number from %d to %d", least, most))
	}
	return n, nil
}

func (a *Alert) message() string {
	return cmp.Or(a.Annotations.Get("summary"), a.Labels.Get("alertname"))
}

func (a *Alert) status() string {
	if a.Firing {
		return "open"
	}
	return "closed"
}

// changedAt is when it changed last.
func (a *Alert) changedAt() time.Time {
	if a.EndedAt.After(a.UpdatedAt) {
		return a.EndedAt
	}
	return a.UpdatedAt
}

func (a *Alert) tags() []string {
	if text := a.Annotations.Get("tags"); text != "" {
		return strings.Split(text, ", ")
	}
	return []string{}
}

// priority is the one that was sent, or the one that the severity means.
func (a *Alert) priority() string {
	if p := a.Labels.Get("priority"); severities[p] != "" {
		return p
	}
	switch a.Severity {
	case signal.Critical:
		return "P1"
	case signal.Error:
		return "P2"
	case signal.Info:
		return "P5"
	case signal.Unrated, signal.Warning:
	}
	return "P3"
}

// own are the labels and annotations that Fairlead made of fields other than details.
var own = []string{"alertname", "severity", "priority", "entity", "summary", "description", "message", "responders", "visible_to", "actions", "tags", "source"}

// details are the fields that are left.
func (a *Alert) details() map[string]string {
	details := map[string]string{}
	tags := a.tags()
	for _, l := range slices.Concat(a.Labels, a.Annotations) {
		if !slices.Contains(own, l.Name) && !slices.Contains(tags, l.Name) && !slices.Contains(tags, l.Name+":"+l.Value) && !slices.Contains(tags, l.Name+"="+l.Value) {
			details[l.Name] = l.Value
		}
	}
	return details
}

// responders are the parties that were named, each with its type if that is known.
func (a *Alert) responders() []map[string]string {
	list := []map[string]string{}
	for text := range strings.SplitSeq(a.Annotations.Get("responders"), ", ") {
		kind, name, found := strings.Cut(text, " ")
		if !found {
			kind, name = "", text
		}
		if name != "" {
			list = append(list, map[string]string{"type": kind, "name": name})
		}
	}
	return list
}

// brief is an alert as it stands in a list.
func (a *Alert) brief(integration string) map[string]any {
	fields := map[string]any{
		"id": alertID(integration, fingerprintOf(a.Identity)), "tinyId": strconv.FormatUint(a.Number, 10), "alias": a.Identity,
		"message": a.message(), "status": a.status(), "acknowledged": a.Acknowledged, "isSeen": a.Acknowledged, "seen": a.Acknowledged,
		"tags": a.tags(), "snoozed": false, "count": a.Reports, "lastOccurredAt": a.UpdatedAt, "createdAt": a.CreatedAt, "updatedAt": a.changedAt(),
		"source": a.Annotations.Get("source"), "owner": "", "priority": a.priority(), "responders": a.responders(),
		"integration": map[string]string{"id": integration, "name": integration, "type": "API"},
	}
	if !a.EndedAt.IsZero() {
		fields["report"] = map[string]any{"closeTime": a.EndedAt.Sub(a.CreatedAt).Milliseconds()}
	}
	return fields
}

// full is an alert by itself.
func (a *Alert) full(integration string) map[string]any {
	fields := a.brief(integration)
	fields["description"], fields["entity"], fields["details"] = a.Annotations.Get("description"), a.Labels.Get("entity"), a.details()
	actions := []string{}
	if text := a.Annotations.Get("actions"); text != "" {
		actions = strings.Split(text, ", ")
	}
	fields["actions"] = actions
	return fields
}

// record is what happened to an alert: its notes alone, or everything.
func (a *Alert) record(notes bool) []map[string]any {
	list := []map[string]any{}
	for n, line := range a.Lines {
		entry := map[string]any{"owner": "System", "createdAt": line.At, "offset": strconv.Itoa(n)}
		if notes {
			if !line.Comment {
				continue
			}
			owner, text, found := strings.Cut(line.Text, ": ")
			if !found {
				owner, text = "", line.Text
			}
			entry["owner"], entry["note"] = owner, text
		} else {
			entry["log"], entry["type"] = line.Text, "system"
		}
		list = append(list, entry)
	}
	return list
}
