package incident

import (
	"fmt"

	"github.com/fairlead/fairlead/ops/alert"
)

// Config is what an Engine is built from. DefaultConfig returns the shipped one.
type Config struct {
	Alert    alert.Config
	Grouping GroupingConfig
}

// DefaultConfig returns the shipped constants.
func DefaultConfig() Config {
	return Config{Alert: alert.DefaultConfig(), Grouping: DefaultGroupingConfig()}
}

// TermNames lists the kinds of evidence, which GroupingConfig.Without can switch off.
var TermNames = []string{termTime, termMap, termLabels, termText, termTogether}

// Validate returns an error that names the first constant that makes no sense.
func (c Config) Validate() error {
	if err := c.Alert.Validate(); err != nil {
		return err
	}
	if c.Grouping.HoldCritical < 0 {
		return fmt.Errorf("incident.hold_critical: %s is negative; use 0s to 30s", c.Grouping.HoldCritical)
	}
	return nil
}
