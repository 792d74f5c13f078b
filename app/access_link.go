package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/base/store"
)

// AccessLink makes a one-time link in the database of cfg, beside a server that may be running on it: whoever opens it becomes
// admin, or sets the password of user if that is not "". url is how the server is reached; "" takes what cfg says.
func AccessLink(ctx context.Context, cfg Config, user, url string, logger *slog.Logger) (link string, expires time.Time, err error) {
	db, err := store.OpenBeside(ctx, cfg.store(), "ops", store.Schema(), logger)
	if err != nil {
		return "", expires, fmt.Errorf("open the database: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	people := access.New(db, cfg.Access.directory(), logger)
	const actor, reason = "command line", "fairlead access link"
	var made access.Link
	if user == "" {
		made, err = people.AdminLink(ctx, actor, reason)
	} else {
		made, err = people.UserLink(ctx, actor, user, reason)
	}
	if err != nil {
		return "", expires, err
	}
	return linkURL(cmp.Or(url, cfg.HTTP.ExternalURL, "http://"+cfg.HTTP.Listen), made), made.ExpiresAt, nil
}
