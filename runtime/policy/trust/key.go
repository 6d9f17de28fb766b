package trust

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// Types of the PEM blocks that keys are in.
const (
	publicBlock  = "PUBLIC KEY"  // PKIX
	privateBlock = "PRIVATE KEY" // PKCS #8
)

// PublicKey verifies signatures.
type PublicKey struct {
	key crypto.PublicKey // ed25519.PublicKey, or *ecdsa.PublicKey on P-256
	id  string
}

// PrivateKey makes signatures.
type PrivateKey struct {
	key    crypto.Signer // ed25519.PrivateKey, or *ecdsa.PrivateKey on P-256
	public PublicKey
}

// Algorithm is the kind of a key.
type Algorithm string

// The algorithms there are.
const (
	Ed25519   Algorithm = "ed25519"
	ECDSAP256 Algorithm = "ecdsa-p256"
)

// GenerateKey makes a key.
func GenerateKey(a Algorithm) (*PrivateKey, error) {
	switch a {
	case Ed25519:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, err
		}
		return newPrivate(key)
	case ECDSAP256:
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		return newPrivate(key)
	}
	return nil, fmt.Errorf("algorithm %q: expected %s or %s", a, Ed25519, ECDSAP256)
}

// ParsePublicKey reads a public key in PEM.
func ParsePublicKey(text []byte) (PublicKey, error) {
	der, err := parsePEM(text, publicBlock)
	if err != nil {
		return PublicKey{}, err
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return PublicKey{}, fmt.Errorf("the block %s holds no PKIX key: %w", publicBlock, err)
	}
	return newPublic(key)
}

// ParsePrivateKey reads a private key in PEM. It is not encrypted.
func ParsePrivateKey(text []byte) (*PrivateKey, error) {
	der, err := parsePEM(text, privateBlock)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("the block %s holds no PKCS #8 key: %w", privateBlock, err)
	}
	return newPrivate(key)
}

// parsePEM returns the content of the one block that a file has.
func parsePEM(text []byte, want string) ([]byte, error) {
	block, rest := pem.Decode(text)
	switch {
	case block == nil:
		return nil, fmt.Errorf("expected a PEM block %s, whole from -----BEGIN to -----END", want)
	case block.Type == want && len(bytes.TrimSpace(rest)) > 0:
		return nil, fmt.Errorf("expected one PEM block %s and nothing after it", want)
	case block.Type == want:
		return block.Bytes, nil
	case want == publicBlock && strings.HasSuffix(block.Type, privateBlock):
		return nil, errors.New("this is a private key, expected the public one: openssl pkey -pubout makes it")
	case want == privateBlock && block.Type == "ENCRYPTED PRIVATE KEY":
		return nil, errors.New("the key is encrypted, which is not supported: openssl pkcs8 decrypts it")
	case want == privateBlock && strings.HasSuffix(block.Type, privateBlock), strings.HasSuffix(block.Type, " PARAMETERS"):
		return nil, fmt.Errorf("PEM block %s, expected %s (PKCS #8): openssl pkcs8 -topk8 -nocrypt makes it", block.Type, want)
	}
	return nil, fmt.Errorf("PEM block %q, expected %s", block.Type, want)
}

func newPublic(key crypto.PublicKey) (PublicKey, error) {
	switch k := key.(type) {
	case ed25519.PublicKey:
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return PublicKey{}, fmt.Errorf("an ECDSA key on %s, expected P-256", k.Curve.Params().Name)
		}
	default:
		return PublicKey{}, fmt.Errorf("a key of type %T, expected Ed25519 or ECDSA P-256", key)
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return PublicKey{}, err
	}
	sum := sha256.Sum256(der)
	return PublicKey{key: key, id: "sha256:" + hex.EncodeToString(sum[:])}, nil
}

func newPrivate(key any) (*PrivateKey, error) {
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a key of type %T, expected Ed25519 or ECDSA P-256", key)
	}
	public, err := newPublic(signer.Public())
	if err != nil {
		return nil, err
	}
	return &PrivateKey{signer, public}, nil
}

// ID names the key: sha256:… of its PKIX form, as
// `openssl pkey -pubin -outform DER | sha256sum` prints it.
func (k PublicKey) ID() string { return k.id }

// PEM is the key in the form that ParsePublicKey reads.
func (k PublicKey) PEM() ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(k.key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: publicBlock, Bytes: der}), nil
}

// verify tells whether sig is the key's signature of the message. Those of ECDSA
// are in ASN.1, over the SHA-256 of the message.
func (k PublicKey) verify(message, sig []byte) bool {
	switch key := k.key.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(key, message, sig)
	case *ecdsa.PublicKey:
		sum := sha256.Sum256(message)
		return ecdsa.VerifyASN1(key, sum[:], sig)
	}
	return false
}

// Public is the key's other half.
func (k *PrivateKey) Public() PublicKey { return k.public }

// PEM is the key in the form that ParsePrivateKey reads, not encrypted.
func (k *PrivateKey) PEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: privateBlock, Bytes: der}), nil
}

// sign signs a message in the form that verify expects.
func (k *PrivateKey) sign(message []byte) ([]byte, error) {
	if key, ok := k.key.(ed25519.PrivateKey); ok {
		return ed25519.Sign(key, message), nil
	}
	sum := sha256.Sum256(message)
	return k.key.Sign(rand.Reader, sum[:], crypto.SHA256)
}
