package bus_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/bus"
	"github.com/fairlead/fairlead/test/nats"
)

func TestStreamInNATSOutlivesItsServer(t *testing.T) {
	server := nats.Start(t, "")
	b := open(t, bus.Config{URL: server.URL(), Dir: t.TempDir()})
	publish(t, b, "one", "two")
	if err := server.Stop("KILL"); err != nil {
		t.Fatal(err)
	}
	// Refused at once, not kept for later: the sender must know.
	eventually(t, "the loss is noticed", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := b.Publish(ctx, bus.AlertSubject("main", 0), []byte("lost"))
		return errors.Is(err, bus.ErrUnavailable)
	})
	if _, err := b.Last(t.Context(), bus.SignalStream); !errors.Is(err, bus.ErrUnavailable) {
		t.Errorf("asked how far the stream goes: %v, want ErrUnavailable", err)
	}
	if err := server.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it takes messages again", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := b.Publish(ctx, bus.AlertSubject("main", 0), []byte("three"))
		return err == nil
	})
	want := []string{"1 one", "2 two", "3 three"}
	if diff := cmp.Diff(want, read(t, b, 0, 3, 10)); diff != "" {
		t.Errorf("the stream (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[1:], read(t, open(t, bus.Config{URL: server.URL()}), 1, 2, 10)); diff != "" {
		t.Errorf("the stream behind 1, over a second connection (-want +got):\n%s", diff)
	}
}

func TestConsumerGoesOnWhenNATSIsBack(t *testing.T) {
	server := nats.Start(t, "")
	b := open(t, bus.Config{URL: server.URL()})
	publish(t, b, "one")
	got := make(chan string, 10)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		_ = b.Consume(ctx, bus.SignalStream, []string{bus.AlertSubjects("main")}, 0, 10, func(_ context.Context, batch []bus.Message) error {
			for i := range batch {
				got <- fmt.Sprintf("%d %s", batch[i].Sequence, batch[i].Data)
			}
			return nil
		})
	}()
	next := func(want string) {
		t.Helper()
		select {
		case message := <-got:
			if message != want {
				t.Errorf("consumed %q, want %q", message, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("not within 20 s: %s", want)
		}
	}
	next("1 one")
	for i, how := range []string{"KILL", "INT"} {
		if err := errors.Join(server.Stop(how), server.Run(t.Context())); err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("after SIG%s", how)
		eventually(t, "it takes messages again", func() bool {
			_, err := b.Publish(t.Context(), bus.AlertSubject("main", 0), []byte(text))
			return err == nil
		})
		next(fmt.Sprintf("%d %s", i+2, text))
	}
}

func TestNATSThatDoesNotLetUsInIsAClearError(t *testing.T) {
	server := nats.Start(t, `authorization { user: fairlead, password: "s3cret" }`)
	for _, test := range []struct{ name, user, want string }{
		{"nobody", "", "Authorization"},
		{"another", "fairlead:guess@", "Authorization"},
		{"the right one", "fairlead:s3cret@", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, err := bus.Open(t.Context(), bus.Config{URL: "nats://" + test.user + server.Address()}, slog.New(slog.DiscardHandler))
			if err == nil {
				_ = b.Close()
			}
			if (err == nil) != (test.want == "") || err != nil && (!strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "guess")) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestEncryptedNATSByItsCertificate(t *testing.T) {
	cert, key := selfSigned(t)
	server := nats.Start(t, fmt.Sprintf("tls { cert_file: %q, key_file: %q }", cert, key))
	url := "tls://" + server.Address()
	if diff := cmp.Diff(uint64(1), publish(t, open(t, bus.Config{URL: url, CAFile: cert}), "one")); diff != "" {
		t.Errorf("sequence (-want +got):\n%s", diff)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := bus.Open(ctx, bus.Config{URL: url}, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}
}

// selfSigned makes a certificate of 127.0.0.1 and its key.
func selfSigned(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "nats"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}
