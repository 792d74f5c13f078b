package series

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	remoteapi "github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/config"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/prompb"
)

// RemoteConfig names a store that keeps samples in place of the embedded database: any that takes Prometheus remote write and
// answers Prometheus' API (Prometheus, Mimir, Thanos, VictoriaMetrics).
type RemoteConfig struct {
	// WriteURL takes remote write, version 1, as https://HOST/api/v1/push; QueryURL is what stands before /api/v1/query.
	WriteURL, QueryURL string
	// Username and PasswordFile, or TokenFile, let it in; all "" when it lets everybody in. Files are read again when they change.
	Username, PasswordFile, TokenFile string
	// Tenant is sent as X-Scope-OrgID; "" sends none.
	Tenant string
	// QueryTimeout bounds one query; 0 means 2 minutes.
	QueryTimeout time.Duration
}

// Validate reports the first setting that cannot be used.
func (c RemoteConfig) Validate() error {
	for _, u := range []struct{ key, text string }{{"write_url", c.WriteURL}, {"query_url", c.QueryURL}} {
		parsed, err := url.Parse(u.text)
		switch {
		case u.text == "":
			return fmt.Errorf("%s is missing; a remote store needs write_url and query_url", u.key)
		case err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "":
			return fmt.Errorf("%s is %q; write http://HOST/PATH or https://HOST/PATH", u.key, u.text)
		case parsed.User != nil:
			return fmt.Errorf("%s holds a user; write username and password_file", u.key)
		}
	}
	switch {
	case (c.Username == "") != (c.PasswordFile == ""):
		return errors.New("username and password_file belong together; write both or none")
	case c.Username != "" && c.TokenFile != "":
		return errors.New("username and token_file are both set; write one of them")
	}
	return nil
}

// tenantHeader tells Mimir and its like whose samples they are.
const tenantHeader = "X-Scope-OrgID"

// remote is the other end of a store that keeps nothing here.
type remote struct {
	config RemoteConfig
	query  *url.URL
	client *http.Client
	api    *remoteapi.API
	logger *slog.Logger
}

// withTenant adds the tenant's header.
type withTenant struct {
	http.RoundTripper
	tenant string
}

// RoundTrip sends a request.
func (t withTenant) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(tenantHeader, t.tenant)
	return t.RoundTripper.RoundTrip(r)
}

// OpenRemote returns a store whose samples are kept elsewhere. Nothing is asked of the other end yet.
func OpenRemote(c RemoteConfig, logger *slog.Logger, registry prometheus.Registerer) (*Store, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("open the remote store of samples: %w", err)
	}
	with := config.DefaultHTTPClientConfig
	with.FollowRedirects = false
	if c.Username != "" {
		with.BasicAuth = &config.BasicAuth{Username: c.Username, PasswordFile: c.PasswordFile}
	}
	if c.TokenFile != "" {
		with.Authorization = &config.Authorization{Type: "Bearer", CredentialsFile: c.TokenFile}
	}
	client, err := config.NewClientFromConfig(with, "series")
	if err != nil {
		return nil, fmt.Errorf("open the remote store of samples: %w", err)
	}
	if c.Tenant != "" {
		client.Transport = withTenant{client.Transport, c.Tenant}
	}
	writer := *client
	writer.Timeout = time.Minute
	r := &remote{config: c, client: client, logger: logger}
	if r.query, err = url.Parse(strings.TrimSuffix(c.QueryURL, "/")); err != nil {
		return nil, fmt.Errorf("open the remote store of samples: %w", err)
	}
	r.api, err = remoteapi.NewAPI(c.WriteURL, remoteapi.WithAPIPath(""), remoteapi.WithAPIHTTPClient(&writer),
		remoteapi.WithAPIBackoff(remoteapi.BackoffConfig{Min: 100 * time.Millisecond, Max: 10 * time.Second}))
	if err != nil {
		return nil, fmt.Errorf("open the remote store of samples: %w", err)
	}
	s := newStore(Config{QueryTimeout: c.QueryTimeout}.withDefaults(), logger)
	s.remote = r
	s.register(registry)
	return s, nil
}

// Remote says whether samples are kept elsewhere.
func (s *Store) Remote() bool { return s.remote != nil }

// QueryURL returns what stands before /api/v1 in the addresses of the store that is elsewhere, and the transport that it lets
// in. Only a remote Store has them.
func (s *Store) QueryURL() (*url.URL, http.RoundTripper) {
	return s.remote.query, s.remote.client.Transport
}

// outbox is what one batch sends.
type outbox struct {
	remote  *remote
	ctx     context.Context //nolint:containedctx // of the batch, which ends with it
	request prompb.WriteRequest
	index   map[*known]int
}

func (r *remote) begin(ctx context.Context) *outbox {
	return &outbox{remote: r, ctx: ctx, index: make(map[*known]int)}
}

// add adds one sample of a series.
func (o *outbox) add(k *known, at int64, value float64, h *histogram.FloatHistogram, exemplars []exemplar.Exemplar) {
	i, begun := o.index[k]
	if !begun {
		i = len(o.request.Timeseries)
		o.index[k] = i
		o.request.Timeseries = append(o.request.Timeseries, prompb.TimeSeries{Labels: prompb.FromLabels(k.labels, nil)})
	}
	series := &o.request.Timeseries[i]
	if h != nil {
		series.Histograms = append(series.Histograms, prompb.FromFloatHistogram(at, h))
	} else {
		series.Samples = append(series.Samples, prompb.Sample{Timestamp: at, Value: value})
	}
	for _, e := range exemplars {
		series.Exemplars = append(series.Exemplars, prompb.Exemplar{Labels: prompb.FromLabels(e.Labels, nil), Value: e.Value, Timestamp: e.Ts})
	}
}

// describe sends along what is known of a metric.
func (o *outbox) describe(name string, m Metadata) {
	kind := prompb.MetricMetadata_UNKNOWN
	if n, known := prompb.MetricMetadata_MetricType_value[strings.ToUpper(string(m.Family))]; known {
		kind = prompb.MetricMetadata_MetricType(n)
	}
	o.request.Metadata = append(o.request.Metadata, prompb.MetricMetadata{Type: kind, MetricFamilyName: name, Help: m.Help, Unit: m.Unit})
}

// send sends what was added, and tries until the other end takes or refuses it, or the context ends. It says whether it was
// taken.
func (o *outbox) send() (taken bool, err error) {
	if len(o.request.Timeseries)+len(o.request.Metadata) == 0 {
		return true, nil
	}
	told := false
	_, err = o.remote.api.Write(o.ctx, remoteapi.WriteV1MessageType, &o.request, remoteapi.WithWriteRetryCallback(func(err error) {
		if !told {
			told = true
			o.remote.logger.Warn("the remote store takes no samples now; they wait in the stream", "error", err)
		}
	}))
	switch {
	case err == nil && told:
		o.remote.logger.Info("the remote store takes samples again")
		return true, nil
	case err == nil:
		return true, nil
	case o.ctx.Err() != nil:
		return false, fmt.Errorf("send samples: %w", context.Cause(o.ctx))
	}
	o.remote.logger.Warn("the remote store refused samples; they are left out", "error", err)
	return false, nil
}
