package anomaly

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
)

// Source is the integration that anomalies come from.
const Source = "fairlead"

// Alert returns what is told of a finding. Its identity comes from the series and the time of the anomaly's beginning, so
// that the same finding, made again after a restart, is the same alert.
func (f *Finding) Alert() signal.Alert {
	name := f.Labels.Get("__name__")
	labels := f.Labels.Map()
	delete(labels, "__name__")
	labels["alertname"] = name + " " + f.Verdict.Test.words()
	labels["metric"] = name
	labels["anomaly"] = f.Verdict.Test.String()
	if labels["severity"] == "" {
		labels["severity"] = "warning"
	}
	alert := signal.Alert{
		Source: Source, Keyed: true, Identity: fmt.Sprintf("anomaly-%s-%d", f.ID, f.Since.Unix()),
		Labels: signal.NewLabels(labels), StartsAt: f.Since,
		Annotations: signal.NewLabels(map[string]string{"summary": f.Summary(), "description": f.Why()}),
	}
	if f.Ended {
		alert.EndsAt = f.At
	}
	return alert
}

// words say what a test found, after the name of a metric.
func (t Test) words() string {
	switch {
	case t == Absent:
		return "has stopped coming"
	case t == Stay:
		return "unusual for long"
	case t == Spread:
		return "unusually noisy"
	case t == Frozen:
		return "does not change"
	case t&1 == 0:
		return "unusually high"
	}
	return "unusually low"
}

// Summary says in one line what was found.
func (f *Finding) Summary() string {
	v := &f.Verdict
	name := f.Labels.Get("__name__")
	switch v.Test {
	case Spread:
		return fmt.Sprintf("%s varies much more than it did: it is %s now, usual is %s to %s.", name, number(v.Value), number(v.Low), number(v.High))
	case Absent:
		return fmt.Sprintf("%s has sent nothing for %s; usual is a value each %s.", name, seconds(v.Value), seconds(v.Expected))
	case Frozen:
		return fmt.Sprintf("%s stays at %s, though it never does for so long.", name, number(v.Value))
	default:
		return fmt.Sprintf("%s is %s; usual at this time is %s to %s.", name, number(v.Value), number(v.Low), number(v.High))
	}
}

// Why says how rare it is.
func (f *Finding) Why() string {
	if f.Verdict.Test == Absent {
		return fmt.Sprintf("%s. That a series here stops without a word comes about %s.", Absent.Explain(), often(f.Verdict.Weekly))
	}
	return fmt.Sprintf("%s. By what this series did before, something as rare comes about %s.", f.Verdict.Test.Explain(), often(f.Verdict.Weekly))
}

// Explain says what a test looks at.
func (t Test) Explain() string {
	switch t {
	case SpikeUp, SpikeDown:
		return "One value is far from the forecast"
	case PairUp, PairDown:
		return "Two values in a row are far from where the series should be"
	case JumpUp, JumpDown:
		return "The last values were beyond the forecast one after the other"
	case Shift4Up, Shift4Down:
		return "The average of about 4 values is away from where the series should be"
	case Shift16Up, Shift16Down:
		return "The average of about 16 values is away from where the series should be"
	case Shift64Up, Shift64Down:
		return "The average of about 64 values is away from where the series should be"
	case Stay:
		return "The values stay outside the usual for longer than they ever do"
	case Spread:
		return "The values differ more from the forecast than they ever do for so long"
	case Frozen:
		return "The value repeats itself"
	case Absent:
		return "No value came, though others did"
	default:
		return "Nothing is odd"
	}
}

// seconds writes a length of time for people.
func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	if d >= time.Minute {
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	}
	return d.Round(time.Second).String()
}

// often says how often something comes about that is expected so many times a week.
func often(weekly float64) string {
	weekly = max(weekly, 1e-12)
	years := 1 / weekly / 52.18
	switch {
	case years > 1000:
		return "less than once in a thousand years"
	case years >= 2:
		return "once in " + strconv.Itoa(int(years+0.5)) + " years"
	case weekly > 0.7:
		return number(math.Round(max(weekly, 1))) + " times a week"
	}
	return "once in " + strconv.Itoa(int(1/weekly+0.5)) + " weeks"
}

// number writes a number for people: at most four digits, with k, M, G behind large ones.
func number(f float64) string {
	sign := ""
	if f < 0 {
		sign, f = "-", -f
	}
	unit := ""
	for _, u := range []string{"k", "M", "G", "T", "P"} {
		if f < 10_000 {
			break
		}
		f, unit = f/1000, u
	}
	text := strconv.FormatFloat(f, 'g', 4, 64)
	if strings.Contains(text, "e+") {
		text = strconv.FormatFloat(f, 'f', 0, 64)
	}
	return sign + text + unit
}
