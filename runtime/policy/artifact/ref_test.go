package artifact

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const someDigest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestReferences(t *testing.T) {
	for text, want := range map[string]Ref{
		"policies/a.wasm":                          {Place: File, Path: "policies/a.wasm"},
		"file:a.wasm":                              {Place: File, Path: "a.wasm"},
		"./policies//a.wasm":                       {Place: File, Path: "policies/a.wasm"},
		"file:///srv/a.wasm":                       {Place: File, Path: "/srv/a.wasm"},
		"with:colon@sign.wasm":                     {Place: File, Path: "with:colon@sign.wasm"},
		"oci://localhost:5000/team/a:1.0":          {Place: Registry, Path: "localhost:5000/team/a", Tag: "1.0"},
		"oci://r.example/a@" + someDigest:          {Place: Registry, Path: "r.example/a", Digest: someDigest},
		"oci://r.example/a:v1@" + someDigest:       {Place: Registry, Path: "r.example/a", Tag: "v1", Digest: someDigest},
		"oci://[::1]:5000/a:v1":                    {Place: Registry, Path: "[::1]:5000/a", Tag: "v1"},
		"oci-layout:/srv/layout:v1":                {Place: Layout, Path: "/srv/layout", Tag: "v1"},
		"oci-layout:C:/layout:v1":                  {Place: Layout, Path: "C:/layout", Tag: "v1"},
		"oci-layout:layout@" + someDigest:          {Place: Layout, Path: "layout", Digest: someDigest},
		"oci-layout:a@b/layout:v2.1@" + someDigest: {Place: Layout, Path: "a@b/layout", Tag: "v2.1", Digest: someDigest},
	} {
		got, err := ParseRef(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", text, diff)
		}
		again, err := ParseRef(got.String())
		if err != nil || again != got {
			t.Errorf("%s: its text %s reads as %+v, %v", text, got, again, err)
		}
	}
}

func TestReferencesThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "expected a path",
		"file:":                             "expected a path",
		"https://r.example/a.wasm":          "expected a path, file:…, oci://… or oci-layout:…",
		"docker://r.example/a:1":            "expected a path, file:…, oci://… or oci-layout:…",
		"a\x00b":                            "zero byte",
		"oci://r.example/a":                 "expected a tag or a digest",
		"oci://r.example:80/a":              "expected a tag or a digest",
		"oci://a:1":                         "expected oci://host/repository:tag",
		"oci://r.example/A:1":               "expected oci://host/repository:tag",
		"oci://r.example/../a:1":            "expected oci://host/repository:tag",
		"oci://r.example/a:1:2":             "expected one tag or digest",
		"oci://r.example/a@sha256:123":      "64 lower-case hexadecimal digits",
		"oci://r.example/a@sha512:" + "ab":  "expected",
		"oci-layout:dir":                    "expected a tag or a digest",
		"oci-layout::v1":                    "expected oci-layout:FOLDER:tag",
		"oci-layout:dir:../../etc":          "expected a tag or a digest",
		"oci-layout:dir:..":                 `tag ".."`,
		"oci-layout:dir@sha256:../../etc/x": "64 lower-case hexadecimal digits",
	} {
		if ref, err := ParseRef(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %+v, %v; want an error with %q", text, ref, err, want)
		}
	}
}

func FuzzParseRef(f *testing.F) {
	for _, s := range []string{"a", "//", "file://", "oci://h/r:t", "oci-layout:d:t", "file:x", "oci://h/r@" + someDigest} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ref, err := ParseRef(text)
		if err != nil {
			return
		}
		if again, err := ParseRef(ref.String()); err != nil || again != ref {
			t.Errorf("%q is %+v, and its text %q is %+v, %v", text, ref, ref, again, err)
		}
	})
}
