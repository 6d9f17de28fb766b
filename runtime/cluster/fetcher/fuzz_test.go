package fetcher

import (
	"archive/tar"
	"os"
	"path/filepath"
	"testing"
)

// fuzzLimits keep a run small.
func fuzzLimits() Limits {
	return Limits{Unpacked: 1 << 20, Entries: 100, Depth: 10, Ratio: 100, RatioFrom: 64 << 10}
}

// unpackFuzz unpacks an archive of any content and looks at what came of it.
func unpackFuzz(t *testing.T, f *Fetcher, name string, archive []byte) {
	root := t.TempDir()
	dir := filepath.Join(root, "sandbox")
	must(t, os.Mkdir(dir, 0o755))
	path := filepath.Join(f.cfg.CacheDir, name)
	must(t, os.WriteFile(path, archive, 0o644))
	_ = f.Fetch(t.Context(), dir, nil, []Item{{URI: path, Extract: true}}, nil) // either is right, as long as the rest holds
	contained(t, dir)
	var bytes int64
	must(t, filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() && info.Name() != name {
			bytes += info.Size()
		}
		return err
	}))
	if bytes > 1<<20 {
		t.Errorf("%d bytes came out, more than allowed", bytes)
	}
}

func fuzzSeeds() [][]member {
	return [][]member{
		{{name: "a", body: "text", mode: 0o644}, {name: "d/", mode: 0o755}, {name: "d/l", kind: tar.TypeSymlink, link: "../a"}},
		{{name: "a", kind: tar.TypeSymlink, link: "."}, {name: "a/a/l", kind: tar.TypeSymlink, link: "../../x"}},
		{{name: "../x", body: "x"}, {name: "/x", body: "x"}, {name: "l", kind: tar.TypeSymlink, link: "/"}},
		{{name: "a/b/l", kind: tar.TypeSymlink, link: "../x"}, {name: "d", kind: tar.TypeFifo}},
		{{name: "s", kind: tar.TypeSymlink, link: "d"}, {name: "s/x", body: "x"}, {name: "s", body: "y"}},
	}
}

func FuzzTar(f *testing.F) {
	for _, seed := range fuzzSeeds() {
		f.Add(tarOf(seed...))
		f.Add(gz(tarOf(seed...)))
		f.Add(xzOf(tarOf(seed...), 1<<16))
	}
	f.Add(tarOf(member{name: "a", body: "x"}, member{name: "h", kind: tar.TypeLink, link: "a"}, member{name: "c", kind: tar.TypeChar}))
	bz2, err := os.ReadFile("testdata/forms.tar.bz2")
	must(f, err)
	f.Add(bz2)
	fetcher := open(f, Config{Limits: fuzzLimits()})
	f.Fuzz(func(t *testing.T, archive []byte) { unpackFuzz(t, fetcher, "a.tar", archive) })
}

func FuzzZip(f *testing.F) {
	for _, seed := range fuzzSeeds() {
		f.Add(zipOf(seed...))
	}
	fetcher := open(f, Config{Limits: fuzzLimits()})
	f.Fuzz(func(t *testing.T, archive []byte) { unpackFuzz(t, fetcher, "a.zip", archive) })
}

// FuzzLinks makes links and files of any names, in any order, in a form that is always an archive.
func FuzzLinks(f *testing.F) {
	f.Add("a", ".", "a/a/l", "../../x", "a/a/y")
	f.Add("a/b/s", "../..", "l", "a/b/s/../x", "l/y")
	f.Add("a/b/c/l", "../../x", "l", "a/b/c/l", "a")
	f.Add("0", "0", "0", "a/b/s", "l/y")
	fetcher := open(f, Config{Limits: fuzzLimits()})
	f.Fuzz(func(t *testing.T, link1, target1, link2, target2, file string) {
		for _, kinds := range []string{"22", "21", "12"} {
			archive, err := tryTar(
				member{name: "a/b/f", body: "x", mode: 0o644}, member{name: link1, kind: kinds[0], link: target1},
				member{name: link2, kind: kinds[1], link: target2}, member{name: file, body: "y", mode: 0o644})
			if err == nil {
				unpackFuzz(t, fetcher, "a.tar", archive)
			}
		}
	})
}

func FuzzRedacted(f *testing.F) {
	f.Add("http://a:sesame@h/x?token=sesame")
	f.Add("sesame")
	f.Fuzz(func(t *testing.T, uri string) {
		_ = Redacted(uri)
		_ = Item{URI: uri}.Check()
		if item := (Item{URI: "http://h/x", OutputFile: uri}); item.Check() == nil && !filepath.IsLocal(uri) && uri != "" {
			t.Errorf("%q counts as inside", uri)
		}
	})
}
