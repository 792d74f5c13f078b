package examples_test

import (
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fairlead/fairlead/app"
	"github.com/fairlead/fairlead/test/need"
)

func TestExampleConfigurationShowsTheDefaults(t *testing.T) {
	got, err := app.LoadConfig("fairlead.yml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.InhibitRules) == 0 {
		t.Error("the example shows no inhibit rule")
	}
	got.InhibitRules = nil
	if diff := cmp.Diff(app.DefaultConfig(), got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("examples/fairlead.yml differs from the defaults (-default +example):\n%s", diff)
	}
}

func TestPrometheusTakesItsExample(t *testing.T) {
	promtool := need.Tool(t, "promtool")
	output, err := exec.CommandContext(t.Context(), promtool, "check", "config", "prometheus.yml").CombinedOutput()
	if err != nil {
		t.Errorf("promtool check config: %v\n%s", err, output)
	}
}

func TestAlertmanagerTakesItsExample(t *testing.T) {
	amtool := need.Tool(t, "amtool")
	output, err := exec.CommandContext(t.Context(), amtool, "check-config", "alertmanager/alertmanager.yml").CombinedOutput()
	if err != nil {
		t.Errorf("amtool check-config: %v\n%s", err, output)
	}
}
