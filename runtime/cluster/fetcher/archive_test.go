package fetcher

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ulikunitz/xz"
)

// member is one of an archive; of type 0 it is a file or, with a slash at its end, a folder.
type member struct {
	name, body string
	mode       int64
	kind       byte
	link       string
}

var epoch = time.Date(2020, 9, 13, 12, 26, 40, 0, time.UTC)

func tarOf(entries ...member) []byte {
	out, err := tryTar(entries...)
	if err != nil {
		panic(err)
	}
	return out
}

// tryTar fails for names that a tar cannot have.
func tryTar(entries ...member) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		if e.kind == 0 && strings.HasSuffix(e.name, "/") {
			e.kind = tar.TypeDir
		}
		h := &tar.Header{Name: e.name, Mode: e.mode, Size: int64(len(e.body)), Typeflag: e.kind, Linkname: e.link, ModTime: epoch}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write([]byte(e.body)); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

func zipOf(entries ...member) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: epoch}
		mode := os.FileMode(e.mode)
		switch e.kind {
		case tar.TypeSymlink:
			mode |= os.ModeSymlink
			e.body = e.link
		case tar.TypeFifo:
			mode |= os.ModeNamedPipe
		case tar.TypeChar:
			mode |= os.ModeDevice | os.ModeCharDevice
		}
		h.SetMode(mode)
		part, err := w.CreateHeader(h)
		if err != nil {
			panic(err)
		}
		if _, err := part.Write([]byte(e.body)); err != nil {
			panic(err)
		}
	}
	_ = w.Close()
	return out.Bytes()
}

func gz(text []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(text)
	_ = w.Close()
	return out.Bytes()
}

func xzOf(text []byte, dictionary int) []byte {
	var out bytes.Buffer
	w, err := xz.WriterConfig{DictCap: dictionary}.NewWriter(&out)
	if err != nil {
		panic(err)
	}
	_, _ = w.Write(text)
	_ = w.Close()
	return out.Bytes()
}

// greedyXz asks for a dictionary of 4 GiB: the byte that says so is changed, and the checksum of its header.
func greedyXz() []byte {
	out := xzOf([]byte("x"), 1<<20)
	header := out[12 : 12+4*(int(out[12])+1)]
	at := bytes.Index(header, []byte{0x21, 1}) // the id of LZMA2 and the size of what it is told
	header[at+2] = 40
	binary.LittleEndian.PutUint32(header[len(header)-4:], crc32.ChecksumIEEE(header[:len(header)-4]))
	return out
}

// unpackFile fetches a local archive of the given name and contents.
func unpackFile(t testing.TB, cfg Config, dir, name string, archive []byte) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(path, archive, 0o644))
	return open(t, cfg).Fetch(t.Context(), dir, nil, []Item{{URI: path, Extract: true, Cache: true}}, nil)
}

func TestArchiveForms(t *testing.T) {
	entries := []member{
		{name: "./", mode: 0o700}, // is the sandbox, which keeps its mode
		{name: "d/", mode: 0o500}, {name: "d/e/f", body: "deep", mode: 0o640}, {name: "run", body: "#!", mode: 0o4755}, {name: "empty", mode: 0o644},
	}
	links := []member{{name: "l", kind: tar.TypeSymlink, link: "d/e/f", mode: 0o777}, {name: "d/up", kind: tar.TypeSymlink, link: "../run", mode: 0o777}}
	want := map[string]string{
		"d/": "700", "d/e/": "755", "d/e/f": "640 deep", "run": "755 #!", "empty": "644 ", "l": "-> d/e/f", "d/up": "-> ../run",
	}
	packed := tarOf(append(slices.Clone(entries), links...)...)
	bz2, err := os.ReadFile("testdata/forms.tar.bz2")
	must(t, err)
	for name, archive := range map[string][]byte{
		"a.tar": packed, "a.tgz": gz(packed), "a.tar.gz": gz(packed), "a.txz": xzOf(packed, 1<<20), "a.tar.xz": xzOf(packed, 1<<20),
		"a.tbz2": bz2, "a.tar.bz2": bz2, "a.zip": zipOf(append(slices.Clone(entries), links...)...),
		"zip-by-its-bytes.tgz": zipOf(append(slices.Clone(entries), links...)...), "plain-by-its-bytes.tgz": packed,
	} {
		t.Run(name, func(t *testing.T) {
			dir := sandbox(t)
			must(t, unpackFile(t, Config{}, dir, name, archive))
			same(t, want, tree(t, dir))
			if info, err := os.Stat(filepath.Join(dir, "d/e/f")); err != nil || !info.ModTime().Equal(epoch) {
				t.Errorf("the file's time: %v %v", info.ModTime(), err)
			}
			if info, err := os.Stat(filepath.Join(dir, "d")); err != nil || !info.ModTime().Equal(epoch) {
				t.Errorf("the folder's time: %v %v", info.ModTime(), err)
			}
		})
	}
}

