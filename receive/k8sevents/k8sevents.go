// Package k8sevents receives events of Kubernetes, one at a time or as a list, in the names of events.k8s.io/v1 and of the older
// core/v1, as the API and event exporters write them.
//
// A Warning becomes an alert that is told apart by cluster, what it regards and its reason; it counts as ended when it was not
// seen for 10 minutes (the integration's resolve timeout), because nothing says that it is over. Beside the pod, labels name its
// workload, so that the pods of one deployment are seen as one. Normal events are accepted and make nothing: the integration's
// last payloads show them.
//
// The cluster is the query's cluster or the event's clusterName; without either, the integration alone tells clusters apart.
package k8sevents

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

// Kind is the integrations' kind.
const Kind = "k8s-events"

// resolveTimeout is the kind's default: the kubelet repeats an event that goes on at least every few minutes.
const resolveTimeout = 10 * time.Minute

// event has the names of both versions: regarding and note are events.k8s.io/v1's, involvedObject and message core/v1's.
type event struct {
	Metadata struct {
		Name, Namespace, UID string
		CreationTimestamp    string
	} `json:"metadata"`
	Regarding      *object `json:"regarding"`
	InvolvedObject *object `json:"involvedObject"`
	Reason         string  `json:"reason"`
	Note           string  `json:"note"`
	Message        string  `json:"message"`
	Type           string  `json:"type"`
	Action         string  `json:"action"`
	Series         *series `json:"series"`
	Count          int64   `json:"count"`
	OldCount       int64   `json:"deprecatedCount"`
	OldLast        string  `json:"deprecatedLastTimestamp"`
	FirstTimestamp string  `json:"firstTimestamp"`
	LastTimestamp  string  `json:"lastTimestamp"`
	EventTime      string  `json:"eventTime"`
	Controller     string  `json:"reportingController"`
	Component      string  `json:"reportingComponent"`
	Source         source  `json:"source"`
	OldSource      source  `json:"deprecatedSource"`
	ClusterName    string  `json:"clusterName"`
}

type object struct {
	Kind      string            `json:"kind"`
	Namespace string            `json:"namespace"`
	Name      string            `json:"name"`
	FieldPath string            `json:"fieldPath"`
	Labels    map[string]string `json:"labels"` // exporters add labels and owners
	Owners    []struct {
		Kind, Name string
	} `json:"ownerReferences"`
}

type series struct {
	Count            int64  `json:"count"`
	LastObservedTime string `json:"lastObservedTime"`
}

type source struct {
	Component string `json:"component"`
	Host      string `json:"host"`
}

// counts is what the answer says.
type counts struct {
	Accepted int `json:"accepted"`
	// Normal is how many events made nothing because they are not warnings.
	Normal int `json:"normal"`
}

// Events returns the protocol.
func Events() receive.Protocol {
	return receive.Protocol{
		Kind: Kind, Mapped: true, ResolveTimeout: resolveTimeout,
		Parse: func(r *receive.Request) (*receive.Delivery, error) {
			timeout := resolveTimeout
			if r.Integration != nil {
				timeout = r.Integration.Timeout(timeout)
			}
			return Parse(r.Body, r.URL.Query().Get("cluster"), timeout, r.At)
		},
		Answer: func(w http.ResponseWriter, _ *receive.Request, d *receive.Delivery, p *receive.Problem) {
			if p != nil {
				p.Write(w)
				return
			}
			said, _ := d.Reply.(counts)
			receive.WriteJSON(w, http.StatusOK, said)
		},
	}
}

// Parse reads an event, a list of events or what a watch writes of one, of a cluster ("" if unknown), received at now. An event
// that was last seen more than timeout ago is an alert that has ended; 0 is never. The error is a *receive.Problem.
func Parse(body []byte, cluster string, timeout time.Duration, now time.Time) (*receive.Delivery, error) {
	items, list, err := split(body)
	if err != nil {
		return nil, err
	}
	d, said := &receive.Delivery{}, counts{}
	for i, raw := range items {
		var e event
		fault := faultOf(receive.DecodeJSON(raw, &e))
		if fault == nil && e.Type == "Normal" {
			said.Normal++
			continue
		}
		var a signal.Alert
		if fault == nil {
			a, fault = e.alert(cmp.Or(cluster, e.ClusterName), timeout, now)
		}
		if fault != nil {
			if list {
				fault.Field = strings.TrimSuffix(fmt.Sprintf("items[%d].%s", i, fault.Field), ".")
			}
			d.Rejected = append(d.Rejected, receive.Rejected{Problem: *fault, Raw: raw})
			continue
		}
		d.Alerts = append(d.Alerts, a)
	}
	if len(d.Alerts) == 0 && said.Normal == 0 && len(d.Rejected) > 0 {
		fault := d.Rejected[0].Problem
		fault.Field = cmp.Or(fault.Field, "body")
		return nil, receive.Invalid(fault)
	}
	said.Accepted = len(d.Alerts)
	d.Reply = said
	return d, nil
}

