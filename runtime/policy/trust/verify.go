package trust

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/artifact"
)

// ErrUntrusted is about a module that those have not signed who have to.
var ErrUntrusted = errors.New("the module is not trusted")

// Signer is a trusted key that has signed a module.
type Signer struct {
	Name  string `json:"name"`
	KeyID string `json:"keyId"`
}

// Required tells whether the module that the operator calls so has to be signed;
// "" is one without a name.
func (v *Verifier) Required(name string) bool { return v.rule(name).require }

// rule is the one that holds for a module.
func (v *Verifier) rule(name string) rule {
	if r, ok := v.except[name]; ok && name != "" {
		return r
	}
	return v.all
}

// Seal is what signatures say something about: a module without its bytes.
type Seal struct {
	digest        string
	name, version string            // of the manifest, "" without one
	files         map[string]string // the digests of its files by their names
	signatures    [][]byte
}

// SealOf hashes the bytes of a module.
func SealOf(m *artifact.Module) Seal {
	return Seal{digest: artifact.Digest(m.Bytes), name: m.Name, version: m.Version, files: m.FileDigests(), signatures: m.Signatures}
}

// Verify returns who of those trusted has signed the bytes of a module, sorted by
// name. It is an error, of ErrUntrusted, when signatures are required and some are
// missing; it says which. name is what the operator calls the module.
func (v *Verifier) Verify(name string, m *artifact.Module, now time.Time) ([]Signer, error) {
	return v.verify(name, SealOf(m), now)
}

func (v *Verifier) verify(name string, s Seal, now time.Time) ([]Signer, error) {
	f := &findings{seal: s}
	for i, data := range s.signatures {
		if i == maxEnvelopes {
			f.note("it carries more than %d signatures; the others are not looked at", maxEnvelopes)
			break
		}
		f.look(v.keys, i, data, now)
	}
	slices.SortFunc(f.signers, func(a, b Signer) int { return strings.Compare(a.Name, b.Name) })
	r := v.rule(name)
	if !r.require {
		return f.signers, nil
	}
	if missing := r.missing(f.signers); missing != "" {
		return f.signers, fmt.Errorf("%w: %s", ErrUntrusted, f.story(missing, len(s.signatures)))
	}
	return f.signers, nil
}

// maxEnvelopes bounds the work that a module causes.
const maxEnvelopes = 32

// findings is what the signatures of a module turned out to be.
type findings struct {
	seal    Seal
	signers []Signer
	notes   []string // on signatures that do not count
}

func (f *findings) note(format string, args ...any) {
	f.notes = append(f.notes, fmt.Sprintf(format, args...))
}

// look takes the signatures of an envelope into account. The number is for
// messages.
func (f *findings) look(keys []trusted, number int, data []byte, now time.Time) {
	m, err := openEnvelope(data)
	if err != nil {
		f.note("signature %d cannot be read: %v", number+1, err)
		return
	}
	for _, c := range m.signatures {
		i := slices.IndexFunc(keys, func(t trusted) bool { return t.key.verify(m.signed, c.sig) })
		if i < 0 {
			f.note("%s", stranger(keys, c))
			continue
		}
		f.count(keys[i], m, now)
	}
}

// stranger describes a signature that fits no key. The id it carries is the word
// of whoever wrote it.
func stranger(keys []trusted, c claim) string {
	if i := slices.IndexFunc(keys, func(t trusted) bool { return t.key.id == c.keyID }); i >= 0 {
		return fmt.Sprintf("it carries a signature that names key %s, and that is not one of it", keys[i].name)
	}
	if c.keyID == "" {
		return "it carries a signature of an unknown key"
	}
	return fmt.Sprintf("it carries a signature of key id %.100q, which is not trusted", c.keyID)
}

// count adds a signer if what was signed is about this module.
func (f *findings) count(t trusted, m *message, now time.Time) {
	s, err := m.statement()
	switch {
	case err != nil:
		f.note("what %s has signed cannot be read: %v", t.name, err)
	case s.Digest != f.seal.digest:
		f.note("what %s has signed is %s@%s of digest %s, this module's is %s", t.name, s.Name, s.Version, s.Digest, f.seal.digest)
	case !maps.Equal(s.Files, f.seal.files):
		f.note("what %s has signed has other files beside it: %s", t.name, difference(s.Files, f.seal.files))
	case f.seal.name != "" && (s.Name != f.seal.name || s.Version != f.seal.version):
		f.note("%s has signed it as %s@%s, but its manifest says %s@%s", t.name, s.Name, s.Version, f.seal.name, f.seal.version)
	case !t.notAfter.IsZero() && now.After(t.notAfter):
		f.note("%s has signed it, but that key is trusted until %s only", t.name, t.notAfter.UTC().Format(time.RFC3339))
	case !slices.ContainsFunc(f.signers, func(s Signer) bool { return s.KeyID == t.key.id }):
		f.signers = append(f.signers, Signer{t.name, t.key.id})
	}
}

// difference tells the files apart that were signed and that are there.
func difference(signed, there map[string]string) string {
	var all []string
	for name, digest := range signed {
		switch there[name] {
		case digest:
		case "":
			all = append(all, "there is no "+name)
		default:
			all = append(all, name+" is another one")
		}
	}
	for name := range there {
		if signed[name] == "" {
			all = append(all, name+" is not signed")
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// missing says what a rule lacks, "" for nothing.
func (r rule) missing(signers []Signer) string {
	signed := func(name string) bool {
		return slices.ContainsFunc(signers, func(s Signer) bool { return s.Name == name })
	}
	var lacks []string
	if open := slices.DeleteFunc(slices.Clone(r.allOf), signed); len(open) > 0 {
		lacks = append(lacks, "it needs the signatures of all of "+strings.Join(r.allOf, ", ")+" and lacks "+strings.Join(open, ", "))
	}
	open := slices.DeleteFunc(slices.Clone(r.anyOf), signed)
	if have := len(r.anyOf) - len(open); have < r.min {
		lacks = append(lacks, fmt.Sprintf("it needs %d of the signatures of %s and has %d", r.min, strings.Join(r.anyOf, ", "), have))
	}
	return strings.Join(lacks, "; ")
}

// story says what was found, then what is missing.
func (f *findings) story(missing string, envelopes int) string {
	found := "signed by nobody that is trusted"
	if envelopes == 0 {
		found = "it is not signed"
	} else if len(f.signers) > 0 {
		var names []string
		for _, s := range f.signers {
			names = append(names, s.Name)
		}
		found = "signed by " + strings.Join(names, ", ")
	}
	return strings.Join(append([]string{found, missing}, f.notes...), "; ")
}
