package remote

import (
	"context"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// Fetch is the module's policy of the kind fetch.
func Fetch(m Module) sdk.Fetch { return fetch{m} }

type fetch struct{ module Module }

func (f fetch) Policies() []string { return Names(f.module, KindFetch) }

func (f fetch) Prepare(ctx context.Context, spec sdk.FetchSpec) (sdk.PreparedFetch, error) {
	p, err := f.module.Prepare(ctx, KindFetch, wire.AppendFetchSpec(nil, spec))
	if err != nil {
		return nil, err
	}
	return preparedFetch{p}, nil
}

type preparedFetch struct{ Prepared }

func (p preparedFetch) Decide(ctx context.Context, uris []sdk.FetchURI) (decisions []sdk.FetchDecision, err error) {
	err = p.Ask(ctx, wire.AppendFetchInput(nil, uris), len(uris), func(b []byte) (err error) {
		decisions, err = wire.DecodeFetchAnswer(b, len(uris))
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range decisions {
		decisions[i].Reason = line(decisions[i].Reason)
	}
	return decisions, nil
}
