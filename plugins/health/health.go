// Package health holds the health rules that Pacer ships: one file each, written
// against package sdk alone, so that the same source also builds as a WASM
// module.
package health

import (
	"context"

	"github.com/pacer-run/pacer/sdk"
)

// All returns every rule of this package, the default one first.
func All() []sdk.Health { return []sdk.Health{Consecutive{}, Window{}} }

// judge is a prepared rule whose verdict is a function of one history.
type judge func(check *sdk.HealthCheck, record *sdk.HealthRecord) sdk.HealthVerdict

// prepared is a rule with the checks that it judges.
type prepared struct {
	checks []sdk.HealthCheck
	judge  judge
}

func (p *prepared) Close() {}

func (p *prepared) Judge(_ context.Context, histories []sdk.HealthHistory) ([]sdk.HealthVerdict, error) {
	verdicts := make([]sdk.HealthVerdict, len(histories))
	for i := range histories {
		h := &histories[i]
		if int(h.Check) < len(p.checks) { // else it is a check nobody knows
			verdicts[i] = p.judge(&p.checks[h.Check], &h.HealthRecord)
		}
	}
	return verdicts, nil
}
