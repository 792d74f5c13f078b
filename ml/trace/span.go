package trace

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math"
	"sort"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// span is one span on its way into the store.
type span struct {
	trace, id, parent string
	name, kind        string
	status            string
	started, ended    int64
	attributes        string
	text              string
	body              string

	root            bool
	request, answer string
	session, user   string
	input, output   int64
	tokens          bool
}

// value is an attribute's value in OTLP's JSON with names in snake case, as MLflow's clients read it.
func value(v pcommon.Value) any {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return map[string]any{"string_value": v.Str()}
	case pcommon.ValueTypeBool:
		return map[string]any{"bool_value": v.Bool()}
	case pcommon.ValueTypeInt:
		return map[string]any{"int_value": v.Int()}
	case pcommon.ValueTypeDouble:
		return map[string]any{"double_value": number(v.Double())}
	case pcommon.ValueTypeBytes:
		return map[string]any{"bytes_value": base64.StdEncoding.EncodeToString(v.Bytes().AsRaw())}
	case pcommon.ValueTypeSlice:
		values := make([]any, 0, v.Slice().Len())
		for _, item := range v.Slice().All() {
			values = append(values, value(item))
		}
		return map[string]any{"array_value": map[string]any{"values": values}}
	case pcommon.ValueTypeMap:
		values := make([]any, 0, v.Map().Len())
		for key, item := range v.Map().All() {
			values = append(values, attribute{key, value(item)})
		}
		return map[string]any{"kvlist_value": map[string]any{"values": values}}
	default:
		return map[string]any{}
	}
}

// number makes a number fit for JSON.
func number(v float64) any {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return v
}

type attribute struct {
	Key   string `json:"key"`
	Value any    `json:"value"`
}

// decoded returns an attribute of MLflow whose text is JSON as what the text says.
func decoded(key string, v pcommon.Value) pcommon.Value {
	if v.Type() != pcommon.ValueTypeStr || !strings.HasPrefix(key, "mlflow.") {
		return v
	}
	decoder := json.NewDecoder(strings.NewReader(v.Str()))
	decoder.UseNumber()
	var plain any
	if err := decoder.Decode(&plain); err != nil || decoder.More() {
		return v
	}
	into := pcommon.NewValueEmpty()
	put(into, plain)
	return into
}

// put writes what JSON says into a value.
func put(into pcommon.Value, plain any) {
	switch p := plain.(type) {
	case string:
		into.SetStr(p)
	case bool:
		into.SetBool(p)
	case json.Number:
		if n, err := p.Int64(); err == nil {
			into.SetInt(n)
		} else if f, err := p.Float64(); err == nil {
			into.SetDouble(f)
		} else {
			into.SetStr(p.String())
		}
	case []any:
		slice := into.SetEmptySlice()
		for _, item := range p {
			put(slice.AppendEmpty(), item)
		}
	case map[string]any:
		m := into.SetEmptyMap()
		keys := make([]string, 0, len(p))
		for key := range p {
			keys = append(keys, key)
		}
		sort.Strings(keys)
		for _, key := range keys {
			put(m.PutEmpty(key), p[key])
		}
	}
}

// plainText writes a value as JSON, in the way that Python writes it, which is what people search for.
func plainText(v pcommon.Value) string {
	var b strings.Builder
	writePlain(&b, v)
	return b.String()
}

func writePlain(b *strings.Builder, v pcommon.Value) {
	switch v.Type() {
	case pcommon.ValueTypeSlice:
		b.WriteByte('[')
		for i, item := range v.Slice().All() {
			if i > 0 {
				b.WriteString(", ")
			}
			writePlain(b, item)
		}
		b.WriteByte(']')
	case pcommon.ValueTypeMap:
		b.WriteByte('{')
		first := true
		for key, item := range v.Map().All() {
			if !first {
				b.WriteString(", ")
			}
			first = false
			quote(b, key)
			b.WriteString(": ")
			writePlain(b, item)
		}
		b.WriteByte('}')
	case pcommon.ValueTypeStr:
		quote(b, v.Str())
	case pcommon.ValueTypeEmpty:
		b.WriteString("null")
	default:
		b.WriteString(v.AsString())
	}
}

func quote(b *strings.Builder, text string) {
	data, err := json.Marshal(text)
	if err != nil {
		return // a text can be written
	}
	b.Write(data)
}

// statuses are those of spans as MLflow's clients read them.
var statuses = map[ptrace.StatusCode]string{ptrace.StatusCodeOk: "STATUS_CODE_OK", ptrace.StatusCodeError: "STATUS_CODE_ERROR"}

// searched are the statuses as searches name them.
var searched = map[ptrace.StatusCode]string{ptrace.StatusCodeOk: "OK", ptrace.StatusCodeError: "ERROR", ptrace.StatusCodeUnset: "UNSET"}

