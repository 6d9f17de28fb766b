package main

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"software.sslmate.com/src/go-pkcs12"
)

// identity is what a server shows of itself over HTTPS, and whom it trusts
// besides those the system trusts.
type identity struct {
	certificate tls.Certificate
	trusted     []*x509.Certificate
}

// roots are the certificates that a peer may be vouched for by. Servers of one
// installation share a keystore, so that its own chain is among them.
func (id *identity) roots() *x509.CertPool {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	for _, c := range id.trusted {
		pool.AddCert(c)
	}
	return pool
}

// jksMagic is what a JKS keystore begins with.
const jksMagic = 0xFEEDFEED

// readKeystore reads a file with a key and its certificates: JKS, PKCS #12, which
// Java takes for a keystore as well and keytool writes by default, or PEM.
func readKeystore(path, password string) (*identity, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var id *identity
	switch {
	case len(data) > 4 && binary.BigEndian.Uint32(data) == jksMagic:
		id, err = readJKS(data, password)
	case bytes.Contains(data, []byte("-----BEGIN ")):
		id, err = readPEM(data)
	default:
		id, err = readPKCS12(data, password)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return id, nil
}

// readJKS takes the first key in the order of names.
func readJKS(data []byte, password string) (*identity, error) {
	store := keystore.New(keystore.WithOrderedAliases())
	if err := store.Load(bytes.NewReader(data), []byte(password)); err != nil {
		return nil, err
	}
	id := &identity{}
	for _, alias := range store.Aliases() {
		if trusted, err := store.GetTrustedCertificateEntry(alias); err == nil {
			if c, err := x509.ParseCertificate(trusted.Certificate.Content); err == nil {
				id.trusted = append(id.trusted, c)
			}
			continue
		}
		if id.certificate.PrivateKey != nil {
			continue
		}
		entry, err := store.GetPrivateKeyEntry(alias, []byte(password))
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", alias, err)
		}
		key, err := x509.ParsePKCS8PrivateKey(entry.PrivateKey)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", alias, err)
		}
		id.certificate.PrivateKey = key
		for _, c := range entry.CertificateChain {
			id.certificate.Certificate = append(id.certificate.Certificate, c.Content)
		}
	}
	return id.complete()
}

func readPKCS12(data []byte, password string) (*identity, error) {
	key, leaf, chain, err := pkcs12.DecodeChain(data, password)
	if err != nil {
		return nil, fmt.Errorf("expected a JKS keystore, PKCS #12 or PEM: %w", err)
	}
	id := &identity{certificate: tls.Certificate{PrivateKey: key, Certificate: [][]byte{leaf.Raw}}}
	for _, c := range chain {
		id.certificate.Certificate = append(id.certificate.Certificate, c.Raw)
	}
	return id.complete()
}

// readPEM takes the key and the certificates of one file, the server's own first.
func readPEM(data []byte) (*identity, error) {
	id := &identity{}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			id.certificate.Certificate = append(id.certificate.Certificate, block.Bytes)
		} else if key := parseKey(block.Bytes); key != nil {
			id.certificate.PrivateKey = key
		}
	}
	return id.complete()
}

// parseKey reads a key in one of the forms there are; nil when it is none.
func parseKey(der []byte) crypto.PrivateKey {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return key
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key
	}
	return nil
}

// complete checks what was read, and trusts the chain of the server itself.
func (id *identity) complete() (*identity, error) {
	if id.certificate.PrivateKey == nil || len(id.certificate.Certificate) == 0 {
		return nil, errors.New("expected a private key with its certificate")
	}
	for _, der := range id.certificate.Certificate {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("a certificate: %w", err)
		}
		id.trusted = append(id.trusted, c)
	}
	signer, ok := id.certificate.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a private key of type %T cannot be used", id.certificate.PrivateKey)
	}
	public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	if leaf := id.trusted[len(id.trusted)-len(id.certificate.Certificate)]; !ok || !public.Equal(leaf.PublicKey) {
		return nil, errors.New("the private key does not belong to the first certificate")
	}
	return id, nil
}

// serverTLS is for those who connect to this server. HTTP/2 is not offered: the
// event stream is written as HTTP/1.1 has it.
func (id *identity) serverTLS() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{id.certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
}

// clientTLS is for connections to other servers. With ignoreHostname the
// certificate may be of any name, but has to be vouched for.
func (id *identity) clientTLS(ignoreHostname bool) *tls.Config {
	roots := id.roots()
	cfg := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if !ignoreHostname {
		return cfg
	}
	cfg.InsecureSkipVerify = true // replaced by the next lines, which leave the name out
	cfg.VerifyConnection = func(state tls.ConnectionState) error {
		between := x509.NewCertPool()
		for _, c := range state.PeerCertificates[1:] {
			between.AddCert(c)
		}
		_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
		return err
	}
	return cfg
}
