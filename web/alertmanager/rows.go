package alertmanager

import (
	"context"
	"slices"

	"github.com/fairlead/fairlead/ops/alert"
)

// Rows is the Source over the database.
type Rows struct {
	db Database
}

// Database lists stored alerts; ops/alert's List over the database is one.
type Database func(ctx context.Context, filter alert.Filter) ([]*alert.Row, error)

// NewRows returns a Source that lists alerts through list.
func NewRows(list Database) *Rows { return &Rows{db: list} }

const (
	// pageSize is how many alerts are read at once.
	pageSize = 1000
	// maxKnown is how many fingerprints of muting alerts are remembered while alerts are listed.
	maxKnown = 10_000
)

// Firing reads the firing alerts page by page, newest first. An alert that mutes another and ended meanwhile is named by its id.
func (s *Rows) Firing(ctx context.Context, visit func(*Alert) error) error {
	known := map[string]string{}
	for filter := (alert.Filter{State: alert.Firing, Limit: pageSize}); ; {
		page, err := s.db(ctx, filter)
		if err != nil {
			return err
		}
		if err := s.visit(ctx, page, known, visit); err != nil || len(page) < pageSize {
			return err
		}
		filter.Before = page[len(page)-1].Seq
	}
}

// Some reads the firing alerts with these numbers, newest first.
func (s *Rows) Some(ctx context.Context, numbers []uint64, visit func(*Alert) error) error {
	known := map[string]string{}
	for part := range slices.Chunk(numbers, pageSize) {
		page, err := s.db(ctx, alert.Filter{State: alert.Firing, Numbers: part, Limit: len(part)})
		if err != nil {
			return err
		}
		if err := s.visit(ctx, page, known, visit); err != nil {
			return err
		}
	}
	return nil
}

// visit shows a page of alerts. known holds the fingerprints of alerts that mute others, by id.
func (s *Rows) visit(ctx context.Context, page []*alert.Row, known map[string]string, visit func(*Alert) error) error {
	if err := s.learn(ctx, page, known); err != nil {
		return err
	}
	for _, row := range page {
		a := fromRow(row)
		for i, id := range a.InhibitedBy {
			if fingerprint := known[id]; fingerprint != "" {
				a.InhibitedBy[i] = fingerprint
			}
		}
		if err := visit(a); err != nil {
			return err
		}
	}
	return nil
}

// learn looks up the fingerprints of the alerts that mute those of a page.
func (s *Rows) learn(ctx context.Context, page []*alert.Row, known map[string]string) error {
	if len(known) > maxKnown {
		clear(known)
	}
	var missing []uint64
	for _, row := range page {
		for _, id := range row.InhibitedBy {
			if _, asked := known[id]; asked {
				continue
			}
			known[id] = ""
			if number, err := alert.ParseID(id); err == nil {
				missing = append(missing, number)
			}
		}
	}
	for part := range slices.Chunk(missing, pageSize) {
		rows, err := s.db(ctx, alert.Filter{State: alert.Firing, Numbers: part, Limit: len(part)})
		if err != nil {
			return err
		}
		for _, row := range rows {
			known[row.ID] = row.Fingerprint.String()
		}
	}
	return nil
}

func fromRow(row *alert.Row) *Alert {
	a := &Alert{
		ID: row.ID, Number: row.Seq, Fingerprint: row.Fingerprint, Labels: row.Labels, Annotations: row.Annotations, GeneratorURL: row.GeneratorURL,
		StartsAt: row.StartsAt, UpdatedAt: row.LastReceivedAt, EndsAt: row.ExpiresAt, InhibitedBy: slices.Clone(row.InhibitedBy),
	}
	if row.Root != 0 {
		a.Incident = incidentID(row.Root)
	}
	return a
}
