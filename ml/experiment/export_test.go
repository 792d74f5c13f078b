package experiment

import "context"

// SearchIDs and SearchIDsInSQL return the ids of a page of runs by each of the two ways, for tests.
func (s *Store) SearchIDs(ctx context.Context, search Search) ([]string, string, error) {
	order, next, err := s.search(ctx, search)
	return s.idsOf(ctx, order, next, err)
}

func (s *Store) SearchIDsInSQL(ctx context.Context, search Search) ([]string, string, error) {
	order, next, err := s.searchInSQL(ctx, search)
	return s.idsOf(ctx, order, next, err)
}

func (s *Store) idsOf(ctx context.Context, order []int64, next string, err error) ([]string, string, error) {
	if err != nil {
		return nil, "", err
	}
	runs, err := s.runsByNumber(ctx, s.db.Read(), order)
	ids := make([]string, len(runs))
	for i, run := range runs {
		ids[i] = run.ID
	}
	return ids, next, err
}
