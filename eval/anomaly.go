package eval

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/ops/anomaly"
)

// Anomaly lets the sample detector judge every series below the folder in: each CSV file with the columns timestamp and
// value. It writes a file of the same relative path below out, with a row for each row: timestamp and value as they were,
// the score (twice, because scorers differ in the name), alert (1 while people would be told) and the reason. A row is
// written before the next is read. Of a kinds.json beside the files only metric_type and unit are read.
func Anomaly(ctx context.Context, in, out string) error {
	kinds := map[string]map[string]metricKind{}
	walk := func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".csv") {
			return err
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("find anomalies in %s: %w", in, err)
		}
		relative, err := filepath.Rel(in, path)
		if err != nil {
			return fmt.Errorf("find anomalies in %s: %w", in, err)
		}
		dir := filepath.Dir(path)
		if kinds[dir] == nil {
			if kinds[dir], err = readKinds(dir); err != nil {
				return err
			}
		}
		return judgeFile(path, filepath.Join(out, relative), kinds[dir][filepath.Base(path)].kind())
	}
	if err := filepath.WalkDir(in, walk); err != nil {
		return fmt.Errorf("find anomalies: %w", err)
	}
	return nil
}

// metricKind is what OTLP would say about a series.
type metricKind struct {
	MetricType string `json:"metric_type"`
	Unit       string `json:"unit"`
}

func (k metricKind) kind() anomaly.Kind {
	switch k.MetricType {
	case "counter", "sum":
		return anomaly.Counter
	case "delta":
		return anomaly.Delta
	}
	return anomaly.Gauge
}

// readKinds reads the kinds.json of a folder; a folder without one has none.
func readKinds(dir string) (map[string]metricKind, error) {
	kinds := map[string]metricKind{}
	data, err := os.ReadFile(filepath.Join(dir, "kinds.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return kinds, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what kind the series are: %w", err)
	}
	if err := json.Unmarshal(data, &kinds); err != nil {
		return nil, fmt.Errorf(`%s: %w; want {"file.csv": {"metric_type": "gauge", "unit": "1"}}`, filepath.Join(dir, "kinds.json"), err)
	}
	return kinds, nil
}

func judgeFile(path, to string, kind anomaly.Kind) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read a series: %w", err)
	}
	defer func() { _ = file.Close() }() // only read from: nothing is lost
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	target, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	w := bufio.NewWriterSize(target, 1<<18)
	if err := judge(file, w, kind); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return w.Flush()
}

// judge reads a series and writes what is said of each row.
func judge(in io.Reader, out *bufio.Writer, kind anomaly.Kind) error {
	rows := csv.NewReader(bufio.NewReaderSize(in, 1<<18))
	rows.ReuseRecord = true
	head, err := rows.Read()
	if err != nil {
		return fmt.Errorf("read the head: %w", err)
	}
	timeColumn, valueColumn := slices.Index(head, "timestamp"), slices.Index(head, "value")
	if timeColumn < 0 || len(head) < 2 {
		return fmt.Errorf("the first line is %q; want timestamp,value", strings.Join(head, ","))
	}
	if valueColumn < 0 {
		valueColumn = 1 - min(timeColumn, 1) // the value column bears the series' name
	}
	if _, err := out.WriteString("timestamp,value,anomaly_score,score,alert,reason\n"); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	var s anomaly.Series
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a row: %w", err)
		}
		line, _ := rows.FieldPos(0)
		at, err := parseTime(row[timeColumn])
		if err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
		value, err := parseValue(row[valueColumn])
		if err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
		if err := writeVerdict(out, row[timeColumn], row[valueColumn], s.Observe(at, value, kind)); err != nil {
			return err
		}
	}
}

func writeVerdict(out *bufio.Writer, at, value string, v anomaly.Verdict) error {
	score := strconv.FormatFloat(v.Score, 'f', 6, 64)
	alert, reason := "0", ""
	if v.Alert {
		alert = "1"
	}
	if v.Alert || v.Score > 0 {
		reason = v.Test.String()
	}
	_, err := out.WriteString(at + "," + value + "," + score + "," + score + "," + alert + "," + reason + "\n")
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}

// parseValue reads a value; an empty one is not a number.
func parseValue(text string) (float64, error) {
	if text == "" {
		return math.NaN(), nil
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("value %q: want a number, or nothing where it is missing", text)
	}
	return value, nil
}

// parseTime returns milliseconds since 1970; times without a zone are UTC.
func parseTime(text string) (int64, error) {
	for _, layout := range []string{"2006-01-02 15:04:05.999999999", time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UnixMilli(), nil
		}
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(seconds) < 1e11 {
		return int64(math.Round(seconds * 1000)), nil
	}
	return 0, fmt.Errorf("timestamp %q: want 2006-01-02 15:04:05, RFC 3339, or seconds since 1970", text)
}
