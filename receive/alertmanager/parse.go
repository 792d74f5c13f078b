package alertmanager

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

// Limits bounds one request after it was read.
type Limits struct {
	// Alerts is how many alerts one request may hold.
	Alerts int
	// Labels is how many labels an alert may have; Name and Value are their most bytes.
	Labels, Name, Value int
	// Annotations is how many annotations are kept; AnnotationValue how many bytes of each. More is cut off, not refused: it
	// does not belong to the identity.
	Annotations, AnnotationValue int
	// Ahead is how far in the future an alert may begin; less than that is set to the time of receipt.
	Ahead time.Duration
	// Rejected is how many refused alerts are described; further ones are only counted.
	Rejected int
}

// DefaultLimits are 65,536 alerts, 64 labels of 1 KiB and 4 KiB, 64 annotations of 16 KiB, and 10 minutes.
func DefaultLimits() Limits {
	return Limits{
		Alerts: 1 << 16, Labels: 64, Name: 1 << 10, Value: 4 << 10, Annotations: 64, AnnotationValue: 16 << 10,
		Ahead: 10 * time.Minute, Rejected: 1000,
	}
}

// Batch is what one request holds.
type Batch struct {
	// Alerts are the good ones, in the order of the request. Source and ResolveTimeout are left to the caller.
	Alerts []signal.Alert
	// Fingerprints are those of Alerts, in the same order.
	Fingerprints []signal.Fingerprint
	// Rejected describes the bad ones, at most Limits.Rejected; RejectedCount is how many there were.
	Rejected      []Rejected
	RejectedCount int
}

// Rejected is one alert that cannot be accepted.
type Rejected struct {
	// Index is its place in the request, from 0.
	Index int
	// Problem names the field, for instance "[3].labels.foo", its value and what to do.
	Problem receive.FieldError
	// Raw is the alert's JSON; it shares memory with the body's copy.
	Raw string
}

// Parse reads the body of POST /api/v2/alerts, which was received at now. It is pure and safe for concurrent use. A body that
// is no JSON array is refused as a whole: the error is a *receive.Problem. An alert that is wrong in itself is put into
// Rejected and the others are kept. Unknown fields are ignored. All strings of the result share one copy of the body, so
// whoever keeps a single one keeps all; publish or copy them.
func Parse(body []byte, now time.Time, limits Limits) (Batch, error) {
	p := parser{scanner: scanner{data: string(body)}, now: now, limits: limits}
	if !p.accept('[') {
		kind := p.kind()
		if err := p.skip(0); err != nil {
			return Batch{}, err
		}
		return Batch{}, receive.Invalid(receive.FieldError{
			Field: "body", Value: receive.Excerpt(p.data), Remedy: "want an array of alerts, got " + kind + `; send [{"labels":{"alertname":"..."}}]`,
		})
	}
	guess := min(len(body)/400+1, 1024)
	p.batch.Alerts = make([]signal.Alert, 0, guess)
	p.batch.Fingerprints = make([]signal.Fingerprint, 0, guess)
	for p.index = 0; ; p.index++ {
		more, err := p.more(p.index == 0, ']')
		if err != nil {
			return Batch{}, err
		}
		if !more {
			break
		}
		if p.index >= limits.Alerts {
			return Batch{}, &receive.Problem{
				Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("The request holds more than %d alerts. Nothing of it was used.", limits.Alerts),
				Errors: []receive.FieldError{{Field: "body", Value: fmt.Sprintf("more than %d alerts", limits.Alerts), Remedy: "send smaller batches"}},
			}
		}
		if err := p.element(); err != nil {
			return Batch{}, err
		}
	}
	if p.space(); p.pos < len(p.data) {
		return Batch{}, p.syntax(p.pos, "the end of the body")
	}
	return p.batch, nil
}

// parser holds the state of one Parse.
type parser struct {
	scanner
	now    time.Time
	limits Limits
	batch  Batch
	index  int
	slab   []signal.Label // memory that label sets are cut from

	// The alert at index:
	alert    signal.Alert
	rejected bool
	fault    receive.FieldError
}

// reject notes the first thing that is wrong with the alert. field is the path within it, "" for the alert itself.
func (p *parser) reject(field, value, remedy string) {
	if !p.rejected {
		p.rejected = true
		p.fault = receive.FieldError{Field: fmt.Sprintf("[%d]%s", p.index, field), Value: receive.Excerpt(value), Remedy: remedy}
	}
}

// wrongKind skips a value of the wrong kind and rejects the alert for it.
func (p *parser) wrongKind(field, want string) error {
	kind := p.kind()
	start := p.pos
	if err := p.skip(0); err != nil {
		return err
	}
	p.reject(field, p.data[start:p.pos], "want "+want+", got "+kind)
	return nil
}

