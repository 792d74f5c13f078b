package sim

import (
	"compress/gzip"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Truth is what a recorded stream means. A system under test must not see it.
type Truth struct {
	// Alerts has one element for each alert of the stream, in its order.
	Alerts []TruthAlert
	// Incident is the one real incident of the stream.
	Incident TruthIncident

	fingerprints map[string]bool
	resolved     map[string]bool
	lines        int
}

// TruthAlert is what one alert in the stream means.
type TruthAlert struct {
	// Line and Pos are where it stands: line of the stream and place in its list, from 0.
	Line int `json:"line"`
	Pos  int `json:"pos"`
	// At is the time of the line, RFC 3339.
	At string `json:"at"`
	// Fingerprint names the label set.
	Fingerprint string `json:"fingerprint"`
	// Status is firing or resolved.
	Status string `json:"status"`
	// Incident is the name of the incident it belongs to; nil for noise.
	Incident *string `json:"incident"`
	// Kind is real, duplicate, flap, noise or transient.
	Kind string `json:"kind"`
}

// TruthIncident is what really broke.
type TruthIncident struct {
	// Incident names it.
	Incident string `json:"incident"`
	// Instance is the service with the bad release, Fault what is wrong with it.
	Instance string `json:"instance"`
	Fault    string `json:"fault"`
	// Start and End are the times of its first and last alert, RFC 3339; empty when there is none.
	Start string `json:"start"`
	End   string `json:"end"`
	// Alerts counts its alerts with repeats, Fingerprints without.
	Alerts       int `json:"alerts"`
	Fingerprints int `json:"fingerprints"`
}

func newTruth(p plan) *Truth {
	return &Truth{
		Incident: TruthIncident{
			Incident: fmt.Sprintf("shop/%d", int64(p.seed)), Instance: p.fault.service, Fault: string(p.fault.kind),
		},
		fingerprints: map[string]bool{},
		resolved:     map[string]bool{},
	}
}

// add notes what a batch means, before it is marked as sent.
func (t *Truth) add(b *batch) {
	at := b.life.text(b.at)
	for pos, a := range b.alerts {
		print := fingerprint(a.labels())
		entry := TruthAlert{Line: t.lines, Pos: pos, At: at, Fingerprint: print, Status: "firing", Kind: a.kind}
		if a.state == over {
			entry.Status = "resolved"
		}
		repeat := a.sends > 0 && (a.state == firing || a.overAt <= a.sentAt)
		if a.real {
			entry.Incident = &t.Incident.Incident
			entry.Kind = "real"
			if t.resolved[print] {
				entry.Kind = "flap"
			}
			t.fingerprints[print] = true
			t.Incident.Alerts++
			if t.Incident.Start == "" {
				t.Incident.Start = at
			}
			t.Incident.End = at
		}
		if repeat {
			entry.Kind = "duplicate"
		}
		if a.state == over {
			t.resolved[print] = true
		}
		t.Alerts = append(t.Alerts, entry)
	}
	t.Incident.Fingerprints = len(t.fingerprints)
	t.lines++
}

// WriteAlerts writes truth.jsonl: one line for each alert.
func (t *Truth) WriteAlerts(w io.Writer) error {
	encoder := json.NewEncoder(w)
	for i := range t.Alerts {
		if err := encoder.Encode(&t.Alerts[i]); err != nil {
			return fmt.Errorf("write truth: %w", err)
		}
	}
	return nil
}

// WriteIncidents writes incidents.jsonl: one line for each incident, which here is one.
func (t *Truth) WriteIncidents(w io.Writer) error {
	if err := json.NewEncoder(w).Encode(t.Incident); err != nil {
		return fmt.Errorf("write incidents: %w", err)
	}
	return nil
}

// Record writes a recording into a folder, which it makes: stream.jsonl.gz and edges.json for the system under test,
// truth.jsonl.gz and incidents.jsonl for who judges it.
func (s *Shop) Record(folder string) (*Truth, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("record practice shop: %w", err)
	}
	var truth *Truth
	err := writeTo(filepath.Join(folder, "stream.jsonl.gz"), func(w io.Writer) (err error) {
		truth, err = s.Stream(w)
		return err
	})
	if err != nil {
		return nil, err
	}
	return truth, errors.Join(
		writeTo(filepath.Join(folder, "truth.jsonl.gz"), truth.WriteAlerts),
		writeTo(filepath.Join(folder, "incidents.jsonl"), truth.WriteIncidents),
		writeTo(filepath.Join(folder, "edges.json"), func(w io.Writer) error { return json.NewEncoder(w).Encode(s.Graph()) }),
	)
}

// writeTo makes a file, packed when its name says so.
func writeTo(path string, write func(io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("record practice shop: %w", err)
	}
	if filepath.Ext(path) != ".gz" {
		return errors.Join(write(file), file.Close())
	}
	packed := gzip.NewWriter(file)
	return errors.Join(write(packed), packed.Close(), file.Close())
}

// fingerprint names a label set as the scorers do.
func fingerprint(labels []label) string {
	set := map[string]string{}
	for _, l := range labels {
		set[l.name] = l.value
	}
	text, _ := json.Marshal(set) // a map of strings cannot fail
	sum := sha1.Sum(text)
	return hex.EncodeToString(sum[:])[:16]
}
