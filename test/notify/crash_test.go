package notify

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

var (
	kills = flag.Int("kills", 4, "how often the server is killed during deliveries")
	seed  = flag.Uint64("seed", 0, "moments of the kills; 0 takes a fresh one")
)

const crashRoutes = `
route:
  receiver: hook
  group_by: [service]
  group_wait: 50ms
  group_interval: 300ms
  repeat_interval: 1h
receivers:
- name: hook
  webhook_configs: [{url: TARGETS/slow/a}, {url: TARGETS/slow/b}]
`

// TestKilledDuringDeliveries kills the server at random moments while it tells two slow webhooks, now and then down, of alerts
// that begin and end. Each alert that was accepted must have been told to both, and what was told twice carries one key.
func TestKilledDuringDeliveries(t *testing.T) {
	seed := *seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("the seed is %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	s := newServer(t, map[string]string{"fairlead.yml": strings.Replace(fairlead, "  escalation: [{after: 2s, receiver: boss}]\n", "", 1), "alertmanager.yml": crashRoutes})
	accepted := map[string]bool{}
	number := 0
	for range *kills {
		killed := make(chan struct{})
		moment := time.Duration(random.IntN(700)) * time.Millisecond
		time.AfterFunc(moment, func() {
			_ = s.command.Process.Kill() // it is waited for below
			close(killed)
		})
		for alive := true; alive; {
			select {
			case <-killed:
				alive = false
				continue
			default:
			}
			number++
			service := fmt.Sprintf("s%d", number)
			if s.alert(false, "alertname=Down service="+service) {
				accepted[service] = true
			}
			old := fmt.Sprintf("s%d", 1+random.IntN(number))
			if accepted[old] && s.targets.told("/slow/a", old) && s.targets.told("/slow/b", old) { // else there is nothing to tell
				s.alert(true, "alertname=Down service="+old)
			}
			if random.IntN(40) == 0 {
				s.targets.failNext("/slow/a", 2)
			}
		}
		_ = s.command.Wait() // it was killed, and says so
		s.start()
	}
	need.Eventually(t, 2*time.Minute, "everything to be told", func() bool {
		for service := range accepted {
			if !s.targets.told("/slow/a", service) || !s.targets.told("/slow/b", service) {
				return false
			}
		}
		return len(s.deliveries("state=pending")) == 0
	})
	stored := s.deliveries("")
	calls, twice := s.targets.keys()
	for _, d := range stored {
		if d.State != "sent" {
			t.Errorf("got %+v, want it sent", d)
		}
		delete(calls, d.Key)
	}
	for key, content := range calls {
		t.Errorf("%s was told under the key %s, which no delivery has", content, key)
	}
	t.Logf("%d alerts, %d deliveries, %d kills, %d told twice", len(accepted), len(stored), *kills, twice)
	s.targets.sameContentSameKey(t)
}
