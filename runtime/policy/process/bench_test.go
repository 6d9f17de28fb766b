package process

import (
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

const likeRacks = `rack-[0-2][0-9]-row[0-5]`

// took is the time of so many calls, for each of them.
func took(calls int, work func()) time.Duration {
	start := time.Now()
	for range calls {
		work()
	}
	return time.Since(start) / time.Duration(calls)
}

func median[T int | float64 | time.Duration](list []T) T {
	slices.Sort(list)
	return list[len(list)/2]
}

// BenchmarkLike compares LIKE in a process, encoding, connection and validation
// included and nothing remembered, with the same expression run natively for each of
// 1,000 offers: in turns, and as the median of the ratios, since times differ between
// machines and minutes. What a call costs beside its work is that of a question about
// one value.
func BenchmarkLike(b *testing.B) {
	config := builtin(b)
	config.Limits = Limits{} // as they are by default
	m := start(b, config)
	spec := sdk.ConstraintSpec{Field: "rack", Operator: "LIKE", Value: likeRacks, HasValue: true}
	far, err := remote.Constraint(m).Prepare(b.Context(), spec)
	if err != nil {
		b.Fatal(err)
	}
	near, err := constraints.Like{}.Prepare(b.Context(), spec)
	if err != nil {
		b.Fatal(err)
	}
	re := regexp.MustCompile(`\A(?:` + likeRacks + `)\z`)
	ask := func(p sdk.PreparedConstraint, values []string) func() {
		return func() {
			answer, err := p.Evaluate(b.Context(), sdk.ConstraintInput{Values: values, First: -1})
			if err != nil || answer.Quota[1] != sdk.Unlimited {
				b.Fatal(answer, err)
			}
		}
	}
	for _, distinct := range []int{10, 40, 500, 1000} {
		b.Run(fmt.Sprintf("distinct=%d", distinct), func(b *testing.B) {
			values := []string{""}
			for i := range distinct {
				values = append(values, fmt.Sprintf("rack-%02d-row%d", i/10, i%10))
			}
			matched := 0
			perOffer := func() {
				for i := range 1000 {
					if re.MatchString(values[1+i%distinct]) {
						matched++
					}
				}
			}
			var offers, columns []float64
			var fixed []time.Duration
			for range 30 * max(1, min(b.N, 2)) {
				process := took(10, ask(far, values))
				offers = append(offers, float64(process)/float64(took(10, perOffer)))
				columns = append(columns, float64(process)/float64(took(10, ask(near, values))))
				fixed = append(fixed, took(10, ask(far, values[:2])))
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(offers), "process/native-per-offer")
			b.ReportMetric(median(columns), "process/native-columns")
			b.ReportMetric(slices.Min(offers), "min-process/native-per-offer")
			b.ReportMetric(float64(median(fixed).Nanoseconds())/1000, "fixed-µs")
			b.ReportMetric(float64(slices.Min(fixed).Nanoseconds())/1000, "min-fixed-µs")
		})
	}
}
