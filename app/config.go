package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/series"
	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/ops/anomaly"
	"github.com/fairlead/fairlead/ops/incident"
	"github.com/fairlead/fairlead/ops/notify"
)

// Config is the whole configuration. The YAML file, the environment (FAIRLEAD_HTTP_LISTEN and so on) and the flags of
// `fairlead serve` set it, the later winning. Every key has a default; no file is needed.
type Config struct {
	// Data is where everything is kept.
	Data DataConfig `yaml:"data"`
	// Store says where rows are kept.
	Store StoreConfig `yaml:"store"`
	// HTTP is the one port that speaks everything but OTLP's defaults.
	HTTP WebConfig `yaml:"http"`
	// Learning is about what data scientists log.
	Learning LearningConfig `yaml:"learning"`
	// Audit says how the audit log is signed and where its checkpoints go.
	Audit AuditConfig `yaml:"audit"`
	// OTLP holds the addresses of OTLP's default ports; "" switches one off.
	OTLP OTLPConfig `yaml:"otlp"`
	// Clock is "wall", or "event" to be driven by a replay; only on an empty data folder.
	Clock string `yaml:"clock"`
	// Log says how much is logged.
	Log LogConfig `yaml:"log"`
	// Receive bounds what senders may send.
	Receive ReceiveConfig `yaml:"receive"`
	// Series says how long samples are kept.
	Series SeriesConfig `yaml:"series"`
	// Anomaly says what is judged.
	Anomaly AnomalyConfig `yaml:"anomaly"`
	// Access says who may do what.
	Access AccessConfig `yaml:"access"`
	// Bus says where the stream is, and bounds it.
	Bus BusConfig `yaml:"bus"`
	// Alert holds the constants of dedupe and flapping.
	Alert alert.Config `yaml:"alert"`
	// Incident holds how long an alert may be held before people are told.
	Incident IncidentConfig `yaml:"incident"`
	// Maintenance says how planned work is looked after.
	Maintenance MaintenanceConfig `yaml:"maintenance"`
	// InhibitRules are Alertmanager's.
	InhibitRules []alert.InhibitRule `yaml:"inhibit_rules"`
	// Notify says who is told of incidents.
	Notify notify.Config `yaml:"notify"`
}

// DataConfig says where everything is kept.
type DataConfig struct {
	// Dir is the data folder; it is made when missing.
	Dir string `yaml:"dir"`
}

// StoreConfig says where rows are kept: in files in the data folder, or in PostgreSQL.
type StoreConfig struct {
	// URL is a database of PostgreSQL, as postgres://USER@HOST:PORT/DATABASE; "" keeps rows in the data folder.
	URL string `yaml:"url"`
	// PasswordFile holds the password; "" when none is needed, or when the environment has it.
	PasswordFile string `yaml:"password_file"`
	// MaxConnections bounds the connections to PostgreSQL.
	MaxConnections int `yaml:"max_connections"`
}

// WebConfig says where HTTP is served.
type WebConfig struct {
	// Listen is an address and port; port 0 takes a free one. Others than loopback need somebody who can log in.
	Listen string `yaml:"listen"`
	// ExternalURL is how people reach this server, for instance https://fairlead.example.org; "" is the address it listens at.
	ExternalURL string `yaml:"external_url"`
}

// HTTPConfig says where one protocol is served.
type HTTPConfig struct {
	// Listen is a loopback address and port.
	Listen string `yaml:"listen"`
}

// OTLPConfig says where OTLP is served besides the one HTTP port. A default port that another program uses is left out.
type OTLPConfig struct {
	GRPC HTTPConfig `yaml:"grpc"`
	HTTP HTTPConfig `yaml:"http"`
}

// LogConfig says how much is logged.
type LogConfig struct {
	// Level is debug, info, warn or error.
	Level string `yaml:"level"`
}

