package fetcher

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// What has another digest is not in the sandbox, and not in the cache: there a file is only what it was asked for as.
func TestDigest(t *testing.T) {
	right, other := digestOf("text"), digestOf("other")
	for _, cached := range []bool{false, true} {
		s := serve(t, map[string][]byte{"/x": []byte("text")})
		f := open(t, Config{})
		ask := func(digest string) error {
			dir := sandbox(t)
			err := f.Fetch(t.Context(), dir, nil, []Item{{URI: s.URL + "/x", Cache: cached, SHA256: digest}}, nil)
			want := map[string]string{"x": "644 text"}
			if err != nil {
				want = map[string]string{}
			}
			same(t, want, tree(t, dir))
			return err
		}
		must(t, ask(""))
		must(t, ask(right))
		refused(t, ask(other), s.URL+"/x: its SHA-256 is "+right+", expected "+other)
		s.bodies["/x"] = []byte("other")
		if cached { // what is there stays, by what it is
			must(t, ask(""))
			must(t, ask(right))
			same(t, int64(3), s.asked["/x"].Load())
			dir := sandbox(t)
			must(t, f.Fetch(t.Context(), dir, nil, []Item{{URI: s.URL + "/x", Cache: true, SHA256: other}}, nil))
			same(t, map[string]string{"x": "644 other"}, tree(t, dir))
		} else {
			refused(t, ask(right), "its SHA-256 is "+other+", expected "+right)
		}
	}
	for _, digest := range []string{"ab", right[1:] + "g", "A" + right[1:]} {
		refused(t, open(t, Config{}).Fetch(t.Context(), sandbox(t), nil, []Item{{URI: "/x", SHA256: digest}}, nil), "expected 64 digits")
	}
}

// An item's limits count where they are lower than the fetcher's.
func TestItemLimits(t *testing.T) {
	zeros := string(make([]byte, 2<<20))
	bodies := map[string][]byte{
		"/plain":     []byte("0123456789"),
		"/few.tar":   tarOf(member{name: "a/b/c", body: "x", mode: 0o644}, member{name: "d", body: "x", mode: 0o644}),
		"/zeros.tgz": gz(tarOf(member{name: "a", body: zeros, mode: 0o644})),
	}
	s := serve(t, bodies)
	f := open(t, Config{Limits: Limits{Download: 1 << 20, Entries: 2}})
	for _, tt := range []struct {
		name   string
		limits ItemLimits
		text   string // of the error; "" for none
	}{
		{"/plain", ItemLimits{}, ""},
		{"/plain", ItemLimits{Bytes: 10}, ""},
		{"/plain", ItemLimits{Bytes: 9}, "more than 9 bytes"},
		{"/few.tar", ItemLimits{Bytes: 1 << 40, Entries: 1000, Depth: 1000, Ratio: 1000}, ""},
		{"/few.tar", ItemLimits{Entries: 1}, "archive bomb: more than 1 entries"},
		{"/few.tar", ItemLimits{Depth: 2}, "archive bomb: an entry is 3 folders deep, expected 2"},
		{"/few.tar", ItemLimits{Ratio: 1}, ""}, // it is small
		{"/zeros.tgz", ItemLimits{}, ""},
		{"/zeros.tgz", ItemLimits{Bytes: 1 << 20}, "archive bomb: more than 1048576 bytes"},
		{"/zeros.tgz", ItemLimits{Ratio: 100}, "archive bomb: more than 1048576 bytes of an archive of"},
	} {
		for _, cached := range []bool{false, true} {
			err := f.Fetch(t.Context(), sandbox(t), nil, []Item{{URI: s.URL + tt.name, Extract: true, Cache: cached, Limits: tt.limits}}, nil)
			if tt.text == "" {
				must(t, err)
			} else {
				refused(t, err, s.URL+tt.name+": ", tt.text)
			}
		}
	}
}
