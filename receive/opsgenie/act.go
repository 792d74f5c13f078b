package opsgenie

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

// actBody is the body of what is done with an alert; each act needs other fields of it.
type actBody struct {
	User        string         `json:"user"`
	Source      string         `json:"source"`
	Note        string         `json:"note"`
	EndTime     string         `json:"endTime"`
	Escalation  party          `json:"escalation"`
	Owner       party          `json:"owner"`
	Responder   party          `json:"responder"`
	Team        party          `json:"team"`
	Tags        []string       `json:"tags"`
	Details     map[string]any `json:"details"`
	Message     string         `json:"message"`
	Description string         `json:"description"`
	Priority    string         `json:"priority"`
}

// acted is the Reply of an act: the alert that it is about, and what it was.
type acted struct {
	f      signal.Fingerprint
	number byte
}

// Act returns the protocol of what is done with an alert: /v2/alerts/{identifier} with DELETE, and
// /v2/alerts/{identifier}/{what} with POST, PUT and DELETE.
func Act(lookup Lookup) receive.Protocol {
	return receive.Protocol{
		Kind: Kind, Name: "opsgenie-act", Secret: secretOf,
		Parse: actor{lookup, newLocks()}.parse,
		Answer: func(w http.ResponseWriter, r *receive.Request, d *receive.Delivery, p *receive.Problem) {
			if p != nil {
				fail(w, r, p)
				return
			}
			reply, ok := d.Reply.(acted)
			if !ok {
				reply = acted{}
			}
			accept(w, r, requestID(reply.f, reply.number, r.At))
		},
	}
}

// actor reads acts.
type actor struct {
	lookup Lookup
	locks  *locks
}

func (a actor) parse(r *receive.Request) (*receive.Delivery, error) {
	what, act, err := readAct(r)
	if err != nil {
		return nil, err
	}
	if r.Integration == nil {
		return &receive.Delivery{}, nil // it is only asked whether the request can be read
	}
	if what.change != nil {
		return a.actAsEdit(r, act.number, what)
	}
	reply := acted{number: act.number}
	identity, f, err := resolve(r.Context(), a.lookup, r)
	if reply.f = f; err != nil || identity == "" {
		return &receive.Delivery{Reply: reply}, err // nobody knows the alert: that is told under the request's id
	}
	return &receive.Delivery{Alerts: actAlerts(identity, act.number, what), Reply: reply}, nil
}

// said is an act in words. change does it to the alert, if it is an edit.
type said struct {
	actor, text, note string
	change            func(t *texts)
}

// actAlerts returns what an act means for the alert.
func actAlerts(identity string, number byte, what said) []signal.Alert {
	a := signal.Alert{Identity: identity, Keyed: true, Actor: what.actor, Text: what.note}
	switch number {
	case 2, 16: // close, delete
		a.Act, a.Text = signal.End, ""
		if what.note != "" {
			return []signal.Alert{{Act: signal.Comment, Identity: identity, Keyed: true, Actor: what.actor, Text: what.note}, a}
		}
	case 3:
		a.Act = signal.Acknowledge
	case 4:
		a.Act = signal.Unacknowledge
	default:
		a.Act, a.Text = signal.Comment, strings.TrimSpace(what.text+" "+what.note)
	}
	return []signal.Alert{a}
}

// readAct reads what is to be done. The error is a *receive.Problem.
func readAct(r *receive.Request) (said, action, error) {
	var b actBody
	query := r.URL.Query()
	if len(strings.TrimSpace(string(r.Body))) > 0 && r.Method != http.MethodDelete {
		if err := receive.DecodeJSON(r.Body, &b); err != nil {
			return said{}, action{}, err
		}
	}
	if r.Method == http.MethodDelete {
		b.User, b.Source, b.Note = query.Get("user"), query.Get("source"), query.Get("note")
	}
	what := said{actor: cmp.Or(b.User, b.Source), note: strings.TrimSpace(b.Note)}
	known, ok := verbs[r.Method+" "+r.PathValue("what")]
	if !ok {
		return said{}, action{}, &receive.Problem{
			Status: http.StatusNotFound, Detail: "There is no such act.",
			Errors: []receive.FieldError{{Field: "path", Value: receive.Excerpt(r.URL.Path), Remedy: "see Opsgenie's Alert API for the acts"}},
		}
	}
	if known.say == nil {
		return what, actions[known.number], nil
	}
	text, err := known.say(&b, query, r.PathValue("name"))
	what.text = text
	if known.change != nil {
		what.change = func(t *texts) { known.change(t, &b, query) }
	}
	return what, actions[known.number], err
}

