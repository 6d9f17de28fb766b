package trust

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy/artifact"
	"github.com/pacer-run/pacer/runtime/policy/artifact/artifacttest"
)

// expect wants an error of a kind, nil for any, that says all of the words.
func expect(t *testing.T, err, kind error, words ...string) {
	t.Helper()
	if err == nil || kind != nil && !errors.Is(err, kind) {
		t.Fatalf("got error %v, want one of %v", err, kind)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("got error %v, want it to say %q", err, w)
		}
	}
}

// people are keys by name.
func people(t *testing.T, names ...string) (map[string]*PrivateKey, []Key) {
	t.Helper()
	private := map[string]*PrivateKey{}
	var public []Key
	for i, n := range names {
		private[n] = generate(t, []Algorithm{Ed25519, ECDSAP256}[i%2])
		public = append(public, Key{Name: n, PEM: string(must(private[n].Public().PEM())(t))})
	}
	return private, public
}

func compile(t *testing.T, p Policy) *Verifier {
	t.Helper()
	return must(p.Compile(""))(t)
}

func module(t *testing.T, name, version, body string) *artifact.Module {
	t.Helper()
	return must(artifact.New(artifacttest.Module(name, version, body)))(t)
}

// sign adds signatures to a module.
func sign(t *testing.T, m *artifact.Module, keys ...*PrivateKey) *artifact.Module {
	t.Helper()
	for _, k := range keys {
		m.Signatures = append(m.Signatures, must(Sign(k, m, "", ""))(t))
	}
	return m
}

// names are those of signers.
func names(list []Signer) []string {
	var out []string
	for _, s := range list {
		out = append(out, s.Name)
	}
	return out
}

func TestWhoHasToSign(t *testing.T) {
	private, public := people(t, "ann", "ben", "cem", "dora")
	yes, no := true, false
	policies := map[string]Policy{
		"any":      {Require: true, Keys: public},
		"all":      {Require: true, Keys: public, AllOf: []string{"ann", "ben"}},
		"two of":   {Require: true, Keys: public, AnyOf: &AnyOf{[]string{"ann", "ben", "cem"}, 2}},
		"both":     {Require: true, Keys: public, AllOf: []string{"dora"}, AnyOf: &AnyOf{Keys: []string{"ann", "ben"}}},
		"nobody":   {Keys: public},
		"no keys":  {},
		"loosened": {Require: true, Keys: public, Modules: map[string]Exception{"m": {Require: &no}}},
		"tighter":  {Keys: public, Modules: map[string]Exception{"m": {Require: &yes, AllOf: []string{"cem"}}}},
		"other":    {Require: true, Keys: public, AllOf: []string{"ann"}, Modules: map[string]Exception{"x": {AllOf: []string{"cem"}}}},
	}
	for _, c := range []struct{ policy, signed, want string }{ // want "" is taken
		{"any", "cem", ""},
		{"any", "", "it is not signed; it needs 1 of the signatures of ann, ben, cem, dora and has 0"},
		{"all", "ann ben", ""},
		{"all", "cem ben ann", ""},
		{"all", "ann", "signed by ann; it needs the signatures of all of ann, ben and lacks ben"},
		{"all", "cem dora", "lacks ann, ben"},
		{"two of", "ann cem", ""},
		{"two of", "ann dora", "it needs 2 of the signatures of ann, ben, cem and has 1"},
		{"two of", "ann ann", "and has 1"},
		{"both", "dora ben", ""},
		{"both", "dora", "it needs 1 of the signatures of ann, ben and has 0"},
		{"both", "cem", "lacks dora; it needs 1 of the signatures of ann, ben and has 0"},
		{"nobody", "", ""},
		{"no keys", "ann", ""},
		{"loosened", "", ""},
		{"tighter", "ann", "lacks cem"},
		{"tighter", "cem", ""},
		{"other", "ann", ""},
		{"other", "cem", "lacks ann"},
	} {
		m := module(t, "m", "1.0.0", "")
		var want []string
		for n := range strings.FieldsSeq(c.signed) {
			sign(t, m, private[n])
		}
		for _, n := range []string{"ann", "ben", "cem", "dora"} {
			if strings.Contains(c.signed, n) && c.policy != "no keys" {
				want = append(want, n)
			}
		}
		got, err := compile(t, policies[c.policy]).Verify("m", m, time.Time{})
		if diff := cmp.Diff(want, names(got)); diff != "" {
			t.Errorf("%s, signed by %q: (-want +got)\n%s", c.policy, c.signed, diff)
		}
		if c.want == "" && err != nil {
			t.Errorf("%s, signed by %q: %v", c.policy, c.signed, err)
		} else if c.want != "" {
			expect(t, err, ErrUntrusted, c.want)
		}
	}
}

