package e2e

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

// folder is where a core keeps everything it has, and the check that it runs: what state is written there is what it finds.
type folder struct {
	t   *testing.T
	dir string
}

func newFolder(t *testing.T) folder {
	t.Helper()
	f := folder{t, t.TempDir()}
	f.finds(0, "HTTP OK")
	f.write("check.sh", "#!/bin/sh\ncd \"$(dirname \"$0\")\"\nread -r code text <state\necho \"$text\"\nexit \"$code\"\n")
	return f
}

func (f folder) write(name, text string) string {
	f.t.Helper()
	file := filepath.Join(f.dir, name)
	if err := os.WriteFile(file+".new", []byte(text), 0o700); err != nil { //nolint:gosec // one of them is run
		f.t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		f.t.Fatal(err)
	}
	return file
}

// finds sets what the check finds from now on: 0 is good, 1 a warning, 2 critical.
func (f folder) finds(code int, text string) { f.write("state", fmt.Sprintf("%d %s\n", code, text)) }

// us returns the names of the user and group that the test runs as.
func us(t *testing.T) (name, group string) {
	t.Helper()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	g, err := user.LookupGroupId(me.Gid)
	if err != nil {
		t.Fatal(err)
	}
	return me.Username, g.Name
}

// monitored waits until the core's one alert is as wanted.
type monitored struct {
	Name, Source, State, Severity string
	Annotations                   map[string]string
}

func awaitMonitored(t *testing.T, fairlead, what string, ok func(a monitored, incident string) bool) {
	t.Helper()
	seen := ""
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("while waiting for %s: %s", what, seen)
		}
	})
	need.Eventually(t, 30*time.Second, what, func() bool {
		alerts := list[monitored](t, "http://"+fairlead+"/api/fairlead/v1/alerts")
		incidents := list[struct{ State string }](t, "http://"+fairlead+"/api/fairlead/v1/incidents?state=forming,open,acknowledged,resolved,suppressed")
		seen = fmt.Sprint(alerts, incidents)
		return len(alerts) == 1 && len(incidents) == 1 && ok(alerts[0], incidents[0].State)
	})
}

// tell gives a core a command through its pipe.
func tell(t *testing.T, pipe, command string) {
	t.Helper()
	file, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(file, "[%d] %s\n", time.Now().Unix(), command); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestNagiosTellsAsItIs runs Debian's Nagios with the contact and commands that we ship: a service that fails, is acknowledged
// there and recovers.
func TestNagiosTellsAsItIs(t *testing.T) {
	core := need.Tool(t, "nagios4")
	fairlead := serve(t, "--config", hurry(t))
	f := newFolder(t)
	shipped, err := os.ReadFile(filepath.Join(need.Root(t), "examples", "nagios", "fairlead.cfg"))
	if err != nil {
		t.Fatal(err)
	}
	f.write("key", "a-key-of-nagios-1234\n")
	contact := strings.NewReplacer(
		"/usr/local/bin/fairlead", need.Binary(t), "http://127.0.0.1:8460", "http://"+fairlead, "/etc/nagios/fairlead.key", filepath.Join(f.dir, "key"),
	).Replace(string(shipped))
	f.write("objects.cfg", contact+`
define timeperiod {
  timeperiod_name  24x7
  alias            always
  sunday           00:00-24:00
  monday           00:00-24:00
  tuesday          00:00-24:00
  wednesday        00:00-24:00
  thursday         00:00-24:00
  friday           00:00-24:00
  saturday         00:00-24:00
}
define command {
  command_name  check
  command_line  /bin/sh `+f.dir+`/check.sh
}
define host {
  host_name              web-1
  alias                  the web server
  address                127.0.0.1
  max_check_attempts     1
  check_period           24x7
  contacts               fairlead
  notification_interval  0
  notification_period    24x7
}
define service {
  host_name              web-1
  service_description    HTTP
  check_command          check
  check_interval         1
  retry_interval         1
  max_check_attempts     1
  check_period           24x7
  contacts               fairlead
  notification_interval  0
  notification_period    24x7
}
`)
	name, group := us(t)
	config := f.write("nagios.cfg", strings.NewReplacer("DIR", f.dir, "USER", name, "GROUP", group).Replace(`cfg_file=DIR/objects.cfg
log_file=DIR/nagios.log
object_cache_file=DIR/objects.cache
precached_object_file=DIR/objects.precache
status_file=DIR/status.dat
command_file=DIR/nagios.cmd
query_socket=DIR/nagios.qh
lock_file=DIR/nagios.lock
temp_file=DIR/nagios.tmp
temp_path=DIR
check_result_path=DIR
state_retention_file=DIR/retention.dat
nagios_user=USER
nagios_group=GROUP
check_external_commands=1
enable_notifications=1
execute_service_checks=1
interval_length=1
use_syslog=0
check_for_updates=0
service_inter_check_delay_method=n
max_service_check_spread=1
illegal_macro_output_chars=`+"`"+`~$&|'"<>
date_format=iso8601
`))
	start(t, "nagios4", core, config)
	t.Cleanup(func() {
		if log, err := os.ReadFile(filepath.Join(f.dir, "nagios.log")); err == nil && t.Failed() {
			t.Logf("Nagios's own log:\n%s", log)
		}
	})
	command := filepath.Join(f.dir, "nagios.cmd")
	need.Eventually(t, 20*time.Second, "Nagios to take commands", func() bool {
		_, err := os.Stat(command)
		return err == nil
	})
	f.finds(2, "Socket timeout after 10 seconds")
	awaitMonitored(t, fairlead, "the alert of Nagios", func(a monitored, _ string) bool {
		return a.Name == "HTTP" && a.Source == "nagios-prod" && a.State == "firing" && a.Severity == "critical" && strings.Contains(fmt.Sprint(a.Annotations), "Socket timeout after 10 seconds")
	})
	tell(t, command, "ACKNOWLEDGE_SVC_PROBLEM;web-1;HTTP;2;1;1;ann;I look")
	awaitMonitored(t, fairlead, "the acknowledgement of Nagios", func(_ monitored, incident string) bool { return incident == "acknowledged" })
	f.finds(0, "HTTP OK")
	awaitMonitored(t, fairlead, "the recovery of Nagios", func(a monitored, incident string) bool { return a.State == "resolved" && incident == "resolved" })
}