// ReceiveConfig bounds what senders may send.
type ReceiveConfig struct {
	// ResolveTimeout is how long after its last report an alert without end counts as ended; 0s means never.
	ResolveTimeout time.Duration `yaml:"resolve_timeout"`
	// MaxFingerprintsPerSender is how many different alerts one sender may send in 24 hours.
	MaxFingerprintsPerSender int `yaml:"max_fingerprints_per_sender"`
	// MaxSeriesPerSender is how many different series one sender may send in 24 hours.
	MaxSeriesPerSender int `yaml:"max_series_per_sender"`
}

// BusConfig says where the stream of what was accepted is: in the data folder, or in a NATS cluster; and bounds it.
type BusConfig struct {
	// URL is a NATS server or cluster with JetStream, as nats://HOST:PORT or tls://HOST:PORT, several separated by commas; ""
	// keeps the stream in the data folder.
	URL string `yaml:"url"`
	// CredentialsFile holds NATS credentials; "" when none are needed.
	CredentialsFile string `yaml:"credentials_file"`
	// CAFile holds the certificates of those who vouch for the cluster; "" takes the machine's.
	CAFile string `yaml:"ca_file"`
	// Replicas is how many servers of the cluster keep what was accepted, 1 to 5.
	Replicas int `yaml:"replicas"`
	// MaxBytes is how much may wait in the stream, in bytes, before senders are told to come back later.
	MaxBytes int64 `yaml:"max_bytes"`
	// Sync is when telemetry is fsynced: interval (each second) or always. Alerts and changes always are.
	Sync string `yaml:"sync"`
}

// SeriesConfig says how long samples are kept.
type SeriesConfig struct {
	// Retention is how long samples are kept, 2h or more.
	Retention time.Duration `yaml:"retention"`
	// MaxBytes is how much they may take on disk, in bytes, before the oldest are dropped; 0 sets no bound.
	MaxBytes int64 `yaml:"max_bytes"`
	// Remote keeps samples in another store, in place of the embedded database.
	Remote RemoteConfig `yaml:"remote"`
}

// RemoteConfig names a Prometheus-compatible store for samples.
type RemoteConfig struct {
	// WriteURL takes remote write, for instance https://mimir.example.org/api/v1/push; "" keeps samples in the embedded database.
	WriteURL string `yaml:"write_url"`
	// QueryURL is what stands before /api/v1/query, for instance https://mimir.example.org/prometheus.
	QueryURL string `yaml:"query_url"`
	// Username is who asks and writes, "" for nobody.
	Username string `yaml:"username"`
	// PasswordFile holds the password of the user.
	PasswordFile string `yaml:"password_file"`
	// TokenFile holds a bearer token, in place of user and password.
	TokenFile string `yaml:"token_file"`
	// Tenant is sent as X-Scope-OrgID; "" sends none.
	Tenant string `yaml:"tenant"`
}

// used says whether samples are kept elsewhere.
func (c RemoteConfig) used() bool { return c != RemoteConfig{} }

// store returns the settings in the form of the package that uses them.
func (c RemoteConfig) store() series.RemoteConfig {
	return series.RemoteConfig{
		WriteURL: c.WriteURL, QueryURL: c.QueryURL, Username: c.Username, PasswordFile: c.PasswordFile, TokenFile: c.TokenFile, Tenant: c.Tenant,
	}
}

// AnomalyConfig says what is judged.
type AnomalyConfig struct {
	// MaxSeries is how many series are judged; further ones are stored only.
	MaxSeries int `yaml:"max_series"`
	// Budget is how many anomalies a team welcomes a week. It is told no more than half as many again in any week.
	Budget float64 `yaml:"budget"`
}

