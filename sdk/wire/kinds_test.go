package wire_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// round is a message that is written, read and compared.
func round[M any](t *testing.T, name string, message M, write func([]byte, M) []byte, read func([]byte) (M, error)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		b := write(nil, message)
		got, err := read(b)
		if diff := cmp.Diff(message, got); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		// A field that is not known yet changes nothing.
		got, err = read(append(b, 15<<3|2|0x80, 1, 3, 'n', 'e', 'w'))
		if diff := cmp.Diff(message, got); diff != "" || err != nil {
			t.Errorf("with an unknown field: %v %s", err, diff)
		}
		// Messages cut short are refused or are shorter ones; they never panic.
		for i := range b {
			_, _ = read(b[:i])
		}
	})
}

func TestRoundTripOfKinds(t *testing.T) {
	app := sdk.AppFacts{ID: "/a/b", Version: "2020", Instances: 300, Role: "r", Labels: map[string]string{"a": "1", "": "x"}}
	round(t, "host info", wire.HostInfo{Minor: 7, Settings: `{"a":1}`}, wire.AppendHostInfo, wire.DecodeHostInfo)
	round(t, "description", wire.Description{
		Minor: 1, Name: "n", Version: "1", Fetchers: []string{"f", ""}, Strategies: []string{"s"}, Rules: []string{"r"}, Admission: []string{"a"},
	}, wire.AppendDescription, wire.DecodeDescription)
	round(t, "fetch spec", sdk.FetchSpec{Policy: "p", Settings: "s", App: app, Enforced: true}, wire.AppendFetchSpec, wire.DecodeFetchSpec)
	round(t, "fetch spec without an app", sdk.FetchSpec{Policy: "p"}, wire.AppendFetchSpec, wire.DecodeFetchSpec)
	round(t, "fetch input", []sdk.FetchURI{
		{URI: "http://a/b", Extract: true, Executable: true, Cache: true, DestPath: "c"}, {}, {URI: "x"},
	}, wire.AppendFetchInput, wire.DecodeFetchInput)
	round(t, "fetch answer", []sdk.FetchDecision{
		sdk.DenyFetch("no"),
		{FetchURI: sdk.FetchURI{URI: "x", Cache: true}, SHA256: "ab", Limits: sdk.FetchLimits{Bytes: 1 << 40, Entries: 2, Depth: 3, Ratio: 4}},
		{},
	}, wire.AppendFetchAnswer, func(b []byte) ([]sdk.FetchDecision, error) { return wire.DecodeFetchAnswer(b, 3) })
	round(t, "upgrade spec", sdk.UpgradeSpec{Strategy: "s", App: app, MinimumHealthCapacity: 0.5, MaximumOverCapacity: 1}, wire.AppendUpgradeSpec, wire.DecodeUpgradeSpec)
	round(t, "upgrade state", sdk.UpgradeState{
		Instances: 1, MinimumHealthCapacity: 0.5, MaximumOverCapacity: 0.25, MinHealthy: 2, MaxTotal: 3, Old: 4, OldDying: 5, OldHealthy: 6,
		New: 7, NewHealthy: 8, NewReady: 9, Millis: 1 << 40, Memory: []byte{0, 1}, Promotions: 10, NowMillis: 1 << 41, Undoes: true,
	}, wire.AppendUpgradeState, wire.DecodeUpgradeState)
	round(t, "upgrade step", sdk.UpgradeStep{
		Start: 1, Kill: 2, AskAfterMillis: 1 << 33, Outcome: sdk.RollBack, Reason: "r", Memory: []byte{9},
	}, wire.AppendUpgradeStep, wire.DecodeUpgradeStep)
	round(t, "health spec", sdk.HealthSpec{Rule: "r", App: app, Checks: []sdk.HealthCheck{
		{Protocol: "HTTP", IntervalMillis: 1, TimeoutMillis: 2, GraceMillis: 3, MaxConsecutiveFailures: 4, ByMesos: true}, {},
	}}, wire.AppendHealthSpec, wire.DecodeHealthSpec)
	round(t, "health input", []sdk.HealthHistory{{Check: 1, AgeMillis: 2, HealthRecord: sdk.HealthRecord{
		FirstSuccess: 3, LastSuccess: 4, LastFailure: 5, LastFailureCause: "c", ConsecutiveFailures: 6, Recent: 1 << 63, Results: 64,
	}}, {}}, wire.AppendHealthInput, wire.DecodeHealthInput)
	round(t, "health answer", []sdk.HealthVerdict{{State: sdk.Unhealthy, Replace: true, Reason: "r"}, {}, {State: sdk.Healthy}},
		wire.AppendHealthAnswer, func(b []byte) ([]sdk.HealthVerdict, error) { return wire.DecodeHealthAnswer(b, 3) })
	round(t, "admission request", sdk.AdmissionRequest{
		Policy: "p", Settings: "s", Verb: sdk.AdmissionUpdate, Subject: sdk.AdmissionGroup, ID: "/a", Old: []byte("{}"), New: []byte("{ }"),
		User: "u", Force: true, NowMillis: 5, Above: []sdk.GroupUse{{ID: "/", Apps: 1, Instances: 2, CPUs: 0.1, Mem: 3, Disk: 4, GPUs: 5}, {}},
	}, wire.AppendAdmissionRequest, wire.DecodeAdmissionRequest)
	round(t, "admission review", sdk.AdmissionReview{
		Denied: true, Reason: "r", Path: "/cpus", Amended: []byte("{}"), Warnings: []string{"a", ""},
	}, wire.AppendAdmissionReview, wire.DecodeAdmissionReview)
}

func TestRefusedOfKinds(t *testing.T) {
	fails := map[string]error{}
	_, fails["outcome"] = wire.DecodeUpgradeStep([]byte{4 << 3, 3})
	_, fails["memory"] = wire.DecodeUpgradeStep(wire.AppendUpgradeStep(nil, sdk.UpgradeStep{Memory: make([]byte, sdk.MaxUpgradeMemory+1)}))
	_, fails["state"] = wire.DecodeHealthAnswer([]byte{1<<3 | 2, 2, 1 << 3, 3}, 1)
	_, fails["replace"] = wire.DecodeHealthAnswer(wire.AppendHealthAnswer(nil, []sdk.HealthVerdict{{State: sdk.Healthy, Replace: true}}), 1)
	_, fails["verdicts"] = wire.DecodeHealthAnswer(nil, 1)
	_, fails["decisions"] = wire.DecodeFetchAnswer(nil, 1)
	_, fails["results"] = wire.DecodeHealthInput([]byte{1<<3 | 2, 2, 9 << 3, 65})
	_, fails["time"] = wire.DecodeAdmissionRequest([]byte{10 << 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1})
	for name, err := range fails {
		if err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
