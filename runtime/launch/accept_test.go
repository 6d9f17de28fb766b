package launch_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/pacer-run/pacer/runtime/launch"
	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// decode reads a call as mesos-go does.
func decode(t *testing.T, wire []byte) scheduler.Call {
	t.Helper()
	var call scheduler.Call
	if err := call.Unmarshal(wire); err != nil {
		t.Fatal(err)
	}
	return call
}

// TestAppendAccept wants the bytes to mean what mesos-go's types say, with all
// shapes of task in one call, and again with what the encoder then remembers.
func TestAppendAccept(t *testing.T) {
	var tasks []launch.Task
	for _, shape := range shapes {
		tasks = append(tasks, shape())
	}
	offers := []string{"O1", "O2"}
	want := launch.Accept(offers, tasks, 1500*time.Millisecond)
	want.FrameworkID = &mesos.FrameworkID{Value: "f1"}
	var e launch.Encoder
	for range 2 {
		got := decode(t, e.AppendAccept(nil, "f1", offers, tasks, 1500*time.Millisecond))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	}
	again, err := want.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, decode(t, again)); diff != "" {
		t.Errorf("mesos-go cannot send it: %s", diff)
	}
}

// TestFetchIsPartOfTheTask: tasks of one app version may be decided about in another
// way, and what the encoder remembers must not mix them up.
func TestFetchIsPartOfTheTask(t *testing.T) {
	as := task(base(), free)
	as.App.Fetch = []spec.Artifact{{URI: "http://old/a"}}
	decided := as
	decided.Place.Fetch = &placement.Fetch{Artifacts: []spec.Artifact{{URI: "http://new/a"}}}
	none := as
	none.Place.Fetch = &placement.Fetch{}
	var e launch.Encoder
	for range 2 {
		call := decode(t, e.AppendAccept(nil, "f1", []string{"O1"}, []launch.Task{as, decided, none}, 0))
		var got []string
		for _, info := range call.Accept.Operations[0].Launch.TaskInfos {
			for _, uri := range info.Command.URIs {
				got = append(got, uri.Value)
			}
			got = append(got, ";")
		}
		if want := []string{"http://old/a", ";", "http://new/a", ";", ";"}; !slices.Equal(got, want) {
			t.Fatalf("fetched %q, want %q", got, want)
		}
	}
}

func TestAppendAcceptOfNothing(t *testing.T) {
	var e launch.Encoder
	got := decode(t, e.AppendAccept(nil, "f1", []string{"O1"}, nil, 0))
	launched := got.Accept.Operations[0]
	if launched.Type != mesos.Offer_Operation_LAUNCH || len(launched.Launch.TaskInfos) != 0 {
		t.Errorf("operation %v", launched)
	}
	if got.Accept.Filters.GetRefuseSeconds() != 0 {
		t.Errorf("refused for %v", got.Accept.Filters.GetRefuseSeconds())
	}
}

func TestAppendDecline(t *testing.T) {
	seconds := 120.0
	want := scheduler.Call{
		FrameworkID: &mesos.FrameworkID{Value: "f1"},
		Type:        scheduler.Call_DECLINE,
		Decline: &scheduler.Call_Decline{
			OfferIDs: []mesos.OfferID{{Value: "O1"}, {Value: "O2"}},
			Filters:  &mesos.Filters{RefuseSeconds: &seconds},
		},
	}
	var e launch.Encoder
	got := decode(t, e.AppendDecline(nil, "f1", []string{"O1", "O2"}, 2*time.Minute))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// BenchmarkAccept compares one call with five tasks, written from templates, with
// the marshalling alone of the same call by mesos-go's types.
func BenchmarkAccept(b *testing.B) {
	tasks := slices.Repeat([]launch.Task{shapes["ports"]()}, 5)
	offers := []string{"O1"}
	b.Run("append", func(b *testing.B) {
		var e launch.Encoder
		var wire []byte
		for b.Loop() {
			wire = e.AppendAccept(wire[:0], "f1", offers, tasks, 0)
		}
	})
	b.Run("mesos-go marshal", func(b *testing.B) {
		call := launch.Accept(offers, tasks, 0)
		for b.Loop() {
			if _, err := call.Marshal(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
