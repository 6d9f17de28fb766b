package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// planToken says what a plan was made from. It is a client's word like any other:
// it can only make a change be refused.
type planToken struct {
	Body  string                         `json:"body"`  // the hash of the request's
	Bases map[spec.PathID]spec.Timestamp `json:"bases"` // versions of the apps; 0 for a new one
}

// String is the form for the query.
func (t planToken) String() string { return base64.RawURLEncoding.EncodeToString(encodeJSON(t)) }

// tokenFor notes what a plan is made from.
func tokenFor(data []byte, put []scheduler.PutApp) planToken {
	t := planToken{Body: bodyHash(data), Bases: map[spec.PathID]spec.Timestamp{}}
	for _, p := range put {
		t.Bases[p.App.ID] = p.Base
	}
	return t
}

func bodyHash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// tokenOf reads the token of a change; ok is false when it has none.
func tokenOf(r *http.Request) (t planToken, ok bool, err error) {
	text := r.URL.Query().Get("plan")
	if text == "" {
		return t, false, nil
	}
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(data, &t)
	}
	if err != nil {
		return t, false, spec.NewFault("/plan", "expected the token of a plan")
	}
	return t, true, nil
}

// checkPlanBody refuses a change with another body than the plan in its query.
func checkPlanBody(r *http.Request, data []byte) error {
	t, ok, err := tokenOf(r)
	if err != nil || !ok {
		return err
	}
	if t.Body != bodyHash(data) {
		return &problem{http.StatusConflict, "The plan was made for another body: plan again"}
	}
	return nil
}

// checkPlanBases refuses a change of apps that are not as the plan in its query
// found them.
func checkPlanBases(r *http.Request, snapshot *scheduler.Snapshot, updates []*spec.Update) error {
	t, ok, err := tokenOf(r)
	if err != nil || !ok {
		return err
	}
	for _, u := range updates {
		base, planned := t.Bases[*u.ID]
		var current spec.Timestamp
		if v := viewOf(snapshot, *u.ID); v != nil {
			current = v.App.Version
		}
		if !planned || base != current {
			return &problem{http.StatusConflict, "App '" + string(*u.ID) + "' is not as the plan found it: plan again"}
		}
	}
	return nil
}
