package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/base/series"
	"github.com/fairlead/fairlead/ops/anomaly"
)

// Anomalies are what the detectors found, and the samples that they look at.
type Anomalies interface {
	// Budgets returns how much of what is welcome was used, by team.
	Budgets() []anomaly.BudgetState
	// Judge keeps what somebody says of a group; an error wraps store.ErrNotFound when there is none.
	Judge(ctx context.Context, at time.Time, id, feedback, actor string) (anomaly.Row, error)
	// Stats returns what was judged since the start.
	Stats() anomaly.Stats
	// Chart returns the series that a PromQL selector names between two times, as the detector sees them, at most limit of
	// them; more says that there are others. The error is one for whoever wrote the selector.
	Chart(ctx context.Context, selector string, from, to time.Time, limit int) (charts []anomaly.Chart, more bool, err error)
}

// AnomalyFinding is one abnormal series.
type AnomalyFinding struct {
	Series   string            `json:"series" doc:"Its id, 16 hexadecimal digits."`
	Labels   map[string]string `json:"labels"`
	Unit     string            `json:"unit,omitempty"`
	At       time.Time         `json:"at" doc:"The value that was found."`
	Test     string            `json:"test" example:"shift16_up" doc:"What found it."`
	Explain  string            `json:"explain" doc:"What that test looks at."`
	Value    float64           `json:"value" doc:"What was judged: of a counter its rate by the second."`
	Expected float64           `json:"expected" doc:"What should have come."`
	Low      float64           `json:"low" doc:"The usual is from here."`
	High     float64           `json:"high" doc:"The usual is up to here."`
	Weekly   float64           `json:"weekly" doc:"How often a week something as rare comes about in this series."`
	Summary  string            `json:"summary"`
}

// Anomaly is what is abnormal in one entity at one time.
type Anomaly struct {
	ID       string           `json:"id" example:"anomaly-0123456789abcdef-1772409600" doc:"Also the identity of its alert, when people were told."`
	Team     string           `json:"team"`
	Entity   string           `json:"entity" example:"service:checkout"`
	Title    string           `json:"title"`
	Since    time.Time        `json:"since"`
	LastAt   time.Time        `json:"lastAt" doc:"When the newest series became abnormal, or was normal again."`
	EndedAt  *time.Time       `json:"endedAt,omitempty"`
	ToldAt   *time.Time       `json:"toldAt,omitempty" doc:"When people were told; absent if they were not."`
	Joined   string           `json:"joined,omitempty" doc:"The anomaly with whose alert it was told."`
	Others   int              `json:"others" doc:"How many other entities were told with its alert."`
	Evidence float64          `json:"evidence" doc:"How rare it is, in powers of ten: how rare its rarest series is, and half of how rare each other is, up to 20."`
	Rate     float64          `json:"rate" doc:"How often a week the team has one of as much evidence, by those before it."`
	Why      string           `json:"why" doc:"Why people were told, or were not."`
	Series   int              `json:"series" doc:"How many series were abnormal."`
	Active   int              `json:"active" doc:"How many still are."`
	Feedback string           `json:"feedback" enum:"normal,useful," doc:"What somebody said of it; empty for nothing."`
	Judge    string           `json:"judge,omitempty" doc:"Who said it."`
	Findings []AnomalyFinding `json:"findings" doc:"The rarest of its series, at most 20."`
}

// AnomalyPage is a page of anomalies; next is the cursor of the following page, empty on the last.
type AnomalyPage struct {
	Items []Anomaly `json:"items"`
	Next  string    `json:"next"`
}