// IncidentConfig holds how long people wait for an incident to begin and to end.
type IncidentConfig struct {
	// Hold is how long an incident without a critical alert waits for company, or to clear by itself, before it is shown and
	// told, 0s to 24h.
	Hold time.Duration `yaml:"hold"`
	// HoldCritical is how long a critical alert may wait, 0s to 30s.
	HoldCritical time.Duration `yaml:"hold_critical"`
	// Settle is how long all alerts of an incident must have ended before it counts as resolved, 1s to 24h.
	Settle time.Duration `yaml:"settle"`
}

// DefaultConfig returns the shipped configuration.
func DefaultConfig() Config {
	return Config{
		Data:    DataConfig{Dir: "fairlead-data"},
		Store:   StoreConfig{MaxConnections: 10},
		Audit:   AuditConfig{Export: audit.DefaultExportConfig()},
		HTTP:    WebConfig{Listen: "127.0.0.1:8460"},
		OTLP:    OTLPConfig{GRPC: HTTPConfig{Listen: "127.0.0.1:4317"}, HTTP: HTTPConfig{Listen: "127.0.0.1:4318"}},
		Clock:   "wall",
		Log:     LogConfig{Level: "info"},
		Receive: ReceiveConfig{ResolveTimeout: 5 * time.Minute, MaxFingerprintsPerSender: 500_000, MaxSeriesPerSender: 1_000_000},
		Series:  SeriesConfig{Retention: series.DefaultRetention},
		Anomaly: AnomalyConfig{MaxSeries: 1_000_000, Budget: anomaly.DefaultBudget},
		Access:  defaultAccess(),
		Bus:     BusConfig{Replicas: 1, MaxBytes: 1 << 30, Sync: "interval"},
		Alert:   alert.DefaultConfig(),
		Incident: IncidentConfig{
			Hold:         incident.DefaultGroupingConfig().Hold,
			HoldCritical: incident.DefaultGroupingConfig().HoldCritical,
			Settle:       incident.DefaultGroupingConfig().Settle,
		},
		Maintenance: MaintenanceConfig{Remind: 7 * 24 * time.Hour},
		Notify:      notify.DefaultConfig(),
	}
}

// LoadConfig reads the file at path ("" = none) over the defaults and then the environment. The error names file, line,
// value and remedy, one problem a line.
func LoadConfig(path string, environ []string) (Config, error) {
	cfg := DefaultConfig()
	if path != "" {
		data, err := os.ReadFile(path)
		if err != nil {
			return cfg, fmt.Errorf("configuration: %w", err)
		}
		if err := parse(path, data, &cfg); err != nil {
			return cfg, err
		}
		cfg.Notify.Alertmanager = beside(path, cfg.Notify.Alertmanager)
	}
	if err := applyEnvironment(&cfg, environ); err != nil {
		return cfg, err
	}
	if err := cfg.Validate(); err != nil {
		if path != "" {
			err = locate(path, err)
		}
		return cfg, err
	}
	return cfg, nil
}

