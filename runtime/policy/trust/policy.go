// Package trust decides whether a policy module may be loaded: whether it is the
// one that was asked for, and whether those have signed it who have to.
//
// Signatures are DSSE envelopes (https://github.com/secure-systems-lab/dsse,
// version 1.0.2) around a Statement, by static Ed25519 or ECDSA P-256 keys. The
// implementation is this package's own: it is a hundred lines over the standard
// library, and no service has to be reached to verify one.
package trust

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Policy is the trust block of policies.yaml. The zero value trusts everything.
type Policy struct {
	// Require says whether a module has to be signed to be loaded.
	Require bool `yaml:"require" json:"require,omitempty"`
	// Keys are those that are trusted. By default a signature of any one suffices.
	Keys []Key `yaml:"keys" json:"keys,omitempty"`
	// AllOf names keys that all have to have signed.
	AllOf []string `yaml:"allOf" json:"allOf,omitempty"`
	// AnyOf names keys of which some have to have signed, beside those of AllOf.
	AnyOf *AnyOf `yaml:"anyOf" json:"anyOf,omitempty"`
	// Modules are exceptions, by the name that the operator gives to a module. It is
	// not the one in the module's own manifest, which whoever made it can choose.
	Modules map[string]Exception `yaml:"modules" json:"modules,omitempty"`
}

// Key is a public key and what it is called.
type Key struct {
	Name string `yaml:"name" json:"name"`
	// File holds the key in PEM (PKIX); a relative path starts from the folder of
	// policies.yaml. Either File or PEM is given.
	File string `yaml:"file" json:"file,omitempty"`
	// PEM is the key itself.
	PEM string `yaml:"pem" json:"pem,omitempty"`
	// NotAfter is when the key ceases to be trusted, also for what it signed before:
	// there is nobody who would attest when that was. Zero is never.
	NotAfter time.Time `yaml:"notAfter" json:"notAfter,omitzero"`
}

// AnyOf wants some of several keys.
type AnyOf struct {
	Keys []string `yaml:"keys" json:"keys"`
	// MinMatches is how many; 0 is 1.
	MinMatches int `yaml:"minMatches" json:"minMatches,omitempty"`
}

// Exception is what holds for one module instead.
type Exception struct {
	// Require is nil for what holds for all.
	Require *bool `yaml:"require" json:"require,omitempty"`
	// AllOf and AnyOf, if one is given, take the place of both that hold for all.
	AllOf []string `yaml:"allOf" json:"allOf,omitempty"`
	AnyOf *AnyOf   `yaml:"anyOf" json:"anyOf,omitempty"`
}

// Verifier is a policy whose keys are read. It does not change.
type Verifier struct {
	keys   []trusted
	all    rule
	except map[string]rule
}

// trusted is a key with its name.
type trusted struct {
	name     string
	key      PublicKey
	notAfter time.Time
}

// rule is what has to be signed by whom. The names are of keys.
type rule struct {
	require bool
	allOf   []string
	anyOf   []string
	min     int // of anyOf
}

// maxKeys bounds the work that a module's signatures cause, maxKeyFile is the
// size of a key's file in bytes.
const (
	maxKeys    = 64
	maxKeyFile = 16 << 10
)

