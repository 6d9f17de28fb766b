package trust

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pacer-run/pacer/runtime/policy/artifact"
)

// payloadType says what is inside of an envelope. It is signed with the payload,
// so a signature made for another purpose is none of a module.
const payloadType = "application/vnd.pacer.policy.statement.v1+json"

// Statement is what a signer says: the module of that digest, with those files beside
// it and no others, is that version of the module of that name.
type Statement struct {
	Digest  string `json:"digest"` // sha256:… of the module's bytes
	Name    string `json:"name"`
	Version string `json:"version"`
	// Files are the digests of the files of a process, by their names.
	Files map[string]string `json:"files,omitempty"`
}

// envelope is the form of a signed message that DSSE 1.0.2 defines
// (https://github.com/secure-systems-lab/dsse, envelope.md).
type envelope struct {
	PayloadType string      `json:"payloadType"`
	Payload     string      `json:"payload"` // base64
	Signatures  []signature `json:"signatures"`
}

// signature is one of possibly several in an envelope. The id of its key is a
// hint that nobody signed, and of use in messages alone.
type signature struct {
	KeyID string `json:"keyid,omitempty"`
	Sig   string `json:"sig"` // base64
}

// pae is the pre-authentication encoding of DSSE 1.0.2 (protocol.md, "Signature
// Definition"): what is signed in place of the payload.
func pae(payloadType string, payload []byte) []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(payload), payload)
}

// Sign makes an envelope in which the key's owner says who the module is. Name
// and version are needed for a module without a manifest, and otherwise have to
// be the manifest's or "".
func Sign(key *PrivateKey, m *artifact.Module, name, version string) ([]byte, error) {
	s := Statement{Digest: artifact.Digest(m.Bytes), Name: m.Name, Version: m.Version, Files: m.FileDigests()}
	for _, f := range []struct {
		what, given string
		value       *string
	}{{"name", name, &s.Name}, {"version", version, &s.Version}} {
		if *f.value != "" && f.given != "" && *f.value != f.given {
			return nil, fmt.Errorf("%s: %q is not what the module's manifest says, %q", f.what, f.given, *f.value)
		}
		if f.given != "" {
			*f.value = f.given
		}
		if *f.value == "" {
			return nil, fmt.Errorf("%s: the module's manifest has none, so one has to be given", f.what)
		}
	}
	payload, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	sig, err := key.sign(pae(payloadType, payload))
	if err != nil {
		return nil, err
	}
	return json.Marshal(envelope{
		PayloadType: payloadType, Payload: base64.StdEncoding.EncodeToString(payload),
		Signatures: []signature{{KeyID: key.public.id, Sig: base64.StdEncoding.EncodeToString(sig)}},
	})
}

// maxPerEnvelope bounds the work that an envelope causes.
const maxPerEnvelope = 4

// message is an envelope that was taken apart. Nothing of it is to be believed
// before a signature fits.
type message struct {
	signed     []byte // what the signatures are over
	payload    []byte
	signatures []claim
}

// claim is a signature of a message.
type claim struct {
	keyID string
	sig   []byte
}

// openEnvelope takes an envelope apart.
func openEnvelope(data []byte) (*message, error) {
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("not a DSSE envelope: %w", err)
	}
	if e.PayloadType != payloadType {
		return nil, fmt.Errorf("payloadType is %.100q, expected %q", e.PayloadType, payloadType)
	}
	payload, err := decode64(e.Payload)
	if err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	if n := len(e.Signatures); n == 0 || n > maxPerEnvelope {
		return nil, fmt.Errorf("it holds %d signatures, expected 1 to %d", n, maxPerEnvelope)
	}
	m := &message{signed: pae(e.PayloadType, payload), payload: payload}
	for i, s := range e.Signatures {
		sig, err := decode64(s.Sig)
		if err != nil {
			return nil, fmt.Errorf("signatures[%d].sig: %w", i, err)
		}
		m.signatures = append(m.signatures, claim{s.KeyID, sig})
	}
	return m, nil
}

// decode64 reads base64 in either alphabet, as DSSE has it.
func decode64(text string) ([]byte, error) {
	encoding := base64.StdEncoding
	if strings.ContainsAny(text, "-_") {
		encoding = base64.URLEncoding
	}
	data, err := encoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("expected base64")
	}
	return data, nil
}

// statement reads the payload, once a signature was found to fit.
func (m *message) statement() (Statement, error) {
	var s Statement
	if err := json.Unmarshal(m.payload, &s); err != nil {
		return Statement{}, fmt.Errorf("payload: %w", err)
	}
	for _, d := range s.Files {
		if err := artifact.CheckDigest(d); err != nil {
			return s, err
		}
	}
	return s, artifact.CheckDigest(s.Digest)
}

// Claims returns what an envelope says, and the ids of the keys that it says have
// signed it. Nothing of it is verified.
func Claims(data []byte) (Statement, []string, error) {
	m, err := openEnvelope(data)
	if err != nil {
		return Statement{}, nil, err
	}
	var ids []string
	for _, c := range m.signatures {
		ids = append(ids, c.keyID)
	}
	s, err := m.statement()
	return s, ids, err
}
