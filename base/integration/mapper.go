package integration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"github.com/fairlead/fairlead/base/signal"
)

// Mapper says how a JSON payload of any shape becomes alerts. Each field is an expression in the language of expr-lang/expr
// over body (the payload), item (the piece at hand) and header (a function of a name); "" leaves it to the built-in guesses, which know
// the names that most tools use.
type Mapper struct {
	// Each gives the list of pieces, one an alert; by default the payload itself, or its items if it is a list.
	Each string `json:"each,omitempty"`
	// Identity gives the sender's own key; by default what the payload calls its key or id, else name and labels.
	Identity string `json:"identity,omitempty"`
	// Name gives the alert's name.
	Name string `json:"name,omitempty"`
	// Severity gives a word such as critical or P2.
	Severity string `json:"severity,omitempty"`
	// State gives firing or resolved, or a word that means one of them; acknowledged too.
	State string `json:"state,omitempty"`
	// Summary gives the text for people.
	Summary string `json:"summary,omitempty"`
	// Link gives a URL.
	Link string `json:"link,omitempty"`
	// StartsAt and EndsAt give times: RFC 3339, or seconds or milliseconds since 1970.
	StartsAt string `json:"startsAt,omitempty"`
	EndsAt   string `json:"endsAt,omitempty"`
	// Labels and Annotations give further ones by name.
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Bounds of a mapper and of what it makes.
const (
	mapperNodes  = 500
	mapperMemory = 1 << 20
	mapperItems  = 1000
	mapperLabels = 32
)

// Program is a compiled Mapper. It is safe for concurrent use.
type Program struct {
	each                *vm.Program
	fields              map[string]*vm.Program
	labels, annotations map[string]*vm.Program
}

// Compile reads the expressions; the error wraps ErrInvalid and names the field, the expression and what is wrong.
func (m *Mapper) Compile() (*Program, error) {
	p := &Program{fields: map[string]*vm.Program{}, labels: map[string]*vm.Program{}, annotations: map[string]*vm.Program{}}
	var err error
	if p.each, err = compile("each", m.Each); err != nil {
		return nil, err
	}
	for name, text := range map[string]string{
		"identity": m.Identity, "name": m.Name, "severity": m.Severity, "state": m.State, "summary": m.Summary, "link": m.Link,
		"startsAt": m.StartsAt, "endsAt": m.EndsAt,
	} {
		if p.fields[name], err = compile(name, text); err != nil {
			return nil, err
		}
	}
	for into, texts := range map[string]map[string]string{"labels": m.Labels, "annotations": m.Annotations} {
		if len(texts) > mapperLabels {
			return nil, fmt.Errorf("mapper.%s: there are %d, at most %d are allowed: %w", into, len(texts), mapperLabels, ErrInvalid)
		}
		for name, text := range texts {
			program, err := compile(into+"."+name, text)
			if err != nil {
				return nil, err
			}
			if into == "labels" {
				p.labels[name] = program
			} else {
				p.annotations[name] = program
			}
		}
	}
	return p, nil
}

// scope is what expressions see.
type scope struct {
	Body   any                      `expr:"body"`
	Item   any                      `expr:"item"`
	Header func(name string) string `expr:"header"`
}

func compile(field, text string) (*vm.Program, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil //nolint:nilnil // no expression, no program
	}
	program, err := expr.Compile(text, expr.Env(scope{}), expr.MaxNodes(mapperNodes))
	if err != nil {
		return nil, fmt.Errorf("mapper.%s: %q cannot be read: %s: %w", field, text, firstLine(err), ErrInvalid)
	}
	return program, nil
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// Alerts reads payload, JSON that was received at now. The alerts are keyed; Source is left to the caller. The error says
// what is wrong with the payload or the expression.
func (p *Program) Alerts(payload []byte, header func(name string) string, now time.Time) ([]signal.Alert, error) {
	var body any
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber()
	if err := decoder.Decode(&body); err != nil {
		return nil, fmt.Errorf("the body is no JSON: %w", err)
	}
	body = plain(body)
	s := scope{Body: body, Header: header}
	items, err := p.items(s)
	if err != nil {
		return nil, err
	}
	var alerts []signal.Alert
	for n, item := range items {
		s.Item = item
		a, err := p.alert(s, now)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", n, err)
		}
		alerts = append(alerts, a)
	}
	return alerts, nil
}

