package trust

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/artifact"
)

// A signature of a process is one of exactly its files.
func TestFilesAreSigned(t *testing.T) {
	private, public := people(t, "ann")
	v := compile(t, Policy{Require: true, Keys: public})
	program := func(files ...artifact.Attachment) *artifact.Module {
		m := must(artifact.New([]byte("#!/bin/sh")))(t)
		m.Files = files
		return m
	}
	a, b := artifact.Attachment{Name: "a", Bytes: []byte("A")}, artifact.Attachment{Name: "b", Bytes: []byte("B")}
	other := artifact.Attachment{Name: "a", Bytes: []byte("B")}
	for _, tt := range []struct {
		signed, found *artifact.Module
		want          string // "" for trusted
	}{
		{program(a, b), program(a, b), ""},
		{program(), program(), ""},
		{program(a), program(), "there is no a"},
		{program(), program(a), "a is not signed"},
		{program(a), program(other), "a is another one"},
		{program(a), program(b), "b is not signed, there is no a"},
	} {
		tt.found.Signatures = [][]byte{must(Sign(private["ann"], tt.signed, "p", "1"))(t)}
		_, err := v.Verify("p", tt.found, time.Time{})
		if tt.want != "" {
			expect(t, err, ErrUntrusted, "what ann has signed has other files beside it: "+tt.want)
		} else if err != nil {
			t.Error(err)
		}
	}
}

// Each file has to be pinned where the module has to be, and what was loaded with other
// files than are pinned now is refused.
func TestFilesArePinned(t *testing.T) {
	private, public := people(t, "ann")
	v, store := compile(t, Policy{Require: true, Keys: public}), artifact.Store{Dir: t.TempDir()}
	m := must(artifact.New([]byte("#!/bin/sh")))(t)
	m.Files = []artifact.Attachment{{Name: "a", Bytes: []byte("A")}}
	m.Signatures = [][]byte{must(Sign(private["ann"], m, "p", "1"))(t)}
	if err := artifact.WriteFile(filepath.Join(store.Dir, "p"), m); err != nil {
		t.Fatal(err)
	}
	file := artifact.AttachmentRef{Name: "a", Path: "a"}
	w := Wanted{Name: "p", Ref: "file:p", Digest: m.Digest, Files: []artifact.AttachmentRef{file}, Enforce: true}
	_, err := v.Load(t.Context(), &store, nil, w, time.Time{})
	expect(t, err, ErrPin, "file:p: file a: ")
	good, bad := artifact.Digest([]byte("A")), artifact.Digest([]byte("B"))
	lock := func(digest string) *Lock {
		l := &Lock{Format: lockFormat}
		l.Put(Locked{Ref: "file:p", Resolved: "file:p", Digest: m.Digest, Files: map[string]string{"a": digest}})
		return l
	}
	got, err := v.Load(t.Context(), &store, lock(good), w, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Admit(lock(good), w, got.Seal, time.Time{}); err != nil {
		t.Error(err)
	}
	expect(t, v.Admit(lock(bad), w, got.Seal, time.Time{}), artifact.ErrChanged, "file a: ")
	_, err = v.Load(t.Context(), &store, lock(bad), w, time.Time{})
	expect(t, err, artifact.ErrChanged, "file a: ", bad)
	w.Files[0].Digest = good
	_, err = v.Load(t.Context(), &store, lock(bad), w, time.Time{})
	expect(t, err, ErrPin, "to one value", good, bad)

	path := filepath.Join(store.Dir, LockFile)
	if err := lock(good).Write(path); err != nil {
		t.Fatal(err)
	}
	if l := must(ReadLock(path))(t); l.Modules[0].Files["a"] != good {
		t.Errorf("the lock has %+v", l.Modules)
	}
	if err := lock("md5:1").Write(path); err != nil {
		t.Fatal(err)
	}
	_, err = ReadLock(path)
	expect(t, err, nil, "modules[0].files: digest")
}