func TestHardLinks(t *testing.T) {
	dir := sandbox(t)
	must(t, unpackFile(t, Config{}, dir, "a.tar", tarOf(
		member{name: "d/a", body: "x", mode: 0o644}, member{name: "b", kind: tar.TypeLink, link: "d/a"}, member{name: "b", kind: tar.TypeLink, link: "b"})))
	same(t, map[string]string{"d/": "755", "d/a": "644 x", "b": "644 x"}, tree(t, dir))
}

// Nothing of an archive gets out of the sandbox, and what tries is named.
func TestEscapes(t *testing.T) {
	const symlink, hardlink = tar.TypeSymlink, tar.TypeLink
	file := func(name string) member { return member{name: name, body: "pwned", mode: 0o644} }
	link := func(name, target string) member { return member{name: name, kind: symlink, link: target, mode: 0o777} }
	cases := map[string]struct {
		entries []member
		text    string
	}{
		"climbs":                        {[]member{file("../evil")}, `"../evil" leaves the sandbox`},
		"climbs from inside":            {[]member{file("a/../../evil")}, "leaves the sandbox"},
		"climbs and comes back":         {[]member{file("a/../b")}, "leaves the sandbox"},
		"absolute":                      {[]member{file("/tmp/evil")}, "leaves the sandbox"},
		"absolute link":                 {[]member{link("l", "/etc")}, "leaves the sandbox"},
		"link climbs":                   {[]member{link("l", "..")}, "leaves the sandbox"},
		"link climbs from inside":       {[]member{link("a/l", "../../x")}, "leaves the sandbox"},
		"link climbs after going down":  {[]member{link("a/b/s", "../.."), link("l", "a/b/s/../x")}, "leaves the sandbox"},
		"link in a deeper-looking path": {[]member{link("a", "."), link("a/a/l", "../../x")}, "expected a folder"},
		"empty link":                    {[]member{link("l", "")}, ""},
		"file through a link":           {[]member{link("l", "d"), file("l/evil")}, "nothing is written through links"},
		"folder through a link":         {[]member{link("l", "d"), {name: "l/d/", mode: 0o755}}, "nothing is written through links"},
		"link as a folder":              {[]member{link("l", "d"), {name: "l/", mode: 0o755}}, "nothing is written through links"},
		"hard link out":                 {[]member{{name: "h", kind: hardlink, link: "../secret"}}, "leaves the sandbox"},
		"hard link absolute":            {[]member{{name: "h", kind: hardlink, link: "/etc/passwd"}}, "leaves the sandbox"},
		"hard link to a link":           {[]member{link("a/b/l", "../x"), {name: "h", kind: hardlink, link: "a/b/l"}}, "expected a file"},
		"hard link through a link":      {[]member{file("d/f"), link("l", "d"), {name: "h", kind: hardlink, link: "l/f"}}, "which is no folder"},
		"device":                        {[]member{{name: "null", kind: tar.TypeChar, mode: 0o666}}, "is a device"},
		"block device":                  {[]member{{name: "sda", kind: tar.TypeBlock, mode: 0o666}}, "is a device"},
		"pipe":                          {[]member{{name: "p", kind: tar.TypeFifo, mode: 0o666}}, "a pipe"},
		"folder in place of a file":     {[]member{file("a"), file("a/b")}, "expected a folder"},
		"file in place of a folder":     {[]member{file("a/b"), file("a")}, "is a folder"},
		"link in place of a folder":     {[]member{file("a/b"), link("a", "c")}, "is a folder"},
	}
	for name, c := range cases {
		for _, packed := range []string{"a.tar", "a.zip"} {
			hard := slices.ContainsFunc(c.entries, func(e member) bool { return e.kind == hardlink || e.kind == tar.TypeBlock })
			if packed == "a.zip" && hard {
				continue // zip has none
			}
			t.Run(name+" in "+packed, func(t *testing.T) {
				dir, pack := sandbox(t), tarOf
				if packed == "a.zip" {
					pack = zipOf
				}
				must(t, os.WriteFile(filepath.Join(dir, "../secret"), []byte("secret"), 0o644))
				refused(t, unpackFile(t, Config{}, dir, packed, pack(c.entries...)), packed, c.text)
				contained(t, dir)
			})
		}
	}
}

