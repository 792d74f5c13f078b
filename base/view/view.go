// Package view keeps saved views: filters of a list that somebody has named, for themselves or for all.
//
// A view is a page, a name and the text of a filter, as it stands in the page's address. Its owner alone can change it;
// a shared one is seen by all. There is no audit leaf: a view decides nothing.
package view

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fairlead/fairlead/base/store"
)

// Bounds of what one person may keep.
const (
	maxViews = 200
	maxName  = 60
	maxQuery = 2000
)

// ErrInvalid says which field of a view cannot be used: the text begins with its name.
var ErrInvalid = errors.New("invalid view")

var pageName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// View is one named filter.
type View struct {
	ID    string
	Owner string
	// Page is the list it filters, for instance "incidents".
	Page string
	Name string
	// Query is the filter's text.
	Query string
	// Shared says that all see it.
	Shared    bool
	UpdatedAt time.Time
}

// check reports the first field that cannot be used.
func (v *View) check() error {
	bad := func(field, problem string) error { return fmt.Errorf("%s: %s: %w", field, problem, ErrInvalid) }
	switch {
	case !pageName.MatchString(v.Page):
		return bad("page", "write the name of a list, for instance incidents")
	case strings.TrimSpace(v.Name) == "":
		return bad("name", "give it a name")
	case utf8.RuneCountInString(v.Name) > maxName:
		return bad("name", fmt.Sprintf("it may have at most %d characters", maxName))
	case len(v.Query) > maxQuery:
		return bad("query", fmt.Sprintf("it may have at most %d bytes", maxQuery))
	case strings.ContainsRune(v.Name+v.Query, 0):
		return bad("name", "it must not hold control characters")
	}
	return nil
}

// Views keeps views in a database. It is safe for concurrent use.
type Views struct {
	db  *store.DB
	now func() time.Time
}

// New returns what is kept in db, whose schema holds the table saved_views.
func New(db *store.DB, now func() time.Time) *Views { return &Views{db: db, now: now} }

// List returns the views of a page that a person sees: their own, then those that others share, each by name. Page ""
// means all pages.
func (s *Views) List(ctx context.Context, owner, page string) ([]View, error) {
	return list(ctx, s.db.Read(), owner, page)
}

// Save stores a view under its owner, page and name; one that is there already gets the new query. The error wraps
// ErrInvalid, or store.ErrConflict when the owner has too many.
func (s *Views) Save(ctx context.Context, v View) (View, error) {
	v.Name = strings.TrimSpace(v.Name)
	if err := v.check(); err != nil {
		return v, err
	}
	v.ID, v.UpdatedAt = "V"+strings.ToLower(rand.Text()[:12]), s.now()
	err := s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		var err error
		v, err = save(ctx, tx, v)
		return err
	})
	return v, err
}

// Delete removes a view of this owner; store.ErrNotFound when there is none.
func (s *Views) Delete(ctx context.Context, owner, id string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error { return remove(ctx, tx, owner, id) })
}
