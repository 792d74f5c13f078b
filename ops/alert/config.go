package alert

import (
	"fmt"
	"time"
)

// Config holds the constants of the stages before grouping. DefaultConfig returns the shipped ones.
type Config struct {
	// Return is how soon after its end an alert must fire again to count as the same episode.
	Return time.Duration `yaml:"return" json:"return"`
	// FlapReturns is how many returns within FlapWindow make an alert flapping.
	FlapReturns int `yaml:"flap_returns" json:"flapReturns"`
	// FlapWindow is the time over which returns are counted.
	FlapWindow time.Duration `yaml:"flap_window" json:"flapWindow"`
	// FlapQuiet is how long a flapping alert must be quiet before it counts as calm again.
	FlapQuiet time.Duration `yaml:"flap_quiet" json:"flapQuiet"`
	// Remember is how long after its end an episode is kept in memory, so that repeated resolved reports are recognised.
	// Prometheus sends them for 15 minutes.
	Remember time.Duration `yaml:"remember" json:"remember"`
}

// DefaultConfig returns the shipped constants.
func DefaultConfig() Config {
	return Config{
		Return:      time.Minute,
		FlapReturns: 3,
		FlapWindow:  10 * time.Minute,
		FlapQuiet:   5 * time.Minute,
		Remember:    20 * time.Minute,
	}
}

// Validate returns an error that names the first constant that makes no sense.
func (c Config) Validate() error {
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"return", c.Return}, {"flap_window", c.FlapWindow}, {"flap_quiet", c.FlapQuiet}, {"remember", c.Remember}} {
		if d.value <= 0 {
			return fmt.Errorf("alert.%s: %s is not positive; use a duration such as 5m", d.name, d.value)
		}
	}
	if c.FlapReturns < 1 {
		return fmt.Errorf("alert.flap_returns: %d is less than 1; use a whole number such as 3", c.FlapReturns)
	}
	if c.Remember < c.Return {
		return fmt.Errorf("alert.remember: %s is less than alert.return (%s); use at least that", c.Remember, c.Return)
	}
	return nil
}
