package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// command runs the command line against a server that gives one status after the other, the last one for good.
func notifyNagios(t *testing.T, statuses []int, args ...string) (code int, got map[string]string, keys []string, printed string) {
	t.Helper()
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || json.Unmarshal(body, &got) != nil {
			t.Errorf("got %s, error %v", body, err)
		}
		keys = append(keys, r.Header.Get("Authorization"))
		status := statuses[min(n, len(statuses)-1)]
		n++
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"detail":"what the server says"}`)
	}))
	defer server.Close()
	var out, problems bytes.Buffer
	code = run(append([]string{"notify-nagios", "--url", server.URL + "/in/nagios/prod"}, args...), streams{&out, &problems})
	return code, got, keys, out.String() + problems.String()
}

func TestANotificationIsSentUntilItIsTaken(t *testing.T) {
	t.Setenv("NAGIOS_HOSTNAME", "web-1")
	t.Setenv("NAGIOS_HOSTSTATE", "DOWN")
	code, got, keys, printed := notifyNagios(t, []int{503, 429, 200}, "--key", "fl_secret", "HOSTSTATE=UP", "TIMET=1772625000", "HOSTOUTPUT=a=b; $(rm)")
	if code != 0 || len(keys) != 3 || keys[0] != "Bearer fl_secret" {
		t.Errorf("got code %d, keys %v: %s", code, keys, printed)
	}
	want := map[string]string{"HOSTNAME": "web-1", "HOSTSTATE": "UP", "TIMET": "1772625000", "HOSTOUTPUT": "a=b; $(rm)"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestANotificationThatIsRefusedIsNotSentAgain(t *testing.T) {
	code, _, keys, printed := notifyNagios(t, []int{400}, "HOSTNAME=web-1")
	if code != exitFailed || len(keys) != 1 || keys[0] != "" || !strings.Contains(printed, "400 Bad Request") || !strings.Contains(printed, "what the server says") {
		t.Errorf("got code %d, %d requests: %s", code, len(keys), printed)
	}
}

func TestANotificationIsGivenUp(t *testing.T) {
	code, _, keys, printed := notifyNagios(t, []int{500}, "--timeout", "700ms", "HOSTNAME=web-1")
	if code != exitFailed || len(keys) < 2 || !strings.Contains(printed, "gave up after 700ms") {
		t.Errorf("got code %d, %d requests: %s", code, len(keys), printed)
	}
}

func TestTheKeyCanStandInAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("fl_of_file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, keys, printed := notifyNagios(t, []int{200}, "--key-file", file, "HOSTNAME=web-1"); code != 0 || keys[0] != "Bearer fl_of_file" {
		t.Errorf("got code %d, keys %v: %s", code, keys, printed)
	}
}

func TestMacrosThatAreMissingAreAskedFor(t *testing.T) {
	for _, args := range [][]string{nil, {"HOSTNAME"}, {"SERVICEDESC=HTTP"}, {"=x"}} {
		code, _, keys, printed := notifyNagios(t, []int{200}, args...)
		if code != exitUsage || len(keys) != 0 || !strings.Contains(printed, "HOSTNAME") {
			t.Errorf("%q: got code %d, %d requests: %s", args, code, len(keys), printed)
		}
	}
}

func TestMacrosComeFromTheEnvironment(t *testing.T) {
	got, err := nagiosMacros([]string{"NAGIOS_HOSTNAME=a", "NOTIFY_SERVICEDESC=b", "NAGIOS_=x", "NAGIOS_EMPTY=", "PATH=/bin"}, nil, time.Unix(5, 0))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"HOSTNAME": "a", "SERVICEDESC": "b", "TIMET": "5"}, got); diff != "" {
		t.Error(diff)
	}
}
