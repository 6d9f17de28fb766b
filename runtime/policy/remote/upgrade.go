package remote

import (
	"context"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// Upgrade is the module's policy of the kind upgrade.
func Upgrade(m Module) sdk.Upgrade { return upgrade{m} }

type upgrade struct{ module Module }

func (u upgrade) Strategies() []string { return Names(u.module, KindUpgrade) }

func (u upgrade) Prepare(ctx context.Context, spec sdk.UpgradeSpec) (sdk.PreparedUpgrade, error) {
	p, err := u.module.Prepare(ctx, KindUpgrade, wire.AppendUpgradeSpec(nil, spec))
	if err != nil {
		return nil, err
	}
	return preparedUpgrade{p}, nil
}

type preparedUpgrade struct{ Prepared }

func (p preparedUpgrade) Next(ctx context.Context, s sdk.UpgradeState) (step sdk.UpgradeStep, err error) {
	err = p.Ask(ctx, wire.AppendUpgradeState(nil, s), 1, func(b []byte) (err error) {
		step, err = wire.DecodeUpgradeStep(b)
		return err
	})
	if err != nil {
		return sdk.UpgradeStep{}, err
	}
	step.Reason = line(step.Reason)
	return step, nil
}