// Compile checks the policy and reads its keys; dir is the folder of
// policies.yaml. The error lists all faults, each with its field.
func (p Policy) Compile(dir string) (*Verifier, error) {
	v := &Verifier{except: map[string]rule{}}
	faults := v.readKeys(p.Keys, dir)
	names := map[string]bool{}
	for _, k := range p.Keys {
		names[k.Name] = true
	}
	var more []error
	v.all, more = newRule("trust", Exception{&p.Require, p.AllOf, p.AnyOf}, rule{}, names)
	faults = append(faults, more...)
	for _, name := range slices.Sorted(maps.Keys(p.Modules)) {
		v.except[name], more = newRule("trust.modules."+name, p.Modules[name], v.all, names)
		faults = append(faults, more...)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return v, nil
}

// readKeys takes the keys in, each once: two names for one key would make two
// signers of one.
func (v *Verifier) readKeys(keys []Key, dir string) (faults []error) {
	if len(keys) > maxKeys {
		return []error{fmt.Errorf("trust.keys: %d keys, expected up to %d", len(keys), maxKeys)}
	}
	names, ids := map[string]int{}, map[string]string{}
	for i, k := range keys {
		field := fmt.Sprintf("trust.keys[%d]", i)
		if k.Name == "" {
			faults = append(faults, fmt.Errorf("%s.name: expected a name", field))
		} else if first, ok := names[k.Name]; ok {
			faults = append(faults, fmt.Errorf("%s.name: %q is the name of trust.keys[%d] already", field, k.Name, first))
		} else {
			names[k.Name] = i
		}
		key, err := k.read(dir)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", field, err))
			continue
		}
		if other, ok := ids[key.id]; ok {
			faults = append(faults, fmt.Errorf("%s: it is the same key as %q", field, other))
		}
		ids[key.id] = k.Name
		v.keys = append(v.keys, trusted{k.Name, key, k.NotAfter})
	}
	return faults
}

// read returns the key that k describes.
func (k Key) read(dir string) (PublicKey, error) {
	if (k.File == "") == (k.PEM == "") {
		return PublicKey{}, errors.New("expected either file or pem")
	}
	if k.PEM != "" {
		key, err := ParsePublicKey([]byte(k.PEM))
		if err != nil {
			return PublicKey{}, fmt.Errorf("pem: %w", err)
		}
		return key, nil
	}
	path := k.File
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	text, err := ReadKeyFile(path)
	if err != nil {
		return PublicKey{}, fmt.Errorf("file: %w", err)
	}
	key, err := ParsePublicKey(text)
	if err != nil {
		return PublicKey{}, fmt.Errorf("file: %s: %w", path, err)
	}
	return key, nil
}

// ReadKeyFile reads a file that holds a key, and refuses one that cannot.
func ReadKeyFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxKeyFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxKeyFile {
		return nil, fmt.Errorf("%s: larger than %d bytes, expected a key in PEM", path, maxKeyFile)
	}
	return text, nil
}

// newRule makes the rule of a field from what it says and what else would hold.
func newRule(field string, e Exception, general rule, names map[string]bool) (rule, []error) {
	r := general
	if e.Require != nil {
		r.require = *e.Require
	}
	said := len(e.AllOf) > 0 || e.AnyOf != nil
	if said {
		r.allOf, r.anyOf, r.min = e.AllOf, nil, 0
	}
	faults := checkNames(field+".allOf", e.AllOf, names)
	if e.AnyOf != nil {
		r.anyOf, r.min = e.AnyOf.Keys, max(1, e.AnyOf.MinMatches)
		faults = append(faults, checkNames(field+".anyOf.keys", r.anyOf, names)...)
		if e.AnyOf.MinMatches < 0 || r.min > len(r.anyOf) {
			faults = append(faults, fmt.Errorf("%s.anyOf.minMatches: %d, expected 1 to the number of keys, %d", field, e.AnyOf.MinMatches, len(r.anyOf)))
		}
	}
	if said && !r.require {
		faults = append(faults, fmt.Errorf("%s.require: expected true, since allOf or anyOf say who has to sign", field))
	}
	if len(r.allOf) == 0 && r.anyOf == nil {
		r.anyOf, r.min = slices.Sorted(maps.Keys(names)), 1
	}
	if r.require && len(names) == 0 {
		faults = append(faults, fmt.Errorf("%s.require: signatures are required, but trust.keys is empty", field))
	}
	return r, faults
}

// checkNames refuses names that no key has, or that are given twice.
func checkNames(field string, list []string, names map[string]bool) (faults []error) {
	for i, n := range list {
		if !names[n] {
			faults = append(faults, fmt.Errorf("%s[%d]: %q is not the name of one of trust.keys", field, i, n))
		}
		if slices.Contains(list[:i], n) {
			faults = append(faults, fmt.Errorf("%s[%d]: %q is named twice", field, i, n))
		}
	}
	return faults
}
