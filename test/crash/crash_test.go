package crash

import (
	"flag"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/nats"
	"github.com/fairlead/fairlead/test/need"
	"github.com/fairlead/fairlead/test/postgres"
)

var (
	kills = flag.Int("kills", 5, "how often to kill the server, or what is behind it")
	gone  = flag.Duration("gone", time.Second, "how long what is behind the server is gone each time")
	seed  = flag.Uint64("seed", 0, "load and moments; 0 takes a fresh one")
)

func fresh(t *testing.T) uint64 {
	t.Helper()
	chosen := *seed
	if chosen == 0 {
		chosen = rand.Uint64()
	}
	t.Logf("seed %d: repeat with -seed %d", chosen, chosen)
	return chosen
}

func TestNothingAcceptedIsLostWhenTheServerIsKilled(t *testing.T) {
	report := crash(t, Config{})
	if report.Kills != *kills && len(report.Problems) == 0 {
		t.Errorf("killed %d times, want %d", report.Kills, *kills)
	}
}

func TestNothingAcceptedIsLostWhenPostgreSQLIsKilled(t *testing.T) {
	database := postgres.Start(t, true)
	if err := database.Make(t.Context(), "crash"); err != nil {
		t.Fatal(err)
	}
	url := database.URL("crash")
	report := crash(t, Config{URL: url, Environment: append(environment(), "FAIRLEAD_STORE_URL="+url), Backend: database, Outage: *gone, Pause: 20 * time.Millisecond})
	checkOutages(t, report)
}

func TestNothingAcceptedIsLostWhenNATSIsKilled(t *testing.T) {
	cluster := nats.Start(t, "")
	checkOutages(t, crash(t, Config{
		Environment: append(environment(), "FAIRLEAD_BUS_URL="+cluster.URL()), Backend: cluster, Outage: *gone, Pause: 20 * time.Millisecond, Unsure: true,
	}))
}

func checkOutages(t *testing.T, report Report) {
	t.Helper()
	if want := *kills - (*kills+1)/3; report.Outages != want && len(report.Problems) == 0 {
		t.Errorf("the backend was killed %d times, want %d", report.Outages, want)
	}
}

// crash runs what the flags say and reports what no server may do.
func crash(t *testing.T, config Config) Report {
	t.Helper()
	config.Binary, config.Dir, config.Kills, config.Seed, config.Say = need.Binary(t), t.TempDir(), *kills, fresh(t), t.Logf
	report, err := Run(t.Context(), config)
	if err != nil {
		t.Fatalf("%v\n%s", err, serverLog(config.Dir))
	}
	t.Logf("%d kills, %d outages of the backend, %d alerts with %d reports accepted, accepting again after %s at most", report.Kills,
		report.Outages, report.Alerts, report.Reports, report.Slowest.Round(time.Millisecond))
	if len(report.Problems) > 0 {
		t.Errorf("%d problems:\n%s\n%s", len(report.Problems), shorten(report.Problems, 20), serverLog(config.Dir))
	}
	if report.Alerts < 20*report.Kills {
		t.Errorf("only %d alerts were accepted: that is no load", report.Alerts)
	}
	if report.Slowest >= 2*time.Second {
		t.Errorf("accepting again took %s, want less than 2s", report.Slowest)
	}
	return report
}

// A server that answers before it has stored must be found out, or the test above proves nothing.
func TestServerThatAnswersTooEarlyIsFoundOut(t *testing.T) {
	config := Config{Binary: need.Binary(t), Dir: t.TempDir(), Kills: 5, Seed: fresh(t), Lie: true}
	report, err := Run(t.Context(), config)
	if err != nil {
		t.Fatalf("%v\n%s", err, serverLog(config.Dir))
	}
	if lost := shorten(report.Problems, 3); !strings.Contains(lost, "lost: ") {
		t.Errorf("after %d kills behind a lying proxy nothing is missing: %q", report.Kills, lost)
	} else {
		t.Logf("found out after %d kills: %d problems, such as\n%s", report.Kills, len(report.Problems), lost)
	}
}

func serverLog(dir string) string {
	text, err := os.ReadFile(dir + "/server.log")
	if err != nil {
		return err.Error()
	}
	return "end of server.log:\n" + string(text[max(0, len(text)-4000):])
}

func TestLedgerTellsWhatIsWrong(t *testing.T) {
	l := newLedger()
	l.note([]string{"sure", "twice", "ended"}, nil, true)
	l.note([]string{"twice"}, nil, true)
	l.note([]string{"ended"}, map[string]bool{"ended": true}, true)
	l.note([]string{"maybe", "twice"}, map[string]bool{"maybe": true}, false)
	good := []stored{
		{ID: "A1", Key: "sure", State: "firing", Reports: 1},
		{ID: "A2", Key: "twice", State: "firing", Reports: 3},
		{ID: "A3", Key: "ended", State: "resolved", Reports: 2},
	}
	for _, test := range []struct {
		name   string
		alerts []stored
		want   string
	}{
		{"all as it should be, without the open one", good, ""},
		{"all as it should be, with the open one", append(good[:3:3], stored{ID: "A4", Key: "maybe", State: "resolved", Reports: 1}), ""},
		{"an alert is missing", good[1:], "lost: sure"},
		{"an alert stands twice", append(good[:3:3], good[0]), "doubled: sure"},
		{"a report is missing", []stored{good[0], {ID: "A2", Key: "twice", State: "firing", Reports: 1}, good[2]}, "lost: twice"},
		{"a report counts twice", []stored{good[0], {ID: "A2", Key: "twice", State: "firing", Reports: 4}, good[2]}, "doubled: twice"},
		{"an end is missing", []stored{good[0], good[1], {ID: "A3", Key: "ended", State: "firing", Reports: 2}}, "lost: the end of ended"},
		{"an end was invented", []stored{{ID: "A1", Key: "sure", State: "resolved", Reports: 1}, good[1], good[2]}, "wrong: sure"},
		{"an alert was invented", append(good[:3:3], stored{ID: "A9", Key: "ghost"}), "invented: A9"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := strings.Join(l.compare(test.alerts), "; ")
			if (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
				t.Errorf("problems = %q, want %q", got, test.want)
			}
		})
	}
}
