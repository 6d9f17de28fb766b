package wasm

import (
	"fmt"
	"testing"
)

// Taking away what is not there takes no room: keys may be as long as the store.
func TestDraftKeepsNoKeysOfNothing(t *testing.T) {
	d := draft{opened: true, known: map[string]string{"old": "value"}}
	for i := range 100 {
		if !d.put(fmt.Sprint(i), "") {
			t.Fatal("no room to take away")
		}
	}
	if !d.put("new", "value") || !d.put("new", "") || !d.put("old", "") {
		t.Fatal("no room")
	}
	if len(d.changes) != 1 || d.get("old") != "" || d.get("new") != "" {
		t.Errorf("changes %v", d.changes)
	}
}
