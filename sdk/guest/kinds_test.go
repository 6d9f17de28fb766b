package guest

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// mute is a policy of every kind but constraint, which answers with what it was asked.
type (
	muteFetch     struct{ closed *int }
	muteUpgrade   struct{ closed *int }
	muteHealth    struct{ closed *int }
	muteAdmission struct{}
)

func (muteFetch) Policies() []string { return []string{"fetch"} }
func (p muteFetch) Prepare(context.Context, sdk.FetchSpec) (sdk.PreparedFetch, error) {
	return p, nil
}
func (p muteFetch) Close() { *p.closed++ }
func (muteFetch) Decide(_ context.Context, uris []sdk.FetchURI) (d []sdk.FetchDecision, err error) {
	for _, uri := range uris {
		d = append(d, sdk.AllowFetch(uri))
	}
	return d, nil
}

func (muteUpgrade) Strategies() []string { return []string{"upgrade"} }
func (p muteUpgrade) Prepare(context.Context, sdk.UpgradeSpec) (sdk.PreparedUpgrade, error) {
	return p, nil
}
func (p muteUpgrade) Close() { *p.closed++ }
func (muteUpgrade) Next(_ context.Context, s sdk.UpgradeState) (sdk.UpgradeStep, error) {
	return sdk.UpgradeStep{Start: s.Instances, Memory: s.Memory}, nil
}

func (muteHealth) Rules() []string { return []string{"health"} }
func (p muteHealth) Prepare(context.Context, sdk.HealthSpec) (sdk.PreparedHealth, error) {
	return p, nil
}
func (p muteHealth) Close() { *p.closed++ }
func (muteHealth) Judge(_ context.Context, h []sdk.HealthHistory) ([]sdk.HealthVerdict, error) {
	verdicts := make([]sdk.HealthVerdict, len(h))
	for i := range h {
		verdicts[i] = sdk.HealthVerdict{State: sdk.Healthy, Reason: h[i].LastFailureCause}
	}
	return verdicts, nil
}

func (muteAdmission) Policies() []string { return []string{"admission"} }
func (muteAdmission) Review(_ context.Context, r sdk.AdmissionRequest) (sdk.AdmissionReview, error) {
	return sdk.AdmissionReview{Amended: r.New, Warnings: []string{r.ID}}, nil
}

// round makes one question of a kind and returns the answer.
func round(t *testing.T, a *adapter, spec, input []byte, prepare func(uint32) bool, ask func(handle, size uint32) bool, release func(uint32)) []byte {
	t.Helper()
	if !prepare(write(a, spec)) {
		t.Fatalf("prepare: %q", a.out)
	}
	got, err := wire.DecodePrepared(a.out)
	if want := (wire.Prepared{Handle: 1}); got != want || err != nil {
		t.Fatalf("prepared %+v, %v, want %+v", got, err, want)
	}
	if !ask(1, write(a, input)) {
		t.Fatalf("ask: %q", a.out)
	}
	answer := append([]byte(nil), a.out...)
	release(1)
	if ask(1, write(a, input)) {
		t.Error("a handle that was released answers")
	}
	return answer
}

// One module of several kinds names them all and keeps their handles apart.
func TestKinds(t *testing.T) {
	closed, settings := 0, ""
	a := &adapter{module: Module{
		Name: "all", Version: "1", Fetch: muteFetch{&closed}, Upgrade: muteUpgrade{&closed}, Health: muteHealth{&closed}, Admission: muteAdmission{},
		Configure: func(s string) error { settings = s; return nil },
	}}
	if !a.configure(write(a, wire.AppendHostInfo(nil, wire.HostInfo{Settings: `{"a":1}`}))) || settings != `{"a":1}` {
		t.Errorf("settings %q", settings)
	}
	a.describe()
	d, err := wire.DecodeDescription(a.out)
	want := wire.Description{
		Minor: wire.Minor, Name: "all", Version: "1",
		Fetchers: []string{"fetch"}, Strategies: []string{"upgrade"}, Rules: []string{"health"}, Admission: []string{"admission"},
	}
	if diff := cmp.Diff(want, d); diff != "" || err != nil {
		t.Error(err, diff)
	}
	uris := []sdk.FetchURI{{URI: "http://a", Cache: true}}
	answer := round(t, a, wire.AppendFetchSpec(nil, sdk.FetchSpec{}), wire.AppendFetchInput(nil, uris), a.prepareFetch, a.decide, a.fetches.release)
	if got, err := wire.DecodeFetchAnswer(answer, 1); err != nil || got[0].FetchURI != uris[0] {
		t.Errorf("fetch: %+v, %v", got, err)
	}
	state := sdk.UpgradeState{Instances: 3, Memory: []byte("m")}
	answer = round(t, a, wire.AppendUpgradeSpec(nil, sdk.UpgradeSpec{}), wire.AppendUpgradeState(nil, state), a.prepareUpgrade, a.step, a.upgrades.release)
	if got, err := wire.DecodeUpgradeStep(answer); err != nil || got.Start != 3 || string(got.Memory) != "m" {
		t.Errorf("upgrade: %+v, %v", got, err)
	}
	histories := []sdk.HealthHistory{{HealthRecord: sdk.HealthRecord{LastFailureCause: "x"}}}
	answer = round(t, a, wire.AppendHealthSpec(nil, sdk.HealthSpec{}), wire.AppendHealthInput(nil, histories), a.prepareHealth, a.judge, a.healths.release)
	if got, err := wire.DecodeHealthAnswer(answer, 1); err != nil || got[0] != (sdk.HealthVerdict{State: sdk.Healthy, Reason: "x"}) {
		t.Errorf("health: %+v, %v", got, err)
	}
	if !a.review(write(a, wire.AppendAdmissionRequest(nil, sdk.AdmissionRequest{ID: "/a", New: []byte("{}")}))) {
		t.Errorf("review: %q", a.out)
	}
	review, err := wire.DecodeAdmissionReview(a.out)
	if diff := cmp.Diff(sdk.AdmissionReview{Amended: []byte("{}"), Warnings: []string{"/a"}}, review); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if closed != 3 {
		t.Errorf("closed %d times, want 3", closed)
	}
}
