package alert

import (
	"context"
	"fmt"
	"time"

	"github.com/fairlead/fairlead/base/store"
)

// When a silence counts as forgotten.
const (
	forgottenAge  = 7 * 24 * time.Hour // it mutes something for so long
	forgottenIdle = 24 * time.Hour     // it is active for so long and mutes nothing
)

// ForgottenSilence is an active silence that somebody should look at.
type ForgottenSilence struct {
	Silence *Silence
	// Muted is how many firing alerts it mutes now; Reason says why it is listed.
	Muted  int
	Reason string
}

// ForgottenSilences returns the active silences that hide something for more than a week, or nothing for more than a day.
func ForgottenSilences(ctx context.Context, db store.Querier, silences *Silences, now time.Time) ([]ForgottenSilence, error) {
	var old []*Silence // those that are old enough
	for _, silence := range silences.List(now) {
		s := &silence
		if s.State(now) == SilenceActive && now.Sub(s.StartsAt) >= forgottenIdle {
			old = append(old, s)
		}
	}
	var list []ForgottenSilence
	for _, s := range old {
		var muted int
		err := db.NewRaw("SELECT count(*) FROM alerts WHERE state = 'firing' AND silenced_by LIKE ?", "%"+s.ID+"%").Scan(ctx, &muted)
		if err != nil {
			return nil, fmt.Errorf("count what a silence mutes: %w", store.Classify(err))
		}
		age := now.Sub(s.StartsAt).Round(time.Hour)
		switch {
		case muted == 0:
			list = append(list, ForgottenSilence{s, muted, fmt.Sprintf("It mutes nothing and is active since %s: expire it?", age)})
		case age >= forgottenAge:
			list = append(list, ForgottenSilence{s, muted, fmt.Sprintf("It hides firing alerts since %s: are they still planned?", age)})
		}
	}
	return list, nil
}