// split returns the events of a body: a single one, a JSON list, an EventList, or the object of a watch.
func split(body []byte) (items []json.RawMessage, list bool, err error) {
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] == '[' {
		return items, true, receive.DecodeJSON(body, &items)
	}
	var outer struct {
		Items  []json.RawMessage `json:"items"`
		Object json.RawMessage   `json:"object"`
	}
	if err := receive.DecodeJSON(body, &outer); err != nil {
		return nil, false, err
	}
	switch {
	case outer.Items != nil:
		return outer.Items, true, nil
	case len(outer.Object) > 0:
		return []json.RawMessage{outer.Object}, false, nil
	}
	return []json.RawMessage{body}, false, nil
}

// alert returns the alert of a warning.
func (e *event) alert(cluster string, timeout time.Duration, now time.Time) (signal.Alert, *receive.FieldError) {
	about := e.Regarding
	if about == nil || about.Kind == "" {
		about = cmp.Or(e.InvolvedObject, about)
	}
	switch {
	case about == nil || about.Kind == "" || about.Name == "":
		return signal.Alert{}, &receive.FieldError{Field: "regarding", Remedy: "kind or name is missing; send regarding (events.k8s.io/v1) or involvedObject (core/v1)"}
	case e.Reason == "":
		return signal.Alert{}, &receive.FieldError{Field: "reason", Remedy: "it is missing; send the event as Kubernetes writes it"}
	case e.Type == "":
		return signal.Alert{}, &receive.FieldError{Field: "type", Remedy: "it is missing; send Warning or Normal"}
	}
	namespace := cmp.Or(about.Namespace, e.Metadata.Namespace)
	reporter := cmp.Or(e.Source, e.OldSource)
	labels := map[string]string{
		"alertname": e.Reason, "severity": "warning", "cluster": cluster, "kind": about.Kind, "name": about.Name, "namespace": namespace,
	}
	if about.Kind == "Node" {
		labels["node"], labels["namespace"], namespace = about.Name, "", "" // the event's namespace is "default" there
	} else {
		labels["workload"] = workload(about)
		labels["service"] = cmp.Or(about.Labels["app.kubernetes.io/name"], about.Labels["app"], about.Labels["k8s-app"], labels["workload"])
		labels["node"] = reporter.Host
	}
	if about.Kind == "Pod" {
		labels["pod"], labels["container"] = about.Name, container(about.FieldPath)
	}
	count := max(e.Count, e.OldCount)
	if e.Series != nil {
		count = max(count, e.Series.Count)
	}
	annotations := map[string]string{
		"summary": cmp.Or(e.Note, e.Message), "k8s_event": e.Metadata.Name, "k8s_type": e.Type, "k8s_action": e.Action,
		"k8s_reported_by": cmp.Or(e.Controller, e.Component, reporter.Component),
	}
	if count > 1 {
		annotations["k8s_count"] = strconv.FormatInt(count, 10)
	}
	a := signal.Alert{
		Identity: strings.Join([]string{cluster, about.Kind, namespace, about.Name, e.Reason}, "/"), Keyed: true,
		StartsAt: e.seen(now), Labels: signal.NewLabels(labels), Annotations: signal.NewLabels(annotations),
	}
	if timeout > 0 && now.Sub(a.StartsAt) > timeout {
		a.EndsAt = a.StartsAt.Add(timeout)
		a.Notes = append(a.Notes, "The event was last seen at "+a.StartsAt.Format(time.RFC3339)+": it is told late, and over.")
	}
	return a, nil
}

// seen returns when the event was last seen. When it was first seen says nothing about now: an event that comes back keeps that.
func (e *event) seen(now time.Time) time.Time {
	observed := ""
	if e.Series != nil {
		observed = e.Series.LastObservedTime
	}
	last := latest(observed, e.LastTimestamp, e.OldLast, e.EventTime)
	if last.IsZero() {
		last = latest(e.FirstTimestamp, e.Metadata.CreationTimestamp)
	}
	if last.IsZero() || last.After(now) {
		return now
	}
	return last
}

// latest returns the latest of times, zero if none is one.
func latest(texts ...string) (last time.Time) {
	for _, text := range texts {
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil && at.Year() > 1 && at.After(last) {
			last = at.UTC()
		}
	}
	return last
}

// container returns the container that a field path names: spec.containers{checkout}.
func container(path string) string {
	_, rest, _ := strings.Cut(path, "{")
	name, _, found := strings.Cut(rest, "}")
	if !found {
		return ""
	}
	return name
}

// faultOf returns what is wrong with a part of the body, nil for nothing.
func faultOf(err error) *receive.FieldError {
	if err == nil {
		return nil
	}
	problem := receive.AsProblem(err)
	if len(problem.Errors) == 0 {
		return &receive.FieldError{Remedy: problem.Detail}
	}
	fault := problem.Errors[0]
	if fault.Field == "body" {
		fault.Field = ""
	}
	return &fault
}
