package policy_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
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
	shadow.Name, shadow.Mode, shadow.Of = "next", policy.Shadow, "good"

	load(listed, trust.ErrPin)
	load(shadow, trust.ErrUntrusted)
	load(inFolder, trust.ErrUntrusted)
	m := signFile(t, path, key)
	load(listed, trust.ErrPin)
	load(shadow, trust.ErrPin)
	load(inFolder, nil)
	listed.Digest, shadow.Digest = m.Digest, m.Digest
	load(listed, nil)
	load(shadow, nil)
	shadow.File, shadow.Ref = "good.wasm", inFolder.Ref // it has nothing that would pin it
	load(shadow, trust.ErrPin)
	shadow.File, shadow.Ref = "", listed.Ref

	// One byte more, where no engine would mind it.
	changed := artifacttest.WithSection(m.Bytes, "note", "x")
	if err := os.WriteFile(path, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	load(listed, artifact.ErrChanged)
	load(shadow, artifact.ErrChanged)
	load(inFolder, trust.ErrUntrusted)
}

// What was refused is tried again when its signatures, the lock file, the file itself or
// those who are trusted are others, in whatever order they come.
func TestWhatWasRefusedIsTriedAgain(t *testing.T) {
	dir := directory(t, map[string]string{"good.wasm": "@good"})
	path := filepath.Join(dir, "good.wasm")
	b, key := trusting(t, dir)
	m := policy.ModuleConfig{Name: "good", Ref: policy.Ref{Ref: "file:good.wasm"}}
	marked := ""
	changes := func(what string, want bool) {
		t.Helper()
		mark, err := b.Mark(t.Context(), m)
		if err != nil || (mark != marked) != want {
			t.Errorf("%s: %q after %q, %v", what, mark, marked, err)
		}
		marked = mark
	}
	changes("first", true)
	changes("nothing", false)
	signed := signFile(t, path, key)
	changes("a signed file", true)
	signatures := artifact.SignatureFile(path)
	content, err := os.ReadFile(signatures)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(signatures); err != nil {
		t.Fatal(err)
	}
	changes("no signature", true)
	if err := os.WriteFile(signatures, content, 0o600); err != nil {
		t.Fatal(err)
	}
	changes("a signature", true)
	lock := &trust.Lock{}
	lock.Put(trust.Locked{Ref: m.Ref.Ref, Resolved: m.Ref.Ref, Digest: signed.Digest})
	if err := lock.Write(filepath.Join(dir, trust.LockFile)); err != nil {
		t.Fatal(err)
	}
	changes("lock", true)
	if err := os.WriteFile(path, append(signed.Bytes, 0), 0o600); err != nil {
		t.Fatal(err)
	}
	changes("file", true)
	other, err := trust.GenerateKey(trust.ECDSAP256)
	if err != nil {
		t.Fatal(err)
	}
	public, err := other.Public().PEM()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []bool{true, false} {
		if err := b.Trust(dir, trust.Policy{Require: true, Keys: []trust.Key{{Name: "ben", PEM: string(public)}}}); err != nil {
			t.Fatal(err)
		}
		changes("trust", want)
	}
}

