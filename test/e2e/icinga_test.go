package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

// TestIcingaTellsAsItIs runs Debian's Icinga 2 with the notification commands that we ship: a service that fails, is acknowledged
// there and recovers.
func TestIcingaTellsAsItIs(t *testing.T) {
	core := need.Tool(t, "icinga2")
	fairlead := serve(t, "--config", hurry(t))
	f := newFolder(t)
	shipped, err := os.ReadFile(filepath.Join(need.Root(t), "examples", "nagios", "icinga2.conf"))
	if err != nil {
		t.Fatal(err)
	}
	f.write("key", "a-key-of-icinga-1234\n")
	commands := strings.NewReplacer(
		"/usr/local/bin/fairlead", need.Binary(t), "http://127.0.0.1:8460", "http://"+fairlead, "/etc/icinga2/fairlead.key", filepath.Join(f.dir, "key"),
	).Replace(string(shipped))
	config := f.write("icinga2.conf", `include <itl>
object CheckerComponent "checker" { }
object NotificationComponent "notification" { }
object ExternalCommandListener "command" { command_path = "`+f.dir+`/icinga.cmd" }
object CheckCommand "check" { command = [ "/bin/sh", "`+f.dir+`/check.sh" ] }
object Host "web-1" {
  check_command = "dummy"
  address = "127.0.0.1"
}
object Service "HTTP" {
  host_name = "web-1"
  check_command = "check"
  check_interval = 1s
  retry_interval = 1s
  max_check_attempts = 1
}
`+commands)
	for _, own := range []string{"data", "cache", "log", "spool", "run", "data/certs", "data/api/packages"} {
		if err := os.MkdirAll(filepath.Join(f.dir, own), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	name, group := us(t)
	start(t, "icinga2", core, "daemon", "-c", config, "-D", "Environment=test", "-D", "RunAsUser="+name, "-D", "RunAsGroup="+group,
		"-D", "DataDir="+f.dir+"/data", "-D", "CacheDir="+f.dir+"/cache", "-D", "LogDir="+f.dir+"/log", "-D", "SpoolDir="+f.dir+"/spool", "-D", "InitRunDir="+f.dir+"/run",
		"-D", "PidPath="+f.dir+"/icinga.pid", "-D", "StatePath="+f.dir+"/icinga.state", "-D", "ObjectsPath="+f.dir+"/icinga.debug", "-D", "ModAttrPath="+f.dir+"/modified.conf",
		"-D", "VarsPath="+f.dir+"/icinga.vars")
	command := filepath.Join(f.dir, "icinga.cmd")
	need.Eventually(t, 20*time.Second, "Icinga to take commands", func() bool {
		_, err := os.Stat(command)
		return err == nil
	})
	f.finds(2, "Socket timeout after 10 seconds")
	awaitMonitored(t, fairlead, "the alert of Icinga", func(a monitored, _ string) bool {
		return a.Name == "HTTP" && a.Source == "icinga" && a.State == "firing" && a.Severity == "critical" && strings.Contains(fmt.Sprint(a.Annotations), "Socket timeout after 10 seconds")
	})
	tell(t, command, "ACKNOWLEDGE_SVC_PROBLEM;web-1;HTTP;2;1;1;ann;I look")
	awaitMonitored(t, fairlead, "the acknowledgement of Icinga", func(_ monitored, incident string) bool { return incident == "acknowledged" })
	f.finds(0, "HTTP OK")
	awaitMonitored(t, fairlead, "the recovery of Icinga", func(a monitored, incident string) bool { return a.State == "resolved" && incident == "resolved" })
}
