package store_test

import (
	"log/slog"
	"testing"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/base/store/storetest"
	"github.com/fairlead/fairlead/test/postgres"
)

func openPostgres(t testing.TB, url string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{URL: url}, "ops", store.Schema(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestPostgres(t *testing.T) {
	storetest.Run(t, storetest.Engine{Place: postgres.Database, Open: openPostgres})
}