// element reads one alert and puts it where it belongs.
func (p *parser) element() error {
	p.alert, p.rejected, p.fault = signal.Alert{}, false, receive.FieldError{}
	p.space()
	start := p.pos
	if err := p.read(); err != nil {
		return err
	}
	if !p.rejected {
		p.finish()
	}
	if p.rejected {
		p.batch.RejectedCount++
		if len(p.batch.Rejected) < p.limits.Rejected {
			p.batch.Rejected = append(p.batch.Rejected, Rejected{Index: p.index, Problem: p.fault, Raw: p.data[start:p.pos]})
		}
		return nil
	}
	fingerprint := p.alert.Labels.Fingerprint()
	p.alert.Identity = fingerprint.String()
	p.batch.Alerts = append(p.batch.Alerts, p.alert)
	p.batch.Fingerprints = append(p.batch.Fingerprints, fingerprint)
	return nil
}

// read reads the fields of one alert.
func (p *parser) read() error {
	if !p.accept('{') {
		return p.wrongKind("", "an object with labels")
	}
	for first := true; ; first = false {
		more, err := p.more(first, '}')
		if err != nil || !more {
			return err
		}
		name, err := p.key()
		if err != nil {
			return err
		}
		switch {
		case strings.EqualFold(name, "labels"):
			err = p.labels()
		case strings.EqualFold(name, "annotations"):
			err = p.annotations()
		case strings.EqualFold(name, "startsAt"):
			err = p.time(".startsAt", &p.alert.StartsAt)
		case strings.EqualFold(name, "endsAt"):
			err = p.time(".endsAt", &p.alert.EndsAt)
		case strings.EqualFold(name, "generatorURL"):
			err = p.generatorURL()
		default:
			err = p.skip(0)
		}
		if err != nil {
			return err
		}
	}
}

// finish checks what depends on several fields, and fills in what was left out.
func (p *parser) finish() {
	a := &p.alert
	switch {
	case len(a.Labels) == 0:
		p.reject(".labels", "", "an alert needs at least one label with a value; send for instance an alertname")
	case !a.StartsAt.IsZero() && !a.EndsAt.IsZero() && a.EndsAt.Before(a.StartsAt):
		p.reject(".endsAt", a.EndsAt.Format(time.RFC3339Nano), "it lies before startsAt ("+a.StartsAt.Format(time.RFC3339Nano)+"); send an end behind the start, or none while it fires")
	case a.StartsAt.After(p.now.Add(p.limits.Ahead)):
		p.reject(".startsAt", a.StartsAt.Format(time.RFC3339Nano), "it lies more than "+p.limits.Ahead.String()+" in the future (the time here is "+p.now.Format(time.RFC3339)+"); send when the alert began, and check the sender's clock")
	case a.StartsAt.After(p.now):
		a.Notes = append(a.Notes, "startsAt was "+a.StartsAt.Sub(p.now).Round(time.Millisecond).String()+" in the future; the time of receipt was taken instead.")
		a.StartsAt = p.now
	case a.StartsAt.IsZero():
		a.StartsAt = p.now
		if !a.EndsAt.IsZero() && a.EndsAt.Before(p.now) {
			a.StartsAt = a.EndsAt
		}
	}
}

// labels reads the object of labels. The last of several with one name counts, and empty values are dropped, as in
// Alertmanager.
func (p *parser) labels() error {
	p.alert.Labels = nil
	if null, err := p.null(); null || err != nil {
		return err
	}
	if p.peek() != '{' {
		return p.wrongKind(".labels", "an object of names and values")
	}
	p.pos++
	start, count := len(p.slab), 0
	for first := true; ; first = false {
		more, err := p.more(first, '}')
		if err != nil {
			return err
		}
		if !more {
			break
		}
		name, err := p.key()
		if err != nil {
			return err
		}
		count++
		nameRepaired := p.repaired
		if p.peek() != '"' {
			if err := p.wrongKind(".labels."+receive.Excerpt(name), "a string"); err != nil {
				return err
			}
			continue
		}
		value, err := p.text()
		if err != nil {
			return err
		}
		p.checkLabel(name, value, nameRepaired)
		if !p.rejected && count <= 16*p.limits.Labels {
			start = p.push(start, signal.Label{Name: name, Value: value})
		}
	}
	set := tidy(p.slab[start:])
	p.slab = p.slab[:start+len(set)]
	if len(set) > p.limits.Labels || count > 16*p.limits.Labels {
		p.reject(".labels", fmt.Sprintf("%d labels", count), fmt.Sprintf("an alert may have at most %d labels; leave some out, or make them annotations", p.limits.Labels))
	}
	p.alert.Labels = slices.Clip(signal.Labels(set))
	return nil
}

// checkLabel rejects the alert for a label that cannot be kept. A repaired name was no valid UTF-8.
func (p *parser) checkLabel(name, value string, nameRepaired bool) {
	if value == "" {
		return // dropped anyway
	}
	switch {
	case name == "":
		p.reject(".labels", "", "a label has an empty name; name it")
	case len(name) > p.limits.Name:
		p.reject(".labels."+receive.Excerpt(name), fmt.Sprintf("%d bytes", len(name)), fmt.Sprintf("a label's name may have at most %d bytes; shorten it", p.limits.Name))
	case nameRepaired:
		p.reject(".labels."+receive.Excerpt(name), name, "a label's name must be valid UTF-8; rename it")
	case hasControl(name):
		p.reject(fmt.Sprintf(".labels.%q", receive.Excerpt(name)), fmt.Sprintf("%q", receive.Excerpt(name)), "a label's name must not hold control characters; rename it")
	case len(value) > p.limits.Value:
		p.reject(".labels."+receive.Excerpt(name), value, fmt.Sprintf("a label's value may have at most %d bytes; shorten it, or make it an annotation", p.limits.Value))
	case p.repaired:
		p.note("The value of label " + receive.Excerpt(name) + " was not valid UTF-8; what was wrong became U+FFFD.")
	}
}

