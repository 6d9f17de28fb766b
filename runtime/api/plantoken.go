package api

import (
	"encoding/base64"
	"net/http"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// The token of a plan is the basis that it was made from. It is a client's word
// like any other: it can only make a change be refused.

// digestBytes is the length of each part of a token.
const digestBytes = len(scheduler.Digest{})

// tokenText is the form for the query.
func tokenText(b scheduler.Basis) string {
	var data []byte
	for _, part := range []scheduler.Digest{b.Apps, b.Members, b.Locks, b.Change} {
		data = append(data, part[:]...)
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// tokenOf reads the token of a change; the zero basis when it has none.
func tokenOf(r *http.Request) (b scheduler.Basis, err error) {
	text := r.URL.Query().Get("plan")
	if text == "" {
		return b, nil
	}
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(data) != 4*digestBytes {
		return b, spec.NewFault("/plan", "expected the token of a plan")
	}
	for i, part := range []*scheduler.Digest{&b.Apps, &b.Members, &b.Locks, &b.Change} {
		copy(part[:], data[i*digestBytes:])
	}
	if b == (scheduler.Basis{}) { // which would ask for nothing
		return b, spec.NewFault("/plan", "expected the token of a plan")
	}
	return b, nil
}
