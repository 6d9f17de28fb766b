package policy_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/runtime/policy/artifact"
	"github.com/pacer-run/pacer/runtime/policy/artifact/artifacttest"
	"github.com/pacer-run/pacer/runtime/policy/trust"
	"github.com/pacer-run/pacer/runtime/policy/wasm"
)

// trusting is a loader that wants signatures, and the key that makes them.
func trusting(t *testing.T, dir string) (*policy.Backends, *trust.PrivateKey) {
	t.Helper()
	key, err := trust.GenerateKey(trust.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.Public().PEM()
	if err != nil {
		t.Fatal(err)
	}
	b, err := policy.NewBackends(wasm.DefaultLimits(), "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close(context.Background()) })
	if err := b.Trust(dir, trust.Policy{Require: true, Keys: []trust.Key{{Name: "ann", PEM: string(public)}}}); err != nil {
		t.Fatal(err)
	}
	return b, key
}

// signFile signs the module in a file.
func signFile(t *testing.T, path string, key *trust.PrivateKey) *artifact.Module {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := artifact.New(data)
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := trust.Sign(key, m, "good", "1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	m.Signatures = [][]byte{envelope}
	if err := artifact.WriteFile(path, m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestWhereTrustIsRequired(t *testing.T) {
	dir := directory(t, map[string]string{"good.wasm": "@good"})
	path := filepath.Join(dir, "good.wasm")
	b, key := trusting(t, dir)
	load := func(m policy.ModuleConfig, want error) {
		t.Helper()
		loaded, err := b.Load(t.Context(), m, m.Ref)
		if !errors.Is(err, want) {
			t.Errorf("error %v, want %v", err, want)
		}
		if err == nil {
			if loaded.Signer != "ann" {
				t.Errorf("signed by %q, want ann", loaded.Signer)
			}
			if err := loaded.Module.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
	listed := policy.ModuleConfig{Name: "good", Ref: policy.Ref{Ref: "file:good.wasm"}}
	inFolder := policy.ModuleConfig{Name: "good", File: "good.wasm", Ref: policy.Ref{Ref: "file:" + path}}
	shadow := listed
	shadow.Mode = policy.Shadow

	load(listed, trust.ErrPin)
	load(shadow, trust.ErrUntrusted)
	load(inFolder, trust.ErrUntrusted)
	m := signFile(t, path, key)
	load(listed, trust.ErrPin)
	load(shadow, nil)
	load(inFolder, nil)
	listed.Digest = m.Digest
	load(listed, nil)

	// One byte more, where no engine would mind it.
	changed := artifacttest.WithSection(m.Bytes, "note", "x")
	if err := os.WriteFile(path, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	load(listed, artifact.ErrChanged)
	load(shadow, trust.ErrUntrusted)
	load(inFolder, trust.ErrUntrusted)
}
