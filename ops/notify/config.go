package notify

import (
	"fmt"
	"net/url"
	"time"
)

// What one notification can stand for.
const (
	// PerIncident tells each receiver of an incident once, whatever the group_by of the routes.
	PerIncident = "incident"
	// PerGroup tells each receiver of each group of alerts, as Alertmanager groups them.
	PerGroup = "group"
)

// Config says who is told and how.
type Config struct {
	// Alertmanager is the path of an alertmanager.yml, relative to the file that names it; empty tells nobody.
	Alertmanager string `yaml:"alertmanager"`
	// Per is "incident": one notification for each incident and receiver, or "group": one for each group of alerts, as Alertmanager groups.
	Per string `yaml:"per"`
	// ExternalURL is the address in the links of messages; empty takes the one that Fairlead listens on.
	ExternalURL string `yaml:"external_url"`
	// SendOnEventClock really sends while a recording is replayed (serve --clock event); by default that is only recorded.
	SendOnEventClock bool `yaml:"send_on_event_clock"`
	// Escalation names receivers that are told when nobody has acknowledged an incident in time.
	Escalation []Escalation `yaml:"escalation"`
}

// Escalation is one receiver that is told later.
type Escalation struct {
	// After is how long after the incident was shown, 1s or more.
	After time.Duration `yaml:"after"`
	// Receiver is the name of a receiver of the alertmanager.yml.
	Receiver string `yaml:"receiver"`
}

// DefaultConfig returns the shipped configuration: nobody is told.
func DefaultConfig() Config { return Config{Per: PerIncident} }

// Validate returns the first value that cannot be used, as "key: problem; remedy". It does not look into the file.
func (c *Config) Validate() error {
	if c.Per != PerIncident && c.Per != PerGroup {
		return fmt.Errorf("notify.per: %q is unknown; write incident or group", c.Per)
	}
	if c.ExternalURL != "" {
		if u, err := url.Parse(c.ExternalURL); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return fmt.Errorf("notify.external_url: %q is no address; write one such as https://fairlead.example.org", c.ExternalURL)
		}
	}
	if len(c.Escalation) > 0 && c.Alertmanager == "" {
		return fmt.Errorf("notify.escalation: there is no receiver %q as long as notify.alertmanager names no file; name one", c.Escalation[0].Receiver)
	}
	for _, e := range c.Escalation {
		if e.After < time.Second {
			return fmt.Errorf("notify.escalation: after %s is less than 1s; write a duration such as 15m", e.After)
		}
	}
	return nil
}

// check reports the first escalation that names no receiver of the plan.
func (c *Config) check(p *Plan) error {
	for _, e := range c.Escalation {
		if _, known := p.receivers[e.Receiver]; !known {
			return fmt.Errorf("notify.escalation: %s has no receiver %q; define it there or write one of %s", c.Alertmanager, e.Receiver, quoted(p.Receivers()))
		}
	}
	return nil
}
