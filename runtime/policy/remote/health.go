package remote

import (
	"context"
	"runtime"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// healthChunk is how many histories a rule is asked about in one call: a call into
// a guest keeps Go's garbage collector waiting, so it has to be short.
const healthChunk = 256

// Health is the module's policy of the kind health.
func Health(m Module) sdk.Health { return health{m} }

type health struct{ module Module }

func (h health) Rules() []string { return Names(h.module, KindHealth) }

func (h health) Prepare(ctx context.Context, spec sdk.HealthSpec) (sdk.PreparedHealth, error) {
	p, err := h.module.Prepare(ctx, KindHealth, wire.AppendHealthSpec(nil, spec))
	if err != nil {
		return nil, err
	}
	return preparedHealth{p}, nil
}

type preparedHealth struct{ Prepared }

func (p preparedHealth) Judge(ctx context.Context, histories []sdk.HealthHistory) ([]sdk.HealthVerdict, error) {
	verdicts := make([]sdk.HealthVerdict, 0, len(histories))
	for len(histories) > 0 {
		some := histories[:min(healthChunk, len(histories))]
		histories = histories[len(some):]
		err := p.Ask(ctx, wire.AppendHealthInput(nil, some), len(some), func(b []byte) error {
			answered, err := wire.DecodeHealthAnswer(b, len(some))
			verdicts = append(verdicts, answered...)
			return err
		})
		if err != nil {
			return nil, err
		}
		runtime.Gosched() // between calls that let nobody else in
	}
	for i := range verdicts {
		verdicts[i].Reason = line(verdicts[i].Reason)
	}
	return verdicts, nil
}
