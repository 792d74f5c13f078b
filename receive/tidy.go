package receive

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
)

// Bounds of what an alert of a webhook may hold; more is cut off, with a note.
const (
	hookLabels     = 64
	hookName       = 128
	hookValue      = 4 << 10
	hookAnnotation = 16 << 10
	hookIdentity   = 1 << 10
	hookAhead      = 10 * time.Minute
)

// tidy brings an alert within bounds and takes secrets out of it. Its identity stays as the sender wrote it.
func (h *Hooks) tidy(a *signal.Alert, now time.Time) {
	if len(a.Identity) > hookIdentity {
		sum := signal.Alert{Identity: a.Identity, Keyed: true}
		a.Identity = strings.ToValidUTF8(a.Identity[:hookIdentity-17], "") + "-" + sum.Fingerprint().String()
		a.Notes = append(a.Notes, fmt.Sprintf("Its key was longer than %d bytes and was cut.", hookIdentity))
	}
	a.Labels = h.tidyAll(a.Labels, hookValue, h.config.Gate.Redactor.Label)
	a.Annotations = h.tidyAll(a.Annotations, hookAnnotation, h.config.Gate.Redactor.Text)
	a.GeneratorURL = h.config.Gate.Redactor.Text(cut(a.GeneratorURL, hookValue))
	a.Text = h.config.Gate.Redactor.Text(cut(a.Text, hookAnnotation))
	a.Actor = cut(a.Actor, 200)
	if a.StartsAt.IsZero() {
		a.StartsAt = now
	}
	if a.StartsAt.Sub(now) > 0 {
		if a.StartsAt.Sub(now) > hookAhead {
			a.Notes = append(a.Notes, "Its beginning, "+a.StartsAt.Format(time.RFC3339)+", lay in the future; the time of receipt was taken.")
		}
		a.StartsAt = now
	}
	if a.EndsAt.After(now) && a.Act == signal.Report && a.EndsAt.Sub(now) <= hookAhead {
		a.EndsAt = now // the sender's clock is ahead; it says that the alert has ended
	}
}

// Clean takes secrets out of what a report says. Most hold none, and are left as they are.
func (g *Gate) Clean(a *signal.Alert) {
	a.Labels = cleanAll(a.Labels, g.Redactor.Label)
	a.Annotations = cleanAll(a.Annotations, g.Redactor.Text)
	a.GeneratorURL = g.Redactor.Text(a.GeneratorURL)
}

func cleanAll(labels signal.Labels, clean func(string) string) signal.Labels {
	copied := false
	for i := range labels {
		value := clean(labels[i].Value)
		if value == labels[i].Value {
			continue
		}
		if !copied {
			labels, copied = slices.Clone(labels), true
		}
		labels[i].Value = value
	}
	return labels
}

func (h *Hooks) tidyAll(labels signal.Labels, most int, clean func(string) string) signal.Labels {
	fine := len(labels) <= hookLabels
	for i := range labels {
		fine = fine && len(labels[i].Name) <= hookName && len(labels[i].Value) <= most && clean(labels[i].Value) == labels[i].Value && printable(labels[i].Name)
	}
	if fine {
		return labels
	}
	tidy := map[string]string{}
	for _, l := range labels {
		name := cut(strings.Map(func(c rune) rune {
			if c < ' ' || c == 0x7f {
				return '_'
			}
			return c
		}, l.Name), hookName)
		tidy[name] = clean(cut(l.Value, most))
	}
	for _, name := range slices.Sorted(maps.Keys(tidy)) {
		if len(tidy) <= hookLabels {
			break
		}
		if name != "alertname" && name != "severity" && name != "service" {
			delete(tidy, name)
		}
	}
	return signal.NewLabels(tidy)
}

func printable(name string) bool {
	return strings.IndexFunc(name, func(c rune) bool { return c < ' ' || c == 0x7f }) < 0
}

func cut(text string, most int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "")
}
