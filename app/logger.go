package app

import (
	"io"
	"log/slog"

	"github.com/fairlead/fairlead/base/telemetry"
)

// NewLogger returns the logger that Options wants: text on a terminal, JSON elsewhere. The error names a level that does
// not exist.
func NewLogger(out io.Writer, level string) (*slog.Logger, error) {
	return telemetry.NewLogger(out, level)
}