// A module chooses the name in its manifest; an exception is not for the asking.
func TestAnExceptionIsByTheOperatorsName(t *testing.T) {
	_, public := people(t, "ann")
	no := false
	v := compile(t, Policy{Require: true, Keys: public, Modules: map[string]Exception{"trusted": {Require: &no}}})
	m := module(t, "trusted", "1.0.0", "")
	for _, name := range []string{"", "other"} {
		_, err := v.Verify(name, m, time.Time{})
		expect(t, err, ErrUntrusted, "it is not signed")
	}
}

// open reads an envelope for changing it.
func open(t *testing.T, data []byte) envelope {
	t.Helper()
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestSignaturesThatDoNotCount(t *testing.T) {
	private, public := people(t, "ann")
	stranger := generate(t, ECDSAP256)
	v := compile(t, Policy{Require: true, Keys: public})
	m, other := module(t, "m", "1.0.0", "one"), module(t, "m", "1.0.0", "two")
	good := must(Sign(private["ann"], m, "", ""))(t)
	change := func(f func(*envelope)) []byte {
		e := open(t, good)
		f(&e)
		return must(json.Marshal(e))(t)
	}
	signAs := func(payloadType, payload string) []byte {
		sig := must(private["ann"].sign(pae(payloadType, []byte(payload))))(t)
		return must(json.Marshal(envelope{payloadType, base64.StdEncoding.EncodeToString([]byte(payload)), []signature{{Sig: base64.StdEncoding.EncodeToString(sig)}}}))(t)
	}
	for name, c := range map[string]struct {
		envelope []byte
		want     string
	}{
		"a stranger's": {must(Sign(stranger, m, "", ""))(t), "signed by nobody that is trusted; it needs 1 of the signatures of ann and has 0; it carries a signature of key id \"" + stranger.Public().ID()},
		"a stranger's in another's name": {change(func(e *envelope) {
			e.Signatures[0] = open(t, must(Sign(stranger, m, "", ""))(t)).Signatures[0]
			e.Signatures[0].KeyID = private["ann"].Public().ID()
		}), "it carries a signature that names key ann, and that is not one of it"},
		"over other bytes":     {must(Sign(private["ann"], other, "", ""))(t), "what ann has signed is m@1.0.0 of digest " + other.Digest + ", this module's is " + m.Digest},
		"under another name":   {signAs(payloadType, `{"digest":"`+m.Digest+`","name":"n","version":"1.0.0"}`), "ann has signed it as n@1.0.0, but its manifest says m@1.0.0"},
		"for another purpose":  {signAs("application/vnd.in-toto+json", string(must(base64.StdEncoding.DecodeString(open(t, good).Payload))(t))), `payloadType is "application/vnd.in-toto+json"`},
		"of no statement":      {signAs(payloadType, `[]`), "what ann has signed cannot be read"},
		"of no digest":         {signAs(payloadType, `{"digest":"sha256:1"}`), "what ann has signed cannot be read"},
		"with another payload": {change(func(e *envelope) { e.Payload = open(t, must(Sign(private["ann"], other, "", ""))(t)).Payload }), "not one of it"},
		"with no key id":       {change(func(e *envelope) { e.Signatures[0] = signature{Sig: "AAAA"} }), "a signature of an unknown key"},
		"not in base64":        {change(func(e *envelope) { e.Signatures[0].Sig = "%" }), "signatures[0].sig: expected base64"},
		"a payload not either": {change(func(e *envelope) { e.Payload = "%" }), "payload: expected base64"},
		"none":                 {change(func(e *envelope) { e.Signatures = nil }), "it holds 0 signatures"},
		"five":                 {change(func(e *envelope) { e.Signatures = make([]signature, 5) }), "it holds 5 signatures"},
		"no envelope":          {[]byte(`[]`), "signature 1 cannot be read: not a DSSE envelope"},
	} {
		t.Run(name, func(t *testing.T) {
			m.Signatures = [][]byte{c.envelope}
			signers, err := v.Verify("m", m, time.Time{})
			if len(signers) > 0 {
				t.Errorf("signers %v", signers)
			}
			expect(t, err, ErrUntrusted, c.want)
			// Nor does it spoil a good one beside it.
			m.Signatures = [][]byte{c.envelope, good}
			if _, err := v.Verify("m", m, time.Time{}); err != nil {
				t.Errorf("beside a good one: %v", err)
			}
		})
	}
}

func TestDSSEOfOthers(t *testing.T) {
	private, public := people(t, "ann", "ben")
	v := compile(t, Policy{Require: true, Keys: public, AllOf: []string{"ann", "ben"}})
	m := module(t, "m", "1.0.0", "")
	// One envelope with two signatures, base64 of URLs, no ids.
	a, b := open(t, must(Sign(private["ann"], m, "", ""))(t)), open(t, must(Sign(private["ben"], m, "", ""))(t))
	if a.Payload != b.Payload {
		t.Fatal("two payloads for one statement")
	}
	a.Signatures = append(a.Signatures, b.Signatures...)
	for i, s := range a.Signatures {
		a.Signatures[i] = signature{Sig: base64.URLEncoding.EncodeToString(must(base64.StdEncoding.DecodeString(s.Sig))(t))}
	}
	m.Signatures = [][]byte{must(json.Marshal(a))(t)}
	if got, err := v.Verify("m", m, time.Time{}); err != nil || len(got) != 2 {
		t.Errorf("signers %v, %v", got, err)
	}
}

func TestAKeyExpires(t *testing.T) {
	private, public := people(t, "ann")
	end := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	public[0].NotAfter = end
	v := compile(t, Policy{Require: true, Keys: public})
	m := sign(t, module(t, "m", "1.0.0", ""), private["ann"])
	if _, err := v.Verify("m", m, end); err != nil {
		t.Error(err)
	}
	_, err := v.Verify("m", m, end.Add(time.Second))
	expect(t, err, ErrUntrusted, "ann has signed it, but that key is trusted until 2027-01-01T00:00:00Z only")
}

func TestSigningNeedsAName(t *testing.T) {
	key := generate(t, Ed25519)
	bare := must(artifact.New(artifacttest.Bare()))(t)
	named := module(t, "m", "1.0.0", "")
	_, err := Sign(key, bare, "", "1")
	expect(t, err, nil, "name:", "one has to be given")
	_, err = Sign(key, bare, "m", "")
	expect(t, err, nil, "version:", "one has to be given")
	_, err = Sign(key, named, "n", "")
	expect(t, err, nil, `"n" is not what the module's manifest says, "m"`)
	for _, m := range []*artifact.Module{bare, named} {
		s, ids, err := Claims(must(Sign(key, m, "m", "1.0.0"))(t))
		want := Statement{Digest: m.Digest, Name: "m", Version: "1.0.0"}
		if err != nil || !reflect.DeepEqual(s, want) || len(ids) != 1 || ids[0] != key.Public().ID() {
			t.Errorf("the envelope says %+v by %q, %v", s, ids, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	key, err := GenerateKey(Ed25519)
	if err != nil {
		f.Fatal(err)
	}
	m, err := artifact.New(artifacttest.Module("m", "1.0.0", ""))
	if err != nil {
		f.Fatal(err)
	}
	good, err := Sign(key, m, "", "")
	if err != nil {
		f.Fatal(err)
	}
	public, err := key.Public().PEM()
	if err != nil {
		f.Fatal(err)
	}
	v, err := Policy{Require: true, Keys: []Key{{Name: "k", PEM: string(public)}}}.Compile("")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"payloadType":"x","signatures":[{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		stranger := *m
		stranger.Bytes, stranger.Signatures = artifacttest.Module("m", "1.0.0", "other"), [][]byte{data}
		if signers, err := v.Verify("", &stranger, time.Time{}); err == nil || len(signers) > 0 {
			t.Errorf("a module that nobody has signed was taken, signed by %v", signers)
		}
	})
}
