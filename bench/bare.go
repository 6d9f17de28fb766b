package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/pacer-run/pacer/runtime/policy/metering"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// bare is a guest in the engine with nothing around it: neither meter nor host.
type bare struct{ api.Module }

// newBare starts the code. What it returns ends it.
func newBare(ctx context.Context, code []byte) (bare, func() error, error) {
	engine := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2))
	end := func() error { return engine.Close(ctx) }
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, engine); err != nil {
		return bare{}, nil, errors.Join(err, end())
	}
	m, err := engine.InstantiateWithConfig(ctx, code, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		return bare{}, nil, errors.Join(err, end())
	}
	b := bare{m}
	b.refuel()
	if m.ExportedFunction("_initialize") != nil {
		_, err = b.call(ctx, "_initialize")
	}
	return b, end, err
}

// refuel fills the counter of a metered guest.
func (b bare) refuel() {
	if fuel, ok := b.ExportedGlobal(metering.FuelGlobal).(api.MutableGlobal); ok {
		fuel.Set(1 << 50)
	}
}

func (b bare) call(ctx context.Context, name string, args ...uint64) (uint64, error) {
	results, err := b.ExportedFunction(name).Call(ctx, args...)
	if err != nil || len(results) == 0 {
		return 0, err
	}
	return results[0], nil
}

// send writes the message where the function says and returns its length.
func (b bare) send(ctx context.Context, buffer string, message []byte) (uint64, error) {
	at, err := b.call(ctx, buffer, uint64(len(message)))
	if err == nil && !b.Memory().Write(uint32(at), message) {
		err = errors.New("the buffer lies outside of the memory")
	}
	return uint64(len(message)), err
}

// bareLike prepares LIKE in a guest and returns a question about these values.
func bareLike(ctx context.Context, b bare, operator string, values []string) (func() error, error) {
	size, err := b.send(ctx, "policy_buffer", wire.AppendSpec(nil, likeSpec(operator)))
	if err != nil {
		return nil, err
	}
	at, err := b.call(ctx, "constraint_prepare", size)
	if err != nil {
		return nil, err
	}
	message, _ := b.Memory().Read(uint32(at>>32), uint32(at))
	prepared, err := wire.DecodePrepared(message)
	if err != nil {
		return nil, err
	}
	input := wire.AppendInput(nil, sdk.ConstraintInput{Values: values, First: -1})
	return func() error {
		b.refuel()
		size, err := b.send(ctx, "policy_buffer", input)
		if err == nil {
			_, err = b.call(ctx, "constraint_evaluate", uint64(prepared.Handle), size)
		}
		return err
	}, nil
}

// jsonOffer is an offer as the module takes it that gets JSON.
type jsonOffer struct {
	ID         string            `json:"id"`
	AgentID    string            `json:"agentId"`
	Hostname   string            `json:"hostname"`
	Attributes map[string]string `json:"attributes"`
	Resources  []jsonResource    `json:"resources"`
}

type jsonResource struct {
	Name  string  `json:"name"`
	Type  string  `json:"type"`
	Role  string  `json:"role"`
	Value float64 `json:"value"`
}

// jsonOffers are 1,000, whose racks are values.
func jsonOffers(rows []string) []jsonOffer {
	list := make([]jsonOffer, len(rows))
	for i, rack := range rows {
		list[i] = jsonOffer{
			ID:         fmt.Sprint("10e4ed4d-7949-43c1-bcda-7d1ddba5b723-O", i),
			AgentID:    fmt.Sprint("10e4ed4d-7949-43c1-bcda-7d1ddba5b723-S", i),
			Hostname:   fmt.Sprintf("agent-%05d.cluster.example.com", i),
			Attributes: map[string]string{"rack": rack, "os": "debian-12", "class": "c1", "row": "r1", "kernel": "6.1"},
			Resources: []jsonResource{
				{"cpus", "SCALAR", "*", 32}, {"mem", "SCALAR", "*", 65536}, {"disk", "SCALAR", "*", 500000}, {"gpus", "SCALAR", "*", 0}, {"ports", "SCALAR", "*", 32000},
			},
		}
	}
	return list
}

// jsonLike is a question to that module, from offers to verdicts.
func jsonLike(ctx context.Context, b bare, offers []jsonOffer) func() error {
	return func() error {
		message, err := json.Marshal(offers)
		if err != nil {
			return err
		}
		if _, err := b.send(ctx, "buffer", message); err != nil {
			return err
		}
		size, err := b.call(ctx, "judge")
		if err == nil && size < uint64(len(offers)) {
			err = errors.New("the module of JSON answered nothing")
		}
		return err
	}
}
