package trust

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy/artifact"
	"github.com/pacer-run/pacer/runtime/policy/artifact/artifacttest"
)

// site is a folder with a signed module in it, and those who trust ann.
type site struct {
	store    artifact.Store
	verifier *Verifier
	module   *artifact.Module
}

func newSite(t *testing.T) site {
	t.Helper()
	private, public := people(t, "ann")
	s := site{artifact.Store{Dir: t.TempDir()}, compile(t, Policy{Require: true, Keys: public}), sign(t, module(t, "m", "1.0.0", "one"), private["ann"])}
	if err := artifact.WriteFile(filepath.Join(s.store.Dir, "m.wasm"), s.module); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s site) load(t *testing.T, lock *Lock, w Wanted) (*Trusted, error) {
	t.Helper()
	return s.verifier.Load(t.Context(), &s.store, lock, w, time.Time{})
}

func TestWhatIsLoadedIsWhatWasVerified(t *testing.T) {
	s := newSite(t)
	w := Wanted{Name: "m", Ref: "file:m.wasm", Digest: s.module.Digest, Enforce: true}
	got, err := s.load(t, nil, w)
	if err != nil {
		t.Fatal(err)
	}
	// The file is exchanged between the check and the use.
	if err := os.WriteFile(filepath.Join(s.store.Dir, "m.wasm"), artifacttest.Module("m", "1.0.0", "evil"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes, s.module.Bytes) || artifact.Digest(got.Bytes) != w.Digest || names(got.Signers)[0] != "ann" {
		t.Errorf("got %s, signed by %v", artifact.Digest(got.Bytes), got.Signers)
	}
	_, err = s.load(t, nil, w)
	expect(t, err, artifact.ErrChanged, w.Digest)
	w.Digest, w.Enforce = "", false
	_, err = s.load(t, nil, w)
	expect(t, err, ErrUntrusted, "what ann has signed is m@1.0.0 of digest "+s.module.Digest)
}

func TestPins(t *testing.T) {
	s := newSite(t)
	other := artifact.Digest([]byte("other"))
	lock := func(digest string) *Lock {
		l := &Lock{}
		l.Put(Locked{Ref: "m.wasm", Resolved: "m.wasm", Digest: digest})
		return l
	}
	bare := strings.TrimPrefix(s.module.Digest, "sha256:")
	for name, c := range map[string]struct {
		lock   *Lock
		wanted Wanted
		kind   error
		want   []string // nil is loaded
	}{
		"pinned":               {nil, Wanted{Ref: "m.wasm", Digest: s.module.Digest, Enforce: true}, nil, nil},
		"without the prefix":   {lock(s.module.Digest), Wanted{Ref: "m.wasm", Digest: bare, Enforce: true}, nil, nil},
		"locked":               {lock(s.module.Digest), Wanted{Ref: "m.wasm", Enforce: true}, nil, nil},
		"pinned and locked":    {lock(s.module.Digest), Wanted{Ref: "m.wasm", Digest: s.module.Digest, Enforce: true}, nil, nil},
		"in the shadow":        {nil, Wanted{Ref: "m.wasm"}, nil, nil},
		"neither":              {nil, Wanted{Ref: "m.wasm", Enforce: true}, ErrPin, []string{"m.wasm", "expected a digest"}},
		"locked another":       {lock(other), Wanted{Ref: "m.wasm", Enforce: true}, artifact.ErrChanged, []string{other, s.module.Digest}},
		"pinned another":       {nil, Wanted{Ref: "m.wasm", Digest: other}, artifact.ErrChanged, []string{other, s.module.Digest}},
		"one and another":      {lock(other), Wanted{Ref: "m.wasm", Digest: s.module.Digest}, ErrPin, []string{other, s.module.Digest}},
		"no digest":            {nil, Wanted{Ref: "m.wasm", Digest: "latest"}, nil, []string{"64 lower-case"}},
		"no reference":         {nil, Wanted{Ref: "http://x"}, nil, []string{"expected a path"}},
		"a tag":                {nil, Wanted{Ref: "oci-layout:l:1", Digest: other}, nil, []string{"a tag is resolved by pacer policy pull only"}},
		"a tag with no digest": {nil, Wanted{Ref: "oci-layout:l:1", Enforce: true}, ErrPin, []string{"oci-layout:l:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := s.load(t, c.lock, c.wanted)
			if c.want != nil {
				expect(t, err, c.kind, c.want...)
			} else if err != nil || got.Digest != s.module.Digest {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestATagIsLoadedAsLocked(t *testing.T) {
	s := newSite(t)
	ref := must(artifact.ParseRef("oci-layout:layout:1"))(t)
	pushed := must(s.store.Push(t.Context(), ref, s.module))(t)
	var lock Lock
	lock.Put(Locked{Ref: ref.String(), Resolved: pushed.String(), Digest: s.module.Digest})
	// The tag moves on to something else.
	if _, err := s.store.Push(t.Context(), ref, module(t, "m", "6.6.6", "evil")); err != nil {
		t.Fatal(err)
	}
	got, err := s.load(t, &lock, Wanted{Name: "m", Ref: ref.String(), Enforce: true})
	if err != nil || got.Version != "1.0.0" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestLockFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), LockFile)
	if _, err := ReadLock(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	a := Locked{Ref: "a.wasm", Resolved: "a.wasm", Digest: artifact.Digest([]byte("a")), Name: "a", Version: "1", Signers: []Signer{{"ann", "sha256:1"}}}
	b := Locked{Ref: "b.wasm", Resolved: "b.wasm", Digest: artifact.Digest([]byte("b")), Signers: []Signer{}}
	var l Lock
	l.Put(b)
	l.Put(Locked{Ref: "a.wasm", Resolved: "a.wasm", Digest: b.Digest})
	l.Put(Locked{Ref: "c.wasm", Resolved: "c.wasm", Digest: b.Digest})
	l.Put(a)
	l.Keep([]string{"a.wasm", "b.wasm"})
	if err := l.Write(path); err != nil {
		t.Fatal(err)
	}
	got, err := ReadLock(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&Lock{Format: 1, Modules: []Locked{a, b}}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestLockFilesThatAreNone(t *testing.T) {
	good := Locked{Ref: "oci://h/r:1", Resolved: "oci://h/r:1@" + artifact.Digest(nil), Digest: artifact.Digest(nil)}
	entries := func(changes ...func(*Locked)) string {
		l := Lock{Format: 1}
		for _, c := range changes {
			m := good
			c(&m)
			l.Modules = append(l.Modules, m)
		}
		return string(must(json.Marshal(l))(t))
	}
	same := func(*Locked) {}
	if _, err := parseLock([]byte(entries(same))); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"nothing":             {"", "expected what pacer policy pull writes"},
		"YAML":                {"modules:", "expected what pacer policy pull writes"},
		"an unknown field":    {`{"format":1,"extra":1}`, `unknown field "extra"`},
		"more than one":       {entries(same) + "{}", "nothing after it"},
		"a later form":        {`{"format":2}`, "format: 2, expected 1"},
		"one reference twice": {entries(same, same), `modules[1].ref: "oci://h/r:1" is that of modules[0] already`},
		"no reference":        {entries(func(m *Locked) { m.Ref = "" }), "modules[0].ref: "},
		"nothing resolved":    {entries(func(m *Locked) { m.Resolved = "" }), "modules[0].resolved: "},
		"a tag":               {entries(func(m *Locked) { m.Resolved = m.Ref }), "expected a reference with a digest"},
		"another place":       {entries(func(m *Locked) { m.Resolved = "oci://evil/r:1@" + m.Digest }), `expected "oci://h/r:1" with a digest added`},
		"no digest":           {entries(func(m *Locked) { m.Digest = "sha256:12" }), "modules[0].digest: "},
		"5 MB":                {strings.Repeat(" ", 5<<20), "larger than"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseLock([]byte(c.text))
			expect(t, err, nil, c.want)
		})
	}
}
