package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/receive/alertmanager"
)

// door is what a dead letter came through.
type door struct {
	// protocol is the protocol's name, kind that of its integrations, name the integration's.
	protocol, kind, name string
	// path is where a letter without a request line is offered again; "" for nowhere.
	path string
}

// doorOf returns what a dead letter's receiver names; ok is false when nothing of it is received any more.
func doorOf(receiver string) (d door, ok bool) {
	protocol, name, _ := strings.Cut(receiver, "/")
	if protocol == alertmanager.Integration {
		if name == "" {
			return door{protocol, protocol, protocol, "/api/v2/alerts"}, true
		}
		return door{protocol, protocol, name, "/in/prometheus/" + name + "/api/v2/alerts"}, true
	}
	for _, h := range hooks(nil, pagers{}) {
		if cmp.Or(h.protocol.Name, h.protocol.Kind) == protocol {
			d.protocol, d.kind, d.name, ok = protocol, h.protocol.Kind, name, true
			d.path = cmp.Or(d.path, strings.ReplaceAll(h.replay, "{integration}", name))
		}
	}
	return d, ok
}

// leads reports whether a request goes to the protocol that the dead letter came through: a payload is what a sender wrote, so
// it may ask for nothing else.
func (d door) leads(r *http.Request) bool {
	mux := http.NewServeMux()
	own := map[string]bool{}
	add := func(pattern string, mine bool) {
		mux.Handle(pattern, http.NotFoundHandler())
		own[pattern] = mine
	}
	for _, pattern := range []string{"POST /api/v2/alerts", "POST /in/prometheus/{integration}/api/v2/alerts"} {
		add(pattern, d.protocol == alertmanager.Integration)
	}
	for _, h := range hooks(nil, pagers{}) {
		add(h.pattern, cmp.Or(h.protocol.Name, h.protocol.Kind) == d.protocol)
	}
	_, pattern := mux.Handler(r)
	return own[pattern] && r.URL.Host == ""
}

// replay offers a dead letter to the receiver that refused it, as if the sender had sent it again. reason says why it is refused.
func (a *App) replay(ctx context.Context, mux http.Handler, letter store.DeadLetter) (accepted bool, reason string, err error) {
	d, known := doorOf(letter.Receiver)
	if !known {
		return false, "Nothing is received through " + letter.Receiver + " any more, so it cannot be offered again.", nil
	}
	switch i, _, _, err := a.integrations.Find(d.name); {
	case errors.Is(err, integration.ErrNotFound):
		return false, fmt.Sprintf("There is no integration %s any more: make one of kind %s with this name, and offer it again.", d.name, d.kind), nil
	case err != nil:
		return false, "", fmt.Errorf("replay %s: %w", letter.ID, err)
	case i.Kind != d.kind:
		return false, fmt.Sprintf("The integration %s is now of kind %s, and this came through one of kind %s.", d.name, i.Kind, d.kind), nil
	}
	again, err := receive.ReadAgain(letter.Payload, d.path)
	if err != nil {
		return false, "Its head cannot be read, so it cannot be offered again: " + err.Error() + ".", nil //nolint:nilerr // told to whoever asked
	}
	if again.Target == "" {
		return false, "It was kept without the address that it came by, as older versions did, so it cannot be offered again; send it once more.", nil
	}
	r, err := http.NewRequestWithContext(receive.Replay(ctx, d.name), again.Method, again.Target, bytes.NewReader(again.Body))
	if err != nil {
		return false, "Its address cannot be read, so it cannot be offered again: " + err.Error() + ".", nil //nolint:nilerr // as above
	}
	r.Header, r.RemoteAddr, r.Host = again.Header, "127.0.0.1:0", "127.0.0.1"
	if !d.leads(r) {
		return false, "It names an address that is not one of " + d.protocol + ", so it is not offered again.", nil
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	if w.Code/100 == 2 {
		return true, "", nil
	}
	return false, refusal(w.Body.Bytes()), nil
}

// refusal returns an answer's reason in words.
func refusal(body []byte) string {
	var answer struct {
		Detail  string // of a problem
		Message string // of Opsgenie and PagerDuty
		Errors  json.RawMessage
	}
	if json.Unmarshal(body, &answer) != nil || answer.Detail+answer.Message == "" {
		return strings.TrimSpace(string(body))
	}
	text := cmp.Or(answer.Detail, answer.Message)
	var fields []receive.FieldError
	var named map[string]string
	var lines []string
	_ = json.Unmarshal(answer.Errors, &fields) // each kind of answer has another form of it
	_ = json.Unmarshal(answer.Errors, &named)
	_ = json.Unmarshal(answer.Errors, &lines)
	for _, f := range fields {
		lines = append(lines, f.Field+": "+f.Remedy)
	}
	for field, remedy := range named {
		lines = append(lines, field+": "+remedy)
	}
	for _, line := range lines {
		if line = strings.TrimSuffix(line, "."); !strings.Contains(text, line) {
			text += " " + line + "."
		}
	}
	return text
}
