package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/pacer-run/pacer/runtime/cluster"
	"github.com/pacer-run/pacer/runtime/election"
	"github.com/pacer-run/pacer/runtime/master"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/store"
)

// signed is a key with a certificate for a name that it has signed itself.
func signed(t *testing.T, name string) (*ecdsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return key, c
}

// write puts a file into a folder of the test.
func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func pkcs8(t *testing.T, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func jksOf(t *testing.T, key *ecdsa.PrivateKey, c *x509.Certificate, password string) []byte {
	t.Helper()
	s, made := keystore.New(), time.Now()
	chain := []keystore.Certificate{{Type: "X509", Content: c.Raw}}
	entry := keystore.PrivateKeyEntry{CreationTime: made, PrivateKey: pkcs8(t, key), CertificateChain: chain}
	if err := s.SetPrivateKeyEntry("marathon", entry, []byte(password)); err != nil {
		t.Fatal(err)
	}
	if err := s.SetTrustedCertificateEntry("ca", keystore.TrustedCertificateEntry{CreationTime: made, Certificate: chain[0]}); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := s.Store(&b, []byte(password)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pemOf(t *testing.T, key *ecdsa.PrivateKey, c *x509.Certificate) []byte {
	t.Helper()
	b := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	return append(b, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8(t, key)})...)
}

func TestKeystores(t *testing.T) {
	key, c := signed(t, "localhost")
	other, _ := signed(t, "localhost")
	p12, err := pkcs12.Modern.Encode(key, c, nil, "changeit")
	if err != nil {
		t.Fatal(err)
	}
	jks := jksOf(t, key, c, "changeit")
	for _, tt := range []struct {
		name     string
		data     []byte
		password string
		want     string // part of the error, "" for none
	}{
		{"JKS", jks, "changeit", ""},
		{"JKS, wrong password", jks, "changed", "digest"},
		{"JKS, cut off", jks[:len(jks)/2], "changeit", "EOF"},
		{"PKCS #12", p12, "changeit", ""},
		{"PKCS #12, wrong password", p12, "changed", "password"},
		{"PEM", pemOf(t, key, c), "", ""},
		{"PEM without key", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), "", "private key"},
		{"PEM with another key", pemOf(t, other, c), "", "does not belong"},
		{"something else", []byte("hello"), "", "JKS keystore, PKCS #12 or PEM"},
		{"nothing", nil, "", "JKS keystore, PKCS #12 or PEM"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id, err := readKeystore(write(t, "keys", tt.data), tt.password)
			switch {
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want %q", err, tt.want)
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want == "" && !bytes.Equal(id.certificate.Certificate[0], c.Raw):
				t.Error("another certificate")
			}
		})
	}
}

// elsewhere is the candidacy of a server while another one leads.
type elsewhere struct{ address string }

func (e elsewhere) Run(ctx context.Context, _ func(context.Context) error) error {
	<-ctx.Done()
	return nil
}
func (e elsewhere) Leader() (string, bool) { return e.address, true }
func (e elsewhere) Abdicate() bool         { return false }

// startSecure runs a server with the options; lead is whether it leads, else it
// takes the leader for the one that leads. It returns the server's addresses.
func startSecure(t *testing.T, v *values, leader string) *listeners {
	t.Helper()
	on, err := listenAll(v)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cluster.Start(t.Context(), cluster.Config{Agents: []cluster.AgentConfig{{Resources: "cpus:1;mem:64"}}, Executor: cluster.Fake})
	if err != nil {
		t.Fatal(err)
	}
	bolt, err := store.OpenBolt(filepath.Join(t.TempDir(), stateFile))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	p, err := loadPolicies(t.Context(), policyConfig{}, log)
	if err != nil {
		t.Fatal(err)
	}
	registered := make(chan struct{}, 1)
	cfg := nodeConfig{
		log: log, store: bolt, detector: master.Fixed(c.Addr()), policies: p,
		framework: master.Framework{Name: "secure", User: "root", Roles: []string{"*"}, FailoverTimeout: time.Hour},
		core:      coreOf(v), matcher: placement.Matcher{Spread: true},
		listener: on.advertised, listeners: on.all, scheme: on.scheme, hostname: "localhost", transport: proxyTransport(v, on.identity),
		registered: func() { registered <- struct{}{} },
	}
	cfg.http, _ = httpOptionsOf(v)
	var candidate candidacy = elsewhere{leader}
	if leader == "" {
		candidate = election.NewAlways(advertised("localhost", on.advertised))
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- newNode(cfg, candidate).run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		c.Close()
		p.close()
		bolt.Close()
	})
	if leader == "" {
		<-registered
	}
	return on
}

