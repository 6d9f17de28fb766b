package main

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLevelsOfParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l, err := newLevels(&out, "warn")
		if err != nil {
			t.Fatal(err)
		}
		api := l.logger(logAPI).With("a", 1).WithGroup("g")
		says := func(want bool) {
			t.Helper()
			out.Reset()
			api.Debug("hello")
			if got := strings.Contains(out.String(), "hello"); got != want {
				t.Errorf("debug is logged: %t, want %t", got, want)
			}
		}
		says(false)
		l.SetLevel(logAPI, "debug", time.Minute)
		says(true)
		if !strings.Contains(out.String(), "logger=api") {
			t.Errorf("%q does not name the part", &out)
		}
		l.SetLevel(logAPI, "trace", 2*time.Minute) // goes back to what was before both
		l.SetLevel(logRoot, "error", 0)
		l.SetLevel("mesosphere.marathon", "debug", 0)
		want := map[string]string{"ROOT": "ERROR", "api": "TRACE"}
		for _, name := range []string{logDriver, logElection, logMaster, logPolicy, logZooKeeper} {
			want[name] = "ERROR (inherited)"
		}
		if diff := cmp.Diff(want, l.Levels()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
		says(true)
		time.Sleep(time.Minute)
		synctest.Wait()
		says(false)
		if got := l.Levels()[logAPI]; got != "ERROR (inherited)" {
			t.Errorf("the level is %s afterwards", got)
		}
	})
}