func hasControl(name string) bool {
	for i := range len(name) {
		if c := name[i]; c < 0x20 || c >= 0x7f {
			return strings.ContainsFunc(name[i:], unicode.IsControl)
		}
	}
	return false
}

// annotations reads the object of annotations.
func (p *parser) annotations() error {
	p.alert.Annotations = nil
	if null, err := p.null(); null || err != nil {
		return err
	}
	if p.peek() != '{' {
		return p.wrongKind(".annotations", "an object of names and values")
	}
	p.pos++
	start, count, cut := len(p.slab), 0, false
	for first := true; ; first = false {
		more, err := p.more(first, '}')
		if err != nil {
			return err
		}
		if !more {
			break
		}
		name, err := p.key()
		if err != nil {
			return err
		}
		if p.peek() != '"' {
			if err := p.wrongKind(".annotations."+receive.Excerpt(name), "a string"); err != nil {
				return err
			}
			continue
		}
		value, err := p.text()
		if err != nil {
			return err
		}
		if count++; count > p.limits.Annotations || len(name) > p.limits.Name {
			cut = true
			continue
		}
		if len(value) > p.limits.AnnotationValue {
			value, cut = strings.ToValidUTF8(value[:p.limits.AnnotationValue], ""), true
		}
		start = p.push(start, signal.Label{Name: name, Value: value})
	}
	if cut {
		p.note(fmt.Sprintf("Annotations were cut to %d of at most %d bytes each.", p.limits.Annotations, p.limits.AnnotationValue))
	}
	set := tidy(p.slab[start:])
	p.slab = p.slab[:start+len(set)]
	p.alert.Annotations = slices.Clip(signal.Labels(set))
	return nil
}

// slabSize is how many labels one piece of memory holds; fewer for a small body.
const slabSize = 512

// push appends label to the set that begins at start in the slab, and returns where the set begins now.
func (p *parser) push(start int, label signal.Label) int {
	if len(p.slab) == cap(p.slab) {
		set := p.slab[start:]
		p.slab = append(make([]signal.Label, 0, max(min(slabSize, len(p.data)/48), 2*len(set), 8)), set...)
		start = 0
	}
	p.slab = append(p.slab, label)
	return start
}

// tidy sorts set in place, keeps the last of each name, and drops empty values.
func tidy(set []signal.Label) []signal.Label {
	ordered := true
	for i := 1; i < len(set) && ordered; i++ {
		ordered = set[i-1].Name < set[i].Name
	}
	if !ordered {
		slices.SortStableFunc(set, func(a, b signal.Label) int { return strings.Compare(a.Name, b.Name) })
	}
	kept := set[:0]
	for i := range set {
		if set[i].Value != "" && (i+1 == len(set) || set[i+1].Name != set[i].Name) {
			kept = append(kept, set[i])
		}
	}
	return kept
}

// note records what was changed, at most a few times an alert.
func (p *parser) note(text string) {
	if len(p.alert.Notes) < 8 {
		p.alert.Notes = append(p.alert.Notes, text)
	}
}

// timeLayouts are the forms that Alertmanager's API accepts; the first is the usual one.
var timeLayouts = [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02"}

// time reads a time into at; null, "" and year 1 mean that it is not known.
func (p *parser) time(field string, at *time.Time) error {
	*at = time.Time{}
	if null, err := p.null(); null || err != nil {
		return err
	}
	if p.peek() != '"' {
		return p.wrongKind(field, "a string with an RFC 3339 time")
	}
	text, err := p.text()
	if err != nil || text == "" {
		return err
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			if *at = t.UTC(); at.Year() <= 1 {
				*at = time.Time{}
			}
			return nil
		}
	}
	p.reject(field, text, "not a time; send RFC 3339, for instance 2026-01-02T15:04:05Z")
	return nil
}

// generatorURL reads the link. One that a browser should not follow is dropped, not refused.
func (p *parser) generatorURL() error {
	p.alert.GeneratorURL = ""
	if null, err := p.null(); null || err != nil {
		return err
	}
	if p.peek() != '"' {
		return p.wrongKind(".generatorURL", "a string with a link")
	}
	text, err := p.text()
	switch {
	case err != nil || text == "":
		return err
	case len(text) > p.limits.AnnotationValue || hasControl(text) || !isWebLink(text):
		p.note("generatorURL was left out: it is not an http or https link of reasonable length.")
	default:
		p.alert.GeneratorURL = text
	}
	return nil
}

func isWebLink(text string) bool {
	scheme, _, found := strings.Cut(text, "://")
	return found && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}