// A candidate has to be trusted as the module is whose place it may take, whatever
// holds for its own name.
func TestCandidateIsTrustedAsItsTarget(t *testing.T) {
	dir := directory(t, map[string]string{"good.wasm": "@good"})
	b, ann := trusting(t, dir)
	m := signFile(t, filepath.Join(dir, "good.wasm"), ann)
	ben, err := trust.GenerateKey(trust.ECDSAP256)
	if err != nil {
		t.Fatal(err)
	}
	candidate := policy.ModuleConfig{Name: "next", Ref: policy.Ref{Ref: "file:good.wasm", Digest: m.Digest}, Mode: policy.Shadow, Of: "good"}
	no := false
	for _, tt := range []struct {
		modules map[string]trust.Exception
		want    error
	}{
		{nil, nil},
		{map[string]trust.Exception{"good": {AllOf: []string{"ben"}}}, trust.ErrUntrusted},
		{map[string]trust.Exception{"good": {AllOf: []string{"ben"}}, "next": {Require: &no}}, trust.ErrUntrusted},
		{map[string]trust.Exception{"next": {AllOf: []string{"ben"}}}, trust.ErrUntrusted},
		{map[string]trust.Exception{"good": {Require: &no}, "next": {Require: &no}}, nil},
	} {
		p := trust.Policy{Require: true, Keys: []trust.Key{{Name: "ann", PEM: public(t, ann)}, {Name: "ben", PEM: public(t, ben)}}, Modules: tt.modules}
		if err := b.Trust(dir, p); err != nil {
			t.Fatal(err)
		}
		loaded, err := b.Load(t.Context(), candidate, candidate.Ref)
		if !errors.Is(err, tt.want) {
			t.Errorf("%+v: error %v, want %v", tt.modules, err, tt.want)
		}
		if err == nil {
			if err := loaded.Module.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
}

func public(t *testing.T, key *trust.PrivateKey) string {
	t.Helper()
	text, err := key.Public().PEM()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What was trusted when it was loaded is looked at again before it is promoted.
func TestPromotionNeedsTrust(t *testing.T) {
	dir := directory(t, map[string]string{"good.wasm": "@good"})
	b, ann := trusting(t, dir)
	digest := signFile(t, filepath.Join(dir, "good.wasm"), ann).Digest
	ref := policy.Ref{Ref: "file:good.wasm", Digest: digest}
	c, err := policy.Open(t.Context(), policy.Config{Loader: b, Modules: []policy.ModuleConfig{
		{Name: "good", Ref: ref}, {Name: "next", Ref: ref, Mode: policy.Shadow, Of: "good"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	if err := c.Required(t.Context()); err != nil {
		t.Fatal(err)
	}
	ben, err := trust.GenerateKey(trust.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	trusted := func(key *trust.PrivateKey) {
		t.Helper()
		if err := b.Trust(dir, trust.Policy{Require: true, Keys: []trust.Key{{Name: "key", PEM: public(t, key)}}}); err != nil {
			t.Fatal(err)
		}
	}
	trusted(ben)
	err = c.Promote(t.Context(), "next")
	if wrong := (*policy.WrongState)(nil); !errors.As(err, &wrong) || !strings.Contains(err.Error(), "the module is not trusted: signed by nobody that is trusted") {
		t.Errorf("error %v", err)
	}
	for name, want := range map[string]policy.State{"good": policy.Active, "next": policy.Shadowing} {
		if m, err := c.Module(name); err != nil || m.State != want {
			t.Errorf("%s is %v, %v", name, m.State, err)
		}
	}
	trusted(ann)
	if err := c.Promote(t.Context(), "next"); err != nil {
		t.Error(err)
	}
}

// Modules of the folder are pinned by nothing, so that one of them can be compared with
// another, but not take the place of one of the list.
func TestCandidateOfTheFolder(t *testing.T) {
	dir := directory(t, map[string]string{"one.wasm": "@good", "two.wasm": "@good", "three.wasm": "@good"})
	b, ann := trusting(t, dir)
	for _, name := range []string{"one.wasm", "two.wasm", "three.wasm"} {
		signFile(t, filepath.Join(dir, name), ann)
	}
	digest := signFile(t, filepath.Join(dir, "three.wasm"), ann).Digest
	listed := policy.ModuleConfig{Name: "listed", Ref: policy.Ref{Ref: "file:three.wasm", Digest: digest}}
	c, err := policy.Open(t.Context(), policy.Config{Dir: dir, Loader: b, Modules: []policy.ModuleConfig{listed}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	<-c.Loaded() // one has the names, and the others are refused for that
	err = c.Shadow(t.Context(), "two", "listed")
	if err == nil || !strings.Contains(err.Error(), "as a candidate for listed: ") || !strings.Contains(err.Error(), "the digest is not pinned") {
		t.Errorf("error %v", err)
	}
	if err := errors.Join(c.Disable(t.Context(), "listed"), c.Enable(t.Context(), "one"), c.Shadow(t.Context(), "two", "one")); err != nil {
		t.Fatal(err)
	}
	if err := c.Promote(t.Context(), "two"); err != nil {
		t.Error(err)
	}
}
