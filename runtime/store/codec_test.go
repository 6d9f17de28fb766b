package store

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzDecode feeds the decoders bodies whose checksum is right: each is refused
// as corrupt or read, and never a panic.
func FuzzDecode(f *testing.F) {
	var p packer
	p.add("key", []byte("value"))
	p.finish(1)
	m := &manifest{folded: 7, next: 9, segments: []*segment{{id: 1, count: 9, alive: 1, live: 10, size: 100, buried: []byte{0xfe, 1}}}}
	for _, node := range [][]byte{m.encode(), p.segments[0].data, encodeLogNode(logNode{epoch: 1, part: appendChanges(nil, []Change{{Key: "a"}})})} {
		f.Add(node[headBytes:])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		sealed := func(magic string) []byte { return seal(magic, append(make([]byte, headBytes), body...)) }
		refused := func(err error) {
			if err != nil && !errors.Is(err, ErrCorrupt) {
				t.Errorf("%q: %v", body, err)
			}
		}
		_, err := decodeManifest("m", sealed(manifestMagic))
		refused(err)
		n, err := decodeLogNode("l", sealed(logMagic))
		refused(err)
		_ = readChanges(n.part, func(string, []byte) {})
		s := &segment{count: 3, buried: []byte{1}}
		refused(readSegment("s", s, sealed(segmentMagic), func(int, []byte, []byte, int) error { return nil }))
	})
}

func TestManifestSurvivesItsForm(t *testing.T) {
	want := &manifest{folded: 1 << 40, next: 3, segments: []*segment{
		{id: 0, count: 9, alive: 8, live: 80, size: 100, buried: []byte{2, 0}},
		{id: 2, count: 8, alive: 8, live: 90, size: 98, buried: []byte{0}},
	}}
	got, err := decodeManifest("m", want.encode())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(manifest{}, segment{})); diff != "" {
		t.Error(diff)
	}
}

func TestALaterFormatIsNotCalledDamage(t *testing.T) {
	later := bytes.Replace((&manifest{}).encode(), []byte(manifestMagic), []byte("PM2\n"), 1)
	if _, err := decodeManifest("m", later); err == nil || errors.Is(err, ErrCorrupt) {
		t.Errorf("error %v, want one about the version", err)
	}
}

func TestPartsOfABrokenOffCommitAreVoid(t *testing.T) {
	entries := assemble([]logNode{
		{epoch: 1, part: []byte("a")},
		{epoch: 1, more: true, part: []byte("b")},
		{epoch: 2, more: true, part: []byte("c")},
		{epoch: 2, part: []byte("d")},
		{epoch: 3, more: true, part: []byte("e")},
	}, 10)
	want := []entry{
		{first: 10, last: 10, changes: []byte("a")},
		{first: 11, last: 11, changes: []byte("b"), void: true},
		{first: 12, last: 13, changes: []byte("cd")},
		{first: 14, last: 14, changes: []byte("e"), void: true},
	}
	if diff := cmp.Diff(want, entries, cmp.AllowUnexported(entry{})); diff != "" {
		t.Error(diff)
	}
}