// TestHTTPSOnly: a leader and a standby that speak nothing but HTTPS, with a
// keystore that vouches for itself and credentials.
func TestHTTPSOnly(t *testing.T) {
	key, c := signed(t, "localhost")
	path := write(t, "marathon.jks", jksOf(t, key, c, "changeit"))
	v, _, err := read(t, nil, "--master", "m", "--disable_http", "--ssl_keystore_path", path, "--ssl_keystore_password", "changeit",
		"--https_address", "127.0.0.1", "--https_port", "0", "--http_credentials", "ann:secret")
	if err != nil {
		t.Fatal(err)
	}
	leader := advertised("localhost", startSecure(t, v, "").advertised)
	standby := advertised("localhost", startSecure(t, v, leader).advertised)
	roots := x509.NewCertPool()
	roots.AddCert(c)
	client := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	defer client.CloseIdleConnections()
	ask := func(url, user string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if user != "" {
			r.SetBasicAuth(user, "secret")
		}
		answer, err := client.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer, string(body)
	}
	answer, body := ask("https://"+standby+"/v2/leader", "ann")
	if answer.StatusCode != http.StatusOK || body != `{"leader":"`+leader+`"}` || answer.Header.Get("X-Marathon-Leader") != "https://"+leader {
		t.Errorf("%d %s %v", answer.StatusCode, body, answer.Header)
	}
	if answer, _ := ask("https://"+standby+"/v2/leader", ""); answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("%d without credentials, want 401", answer.StatusCode)
	}
	if answer, body := ask("https://"+standby+"/ping", ""); answer.StatusCode != http.StatusOK || body != "pong" {
		t.Errorf("/ping: %d %s", answer.StatusCode, body)
	}
	answer, _ = ask("https://"+standby+"/v2/events?event_type=x", "ann")
	if got, want := answer.Header.Get("Location"), "https://"+leader+"/v2/events?event_type=x"; answer.StatusCode != http.StatusFound || got != want {
		t.Errorf("%d to %s, want 302 to %s", answer.StatusCode, got, want)
	}
	plain, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+leader+"/ping", nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := client.RoundTrip(plain); err == nil {
		answer.Body.Close()
		if answer.StatusCode != http.StatusBadRequest {
			t.Errorf("plain HTTP: %d, want 400", answer.StatusCode)
		}
	}
}

// A certificate of another name is refused unless the name is to be ignored, and
// one that nobody vouches for always is.
func TestNamesOfLeaders(t *testing.T) {
	key, c := signed(t, "other.example.com")
	_, stranger := signed(t, "other.example.com")
	for _, tt := range []struct {
		name   string
		ignore bool
		trust  *x509.Certificate
		want   bool
	}{
		{"another name", false, c, false},
		{"another name, ignored", true, c, true},
		{"a stranger", true, stranger, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := &identity{certificate: tls.Certificate{PrivateKey: key, Certificate: [][]byte{c.Raw}}}
			on, err := listen("--https_port", "127.0.0.1", 0)
			if err != nil {
				t.Fatal(err)
			}
			s := &http.Server{Handler: http.NotFoundHandler(), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
			done := make(chan error, 1)
			go func() { done <- s.Serve(tls.NewListener(on, server.serverTLS())) }()
			defer func() { s.Close(); <-done }()
			client := &http.Transport{TLSClientConfig: (&identity{trusted: []*x509.Certificate{tt.trust}}).clientTLS(tt.ignore)}
			defer client.CloseIdleConnections()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+advertised("localhost", on), nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := client.RoundTrip(r)
			if err == nil {
				answer.Body.Close()
			}
			if (err == nil) != tt.want {
				t.Errorf("error %v, want success %t", err, tt.want)
			}
		})
	}
}
