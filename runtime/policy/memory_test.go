package policy_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/runtime/policy"
	"github.com/pacer-run/pacer/sdk"
)

// named is a constraint that offers one operator and refuses everything.
type named string

func (n named) Operators() []string { return []string{string(n)} }

func (n named) Prepare(context.Context, sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	return nil, &sdk.Invalid{Message: "no"}
}

// even takes values of even length and counts what it is asked.
type even struct {
	asked []int // values of each call
	fail  error
}

func (*even) Operators() []string { return []string{"EVEN"} }
func (*even) Traits() sdk.Traits  { return sdk.PurePerValue }
func (*even) Close()              {}

func (e *even) Prepare(context.Context, sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	return e, nil
}

func (e *even) Evaluate(_ context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	e.asked = append(e.asked, len(in.Values)-1)
	quota := make([]uint32, len(in.Values))
	for i, v := range in.Values {
		if len(v)%2 == 0 {
			quota[i] = sdk.Unlimited
		}
	}
	return sdk.ConstraintAnswer{Quota: quota, Reason: "odd"}, e.fail
}

func prepareEven(t *testing.T, e *even, remember int) sdk.PreparedConstraint {
	t.Helper()
	return preparePolicy(t, e, remember)
}

func preparePolicy(t *testing.T, e sdk.Constraint, remember int) sdk.PreparedConstraint {
	t.Helper()
	c, err := policy.Open(t.Context(), policy.Config{Builtins: []sdk.Constraint{e}, Remember: remember})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	p, err := c.Prepare(t.Context(), sdk.ConstraintSpec{Operator: "EVEN"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func evaluate(t *testing.T, p sdk.PreparedConstraint, values ...string) []uint32 {
	t.Helper()
	answer, err := p.Evaluate(t.Context(), sdk.ConstraintInput{Values: append([]string{""}, values...), First: -1})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Quota
}

func TestVerdictsAreRemembered(t *testing.T) {
	const all = sdk.Unlimited
	tests := []struct {
		name     string
		remember int
		asked    []int
	}{
		{"with room", 0, []int{2, 1}},
		{"with room for one", 1, []int{2, 1, 1, 3, 2}},
		{"not at all", -1, []int{2, 2, 2, 3, 3}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := &even{}
			p := prepareEven(t, e, test.remember)
			steps := []struct {
				values []string
				want   []uint32
			}{
				{[]string{"a", "bb"}, []uint32{all, 0, all}},
				{[]string{"bb", "a"}, []uint32{all, all, 0}},
				{[]string{"a", "bb"}, []uint32{all, 0, all}},
				{[]string{"a", "bb", "ccc"}, []uint32{all, 0, all, 0}},
				{[]string{"ccc", "bb", "a"}, []uint32{all, 0, all, 0}},
			}
			for _, step := range steps {
				if got := evaluate(t, p, step.values...); !slices.Equal(got, step.want) {
					t.Errorf("%v: %v, want %v", step.values, got, step.want)
				}
			}
			if test.remember != 1 && !slices.Equal(e.asked, test.asked) {
				t.Errorf("asked about %v values, want %v", e.asked, test.asked)
			}
		})
	}
}

// A call asks about few values, so that it is short, and a caller whose time is
// up gets no further ones.
func TestManyValuesAreAskedInParts(t *testing.T) {
	e := &even{}
	p := prepareEven(t, e, 0)
	var values []string
	for i := range 2500 {
		values = append(values, fmt.Sprint(i))
	}
	quota := evaluate(t, p, values...)
	if !slices.Equal(e.asked, []int{1024, 1024, 452}) {
		t.Errorf("asked about %v values", e.asked)
	}
	for i, value := range values {
		if (quota[i+1] != 0) != (len(value)%2 == 0) {
			t.Errorf("%s: %d", value, quota[i+1])
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Evaluate(ctx, sdk.ConstraintInput{Values: []string{"", "new"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// A fault is not remembered as a verdict.
func TestFaultsAreNotRemembered(t *testing.T) {
	e := &even{fail: errors.New("broken")}
	p := prepareEven(t, e, 0)
	_, err := p.Evaluate(t.Context(), sdk.ConstraintInput{Values: []string{"", "bb"}})
	var fault *sdk.Fault
	if !errors.As(err, &fault) || fault.Module != "builtin" || fault.Cause != "broken" {
		t.Fatalf("error %v", err)
	}
	e.fail = nil
	if got := evaluate(t, p, "bb"); got[1] != sdk.Unlimited {
		t.Errorf("quota %v", got)
	}
}

// dear is even with a meter: each value costs so much, and a call has a budget.
type dear struct {
	even

	cost, budget, last int64
}

func (d *dear) Prepare(context.Context, sdk.ConstraintSpec) (sdk.PreparedConstraint, error) {
	return d, nil
}

func (d *dear) LastFuel() int64 { return d.last }

func (d *dear) Evaluate(ctx context.Context, in sdk.ConstraintInput) (sdk.ConstraintAnswer, error) {
	if d.last = d.cost * int64(len(in.Values)-1); d.last > d.budget {
		return sdk.ConstraintAnswer{}, errors.New("fuel exhausted")
	}
	return d.even.Evaluate(ctx, in)
}

// What values cost decides how many a call is about: neither does a dear expression use
// up its budget only because there are many values, nor are cheap ones asked about one
// by one.
func TestPartsFollowTheCost(t *testing.T) {
	var values []string
	for i := range 1000 {
		values = append(values, fmt.Sprint(i))
	}
	for _, test := range []struct {
		cost    int64
		largest int
		calls   int
	}{{1_000, 992, 2}, {100_000, 20, 51}, {1_000_000, 8, 497}, {5_000_000, 8, 993}} {
		d := &dear{cost: test.cost, budget: 50_000_000, last: 1}
		evaluate(t, preparePolicy(t, d, 0), values...)
		if got := slices.Max(d.asked); got != test.largest || len(d.asked) != test.calls {
			t.Errorf("%d for each: %d calls, the largest about %d values; want %d, %d", test.cost, len(d.asked), got, test.calls, test.largest)
		}
	}
}

// A question that the catalog passes on, or that memory answers, allocates no more than
// the constraint itself and the answer.
func TestCatalogAllocatesNothing(t *testing.T) {
	in := sdk.ConstraintInput{Values: []string{"", "a", "b"}, Placed: make([]uint32, 3), First: -1}
	direct, through := preparedCounts(t)
	want := testing.AllocsPerRun(100, func() { mustEvaluate(t, direct, in) })
	if got := testing.AllocsPerRun(100, func() { mustEvaluate(t, through, in) }); got > want {
		t.Errorf("%v allocations, %v without the catalog", got, want)
	}
	known := prepareEven(t, &even{}, 0)
	mustEvaluate(t, known, in)
	if got := testing.AllocsPerRun(100, func() { mustEvaluate(t, known, in) }); got > 1 {
		t.Errorf("%v allocations for what is remembered, 1 is the answer", got)
	}
}

func mustEvaluate(t testing.TB, p sdk.PreparedConstraint, in sdk.ConstraintInput) {
	if _, err := p.Evaluate(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// preparedCounts is MAX_PER by itself, and from a catalog.
func preparedCounts(t testing.TB) (direct, through sdk.PreparedConstraint) {
	spec := sdk.ConstraintSpec{Field: "rack", Operator: "MAX_PER", Value: "3", HasValue: true}
	direct, err := constraints.MaxPer{}.Prepare(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	c, err := policy.Open(t.Context(), policy.Config{Builtins: constraints.All()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	if through, err = c.Prepare(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	return direct, through
}

// BenchmarkCatalog compares a question to a constraint that is built in, in the catalog
// and by itself: what counting, the breaker and the guard against panics cost.
func BenchmarkCatalog(b *testing.B) {
	direct, through := preparedCounts(b)
	for _, values := range []int{1, 40, 1000} {
		b.Run(fmt.Sprintf("values=%d", values), func(b *testing.B) {
			in := sdk.ConstraintInput{Values: make([]string, values+1), Placed: make([]uint32, values+1), First: -1, Room: make([]uint32, values+1)}
			took := func(p sdk.PreparedConstraint) float64 {
				begin := time.Now()
				for range 1000 {
					mustEvaluate(b, p, in)
				}
				return float64(time.Since(begin)) / 1000
			}
			var ratios, more []float64
			for range 101 {
				with, without := took(through), took(direct)
				ratios, more = append(ratios, with/without), append(more, with-without)
			}
			slices.Sort(ratios)
			slices.Sort(more)
			b.ReportMetric(ratios[50], "catalog/direct")
			b.ReportMetric(more[50], "ns-more")
			b.ReportMetric(0, "ns/op")
		})
	}
}
