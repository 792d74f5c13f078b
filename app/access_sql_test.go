package app

import (
	"context"

	"github.com/fairlead/fairlead/base/store"
)

// sql changes rows behind the server's back.
func (c *closed) sql(query string, args ...any) {
	c.t.Helper()
	err := c.db.Write(c.t.Context(), func(ctx context.Context, tx store.Tx) error {
		_, err := tx.NewRaw(query, args...).Exec(ctx)
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
}
