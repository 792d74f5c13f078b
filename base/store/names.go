package store

import "github.com/uptrace/bun"

// Tx is a transaction, as Write hands it to a change. The name lets packages pass it on without seeing the driver.
type Tx = bun.Tx

// Querier is what rows are read from: the pool of readers, or a transaction.
type Querier = bun.IDB

// List writes a slice as the inside of SQL's "IN (?)".
func List(slice any) bun.ListValues { return bun.List(slice) }
