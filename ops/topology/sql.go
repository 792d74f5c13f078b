package topology

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/fairlead/fairlead/base/store"
)

// stateKey is where the inventory is stored.
const stateKey = "topology.inventory"

// Save stores the edges within tx.
func Save(ctx context.Context, tx store.Tx, inv Inventory) error {
	data, err := json.Marshal(inv)
	if err != nil {
		return fmt.Errorf("encode the map: %w", err)
	}
	return store.SaveState(ctx, tx, stateKey, data)
}

// Load reads the stored edges into m; a map that was never stored stays empty.
func Load(ctx context.Context, db store.Querier, m *Map) error {
	data, err := store.LoadState(ctx, db, stateKey)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load the map: %w", err)
	}
	var inv Inventory
	if err := json.Unmarshal(data, &inv); err != nil {
		return fmt.Errorf("load the map: %w", err)
	}
	m.Set(inv)
	return nil
}