func parse(path string, data []byte, cfg *Config) error {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	err := decoder.Decode(cfg)
	if err == nil || errors.Is(err, io.EOF) {
		return nil
	}
	var typed *yaml.TypeError
	if !errors.As(err, &typed) {
		return fmt.Errorf("%s: %s; check the YAML there", path, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	problems := make([]string, len(typed.Errors))
	for i, text := range typed.Errors {
		problems[i] = path + ": " + explain(text)
	}
	return errors.New(strings.Join(problems, "\n"))
}

var (
	unknownKey = regexp.MustCompile(`^line (\d+): field (\S+) not found in type \S+$`)
	wrongType  = regexp.MustCompile("^line (\\d+): cannot unmarshal !!(\\w+) `?(.*?)`? into (\\S+)$")
	valueKinds = map[string]string{
		"time.Duration": "a duration such as 30s, 5m or 1h", "int": "a whole number", "int64": "a whole number", "string": "a text", "bool": "true or false",
	}
)

// explain says with a remedy what yaml says without.
func explain(text string) string {
	if m := unknownKey.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("line %s: unknown key %q; remove it or correct its spelling (docs/reference/config.md lists all keys)", m[1], m[2])
	}
	if m := wrongType.FindStringSubmatch(text); m != nil {
		kind := valueKinds[m[4]]
		if kind == "" {
			kind = "another form; see docs/reference/config.md"
		}
		return fmt.Sprintf("line %s: value %q cannot be used here; write %s", m[1], m[3], kind)
	}
	return text
}

// ConfigError is a value that cannot be used.
type ConfigError struct {
	// Key is the path of the key, with dots.
	Key string
	// Problem says what is wrong and what to write.
	Problem string
}

// Error names the key and the problem.
func (e *ConfigError) Error() string { return e.Key + ": " + e.Problem }

// locate adds file and line to an error about a key, where the file sets it.
func locate(path string, err error) error {
	var bad *ConfigError
	if !errors.As(err, &bad) {
		return fmt.Errorf("%s: %w", path, err)
	}
	data, readErr := os.ReadFile(path)
	var root yaml.Node
	if readErr != nil || yaml.Unmarshal(data, &root) != nil || len(root.Content) == 0 {
		return fmt.Errorf("%s: %w", path, err)
	}
	node, line := root.Content[0], 0
	for part := range strings.SplitSeq(bad.Key, ".") {
		var next *yaml.Node
		for i := 0; i+1 < len(node.Content) && node.Kind == yaml.MappingNode; i += 2 {
			if node.Content[i].Value == part {
				next, line = node.Content[i+1], node.Content[i].Line
			}
		}
		if next == nil {
			break
		}
		node = next
	}
	if line == 0 {
		return fmt.Errorf("%s: %w", path, err)
	}
	return fmt.Errorf("%s: line %d: %w", path, line, err)
}

// Validate returns a *ConfigError for the first value that cannot be used.
func (c *Config) Validate() error {
	bad := func(key, format string, args ...any) error {
		return &ConfigError{Key: key, Problem: fmt.Sprintf(format, args...)}
	}
	if c.Data.Dir == "" {
		return bad("data.dir", "it is empty; name a folder")
	}
	if err := c.store().Validate(); err != nil {
		key, problem, _ := strings.Cut(err.Error(), ": ")
		return bad(key, "%s", problem)
	}
	if err := c.Learning.validate(bad); err != nil {
		return err
	}
	if err := c.Audit.Export.Validate(); err != nil {
		key, problem, _ := strings.Cut(err.Error(), ": ")
		return bad("audit.export."+key, "%s", problem)
	}
	if _, _, err := net.SplitHostPort(c.HTTP.Listen); err != nil {
		return bad("http.listen", "%q: want address and port, for instance 127.0.0.1:8460", c.HTTP.Listen)
	}
	if err := checkMaintenance(c); err != nil {
		return err
	}
	if err := checkAccess(c); err != nil {
		return err
	}
	if c.Clock != "wall" && c.Clock != "event" {
		return bad("clock", "%q is unknown; write wall or event", c.Clock)
	}
	switch c.Log.Level {
	case "debug", "info", "warn", "error":
	default:
		return bad("log.level", "%q is unknown; write debug, info, warn or error", c.Log.Level)
	}
	if c.Receive.ResolveTimeout < 0 {
		return bad("receive.resolve_timeout", "%s is negative; write a duration such as 5m, or 0s for never", c.Receive.ResolveTimeout)
	}
	if c.Receive.MaxFingerprintsPerSender < 1 {
		return bad("receive.max_fingerprints_per_sender", "%d is less than 1; write a whole number such as 500000", c.Receive.MaxFingerprintsPerSender)
	}
	if err := checkSamples(c); err != nil {
		return err
	}
	if c.Bus.MaxBytes < 4<<20 {
		return bad("bus.max_bytes", "%d is less than 4194304 (4 MiB)", c.Bus.MaxBytes)
	}
	if c.Bus.Replicas < 1 {
		return bad("bus.replicas", "%d is less than 1; write 1, or 3 on a cluster of three servers or more", c.Bus.Replicas)
	}
	if err := c.bus(0).Validate(); err != nil {
		key, problem, _ := strings.Cut(strings.TrimPrefix(err.Error(), "bus: "), " ")
		return bad("bus."+key, "%s", problem)
	}
	if c.Incident.Hold < 0 || c.Incident.Hold > 24*time.Hour {
		return bad("incident.hold", "%s is not between 0s and 24h; write a duration such as 10m", c.Incident.Hold)
	}
	if c.Incident.HoldCritical < 0 || c.Incident.HoldCritical > 30*time.Second {
		return bad("incident.hold_critical", "%s is not between 0s and 30s", c.Incident.HoldCritical)
	}
	if c.Incident.Settle < time.Second || c.Incident.Settle > 24*time.Hour {
		return bad("incident.settle", "%s is not between 1s and 24h", c.Incident.Settle)
	}
	if err := c.Alert.Validate(); err != nil {
		key, problem, _ := strings.Cut(err.Error(), ": ")
		return bad(key, "%s", problem)
	}
	if _, err := alert.NewInhibitor(c.InhibitRules); err != nil {
		return bad("inhibit_rules", "%v", err)
	}
	return checkNotify(c)
}

// checkSamples returns a *ConfigError for the first value about samples that cannot be used.
func checkSamples(c *Config) error {
	bad := func(key, format string, args ...any) error {
		return &ConfigError{Key: key, Problem: fmt.Sprintf(format, args...)}
	}
	switch {
	case c.Receive.MaxSeriesPerSender < 1:
		return bad("receive.max_series_per_sender", "%d is less than 1; write a whole number such as 1000000", c.Receive.MaxSeriesPerSender)
	case c.Series.Retention < 2*time.Hour:
		return bad("series.retention", "%s is less than 2h; write a duration such as 360h", c.Series.Retention)
	case c.Series.MaxBytes < 0:
		return bad("series.max_bytes", "%d is negative; write how many bytes, or 0 for no bound", c.Series.MaxBytes)
	case c.Anomaly.MaxSeries < 2:
		return bad("anomaly.max_series", "%d is less than 2; write a whole number such as 1000000", c.Anomaly.MaxSeries)
	case c.Anomaly.Budget < 1 || c.Anomaly.Budget > 1000:
		return bad("anomaly.budget", "%g is not between 1 and 1000; write how many a week are welcome, for instance 5", c.Anomaly.Budget)
	case !listenable(c.OTLP.GRPC.Listen):
		return bad("otlp.grpc.listen", `%q: want address and port, for instance 127.0.0.1:4317, or "" to switch it off`, c.OTLP.GRPC.Listen)
	case !listenable(c.OTLP.HTTP.Listen):
		return bad("otlp.http.listen", `%q: want address and port, for instance 127.0.0.1:4318, or "" to switch it off`, c.OTLP.HTTP.Listen)
	case c.Bus.Sync != "interval" && c.Bus.Sync != "always":
		return bad("bus.sync", "%q is unknown; write interval or always", c.Bus.Sync)
	}
	if c.Series.Remote.used() {
		if err := c.Series.Remote.store().Validate(); err != nil {
			key, problem, _ := strings.Cut(err.Error(), " ")
			return bad("series.remote."+key, "%s", problem)
		}
	}
	return nil
}

// listenable reports whether an address is one to listen at, or empty.
func listenable(address string) bool {
	_, _, err := net.SplitHostPort(address)
	return address == "" || err == nil
}

func (c *Config) engine() incident.Config {
	cfg := incident.DefaultConfig()
	cfg.Alert = c.Alert
	cfg.Grouping.Hold, cfg.Grouping.HoldCritical, cfg.Grouping.Settle = c.Incident.Hold, c.Incident.HoldCritical, c.Incident.Settle
	return cfg
}
