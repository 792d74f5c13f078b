package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/uptrace/bun"

	"github.com/fairlead/fairlead/base/store"
)

// alertTable is shaped like a table of alerts: a text key, two more indexes, about 800 bytes a row.
const alertTable = `-- +goose Up
CREATE TABLE alerts (
	id TEXT NOT NULL PRIMARY KEY, fingerprint BIGINT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, severity BIGINT NOT NULL,
	labels TEXT NOT NULL, annotations TEXT NOT NULL, starts_at BIGINT NOT NULL, ends_at BIGINT NOT NULL,
	received_at BIGINT NOT NULL, reports BIGINT NOT NULL, incident TEXT NOT NULL
);
CREATE INDEX alerts_by_receipt ON alerts (received_at);
CREATE INDEX alerts_by_incident ON alerts (incident);
`

var alertColumns = []string{
	"id", "fingerprint", "name", "state", "severity", "labels", "annotations", "starts_at", "ends_at", "received_at", "reports",
	"incident",
}

// BenchmarkInsert measures rows a second; one operation is one row.
func BenchmarkInsert(b *testing.B) {
	for _, rows := range []int{1, 64, 1000, 5000} {
		b.Run(fmt.Sprint("rows=", rows), func(b *testing.B) {
			db, err := store.Open(b.Context(), store.Config{Dir: b.TempDir()}, "ops",
				fstest.MapFS{"00001_alerts.sql": {Data: []byte(alertTable)}}, slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			labels, annotations := strings.Repeat("label=value,", 30), strings.Repeat("annotation text ", 20)
			b.ResetTimer()
			for done := 0; done < b.N; done += rows {
				batch := make([][]any, 0, rows)
				for i := range rows {
					n := int64(done + i)
					batch = append(batch, []any{
						fmt.Sprintf("%016x", uint64(n)*0x9e3779b97f4a7c15), n, "HighLatency", "firing", int64(3),
						labels, annotations, n, int64(0), n, int64(1), fmt.Sprint("INC-", n/50),
					})
				}
				err := db.Write(context.Background(), func(ctx context.Context, tx bun.Tx) error {
					return store.Insert(ctx, tx, "alerts", alertColumns, "ON CONFLICT (id) DO UPDATE SET reports = alerts.reports + 1", batch)
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkWrite measures small writes by several goroutines.
func BenchmarkWrite(b *testing.B) {
	for _, writers := range []int{2, 8, 64} {
		b.Run(fmt.Sprint("writers=", writers), func(b *testing.B) {
			db := open(b, b.TempDir())
			var number atomic.Int64
			b.SetParallelism(max(writers/runtime.GOMAXPROCS(0), 1))
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := save(db, fmt.Sprint(number.Add(1)), "value"); err != nil {
						b.Error(err)
						return
					}
				}
			})
			stats := db.Stats()
			b.ReportMetric(float64(stats.Writes)/float64(stats.Groups), "writes/group")
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	for range b.N {
		db := open(b, dir)
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
