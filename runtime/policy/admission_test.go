package policy_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/plugins/admission"
	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/sdk"
)

func openAdmission(t *testing.T, steps []policy.AdmissionStep, more ...sdk.Admission) *policy.Catalog {
	t.Helper()
	c, err := policy.Open(t.Context(), policy.Config{
		Admission: append(admission.All(), more...), Admitting: steps, AdmissionTime: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return c
}

// reviewer is the admission policy "test", which does what its settings say.
type reviewer func(sdk.AdmissionRequest) (sdk.AdmissionReview, error)

func (reviewer) Policies() []string { return []string{"test"} }

func (f reviewer) Review(_ context.Context, r sdk.AdmissionRequest) (sdk.AdmissionReview, error) {
	return f(r)
}

// obedient does what the settings say.
func obedient(r sdk.AdmissionRequest) (sdk.AdmissionReview, error) {
	verb, rest, _ := strings.Cut(r.Settings, " ")
	switch verb {
	case "deny":
		return sdk.DenyAdmission(rest, "no,\nnever"), nil
	case "silent":
		return sdk.AdmissionReview{Denied: true, Amended: []byte("x")}, nil
	case "amend":
		return sdk.AdmissionReview{Amended: append(r.New, rest...)}, nil
	case "warn":
		return sdk.AdmissionReview{Warnings: []string{rest + " " + string(r.New)}}, nil
	case "chatter":
		return sdk.AdmissionReview{Warnings: make([]string, 1000)}, nil
	case "long":
		return sdk.DenyAdmission(strings.Repeat("p", 5000), strings.Repeat("é", 5000)), nil
	case "invalid":
		return sdk.AdmissionReview{}, &sdk.Invalid{Message: "the settings are bad"}
	case "error":
		return sdk.AdmissionReview{}, errors.New("out of order")
	case "panic":
		panic("no")
	}
	return sdk.AllowAdmission(), nil
}

func step(settings string) policy.AdmissionStep {
	return policy.AdmissionStep{Policy: " Test", Settings: settings}
}

func TestAdmissionPoliciesReviewInOrder(t *testing.T) {
	for _, tt := range []struct {
		name  string
		steps []policy.AdmissionStep
		want  sdk.AdmissionReview
	}{
		{"none", nil, sdk.AdmissionReview{}},
		{"allowed", []policy.AdmissionStep{step("")}, sdk.AdmissionReview{}},
		{
			"each sees what the one before has made of it",
			[]policy.AdmissionStep{step("amend a"), step("warn saw"), step("amend b"), step("warn and")},
			sdk.AdmissionReview{Amended: []byte("<<.a>b>"), Warnings: []string{"admission policy test: saw <.a>", "admission policy test: and <<.a>b>"}},
		},
		{
			"the first denial ends it",
			[]policy.AdmissionStep{step("warn first"), step("deny"), step("panic")},
			sdk.AdmissionReview{Denied: true, Reason: "denied by the admission policy test: no, never", Warnings: []string{"admission policy test: first ."}},
		},
		{
			"a path without a slash",
			[]policy.AdmissionStep{step("deny cpus")},
			sdk.AdmissionReview{Denied: true, Path: "/cpus", Reason: "denied by the admission policy test: no, never"},
		},
		{"without a reason", []policy.AdmissionStep{step("silent")}, sdk.AdmissionReview{Denied: true, Reason: "denied by the admission policy test"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := openAdmission(t, tt.steps, reviewer(obedient))
			r := sdk.AdmissionRequest{Verb: sdk.AdmissionCreate, Subject: sdk.AdmissionApp, ID: "/a", New: []byte(".")}
			var by []string
			got, err := c.Admit(t.Context(), r, func(policy string, amended []byte) ([]byte, error) {
				by = append(by, policy)
				return []byte("<" + string(amended) + ">"), nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			for _, policy := range by {
				if policy != "test" {
					t.Errorf("amended by %q", policy)
				}
			}
			if c.Admits() != (len(tt.steps) > 0) {
				t.Error("it does not know whether there are policies")
			}
		})
	}
}

// TestAdmissionAnswersAreBounded: they end in headers and on one line.
func TestAdmissionAnswersAreBounded(t *testing.T) {
	c := openAdmission(t, []policy.AdmissionStep{step("chatter"), step("long")}, reviewer(obedient))
	got, err := c.Admit(t.Context(), sdk.AdmissionRequest{Verb: sdk.AdmissionDelete, ID: "/a"}, nil)
	if err != nil || len(got.Warnings) > 16 || len(got.Reason) > 1100 || len(got.Path) > 300 {
		t.Errorf("%d warnings, a reason of %d bytes, a path of %d; %v", len(got.Warnings), len(got.Reason), len(got.Path), err)
	}
}

// TestAdmissionFaultsAreClosed: what cannot be reviewed is not let through, and the
// error names the policy, the module and the cause.
func TestAdmissionFaultsAreClosed(t *testing.T) {
	waits := reviewer(func(r sdk.AdmissionRequest) (sdk.AdmissionReview, error) {
		if r.Settings == "wait" {
			select {} // it heeds no context
		}
		return obedient(r)
	})
	for _, tt := range []struct {
		settings string
		verb     sdk.AdmissionVerb
		want     string
		faults   uint64
	}{
		{"error", sdk.AdmissionCreate, "admission policy test: policy module builtin: out of order", 1},
		{"panic", sdk.AdmissionCreate, "admission policy test: policy module builtin: it panicked: no", 1},
		{"wait", sdk.AdmissionCreate, "admission policy test: policy module builtin: it did not answer within 50ms", 1},
		{"amend x", sdk.AdmissionCreate, "admission policy test: policy module builtin: its amendment cannot be accepted: /cpus", 1},
		{"amend x", sdk.AdmissionDelete, "admission policy test: policy module builtin: it amended what is to be deleted", 1},
		{"invalid", sdk.AdmissionCreate, "admission policy test: the settings are bad", 0},
	} {
		c := openAdmission(t, []policy.AdmissionStep{step(""), step(tt.settings), step("warn late")}, waits)
		r := sdk.AdmissionRequest{Verb: tt.verb, Subject: sdk.AdmissionApp, ID: "/a", New: []byte(".")}
		if tt.verb == sdk.AdmissionDelete {
			r.Old, r.New = r.New, nil
		}
		review, err := c.Admit(t.Context(), r, func(string, []byte) ([]byte, error) { return nil, errors.New("/cpus") })
		if err == nil || err.Error() != tt.want || review.Warnings != nil {
			t.Errorf("%s: %+v, %v, want %q", tt.settings, review, err, tt.want)
		}
		m := c.Modules()
		if last := m[len(m)-1]; last.Kind != policy.KindAdmission || last.Calls != 2 || last.Faults != tt.faults || len(last.Admitters) != 3 {
			t.Errorf("%s: %+v", tt.settings, last)
		}
	}
}

// TestAdmissionEndsWithItsCaller: one who goes away waits for no policy, and is no fault
// of it.
func TestAdmissionEndsWithItsCaller(t *testing.T) {
	asked := make(chan struct{})
	c, err := policy.Open(t.Context(), policy.Config{
		Admitting: []policy.AdmissionStep{step("")}, AdmissionTime: time.Hour,
		Admission: []sdk.Admission{reviewer(func(sdk.AdmissionRequest) (sdk.AdmissionReview, error) {
			close(asked)
			select {}
		})},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	if _, err := c.Admit(ctx, sdk.AdmissionRequest{Verb: sdk.AdmissionCreate}, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	m := c.Modules()
	if last := m[len(m)-1]; last.Calls != 1 || last.Faults != 0 {
		t.Errorf("%+v", last)
	}
	if err := c.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestWrongAdmissionPoliciesAreTold(t *testing.T) {
	for _, tt := range []struct {
		step policy.AdmissionStep
		want string
	}{
		{policy.AdmissionStep{Policy: "quota"}, `"quota": admission policy must be one of the following labels, caps or test`},
		{policy.AdmissionStep{Policy: "caps"}, `"caps": the admission policy caps needs settings`},
		{policy.AdmissionStep{Policy: "test", Settings: "panic"}, "it panicked: no"},
		{policy.AdmissionStep{Policy: "LABELS", Settings: "team"}, ""},
		{policy.AdmissionStep{Policy: "test", Settings: "amend x"}, ""}, // about nothing its word is none
	} {
		c := openAdmission(t, []policy.AdmissionStep{step(""), tt.step}, reviewer(obedient))
		err := c.CheckAdmission(t.Context())
		wrong, ok := errors.AsType[*policy.WrongAdmission](err)
		if ok != (tt.want != "") || ok && (wrong.Policy != tt.step.Policy || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%+v: %v, want %q", tt.step, err, tt.want)
		}
	}
}
