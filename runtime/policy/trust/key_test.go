package trust

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy/artifact"
)

// The encoding that DSSE's protocol.md has as an example.
func TestPAE(t *testing.T) {
	got := string(pae("http://example.com/HelloWorld", []byte("hello world")))
	if want := "DSSEv1 29 http://example.com/HelloWorld 11 hello world"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "openssl", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// testdata/openssl/make.sh made keys and signatures with openssl alone.
func TestSignaturesOfOpenSSL(t *testing.T) {
	for _, kind := range []string{"ed25519", "ecdsa"} {
		policy := Policy{Require: true, Keys: []Key{{Name: kind, File: kind + ".pub"}}}
		v, err := policy.Compile(filepath.Join("testdata", "openssl"))
		if err != nil {
			t.Fatal(err)
		}
		m := &artifact.Module{Bytes: read(t, "module.bin"), Signatures: [][]byte{read(t, kind+".sig")}}
		got, err := v.Verify("", m, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		want := []Signer{{kind, "sha256:" + strings.TrimSpace(string(read(t, kind+".id")))}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", kind, diff)
		}
		m.Bytes[0] ^= 1
		_, err = v.Verify("", m, time.Time{})
		expect(t, err, ErrUntrusted, "what "+kind+" has signed is signed-by-openssl@1.2.3 of digest ", artifact.Digest(m.Bytes))
	}
}

func TestKeysReadBack(t *testing.T) {
	for _, a := range []Algorithm{Ed25519, ECDSAP256} {
		key := generate(t, a)
		private, public := must(key.PEM())(t), must(key.Public().PEM())(t)
		again, err := ParsePrivateKey(private)
		if err != nil {
			t.Fatal(err)
		}
		pub, err := ParsePublicKey(public)
		if err != nil {
			t.Fatal(err)
		}
		sig := must(again.sign([]byte("message")))(t)
		if !pub.verify([]byte("message"), sig) || pub.verify([]byte("massage"), sig) || pub.verify([]byte("message"), nil) {
			t.Errorf("%s: the signature does not verify, or another one does", a)
		}
		if pub.ID() != key.Public().ID() || again.Public().ID() != pub.ID() {
			t.Errorf("%s: ids differ", a)
		}
	}
	_, err := GenerateKey("rsa")
	expect(t, err, nil, `"rsa"`, "expected ed25519 or ecdsa-p256")
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func generate(t *testing.T, a Algorithm) *PrivateKey {
	t.Helper()
	return must(GenerateKey(a))(t)
}

func TestKeysThatAreNone(t *testing.T) {
	key := generate(t, Ed25519)
	private, public := string(must(key.PEM())(t)), string(must(key.Public().PEM())(t))
	for name, c := range map[string]struct{ text, want string }{
		"nothing":       {"", "expected a PEM block PUBLIC KEY"},
		"binary":        {"\x30\x2a\x30\x05", "expected a PEM block PUBLIC KEY"},
		"cut short":     {public[:len(public)-10], "whole from -----BEGIN to -----END"},
		"a line less":   {strings.Join(append(strings.Split(public, "\n")[:1], strings.Split(public, "\n")[2:]...), "\n"), "holds no PKIX key"},
		"two keys":      {public + public, "nothing after it"},
		"private":       {private, "this is a private key"},
		"a certificate": {strings.ReplaceAll(public, "PUBLIC KEY", "CERTIFICATE"), `PEM block "CERTIFICATE", expected PUBLIC KEY`},
		"RSA":           {string(read(t, "rsa.pub")), "expected Ed25519 or ECDSA P-256"},
		"P-384":         {string(read(t, "p384.pub")), "an ECDSA key on P-384, expected P-256"},
		"Ed448":         {string(read(t, "ed448.pub")), "holds no PKIX key"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParsePublicKey([]byte(c.text))
			expect(t, err, nil, c.want)
		})
	}
	curve := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	sec1 := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: must(x509.MarshalECPrivateKey(curve))(t)})
	p384 := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))(t)
	large := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(p384))(t)})
	for name, c := range map[string]struct{ text, want string }{
		"public":    {public, `PEM block "PUBLIC KEY", expected PRIVATE KEY`},
		"cut short": {private[:len(private)-10], "expected a PEM block PRIVATE KEY"},
		"SEC 1":     {string(sec1), "openssl pkcs8 -topk8 -nocrypt"},
		"encrypted": {strings.ReplaceAll(private, "PRIVATE KEY", "ENCRYPTED PRIVATE KEY"), "the key is encrypted"},
		"P-384":     {string(large), "expected P-256"},
	} {
		t.Run("private key "+name, func(t *testing.T) {
			_, err := ParsePrivateKey([]byte(c.text))
			expect(t, err, nil, c.want)
		})
	}
}