// contained fails if anything beside the sandbox changed, or a link in it leads out.
func contained(t testing.TB, dir string) {
	t.Helper()
	for name := range tree(t, filepath.Dir(dir)) {
		if name != "secret" && !strings.HasPrefix(name, "sandbox/") {
			t.Errorf("%s is outside the sandbox", name)
		}
	}
	for name, what := range tree(t, dir) {
		path := filepath.Join(dir, name)
		if strings.HasPrefix(what, "-> ") {
			if real, err := filepath.EvalSymlinks(path); err == nil && real != dir && !strings.HasPrefix(real, dir+"/") {
				t.Errorf("%s leads to %s", name, real)
			}
			// A link that leads to nothing now must not be able to lead out later, so it is followed by hand.
			if end := resolve(dir, filepath.Dir(name), strings.TrimPrefix(what, "-> "), 0); !within(dir, end) {
				t.Errorf("%s %s leads to %s", name, what, end)
			}
		}
		if info, err := os.Lstat(path); err == nil && info.Mode()&(os.ModeDevice|os.ModeNamedPipe|os.ModeSetuid|os.ModeSetgid) != 0 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
}

func within(dir, path string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

// resolve follows a target from a folder of root as the system would, as far as there is something.
func resolve(root, from, target string, depth int) string {
	at := filepath.Join(root, from)
	switch {
	case filepath.IsAbs(target):
		return target
	case depth > 40: // it goes round in circles: the system leads nowhere
		return root
	}
	for part := range strings.SplitSeq(target, "/") {
		at = filepath.Join(at, part)
		if !within(root, at) {
			return at
		}
		if next, err := os.Readlink(at); err == nil {
			rel, _ := filepath.Rel(root, filepath.Dir(at))
			if at = resolve(root, rel, next, depth+1); !within(root, at) {
				return at
			}
		}
	}
	return at
}

func TestBombs(t *testing.T) {
	zeros := string(make([]byte, 2<<20))
	small := Limits{Unpacked: 1 << 20, Entries: 10, Depth: 5, RatioFrom: 64 << 10, Ratio: 50}
	many := make([]member, 11)
	for n := range many {
		many[n] = member{name: fmt.Sprint(n), mode: 0o644}
	}
	long := make([]member, 3000)
	for n := range long {
		long[n] = member{name: fmt.Sprintf("%0200d", n), mode: 0o644}
	}
	noise := make([]byte, 2<<20)
	for n, x := 0, uint32(1); n < len(noise); n++ {
		x = x*1664525 + 1013904223
		noise[n] = byte(x >> 24)
	}
	cases := map[string]struct {
		archive []byte
		text    string
	}{
		"bytes.tar":      {tarOf(member{name: "a", body: zeros, mode: 0o644}), "more than 1048576 bytes"},
		"bytes.zip":      {zipOf(member{name: "a", body: string(noise), mode: 0o644}), "more than 1048576 bytes"},
		"bytes.gz":       {gz(noise), "more than 1048576 bytes"},
		"trailing.tgz":   {gz(append(tarOf(member{name: "a", mode: 0o644}), noise...)), "more than 1048576 bytes"},
		"ratio.tgz":      {gz(tarOf(member{name: "a", body: zeros, mode: 0o644})), "expected up to 50 times"},
		"ratio.zip":      {zipOf(member{name: "a", body: zeros, mode: 0o644}), "expected up to 50 times"},
		"ratio.gz":       {gz([]byte(zeros)), "expected up to 50 times"},
		"ratio.tar.xz":   {xzOf(tarOf(member{name: "a", body: zeros[:256<<10], mode: 0o644}), 1<<20), "expected up to 50 times"},
		"trailing.txz":   {xzOf(append(tarOf(member{name: "a", mode: 0o644}), zeros[:256<<10]...), 1<<20), "expected up to 50 times"},
		"entries.tar":    {tarOf(many...), "more than 10 entries"},
		"entries.zip":    {zipOf(many...), "more than 10 entries"},
		"directory.zip":  {zipOf(long...), "list of its entries is too long"},
		"depth.tar":      {tarOf(member{name: "a/b/c/d/e/f", mode: 0o644}), "6 folders deep, expected 5"},
		"depth.zip":      {zipOf(member{name: "a/b/c/d/e/f/", mode: 0o755}), "6 folders deep, expected 5"},
		"dictionary.txz": {greedyXz(), "dictionary"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dir := sandbox(t)
			refused(t, unpackFile(t, Config{Limits: small}, dir, name, c.archive), name, c.text)
			contained(t, dir)
			for file, what := range tree(t, dir) {
				if strings.HasSuffix(what, " bytes") {
					t.Errorf("%s stayed, %s", file, what)
				}
			}
		})
	}
	must(t, unpackFile(t, Config{Limits: Limits{Entries: 3000}}, sandbox(t), "directory.zip", zipOf(long...)))
}

func TestDamagedArchives(t *testing.T) {
	packed := gz(tarOf(member{name: "a", body: strings.Repeat("abc", 1000), mode: 0o644}))
	zipped := zipOf(member{name: "a", body: strings.Repeat("abc", 1000), mode: 0o644})
	flip := func(b []byte, at int) []byte {
		b = slices.Clone(b)
		b[at] ^= 0xff
		return b
	}
	encrypted := slices.Clone(zipped)
	encrypted[6] |= 1
	encrypted[bytes.Index(encrypted, []byte("PK\x01\x02"))+8] |= 1
	for name, c := range map[string]struct {
		archive []byte
		text    string
	}{
		"text.tgz":      {[]byte("this is not an archive, it only has the name of one"), "not an archive"},
		"text.zip":      {[]byte("PKthis is not an archive"), "not an archive"},
		"text.gz":       {[]byte("this is not a gzip file"), "not a gzip file"},
		"text.txz":      {append([]byte("\xfd7zXZ\x00"), "garbage garbage"...), "damaged archive"},
		"text.tbz2":     {[]byte("BZh9garbage garbage garbage"), "damaged archive"},
		"cut.tgz":       {packed[:len(packed)-20], "damaged archive"},
		"checksum.tgz":  {flip(packed, len(packed)-6), "damaged archive"},
		"checksum.zip":  {flip(zipped, bytes.Index(zipped, []byte("PK\x01\x02"))+16), "damaged archive"},
		"cut.zip":       {zipped[:len(zipped)-10], "not an archive"},
		"encrypted.zip": {encrypted, "encrypted"},
		"cut.tar":       {tarOf(member{name: "a", body: strings.Repeat("x", 5000), mode: 0o644})[:2000], "damaged archive"},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, unpackFile(t, Config{}, sandbox(t), name, c.archive), name, c.text)
		})
	}
}
