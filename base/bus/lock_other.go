//go:build !unix

package bus

import (
	"fmt"
	"os"
)

// lockFile opens name. On this system nothing keeps a second process out.
func lockFile(name string) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make the lock file: %w", err)
	}
	return file, nil
}
