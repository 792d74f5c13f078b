package experiment

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"

	"github.com/fairlead/fairlead/ml/experiment/filter"
)

// SearchRuns returns a page of runs, and the token of the next page or "". An unknown experiment has none.
func (s *Store) SearchRuns(ctx context.Context, search Search) (runs []*Run, next string, err error) {
	order, next, err := s.search(ctx, search)
	if err != nil {
		return nil, "", err
	}
	runs, err = s.runsByNumber(ctx, s.db.Read(), order)
	return runs, next, err
}

// SearchEncoded is SearchRuns with each run as encode writes it, which is remembered until the run is written again; encode
// must always be the same.
func (s *Store) SearchEncoded(ctx context.Context, search Search, encode func(*Run) ([]byte, error)) (runs []json.RawMessage, next string, err error) {
	order, next, err := s.search(ctx, search)
	if err != nil {
		return nil, "", err
	}
	found, mark := s.documents.get(order)
	var missing []int64
	for _, number := range order {
		if found[number] == nil {
			missing = append(missing, number)
		}
	}
	read, err := s.runsByNumber(ctx, s.db.Read(), missing)
	if err != nil {
		return nil, "", err
	}
	for _, run := range read {
		document, err := encode(run)
		if err != nil {
			return nil, "", err
		}
		found[run.number] = document
		s.documents.put(run.number, document, mark)
	}
	runs = make([]json.RawMessage, 0, len(order))
	for _, number := range order {
		if document := found[number]; document != nil { // or it is gone meanwhile
			runs = append(runs, document)
		}
	}
	return runs, next, nil
}

// search returns the numbers of a page of runs, and the token of the next page or "".
func (s *Store) search(ctx context.Context, search Search) (order []int64, next string, err error) {
	if search.Most < 1 || search.Most > MaxResults {
		return nil, "", invalid("max_results: %d is not between 1 and %d", search.Most, MaxResults)
	}
	if search.View == "" {
		search.View = ActiveOnly
	}
	p, err := s.planRuns(ctx, search)
	if err != nil {
		return nil, "", err
	}
	after, inSQL, err := p.token(search.Token)
	if err != nil {
		return nil, "", err
	}
	if len(search.Experiments) == 0 {
		return nil, "", nil
	}
	if inSQL {
		return s.searchInSQL(ctx, search)
	}
	slices.Sort(search.Experiments)
	best := &nearest{plan: p}
	var locked []*table
	defer func() {
		for _, t := range locked {
			t.mu.RUnlock()
		}
	}()
	for _, id := range slices.Compact(search.Experiments) {
		t := s.tables.get(id)
		if err := s.ready(ctx, t, p.needed); err != nil {
			return nil, "", err
		}
		locked = append(locked, t)
		if t.huge {
			return s.searchInSQL(ctx, search)
		}
		var in map[int64]struct{}
		if len(p.datasets) > 0 {
			if in, err = s.inDatasets(ctx, id, p.datasets, p.args); err != nil {
				return nil, "", err
			}
		}
		p.look(p.on(t), search.View, in, after, best, search.Most+1)
	}
	slices.SortFunc(best.spots, p.compare)
	for i, at := range best.spots {
		if i == search.Most {
			next = p.tokenOf(best.spots[i-1])
			break
		}
		order = append(order, at.source.rows[at.row].number)
	}
	return order, next, nil
}

// tokenMark begins the tokens of searches in memory.
const tokenMark = "m"

// tokenValue is one value in a token.
type tokenValue struct {
	Rank   uint8   `json:"r,omitempty"`
	Number float64 `json:"n,omitempty"`
	Whole  int64   `json:"i,omitempty"`
	Text   string  `json:"t,omitempty"`
}

// tokenOf returns the token of what comes behind a row.
func (p *plan) tokenOf(at spot) string {
	values := make([]tokenValue, len(p.order))
	for i := range p.order {
		v := p.at(i, at)
		values[i] = tokenValue{v.rank, v.number, v.whole, v.text}
	}
	data, err := json.Marshal(values)
	if err != nil {
		return "" // numbers are finite, so they can be written
	}
	return tokenMark + base64.RawURLEncoding.EncodeToString(data)
}

// token reads a token; inSQL says that a search in SQL has given it.
func (p *plan) token(token string) (after []value, inSQL bool, err error) {
	if token == "" {
		return nil, false, nil
	}
	bad := invalid("page_token: %v", filter.ErrToken)
	if token[:1] != tokenMark {
		data, err := base64.RawURLEncoding.DecodeString(token)
		var values []any
		if err != nil || json.Unmarshal(data, &values) != nil {
			return nil, false, bad
		}
		return nil, true, nil
	}
	data, err := base64.RawURLEncoding.DecodeString(token[1:])
	if err != nil {
		return nil, false, bad
	}
	var values []tokenValue
	if err := json.Unmarshal(data, &values); err != nil || len(values) != len(p.order) {
		return nil, false, bad
	}
	for _, v := range values {
		after = append(after, value{v.Rank, v.Number, v.Whole, v.Text})
	}
	return after, false, nil
}