// verb is one act: its number, what it says of itself (nil says nothing but the note), and what it changes of the alert's texts
// (nil changes nothing).
type verb struct {
	number byte
	say    func(b *actBody, query url.Values, name string) (string, error)
	change func(t *texts, b *actBody, query url.Values)
}

var verbs = map[string]verb{
	"POST close":         {2, nil, nil},
	"POST acknowledge":   {3, nil, nil},
	"POST unacknowledge": {4, nil, nil},
	"POST notes": {5, func(b *actBody, _ url.Values, _ string) (string, error) {
		return "", want("note", b.Note, "say what is to be noted")
	}, nil},
	"POST snooze": {6, func(b *actBody, _ url.Values, _ string) (string, error) {
		at, err := time.Parse(time.RFC3339Nano, b.EndTime)
		if err != nil {
			return "", invalid("endTime", b.EndTime, "send an ISO 8601 time, for instance 2026-01-02T15:04:05Z")
		}
		return "Snoozed until " + at.UTC().Format(time.RFC3339) + ".", nil
	}, nil},
	"POST escalate": {7, func(b *actBody, _ url.Values, _ string) (string, error) {
		return "Escalated to the next rule of " + b.Escalation.String() + ".", want("escalation", b.Escalation.String(), "name the escalation by id or name")
	}, nil},
	"POST assign": {8, func(b *actBody, _ url.Values, _ string) (string, error) {
		return "Assigned to " + b.Owner.String() + ".", want("owner", b.Owner.String(), "name the user by id or username")
	}, nil},
	"POST responders": {9, func(b *actBody, _ url.Values, _ string) (string, error) {
		return "Added responder " + b.Responder.String() + ".", want("responder", b.Responder.String(), "name a user or team")
	}, addResponder},
	"POST teams": {10, func(b *actBody, _ url.Values, _ string) (string, error) {
		return "Added team " + b.Team.String() + ".", want("team", b.Team.String(), "name the team by id or name")
	}, addResponder},
	"POST tags": {11, func(b *actBody, _ url.Values, _ string) (string, error) {
		tags := strings.Join(b.Tags, ", ")
		return "Added tags " + tags + ".", want("tags", tags, "send at least one")
	}, addTags},
	"POST details": {12, func(b *actBody, _ url.Values, _ string) (string, error) {
		var texts []string
		for name, value := range b.Details {
			texts = append(texts, name+": "+receive.Text(value))
		}
		slices.Sort(texts)
		return "Added details " + strings.Join(texts, ", ") + ".", want("details", strings.Join(texts, ""), "send at least one")
	}, addDetails},
	"PUT message": {13, func(b *actBody, _ url.Values, _ string) (string, error) {
		return "Changed the message to: " + b.Message, want("message", b.Message, "say in one line what is wrong")
	}, changeMessage},
	"PUT description": {14, func(b *actBody, _ url.Values, _ string) (string, error) {
		return "Changed the description to: " + b.Description, want("description", b.Description, "send the new text")
	}, changeDescription},
	"PUT priority": {15, func(b *actBody, _ url.Values, _ string) (string, error) {
		if b.Priority = strings.ToUpper(b.Priority); severities[b.Priority] == "" {
			return "", invalid("priority", b.Priority, "send P1, P2, P3, P4 or P5")
		}
		return "Changed the priority to " + b.Priority + ".", nil
	}, changePriority},
	"DELETE ": {16, nil, nil},
	"DELETE tags": {17, func(_ *actBody, query url.Values, _ string) (string, error) {
		return "Removed tags " + query.Get("tags") + ".", want("query.tags", query.Get("tags"), "name them, separated by commas")
	}, removeTags},
	"DELETE details": {18, func(_ *actBody, query url.Values, _ string) (string, error) {
		return "Removed details " + query.Get("keys") + ".", want("query.keys", query.Get("keys"), "name them, separated by commas")
	}, removeDetails},
	"POST actions": {19, func(_ *actBody, _ url.Values, name string) (string, error) {
		return "Executed the action " + name + ".", want("path.name", name, "name the action")
	}, nil},
}

