package alert

import (
	"context"
	"strings"
)

// Erase replaces a person's name in all silences.
func (s *Silences) Erase(ctx context.Context, change SilenceChange, mask func(string) string) error {
	s.change.Lock()
	defer s.change.Unlock()
	for _, silence := range s.byID {
		after := *silence
		if after.CreatedBy, after.Comment = mask(after.CreatedBy), mask(after.Comment); after.CreatedBy == silence.CreatedBy && after.Comment == silence.Comment {
			continue
		}
		change.Action, change.Silence = "silence.erase", after
		if err := s.apply(ctx, change); err != nil {
			return err
		}
	}
	return nil
}

// Erase replaces a person's name in all maintenance windows, and in all silences.
func (w *Windows) Erase(ctx context.Context, change SilenceChange, mask func(string) string) error {
	if err := w.Silences.Erase(ctx, change, mask); err != nil {
		return err
	}
	w.mu.Lock()
	var touched []*Window
	for _, c := range w.byID {
		after := *c.Window
		after.CreatedBy, after.Title, after.Comment = mask(after.CreatedBy), mask(after.Title), mask(after.Comment)
		if strings.Join([]string{after.CreatedBy, after.Title, after.Comment}, "\x00") != strings.Join([]string{c.CreatedBy, c.Title, c.Comment}, "\x00") {
			after.Version++
			touched = append(touched, &after)
		}
	}
	w.mu.Unlock()
	for _, after := range touched {
		compiled, err := compile(after)
		if err != nil {
			return err
		}
		if err := w.store.SaveWindow(ctx, WindowChange{At: change.At, Actor: change.Actor, Action: "maintenance.erase", Window: after}); err != nil {
			return err
		}
		w.mu.Lock()
		w.byID[after.ID] = compiled
		w.mu.Unlock()
	}
	w.touch()
	return nil
}
