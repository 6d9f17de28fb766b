package process

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/policy/remote"
)

func TestDefaultLimits(t *testing.T) {
	if diff := cmp.Diff(DefaultLimits(), Limits{}.withDefaults()); diff != "" {
		t.Error(diff)
	}
	want := DefaultLimits()
	want.Start, want.Files = time.Second, 9
	want.Call[remote.KindFetch] = time.Hour
	some := Limits{Start: time.Second, Files: 9}
	some.Call[remote.KindFetch] = time.Hour
	if diff := cmp.Diff(want, some.withDefaults()); diff != "" {
		t.Error(diff)
	}
	if got, want := want.reply(100, 3), 64<<10+100+3*perItem; got != want {
		t.Errorf("an answer may have %d bytes, want %d", got, want)
	}
}