func want(field, value, remedy string) error {
	if strings.TrimSpace(value) == "" {
		return invalid(field, value, "it is missing; "+remedy)
	}
	return nil
}

// resolve returns the identity of the alert that a request names, and its fingerprint; "" for one that nobody knows.
func resolve(ctx context.Context, lookup Lookup, r *receive.Request) (string, signal.Fingerprint, error) {
	identifier, kind := r.PathValue("identifier"), cmp.Or(r.URL.Query().Get("identifierType"), "id")
	if kind == "alias" {
		identity := keyOf(identifier)
		return identity, fingerprintOf(identity), want("path.identifier", identity, "send the alert's alias")
	}
	a, f, err := find(ctx, lookup, r.Integration.Name, identifier, kind)
	switch {
	case errors.Is(err, ErrNotFound):
		return "", f, nil
	case err != nil:
		return "", f, err
	}
	return a.Identity, f, nil
}

// find returns the alert that an identifier names; f is its fingerprint, as far as the identifier tells. The errors are
// ErrNotFound, *receive.Problem, and those of the Lookup.
func find(ctx context.Context, lookup Lookup, integration, identifier, kind string) (a *Alert, f signal.Fingerprint, err error) {
	switch kind {
	case "id":
		f, ok := readAlertID(integration, identifier)
		if !ok {
			// Without an alias, the key itself has the form of an id.
			f = fingerprintOf(identifier)
		}
		a, err = lookup.ByKey(ctx, integration, f)
		return a, f, err
	case "alias":
		f = fingerprintOf(keyOf(identifier))
		a, err = lookup.ByKey(ctx, integration, f)
		return a, f, err
	case "tiny":
		number, err := strconv.ParseUint(identifier, 10, 63)
		if err != nil {
			return nil, 0, invalid("path.identifier", identifier, "a tiny id is a number; send identifierType=alias for an alias")
		}
		if a, err = lookup.ByNumber(ctx, integration, number); err != nil {
			return nil, 0, err
		}
		return a, fingerprintOf(a.Identity), nil
	}
	return nil, 0, invalid("query.identifierType", kind, "send id, alias or tiny")
}

// accept answers that a request will be processed.
func accept(w http.ResponseWriter, r *receive.Request, id string) {
	write(w, r, http.StatusAccepted, id, map[string]any{"result": "Request will be processed"})
}

// write answers in Opsgenie's form.
func write(w http.ResponseWriter, r *receive.Request, status int, id string, body map[string]any) {
	took := 0.001 // clients take 0 for "unknown"
	if since := time.Since(r.At); since > 0 && since < time.Minute {
		took = max(took, float64(since.Milliseconds())/1000)
	}
	body["took"], body["requestId"] = took, id
	header := w.Header()
	header.Set("X-Request-Id", id)
	header.Set("X-Response-Time", fmt.Sprint(took))
	if header.Get("X-Ratelimit-State") == "" {
		header.Set("X-Ratelimit-State", "OK")
	}
	receive.WriteJSON(w, status, body)
}

// fail answers a problem in Opsgenie's form.
func fail(w http.ResponseWriter, r *receive.Request, p *receive.Problem) {
	body := map[string]any{"message": p.Detail}
	status := p.Status
	switch {
	case status == http.StatusUnauthorized:
		body["message"] = "Could not authenticate: " + p.Detail
	case status == http.StatusBadRequest && len(p.Errors) > 0 && p.Errors[0].Field != "body":
		status = http.StatusUnprocessableEntity
		fields := map[string]string{}
		for _, e := range p.Errors {
			fields[e.Field] = e.Remedy
		}
		body["message"], body["errors"] = "Request body is not processable. Please check the errors.", fields
	case status == http.StatusTooManyRequests:
		w.Header().Set("X-Ratelimit-State", "THROTTLED")
		w.Header().Set("X-Ratelimit-Reason", p.Detail)
	}
	if p.RetryAfter > 0 {
		seconds := strconv.FormatInt(max(1, int64(p.RetryAfter/time.Second)), 10)
		w.Header().Set("Retry-After", seconds)
		w.Header().Set("X-Ratelimit-Period-In-Sec", seconds)
	}
	write(w, r, status, anyID(), body)
}