// read makes a span of OTLP's.
func read(in ptrace.Span) span {
	traceID, spanID, parentID := in.TraceID(), in.SpanID(), in.ParentSpanID()
	s := span{
		trace: "tr-" + hex.EncodeToString(traceID[:]), id: hex.EncodeToString(spanID[:]), name: in.Name(), status: searched[in.Status().Code()],
		started: int64(in.StartTimestamp()), ended: int64(in.EndTimestamp()), root: parentID.IsEmpty(), //nolint:gosec // till the year 2262
	}
	body := map[string]any{
		"trace_id": base64.StdEncoding.EncodeToString(traceID[:]), "span_id": base64.StdEncoding.EncodeToString(spanID[:]), "name": s.name,
		"start_time_unix_nano": s.started, "end_time_unix_nano": s.ended,
	}
	if !parentID.IsEmpty() {
		s.parent = hex.EncodeToString(parentID[:])
		body["parent_span_id"] = base64.StdEncoding.EncodeToString(parentID[:])
	}
	if state := in.TraceState().AsRaw(); state != "" {
		body["trace_state"] = state
	}
	status := map[string]any{}
	if code, set := statuses[in.Status().Code()]; set {
		status["code"] = code
	}
	if message := in.Status().Message(); message != "" {
		status["message"] = message
	}
	body["status"] = status
	body["attributes"] = s.readAttributes(in)
	if events := readEvents(in); len(events) > 0 {
		body["events"] = events
	}
	if links := readLinks(in); len(links) > 0 {
		body["links"] = links
	}
	data, err := json.Marshal(body)
	if err == nil { // it holds nothing that cannot be written
		s.body = string(data)
	}
	return s
}

// readAttributes reads the attributes and what they mean to MLflow.
func (s *span) readAttributes(in ptrace.Span) []attribute {
	request := pcommon.NewValueStr(s.trace)
	list := []attribute{{attributeTrace, value(request)}}
	texts := map[string]string{}
	search := []string{s.name}
	add := func(key string, v pcommon.Value) {
		list = append(list, attribute{key, value(v)})
		if v.Type() == pcommon.ValueTypeStr {
			texts[key] = v.Str()
		} else {
			texts[key] = plainText(v)
		}
		search = append(search, key+": "+plainText(v))
	}
	for key, sent := range in.Attributes().All() {
		v := decoded(key, sent)
		switch key {
		case attributeTrace:
			continue
		case "mlflow.spanType":
			s.kind = v.AsString()
		case "mlflow.spanInputs":
			s.request = plainText(v)
		case "mlflow.spanOutputs":
			s.answer = plainText(v)
		case "session.id":
			s.session = plainText(v)
		case "user.id":
			s.user = plainText(v)
		case "gen_ai.usage.input_tokens":
			s.input, s.tokens = v.Int(), true
		case "gen_ai.usage.output_tokens":
			s.output, s.tokens = v.Int(), true
		}
		add(key, v)
	}
	if operation, ok := in.Attributes().Get("gen_ai.operation.name"); ok && s.kind == "" && operation.AsString() == "chat" {
		s.kind = "CHAT_MODEL"
		add("mlflow.spanType", pcommon.NewValueStr(s.kind))
	}
	if usage, sent := in.Attributes().Get("mlflow.chat.tokenUsage"); sent {
		m := decoded("mlflow.chat.tokenUsage", usage)
		if m.Type() == pcommon.ValueTypeMap {
			count := func(key string) int64 {
				v, _ := m.Map().Get(key)
				return v.Int()
			}
			s.input, s.output, s.tokens = count("input_tokens"), count("output_tokens"), true
		}
	} else if s.tokens {
		v := pcommon.NewValueMap()
		v.Map().PutInt("input_tokens", s.input)
		v.Map().PutInt("output_tokens", s.output)
		v.Map().PutInt("total_tokens", s.input+s.output)
		add("mlflow.chat.tokenUsage", v)
	}
	if data, err := json.Marshal(texts); err == nil {
		s.attributes = string(data)
	}
	s.text = strings.Join(search, "\n")
	return list
}

func attributes(m pcommon.Map) []attribute {
	list := make([]attribute, 0, m.Len())
	for key, v := range m.All() {
		list = append(list, attribute{key, value(v)})
	}
	return list
}

func readEvents(in ptrace.Span) []any {
	var list []any
	for _, event := range in.Events().All() {
		e := map[string]any{"time_unix_nano": int64(event.Timestamp()), "name": event.Name()} //nolint:gosec // till the year 2262
		if event.Attributes().Len() > 0 {
			e["attributes"] = attributes(event.Attributes())
		}
		list = append(list, e)
	}
	return list
}

func readLinks(in ptrace.Span) []any {
	var list []any
	for _, link := range in.Links().All() {
		traceID, spanID := link.TraceID(), link.SpanID()
		l := map[string]any{"trace_id": base64.StdEncoding.EncodeToString(traceID[:]), "span_id": base64.StdEncoding.EncodeToString(spanID[:])}
		if link.Attributes().Len() > 0 {
			l["attributes"] = attributes(link.Attributes())
		}
		list = append(list, l)
	}
	return list
}
