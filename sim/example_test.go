package sim

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite examples/practice")

// examplePractice is the recording in examples/practice: ninety seconds, a release that goes wrong and is taken back.
func examplePractice() *Shop {
	return New(Config{Seed: 6, Duration: 90 * time.Second, Rollback: 32 * time.Second})
}

func TestExampleRecordingIsWhatTheShopSends(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the recording was made on amd64; other processors round a few values differently")
	}
	folder := filepath.Join("..", "examples", "practice")
	shop := examplePractice()
	var stream, edges bytes.Buffer
	truth, err := shop.Stream(&stream)
	if err != nil {
		t.Fatal(err)
	}
	encoder := json.NewEncoder(&edges)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(shop.Graph()); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s of %s, %d distinct alerts", truth.Incident.Fault, truth.Incident.Instance, truth.Incident.Fingerprints)
	if *update {
		for name, content := range map[string][]byte{"stream.jsonl.gz": stream.Bytes(), "edges.json": edges.Bytes()} {
			err := writeTo(filepath.Join(folder, name), func(w io.Writer) error {
				_, err := w.Write(content)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	packed, err := os.Open(filepath.Join(folder, "stream.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	reader, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(kept, stream.Bytes()) {
		t.Error("examples/practice/stream.jsonl.gz is not what the shop sends now: go test ./sim -run Example -update")
	}
	if kept, err := os.ReadFile(filepath.Join(folder, "edges.json")); err != nil || !bytes.Equal(kept, edges.Bytes()) {
		t.Errorf("examples/practice/edges.json is not the shop's map now (%v): go test ./sim -run Example -update", err)
	}
}