func (p *Program) items(s scope) ([]any, error) {
	items := []any{s.Body}
	if list, ok := s.Body.([]any); ok {
		items = list
	}
	if p.each != nil {
		value, err := run(p.each, s)
		if err != nil {
			return nil, fmt.Errorf("mapper.each: %w", err)
		}
		list, ok := value.([]any)
		if !ok {
			return nil, fmt.Errorf("mapper.each: gives %s, want a list", kindOf(value))
		}
		items = list
	}
	if len(items) == 0 {
		return nil, errors.New("the payload holds no item")
	}
	if len(items) > mapperItems {
		return nil, fmt.Errorf("the payload holds %d items, at most %d are read", len(items), mapperItems)
	}
	return items, nil
}

func run(program *vm.Program, s scope) (any, error) {
	machine := vm.VM{MemoryBudget: mapperMemory}
	value, err := machine.Run(program, s)
	if err != nil {
		return nil, errors.New(firstLine(err))
	}
	return value, nil
}

// alert reads one item.
func (p *Program) alert(s scope, now time.Time) (signal.Alert, error) {
	texts := map[string]string{}
	for field, program := range p.fields {
		if program == nil {
			texts[field] = guess(s.Item, guesses[field])
			continue
		}
		value, err := run(program, s)
		if err != nil {
			return signal.Alert{}, fmt.Errorf("mapper.%s: %w", field, err)
		}
		texts[field] = textOf(value)
	}
	labels, err := p.labelled(p.labels, s, "labels")
	if err != nil {
		return signal.Alert{}, err
	}
	for label, names := range guessedLabels {
		if labels[label] == "" {
			labels[label] = guess(s.Item, names)
		}
	}
	annotations, err := p.labelled(p.annotations, s, "annotations")
	if err != nil {
		return signal.Alert{}, err
	}
	name := texts["name"]
	if name == "" {
		return signal.Alert{}, errors.New("the payload names no alert: write an expression for mapper.name")
	}
	if annotations["summary"] == "" && texts["summary"] != name {
		annotations["summary"] = texts["summary"]
	}
	labels["alertname"] = name
	if labels["severity"] == "" {
		labels["severity"] = severityOf(texts["severity"])
	}
	a := signal.Alert{
		Identity: texts["identity"], Keyed: true, Labels: signal.NewLabels(labels), Annotations: signal.NewLabels(annotations),
		GeneratorURL: texts["link"],
	}
	if a.Identity == "" {
		a.Identity = a.Labels.Fingerprint().String()
	}
	if a.StartsAt, err = timeOf("startsAt", texts["startsAt"], now); err != nil {
		return signal.Alert{}, err
	}
	switch stateOf(texts["state"]) {
	case "resolved":
		if a.EndsAt, err = timeOf("endsAt", texts["endsAt"], now); err != nil {
			return signal.Alert{}, err
		}
	case "acknowledged":
		a.Act = signal.Acknowledge
	case "firing":
	default:
		return signal.Alert{}, fmt.Errorf("mapper.state: %q means neither firing nor resolved: write an expression that gives one of them", texts["state"])
	}
	return a, nil
}

func (p *Program) labelled(programs map[string]*vm.Program, s scope, field string) (map[string]string, error) {
	values := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(programs)) {
		if programs[name] == nil {
			continue
		}
		value, err := run(programs[name], s)
		if err != nil {
			return nil, fmt.Errorf("mapper.%s.%s: %w", field, name, err)
		}
		values[name] = textOf(value)
	}
	return values, nil
}

// plain turns numbers into int or float64, which expressions can calculate with.
func plain(value any) any {
	switch v := value.(type) {
	case json.Number:
		if n, err := strconv.Atoi(v.String()); err == nil {
			return n
		}
		f, _ := v.Float64() //nolint:errcheck // out of range is infinite
		return f
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = plain(v[name])
		}
	}
	return value
}

func textOf(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return strings.TrimSpace(v)
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(text)
}

func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return "nothing"
	case map[string]any:
		return "an object"
	case string:
		return "a text"
	}
	return fmt.Sprintf("a %T", value)
}
