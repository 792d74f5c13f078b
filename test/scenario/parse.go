package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/ops/alert"
)

// Parse reads a scenario. An error names the line and what is wrong with it.
func Parse(text string) (*Script, error) {
	script := &Script{}
	var last time.Duration
	for i, line := range strings.Split(text, "\n") {
		words, err := split(line)
		if err == nil && len(words) > 0 {
			p := &parser{script: script, words: words, number: i + 1, text: strings.TrimSpace(line), last: last}
			err = p.line()
			last = p.last
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	slices.SortStableFunc(script.Lines, func(a, b Line) int { return int(a.At - b.At) })
	return script, nil
}

// word is one word of a line. quoted words are never keywords.
type word struct {
	text   string
	quoted bool
}

// split cuts a line into words at blanks. Double quotes hold a word with blanks together, also after "name=". A comma at
// the end of a word is a word of its own; "#" starts a comment.
func split(line string) ([]word, error) {
	var words []word
	var current strings.Builder
	inQuotes, begun, quoted := false, false, false
	flush := func() {
		if begun {
			words = append(words, word{current.String(), quoted})
		}
		current.Reset()
		begun, quoted = false, false
	}
	for i := 0; i < len(line); i++ {
		c := line[i]
		atEnd := i+1 == len(line) || line[i+1] == ' '
		switch {
		case c == '"':
			quoted = quoted || !begun
			inQuotes, begun = !inQuotes, true
		case inQuotes:
			current.WriteByte(c)
		case c == '#' && !begun:
			flush()
			return words, nil
		case c == ' ' || c == '\t' || c == '\r':
			flush()
		case (c == ',' || c == ':') && atEnd:
			flush()
			words = append(words, word{text: string(c)})
		default:
			current.WriteByte(c)
			begun = true
		}
	}
	if inQuotes {
		return nil, fmt.Errorf("a quote is not closed")
	}
	flush()
	return words, nil
}

// parser reads one line.
type parser struct {
	script *Script
	words  []word
	number int
	text   string
	last   time.Duration // of the line before
}

// peek returns the next word without taking it; "" at the end or before a quoted word.
func (p *parser) peek() string {
	if len(p.words) == 0 || p.words[0].quoted {
		return ""
	}
	return p.words[0].text
}

// take returns the next word and what it is called in an error.
func (p *parser) take(what string) (string, error) {
	if len(p.words) == 0 {
		return "", fmt.Errorf("the line ends where %s is wanted", what)
	}
	text := p.words[0].text
	p.words = p.words[1:]
	return text, nil
}

// accept takes the next word when it is the given one.
func (p *parser) accept(keyword string) bool {
	if p.peek() != keyword {
		return false
	}
	p.words = p.words[1:]
	return true
}

func (p *parser) want(keyword string) error {
	if !p.accept(keyword) {
		return fmt.Errorf("want %q, got %s", keyword, p.rest())
	}
	return nil
}

func (p *parser) rest() string {
	if len(p.words) == 0 {
		return "the end of the line"
	}
	return strconv.Quote(p.words[0].text)
}

func (p *parser) duration(what string) (time.Duration, error) {
	text, err := p.take(what)
	if err != nil {
		return 0, err
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%s: %q is no duration; write for instance 90s or 1h30m", what, text)
	}
	return d, nil
}

func (p *parser) count(what string) (int, error) {
	text, err := p.take(what)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxReports {
		return 0, fmt.Errorf("%s: %q is no whole number from 1 to %d", what, text, maxReports)
	}
	return n, nil
}

func (p *parser) line() error {
	keyword, err := p.take("map, inhibit or at")
	if err != nil {
		return err
	}
	switch keyword {
	case "map":
		err = p.mapLine()
	case "inhibit":
		err = p.inhibitLine()
	case "at":
		err = p.atLine()
	default:
		return fmt.Errorf("%q begins no line; use map, inhibit or at", keyword)
	}
	if err == nil && len(p.words) > 0 {
		return fmt.Errorf("%s is too much", p.rest())
	}
	return err
}

func (p *parser) mapLine() error {
	from, err := p.take("a name")
	if err != nil {
		return err
	}
	for len(p.words) > 0 {
		if err := p.want("->"); err != nil {
			return err
		}
		to, err := p.take("a name")
		if err != nil {
			return err
		}
		p.script.Edges = append(p.script.Edges, [2]string{from, to})
		from = to
	}
	return nil
}

// inhibitLine reads "inhibit MATCHERS while MATCHERS [equal NAME...]".
func (p *parser) inhibitLine() error {
	target := p.matchers("while")
	if err := p.want("while"); err != nil {
		return err
	}
	rule := alert.InhibitRule{TargetMatchers: target, SourceMatchers: p.matchers("equal")}
	if p.accept("equal") {
		for len(p.words) > 0 {
			name, _ := p.take("a label")
			rule.Equal = append(rule.Equal, name)
		}
	}
	if len(rule.TargetMatchers) == 0 || len(rule.SourceMatchers) == 0 {
		return fmt.Errorf("want matchers on both sides of while")
	}
	p.script.Inhibit = append(p.script.Inhibit, rule)
	return nil
}

// matchers takes words up to a keyword or the end; a word without a matcher's sign is an alert's name.
func (p *parser) matchers(end string) []string {
	var matchers []string
	for len(p.words) > 0 && p.peek() != end {
		text := p.words[0].text
		name, value, found := strings.Cut(text, "=")
		switch {
		case !found:
			text = "alertname=" + strconv.Quote(text)
		case strings.HasPrefix(value, "~"):
			text = name + "=~" + strconv.Quote(value[1:])
		default:
			text = name + "=" + strconv.Quote(value)
		}
		matchers = append(matchers, text)
		p.words = p.words[1:]
	}
	return matchers
}

func (p *parser) atLine() error {
	at, err := p.duration("a time after at")
	if err != nil {
		return err
	}
	if at < p.last {
		return fmt.Errorf("%v is before the line above (%v); order the lines by time", at, p.last)
	}
	p.last = at
	verb, err := p.take("what happens")
	if err != nil {
		return err
	}
	switch verb {
	case "fire":
		return p.fire(at)
	case "resolve":
		return p.resolve(at)
	case "silence":
		return p.silence(at)
	case "expire":
		name, err := p.take("a silence's name")
		p.add(at, Expire{Name: name})
		return err
	case "restart":
		p.add(at, Restart{})
		return nil
	case "name":
		return p.name(at)
	case "expect":
		return p.expect(at)
	}
	return p.person(at, verb)
}

func (p *parser) add(at time.Duration, do any) {
	p.script.Lines = append(p.script.Lines, Line{Number: p.number, At: at, Text: p.text, Do: do})
}

// alertRef takes an alert's name and labels up to the first word that is neither.
func (p *parser) alertRef() (AlertRef, error) {
	ref := AlertRef{}
	if len(p.words) > 0 && !strings.Contains(p.words[0].text, "=") {
		ref["alertname"], _ = p.take("an alert's name")
	}
	for len(p.words) > 0 {
		name, value, found := strings.Cut(p.words[0].text, "=")
		if !found {
			break
		}
		ref[name] = value
		p.words = p.words[1:]
	}
	if len(ref) == 0 {
		return nil, fmt.Errorf("want an alert's name or labels, got %s", p.rest())
	}
	return ref, nil
}

// name reads "name A: ALERT".
func (p *parser) name(at time.Duration) error {
	incident, err := p.take("a name")
	if err != nil {
		return err
	}
	if err := p.want(":"); err != nil {
		return err
	}
	ref, err := p.alertRef()
	p.add(at, Name{Incident: incident, Alert: ref})
	return err
}

// silence reads "silence NAME MATCHERS for DURATION".
func (p *parser) silence(at time.Duration) error {
	name, err := p.take("a name")
	if err != nil {
		return err
	}
	if err := p.want(":"); err != nil {
		return err
	}
	s := Silence{Name: name, Matchers: p.matchers("for")}
	if len(s.Matchers) == 0 {
		return fmt.Errorf("the silence has no matcher")
	}
	if err := p.want("for"); err != nil {
		return err
	}
	s.For, err = p.duration("how long it lasts")
	p.add(at, s)
	return err
}

// resolve reads "resolve ALERT [ended DURATION ago|ahead]".
func (p *parser) resolve(at time.Duration) error {
	ref, err := p.alertRef()
	if err != nil {
		return err
	}
	report := Report{Labels: signal.NewLabels(ref), Resolved: true}
	if p.accept("ended") {
		if report.Skew, err = p.skew(); err != nil {
			return err
		}
	}
	p.add(at, report)
	return nil
}

func (p *parser) skew() (time.Duration, error) {
	d, err := p.duration("how long")
	switch {
	case err != nil:
		return 0, err
	case p.accept("ago"):
		return -d, nil
	case p.accept("ahead"):
		return d, nil
	}
	return 0, fmt.Errorf("want ago or ahead, got %s", p.rest())
}

// firing is what a fire line says beyond the alert itself.
type firing struct {
	count           int // alerts
	over            time.Duration
	lasts           time.Duration // 0: does not end by itself
	every           time.Duration
	times           int
	resend, timeout time.Duration
	skew            time.Duration
}

// fire reads "fire [N x] ALERT" and its modifiers, and adds one line a report.
func (p *parser) fire(at time.Duration) error {
	f := firing{count: 1, times: 1}
	if len(p.words) > 1 && p.words[1].text == "x" {
		var err error
		if f.count, err = p.count("how many alerts"); err != nil {
			return err
		}
		p.words = p.words[1:]
	}
	ref, err := p.alertRef()
	if err != nil {
		return err
	}
	if err := p.firing(&f); err != nil {
		return err
	}
	if f.times > 1 && f.every == 0 {
		return fmt.Errorf("times needs every DURATION")
	}
	if f.resend > 0 && f.lasts == 0 {
		return fmt.Errorf("resend needs for DURATION")
	}
	if reports := f.count * f.times * (1 + int(f.lasts/max(f.resend, 1))); f.resend > 0 && reports > maxReports || f.count*f.times > maxReports {
		return fmt.Errorf("the line makes more than %d reports", maxReports)
	}
	for i := range f.count {
		labels := map[string]string{}
		for name, value := range ref {
			labels[name] = strings.ReplaceAll(value, "{n}", strconv.Itoa(i+1))
		}
		if i > 0 && labelsEqual(labels, ref) {
			return fmt.Errorf("%d alerts have the same labels; put {n} into one of them", f.count)
		}
		p.addFirings(at+f.over*time.Duration(i)/time.Duration(f.count), signal.NewLabels(labels), f)
	}
	return nil
}

// maxReports bounds what one line can make.
const maxReports = 100_000

func labelsEqual(labels, ref map[string]string) bool {
	for name, value := range ref {
		if labels[name] != value {
			return false
		}
	}
	return true
}

// addFirings adds the reports of one alert.
func (p *parser) addFirings(at time.Duration, labels signal.Labels, f firing) {
	for i := range f.times {
		begin := at + f.every*time.Duration(i)
		report := Report{Labels: labels, Skew: f.skew, Timeout: f.timeout}
		p.add(begin, report)
		for again := f.resend; again > 0 && again < f.lasts; again += f.resend {
			repeat := report
			repeat.Skew -= again // it still says when it began
			p.add(begin+again, repeat)
		}
		if f.lasts > 0 && (f.resend == 0 || f.timeout == 0) {
			p.add(begin+f.lasts, Report{Labels: labels, Resolved: true})
		}
	}
}

func (p *parser) firing(f *firing) error {
	for len(p.words) > 0 {
		keyword, _ := p.take("a modifier")
		var err error
		switch keyword {
		case "over":
			f.over, err = p.duration("over how long")
		case "for":
			f.lasts, err = p.duration("for how long")
		case "every":
			f.every, err = p.duration("how often")
		case "times":
			f.times, err = p.count("how many times")
		case "resend":
			f.resend, err = p.duration("how often it is sent again")
		case "timeout":
			f.timeout, err = p.duration("after how long it times out")
		case "started":
			f.skew, err = p.skew()
		default:
			err = fmt.Errorf("%q is no label and none of over, for, every, times, resend, timeout, started", keyword)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// person reads what somebody does: WHO VERB ... [, refused "TEXT"].
func (p *parser) person(at time.Duration, who string) error {
	verb, err := p.take("what " + who + " does")
	if err != nil {
		return err
	}
	do := Person{Who: who, Verb: verb}
	switch verb {
	case "acknowledges", "unacknowledges", "resolves", "reopens":
		do.Incident, err = p.take("an incident's name")
		if err == nil && len(p.words) > 0 && p.words[0].quoted {
			do.Text, _ = p.take("a reason")
		}
	case "takes":
		do.Incident, err = p.take("an incident's name")
	case "gives":
		if do.Incident, err = p.take("an incident's name"); err == nil {
			do.Other, err = p.afterKeyword("to")
		}
	case "notes":
		if do.Text, err = p.take("a text in quotes"); err == nil {
			do.Incident, err = p.afterKeyword("on")
		}
	case "merges":
		if do.Other, err = p.take("an incident's name"); err == nil {
			do.Incident, err = p.afterKeyword("into")
		}
	case "splits":
		if do.Alert, err = p.alertRef(); err == nil {
			if do.Incident, err = p.afterKeyword("from"); err == nil && p.accept("as") {
				do.Other, err = p.take("a name for what is split off")
			}
		}
	case "moves":
		if do.Alert, err = p.alertRef(); err == nil {
			do.Incident, err = p.afterKeyword("into")
		}
	case "undoes":
		return p.undo(at, who)
	default:
		return fmt.Errorf("%q: nothing is called %q; use fire, resolve, silence, expire, restart, name, expect, or a person with "+
			"acknowledges, unacknowledges, resolves, reopens, takes, gives, merges, splits, moves, notes or undoes", who, verb)
	}
	if err != nil {
		return err
	}
	do.Refused, err = p.refused()
	p.add(at, do)
	return err
}

// undo reads "the KIND of INCIDENT".
func (p *parser) undo(at time.Duration, who string) error {
	if err := p.want("the"); err != nil {
		return err
	}
	do := Undo{Who: who}
	var err error
	if do.Kind, err = p.take("a kind of step"); err != nil {
		return err
	}
	if do.Incident, err = p.afterKeyword("of"); err != nil {
		return err
	}
	do.Refused, err = p.refused()
	p.add(at, do)
	return err
}

func (p *parser) afterKeyword(keyword string) (string, error) {
	if err := p.want(keyword); err != nil {
		return "", err
	}
	return p.take("an incident's name")
}

func (p *parser) refused() (string, error) {
	if !p.accept(",") {
		return "", nil
	}
	if err := p.want("refused"); err != nil {
		return "", err
	}
	return p.take("a part of the reason")
}