type listAnomalies struct {
	Since  time.Time `query:"since" doc:"Only those that began at or after this time."`
	Until  time.Time `query:"until" doc:"Only those that began before this time."`
	Entity string    `query:"entity" maxLength:"300" example:"service:checkout"`
	Metric string    `query:"metric" maxLength:"300" doc:"Only those with this metric among the rarest."`
	Told   bool      `query:"told" doc:"Only those that people were told of."`
	Cursor string    `query:"cursor" doc:"next of the page before."`
	Limit  int       `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

// AnomalyPath names an anomaly. It is exported because huma fills embedded structs only then.
type AnomalyPath struct {
	ID string `path:"id" maxLength:"100"`
}

type judgeAnomaly struct {
	AnomalyPath
	Body struct {
		Feedback string `json:"feedback" enum:"normal,useful," doc:"normal: it was nothing, fewer like it. useful: it was worth hearing of. Empty takes back what was said."`
	}
}

// AnomalyBudget is how much of what a team welcomes was used.
type AnomalyBudget struct {
	Team     string      `json:"team" doc:"Empty for series that name no team."`
	Asked    float64     `json:"asked" doc:"How many a week are welcome."`
	Told     []time.Time `json:"told" doc:"What was told in the last seven days."`
	Left     int         `json:"left" doc:"How many may be told now."`
	Tells    uint64      `json:"tells" doc:"How many were ever told."`
	Expected float64     `json:"expected" doc:"How many of those chance was expected to make."`
	Held     uint64      `json:"held" doc:"How many were not told because the budget was used up."`
	Groups   float64     `json:"groups" doc:"How many anomalies there are a week, told or not."`
	Factor   float64     `json:"factor" doc:"By how much the rate that is asked for was corrected by what was really told."`
	Curve    []uint64    `json:"curve" doc:"Anomalies by their p-value, in tenths from 0: even when the evidence is calibrated."`
}

// AnomalyBudgets are the budgets of all teams, and what is judged.
type AnomalyBudgets struct {
	Teams     []AnomalyBudget `json:"teams"`
	Watched   int             `json:"watched" doc:"Series that are judged."`
	Unwatched int             `json:"unwatched" doc:"Series that are stored only: buckets, descriptions, and what is over anomaly.max_series."`
	Judged    uint64          `json:"judged" doc:"Values judged since the start."`
	Skipped   uint64          `json:"skipped" doc:"Values that could not be: not finite, not newer than the last, or the first of a counter."`
}

type chartQuery struct {
	Selector string    `query:"selector" required:"true" minLength:"1" maxLength:"2000" example:"node_load1{instance=\"a:9100\"}" doc:"A PromQL selector of series."`
	From     time.Time `query:"from" required:"true"`
	To       time.Time `query:"to" required:"true"`
	Limit    int       `query:"limit" minimum:"1" maximum:"50" default:"10" doc:"How many series at most."`
}

// SeriesChart is a series as the detector sees it. All lists have one entry for each time.
type SeriesChart struct {
	Labels  map[string]string `json:"labels"`
	Unit    string            `json:"unit,omitempty"`
	Counter bool              `json:"counter" doc:"The values are rates by the second."`
	Times   []int64           `json:"times" doc:"Milliseconds since 1970."`
	Values  []*float64        `json:"values"`
	Low     []*float64        `json:"low" doc:"The usual is from here; null while the series warms up."`
	High    []*float64        `json:"high"`
	Alerts  []int             `json:"alerts" doc:"Places at which an anomaly goes on."`
}

// SeriesCharts are series as the detector sees them.
type SeriesCharts struct {
	Items []SeriesChart `json:"items"`
	More  bool          `json:"more" doc:"There are more series than were asked for."`
}

func (a *API) anomalyRoutes() {
	if a.cfg.Anomalies == nil {
		return
	}
	route(a, http.MethodGet, "/anomalies", "listAnomalies", "List what was abnormal, newest first", a.listAnomalies)
	route(a, http.MethodGet, "/anomalies/budget", "getAnomalyBudget", "How many anomalies are welcome, and how many were told", a.getAnomalyBudget)
	route(a, http.MethodGet, "/anomalies/{id}", "getAnomaly", "Get an anomaly", a.getAnomaly)
	route(a, http.MethodPost, "/anomalies/{id}/feedback", "judgeAnomaly", "Say whether an anomaly was normal or useful; its series are judged accordingly", a.judgeAnomaly)
	route(a, http.MethodGet, "/series/chart", "chartSeries", "Series between two times, with what the detector takes for usual", a.chartSeries)
}

func (a *API) listAnomalies(ctx context.Context, in *listAnomalies) (*body[AnomalyPage], error) {
	f := anomaly.Filter{Since: in.Since, Until: in.Until, Entity: in.Entity, Metric: in.Metric, Told: in.Told, Teams: access.ScopeOf(ctx).Limit(), Limit: in.Limit + 1}
	if in.Cursor != "" {
		millis, id, _ := strings.Cut(in.Cursor, "_")
		at, err := strconv.ParseInt(millis, 10, 64)
		if err != nil {
			return nil, huma.Error422UnprocessableEntity("The cursor is none.", &huma.ErrorDetail{Location: "query.cursor", Value: in.Cursor, Message: "send next of the page before"})
		}
		f.Before, f.BeforeID = time.UnixMilli(at).UTC(), id
	}
	rows, err := anomaly.List(ctx, a.cfg.DB.Read(), f)
	if err != nil {
		return nil, err
	}
	page := AnomalyPage{Items: []Anomaly{}}
	for i := range rows {
		if i == in.Limit {
			last := &rows[i-1]
			page.Next = strconv.FormatInt(last.Since.UnixMilli(), 10) + "_" + last.ID
			break
		}
		page.Items = append(page.Items, toAnomaly(&rows[i]))
	}
	return answer(page), nil
}

func (a *API) getAnomaly(ctx context.Context, in *AnomalyPath) (*body[Anomaly], error) {
	row, err := a.anomaly(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return answer(toAnomaly(&row)), nil
}

// anomaly loads one that whoever asks may see.
func (a *API) anomaly(ctx context.Context, id string) (anomaly.Row, error) {
	row, err := anomaly.Load(ctx, a.cfg.DB.Read(), id)
	if err != nil {
		return row, err
	}
	if limit := access.ScopeOf(ctx).Limit(); limit != nil && !slices.Contains(limit, row.Team) {
		return row, huma.Error404NotFound("There is no anomaly " + id + ".")
	}
	return row, nil
}

func (a *API) judgeAnomaly(ctx context.Context, in *judgeAnomaly) (*body[Anomaly], error) {
	if _, err := a.anomaly(ctx, in.ID); err != nil {
		return nil, err
	}
	row, err := a.cfg.Anomalies.Judge(ctx, a.cfg.Clock.Now(), in.ID, in.Body.Feedback, actor(ctx))
	if err != nil {
		return nil, err
	}
	return answer(toAnomaly(&row)), nil
}

func (a *API) getAnomalyBudget(_ context.Context, _ *struct{}) (*body[AnomalyBudgets], error) {
	stats := a.cfg.Anomalies.Stats()
	all := AnomalyBudgets{Teams: []AnomalyBudget{}, Watched: stats.Series, Unwatched: stats.Unwatched, Judged: stats.Judged, Skipped: stats.Skipped}
	for _, b := range a.cfg.Anomalies.Budgets() {
		told := b.Budget.Told
		if told == nil {
			told = []time.Time{}
		}
		all.Teams = append(all.Teams, AnomalyBudget{
			Team: b.Team, Asked: b.Asked, Told: told, Left: b.Left(), Tells: b.Budget.Tells, Expected: b.Budget.Expected, Held: b.Budget.Held,
			Groups: b.Budget.Weekly(), Factor: b.Budget.Factor, Curve: b.Budget.Curve[:],
		})
	}
	return answer(all), nil
}

func (a *API) chartSeries(ctx context.Context, in *chartQuery) (*body[SeriesCharts], error) {
	bad := func(field string, value any, remedy string) error {
		return huma.Error422UnprocessableEntity("The chart cannot be made.", &huma.ErrorDetail{Location: "query." + field, Value: value, Message: remedy})
	}
	if !in.From.Before(in.To) {
		return nil, bad("from", in.From, "it must be before to")
	}
	if in.To.Sub(in.From) > maxChart {
		return nil, bad("from", in.From, "at most 31 days fit into one chart")
	}
	charts, more, err := a.cfg.Anomalies.Chart(ctx, in.Selector, in.From, in.To, in.Limit)
	if errors.Is(err, series.ErrSelector) {
		return nil, bad("selector", in.Selector, err.Error())
	}
	if err != nil {
		return nil, huma.Error503ServiceUnavailable("The store of samples does not answer now. Try again.", err)
	}
	all := SeriesCharts{Items: []SeriesChart{}, More: more}
	for i := range charts {
		c := &charts[i]
		all.Items = append(all.Items, SeriesChart{
			Labels: c.Labels.Map(), Unit: c.Unit, Counter: c.Counter, Times: c.Times, Values: numbers(c.Values), Low: numbers(c.Low), High: numbers(c.High), Alerts: c.Alerts,
		})
	}
	return answer(all), nil
}

const maxChart = 31 * 24 * time.Hour

// numbers writes what is not a number as null.
func numbers(values []float64) []*float64 {
	list := make([]*float64, len(values))
	for i := range values {
		if values[i]-values[i] == 0 { // neither NaN nor infinite
			list[i] = &values[i]
		}
	}
	return list
}

func toAnomaly(r *anomaly.Row) Anomaly {
	v := Anomaly{
		ID: r.ID, Team: r.Team, Entity: r.Entity, Title: r.Title(), Since: r.Since, LastAt: r.Last, EndedAt: optional(r.Ended), ToldAt: optional(r.ToldAt), Joined: r.Joined,
		Others: r.Others, Evidence: r.Evidence, Rate: r.Rate, Why: r.Why(), Series: r.Count, Active: r.Active, Feedback: r.Feedback, Judge: r.Judge,
		Findings: make([]AnomalyFinding, len(r.Findings)),
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		v.Findings[i] = AnomalyFinding{
			Series: f.ID.String(), Labels: f.Labels.Map(), Unit: f.Unit, At: f.At, Test: f.Verdict.Test.String(), Explain: f.Verdict.Test.Explain(),
			Value: f.Verdict.Value, Expected: f.Verdict.Expected, Low: f.Verdict.Low, High: f.Verdict.High, Weekly: f.Verdict.Weekly, Summary: f.Summary(),
		}
	}
	return v
}
