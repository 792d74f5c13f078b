package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/experiment"
	"github.com/fairlead/fairlead/ml/model"
	"github.com/fairlead/fairlead/test/postgres"
)

// delivery is what somebody who was told has got.
type delivery struct {
	header http.Header
	body   string
}

func open(t *testing.T, config Config) (*Hooks, *model.Registry) {
	t.Helper()
	db, err := store.Open(t.Context(), postgres.Config(t), "ml", store.LearningSchema(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	hooks, registry := New(db, config, slog.New(slog.DiscardHandler)), model.Open(db)
	registry.Watch(hooks.Tell)
	return hooks, registry
}

func TestADeliveryIsSignedAndSaysWhatChanged(t *testing.T) {
	got := make(chan delivery, 10)
	receiver := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- delivery{r.Header, string(body)}
		w.WriteHeader(http.StatusAccepted)
	}))
	defer receiver.Close()
	hooks, registry := open(t, Config{Allow: func(netip.Addr) bool { return true }})
	hooks.client.Transport.(*http.Transport).TLSClientConfig = receiver.Client().Transport.(*http.Transport).TLSClientConfig
	events := []Event{{"REGISTERED_MODEL", "CREATED"}, {"MODEL_VERSION_ALIAS", "CREATED"}}
	if _, err := hooks.Create(t.Context(), Edit{Name: new("w"), URL: new(receiver.URL + "/hook"), Events: events, Secret: new("s3cret")}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- hooks.Run(ctx) }()
	if _, err := registry.Create(t.Context(), "fraud", "", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.CreateVersion(t.Context(), model.NewVersion{Model: "fraud", Source: "s3://b/x"}); err != nil { // nobody wants to know
		t.Fatal(err)
	}
	if err := registry.SetAlias(t.Context(), "fraud", "champion", 1); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"entity":"REGISTERED_MODEL"`, `"alias":"champion"`} {
		d := <-got
		if !strings.Contains(d.body, want) || !json.Valid([]byte(d.body)) {
			t.Errorf("told %s, want %s", d.body, want)
		}
		mac := hmac.New(sha256.New, []byte("s3cret"))
		mac.Write([]byte(d.header.Get("X-MLflow-Delivery-Id") + "." + d.header.Get("X-MLflow-Timestamp") + "." + d.body))
		if signature := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); d.header.Get("X-MLflow-Signature") != signature {
			t.Errorf("signed %q, want %q", d.header.Get("X-MLflow-Signature"), signature)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestOnlyPublicAddressesAreCalled(t *testing.T) {
	hooks, _ := open(t, Config{})
	for _, url := range []string{
		"http://example.org/", "https://127.0.0.1/", "https://10.1.2.3/", "https://192.168.0.1/", "https://169.254.169.254/latest", "https://[::1]/", "https://[fe80::1]/", "https://[fd00::1]/",
		"https://[::ffff:127.0.0.1]/", "https://0.0.0.0/", "https://100.64.1.1/", "https://[64:ff9b::7f00:1]/", "https://localhost/", "https://user:pw@93.184.215.14/", "https://", "ftp://93.184.215.14/", "https://224.0.0.1/",
	} {
		_, err := hooks.Create(t.Context(), Edit{Name: new("w"), URL: new(url), Events: []Event{{"MODEL_VERSION", "CREATED"}}})
		if experiment.CodeOf(err) != experiment.InvalidParameterValue {
			t.Errorf("%s: %v, want a refusal", url, err)
		}
	}
	if _, err := hooks.Create(t.Context(), Edit{Name: new("w"), URL: new("https://93.184.215.14/hook"), Events: []Event{{"MODEL_VERSION", "CREATED"}}}); err != nil {
		t.Errorf("a public address: %v", err)
	}
}

func TestANameThatLeadsElsewhereLaterIsNotFollowed(t *testing.T) {
	called := false
	receiver := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer receiver.Close()
	allowed := true // as if the name had led to a public address when it was checked first
	hooks, _ := open(t, Config{Allow: func(netip.Addr) bool { return allowed }})
	hooks.client.Transport.(*http.Transport).TLSClientConfig = receiver.Client().Transport.(*http.Transport).TLSClientConfig
	w, err := hooks.Create(t.Context(), Edit{Name: new("w"), URL: new(receiver.URL), Events: []Event{{"MODEL_VERSION", "CREATED"}}})
	if err != nil {
		t.Fatal(err)
	}
	allowed = false
	if _, err := hooks.Test(t.Context(), w.ID, nil); err == nil || called {
		t.Errorf("it was called: %v", err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	hits := 0
	receiver := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits++
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer receiver.Close()
	hooks, _ := open(t, Config{Allow: func(netip.Addr) bool { return true }})
	hooks.client.Transport.(*http.Transport).TLSClientConfig = receiver.Client().Transport.(*http.Transport).TLSClientConfig
	w, err := hooks.Create(t.Context(), Edit{Name: new("w"), URL: new(receiver.URL), Events: []Event{{"MODEL_VERSION", "CREATED"}}})
	if err != nil {
		t.Fatal(err)
	}
	result, err := hooks.Test(t.Context(), w.ID, &Event{"MODEL_VERSION", "CREATED"})
	if err != nil || result.Status != http.StatusTemporaryRedirect || hits != 1 {
		t.Errorf("%+v %v after %d requests", result, err, hits)
	}
}
