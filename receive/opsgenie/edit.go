package opsgenie

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

// texts are what can be changed of an alert.
type texts struct{ labels, annotations map[string]string }

// actAsEdit returns what an edit means: a report of the same alert as it is from now on, and the comment that says who changed
// what. An edit that changes nothing is no report, so that one which is sent again does nothing; one of an alert that has ended
// is only a comment, since a report would begin it anew.
func (a actor) actAsEdit(r *receive.Request, number byte, what said) (*receive.Delivery, error) {
	identifier, kind := r.PathValue("identifier"), cmp.Or(r.URL.Query().Get("identifierType"), "id")
	if kind == "alias" {
		if err := want("path.identifier", keyOf(identifier), "send the alert's alias"); err != nil {
			return nil, err
		}
	}
	_, f, err := find(r.Context(), a.lookup, r.Integration.Name, identifier, kind)
	if errors.Is(err, ErrNotFound) {
		return &receive.Delivery{Reply: acted{f, number}}, nil
	}
	if err != nil {
		return nil, err
	}
	// From here to the end of the request nobody else edits this alert; it may have been edited before.
	if err := a.locks.hold(r.Context(), r.Integration.Name, f); err != nil {
		return nil, err
	}
	before, err := a.lookup.ByKey(r.Context(), r.Integration.Name, f)
	if err != nil {
		return nil, err
	}
	d := &receive.Delivery{Reply: acted{f, number}}
	comment := signal.Alert{Act: signal.Comment, Identity: before.Identity, Keyed: true, Actor: what.actor, Text: strings.TrimSpace(what.text + " " + what.note)}
	if !before.Firing {
		d.Alerts = []signal.Alert{comment}
		return d, nil
	}
	after := texts{before.Labels.Map(), before.Annotations.Map()}
	what.change(&after)
	report := signal.Alert{
		Identity: before.Identity, Keyed: true, Labels: signal.NewLabels(after.labels), Annotations: signal.NewLabels(after.annotations),
		GeneratorURL: before.GeneratorURL, StartsAt: before.CreatedAt,
	}
	switch {
	case !slices.Equal(report.Labels, before.Labels) || !slices.Equal(report.Annotations, before.Annotations):
		d.Alerts = []signal.Alert{report, comment}
	case what.note != "":
		comment.Text = what.note
		d.Alerts = []signal.Alert{comment}
	}
	return d, nil
}

func changeMessage(t *texts, b *actBody, _ url.Values) {
	message := strings.TrimSpace(b.Message)
	short := cutMessage(message)
	if t.labels["alertname"] == t.annotations["summary"] {
		t.labels["alertname"] = short
	}
	t.annotations["summary"] = short
	delete(t.annotations, "message")
	if short != message {
		t.annotations["message"] = message
	}
}

func changeDescription(t *texts, b *actBody, _ url.Values) {
	t.annotations["description"] = b.Description
}

func changePriority(t *texts, b *actBody, _ url.Values) {
	t.labels["priority"], t.labels["severity"] = b.Priority, severities[b.Priority]
}

func addTags(t *texts, b *actBody, _ url.Values) {
	all := listOf(t.annotations["tags"])
	for _, tag := range b.Tags {
		if tag = strings.TrimSpace(tag); tag != "" && !slices.Contains(all, tag) {
			all = append(all, tag)
		}
	}
	t.annotations["tags"] = strings.Join(all, ", ")
	receive.Tags(b.Tags, t.labels, t.annotations)
}

func removeTags(t *texts, _ *actBody, query url.Values) {
	gone := listOf(query.Get("tags"))
	kept := slices.DeleteFunc(listOf(t.annotations["tags"]), func(tag string) bool { return slices.Contains(gone, tag) })
	t.annotations["tags"] = strings.Join(kept, ", ")
	// What the tags made goes with them, unless another tag has made it, too.
	made, stays := texts{map[string]string{}, map[string]string{}}, texts{map[string]string{}, map[string]string{}}
	receive.Tags(gone, made.labels, made.annotations)
	receive.Tags(kept, stays.labels, stays.annotations)
	same := func(now, stays map[string]string) func(name, value string) bool {
		return func(name, value string) bool { return now[name] == value && stays[name] != value }
	}
	drop(t.labels, made.labels, same(t.labels, stays.labels))
	drop(t.annotations, made.annotations, same(t.annotations, stays.annotations))
}

func addDetails(t *texts, b *actBody, _ url.Values) {
	made := texts{map[string]string{}, map[string]string{}}
	receive.Details(b.Details, made.labels, made.annotations)
	maps.Copy(t.labels, made.labels)
	for name, value := range made.annotations {
		if !slices.Contains(own, name) || t.annotations[name] == "" {
			t.annotations[name] = value
		}
	}
}

func removeDetails(t *texts, _ *actBody, query url.Values) {
	details := map[string]any{}
	for _, name := range listOf(query.Get("keys")) {
		details[name] = "x" // any value: only where it stands is asked
	}
	made := texts{map[string]string{}, map[string]string{}}
	receive.Details(details, made.labels, made.annotations)
	// An alert keeps its name, and what is not among its details.
	free := func(name, _ string) bool { return !slices.Contains(own, name) }
	drop(t.labels, made.labels, free)
	drop(t.annotations, made.annotations, free)
}

func addResponder(t *texts, b *actBody, _ url.Values) {
	all := listOf(t.annotations["responders"])
	for _, p := range []string{b.Responder.String(), b.Team.String()} {
		if p != "" && !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	t.annotations["responders"] = strings.Join(all, ", ")
}

// drop takes those names of made out of all that which says yes to.
func drop(all, made map[string]string, which func(name, value string) bool) {
	for name, value := range made {
		if which(name, value) {
			delete(all, name)
		}
	}
}

// listOf splits a list that is separated by commas; "" is an empty list.
func listOf(text string) []string {
	var list []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// lockWait is how long an edit waits for another one of the same alert.
const lockWait = 5 * time.Second

// locks let one edit at a time at an alert: each reads the alert and publishes it changed, so two at once would lose one. They
// are safe for concurrent use.
type locks [64]chan struct{}

func newLocks() *locks {
	var l locks
	for i := range l {
		l[i] = make(chan struct{}, 1)
	}
	return &l
}

// hold waits for the alert's lock, which is given back when ctx, that of the request, ends.
func (l *locks) hold(ctx context.Context, integration string, f signal.Fingerprint) error {
	sum := checksum(integration, f)
	lock := l[int(sum[0])%len(l)]
	timer := time.NewTimer(lockWait)
	defer timer.Stop()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	select {
	case lock <- struct{}{}:
		context.AfterFunc(ctx, func() { <-lock })
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return receive.PublishProblem(fmt.Errorf("%w: another edit of the same alert takes too long", receive.ErrUnavailable))
	}
}
