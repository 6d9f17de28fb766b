package spec

import (
	"errors"
	"testing"
)

// FuzzParseGroupUpdate feeds any text: it is refused with one of two kinds of
// error, or gives a change after which every member is below a group that is
// there, and which asks for nothing when it is sent again.
func FuzzParseGroupUpdate(f *testing.F) {
	f.Add(`{"id":"webapp","apps":[{"id":"db","cmd":"x"},{"id":"web","cmd":"x","dependencies":["db"]}]}`)
	f.Add(`{"groups":[{"id":"a","groups":[{"id":"b","apps":[{"id":"c","args":["x"],"ports":[1,0]}]}]}],"dependencies":["../x"]}`)
	f.Add(`{"scaleBy":1.5}`)
	f.Add(`{"id":"..","enforceRole":true,"apps":[]}`)
	f.Add(`{"version":"2026-01-02T03:04:05.006Z"}`)
	f.Add(`{"apps":[{"id":"x"},{"id":"x"}],"groups":[{"id":"x"},{}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseGroupUpdate([]byte(text), "/g")
		if err != nil {
			wantInputError(t, text, err)
			return
		}
		if u.Version != nil {
			return
		}
		tree := Tree{}.With(TreeChange{
			Apps:   map[PathID]*App{"/g/x": {ID: "/g/x", Instances: 2, Role: "*", Cmd: "x"}},
			Groups: map[PathID]*Group{"/g": {ID: "/g"}},
		})
		change, err := u.Apply(tree, Settings{})
		if err != nil {
			wantInputError(t, text, err)
			return
		}
		after := tree.With(change)
		for app := range after.Apps(Root) {
			if missing := after.MissingGroups(app.ID); len(missing) > 0 {
				t.Errorf("%q: %s is in no group: %v", text, app.ID, missing)
			}
		}
		if u.ScaleBy != nil {
			return
		}
		again, err := u.Apply(after, Settings{})
		if err != nil || len(again.Apps)+len(again.Groups) > 0 {
			t.Errorf("%q: sent again it asks for %v, %v", text, again, err)
		}
	})
}

func wantInputError(t *testing.T, text string, err error) {
	t.Helper()
	var faults *Faults
	var syntax *SyntaxError
	if !errors.As(err, &faults) && !errors.As(err, &syntax) {
		t.Fatalf("%q: an error of another kind: %v", text, err)
	}
}
