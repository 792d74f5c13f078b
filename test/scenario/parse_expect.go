package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/ops/incident"
)

var (
	alertWords     = []string{"firing", "resolved", "silenced", "inhibited", "flapping", "told", "untold"}
	alertCounts    = []string{"episodes", "reports", "flaps"}
	incidentCounts = []string{"alerts", "reports", "firing", "silenced", "inhibited", "flapping"}
	severityWords  = []string{
		signal.Unrated.String(), signal.Info.String(), signal.Warning.String(), signal.Error.String(), signal.Critical.String(),
	}
)

// expect reads one of
//
//	expect N incidents [STATE|shown|current]
//	expect alert ALERT is PROPERTY, PROPERTY...
//	expect INCIDENT is PROPERTY, PROPERTY...
func (p *parser) expect(at time.Duration) error {
	if n, err := strconv.Atoi(p.peek()); err == nil {
		return p.expectCount(at, n)
	}
	if p.accept("alert") {
		return p.expectAlert(at)
	}
	name, err := p.take("a number, alert, or an incident's name")
	if err != nil {
		return err
	}
	if err := p.want("is"); err != nil {
		return err
	}
	e := ExpectIncident{Incident: name, Counts: map[string]int{}}
	p.add(at, Expect{Incident: &e})
	return p.properties(func(property string) error { return p.incidentProperty(&e, property) })
}

func (p *parser) expectCount(at time.Duration, n int) error {
	p.words = p.words[1:]
	if !p.accept("incidents") && !p.accept("incident") {
		return fmt.Errorf("want incidents, got %s", p.rest())
	}
	e := ExpectCount{N: n}
	if len(p.words) > 0 {
		e.State, _ = p.take("a state")
		if e.State != "shown" && e.State != "current" && !slices.Contains(incident.States, incident.State(e.State)) {
			return fmt.Errorf("%q is no state; use shown, current or one of %v", e.State, incident.States)
		}
	}
	p.add(at, Expect{Count: &e})
	return nil
}

func (p *parser) expectAlert(at time.Duration) error {
	ref, err := p.alertRef()
	if err != nil {
		return err
	}
	if err := p.want("is"); err != nil {
		return err
	}
	e := ExpectAlert{Alert: ref, Counts: map[string]int{}}
	p.add(at, Expect{Alert: &e})
	return p.properties(func(property string) error { return p.alertProperty(&e, property) })
}

// properties reads one or more properties with commas between.
func (p *parser) properties(read func(property string) error) error {
	for {
		property, err := p.take("a property")
		if err != nil {
			return err
		}
		if err := read(property); err != nil {
			return err
		}
		if len(p.words) == 0 {
			return nil
		}
		if err := p.want(","); err != nil {
			return err
		}
	}
}

func (p *parser) incidentProperty(e *ExpectIncident, property string) (err error) {
	switch {
	case slices.Contains(incident.States, incident.State(property)):
		e.State = property
	case slices.Contains(severityWords, property):
		e.Severity = property
	case property == "about":
		e.About, err = p.take("an entity, for instance service:cart")
	case property == "titled":
		e.Title, err = p.take("a part of the title")
	case property == "saying":
		e.Says, err = p.take("a part of a step's text")
	case property == "part":
		e.Gone, err = p.afterKeyword("of")
	default:
		return p.countProperty(e.Counts, property, incidentCounts, "a state, a severity, about, titled, saying or part of")
	}
	return err
}

func (p *parser) alertProperty(e *ExpectAlert, property string) (err error) {
	switch {
	case slices.Contains(alertWords, property):
		e.Is = append(e.Is, property)
	case property == "in":
		e.In, err = p.take("an incident's name")
	case property == "outside":
		e.NotIn, err = p.take("an incident's name")
	case property == "saying":
		e.Says, err = p.take("a part of its decision record")
	default:
		return p.countProperty(e.Counts, property, alertCounts, strings.Join(alertWords, ", ")+", in, outside or saying")
	}
	return err
}

// countProperty reads "N NOUN", of which the number was taken.
func (p *parser) countProperty(counts map[string]int, number string, nouns []string, others string) error {
	n, err := strconv.Atoi(number)
	if err != nil {
		return fmt.Errorf("%q is no property; use %s, or a number of %s", number, others, strings.Join(nouns, ", "))
	}
	noun, err := p.take("what is counted")
	if err != nil {
		return err
	}
	for _, known := range nouns {
		if noun == known || noun+"s" == known {
			counts[known] = n
			return nil
		}
	}
	return fmt.Errorf("%q is not counted; use %s", noun, strings.Join(nouns, ", "))
}
