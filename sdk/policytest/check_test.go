package policytest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
)

// quotas is a constraint that answers the same of every value, or nothing of those
// that come behind b.
type quotas struct {
	quota   uint32
	ordered bool
	flags   sdk.AnswerFlags
}

func (q quotas) Traits() sdk.Traits { return 0 }
func (q quotas) Close()             {}

func (q quotas) Evaluate(_ context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	a := sdk.ConstraintAnswer{Flags: q.flags}
	quota := q.quota
	for _, value := range in.Values {
		a.Quota = append(a.Quota, quota)
		if q.ordered && value == "b" {
			quota = 0
		}
	}
	return a, nil
}

// What differs is told once, and in the words of a vector.
func TestMismatches(t *testing.T) {
	for _, tt := range []struct {
		line   string
		answer quotas
		want   string
	}{
		{"TEST quota a=1 -=*", quotas{quota: sdk.Unlimited}, `"a": quota *, want 1`},
		{"TEST quota a=* -=2", quotas{quota: 0}, "absent: quota 0, want 2\n\"a\": quota 0, want *"},
		{"TEST quota a=1 flags exclusive refill", quotas{quota: 1, flags: sdk.Volatile | 8}, "flags volatile 8, want exclusive refill"},
		{"TEST quota a=1", quotas{quota: 1, flags: sdk.Volatile}, "flags volatile, want none"},
		{"TEST quota a=1 b=1", quotas{quota: 1, ordered: true}, `with the values in another order: "a": quota 0, want 1`},
		{"TEST quota a=1 b=1", quotas{quota: 1}, ""},
	} {
		vectors, err := policytest.Read(strings.NewReader(tt.line))
		if err != nil {
			t.Fatal(err)
		}
		err = vectors[0].Check(t.Context(), func(context.Context, sdk.ConstraintSpec) (sdk.PreparedConstraint, error) { return tt.answer, nil })
		got := ""
		if err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.line, diff)
		}
	}
	denies := one(func(int, sdk.FetchURI) sdk.FetchDecision { return sdk.DenyFetch("no") })
	vectors, err := policytest.ReadFetch(strings.NewReader(`test "" http://a allowed`))
	if err != nil {
		t.Fatal(err)
	}
	if err := vectors[0].Check(t.Context(), denies); err == nil || err.Error() != `denied with "no", want ""` {
		t.Errorf("got %v", err)
	}
}
