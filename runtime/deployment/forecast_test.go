package deployment_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

func TestForecast(t *testing.T) {
	app := &spec.App{Instances: 4, UpgradeStrategy: spec.UpgradeStrategy{MinimumHealthCapacity: 1, MaximumOverCapacity: 0.25}}
	one := sdk.UpgradeStep{Start: 1, Kill: 1} // what the envelope allows of it
	for _, tt := range []struct {
		name string
		next func(sdk.UpgradeState) sdk.UpgradeStep
		want *deployment.Halt
	}{
		{"goes through", func(sdk.UpgradeState) sdk.UpgradeStep { return one }, nil},
		{"waits for what is not foreseen", func(sdk.UpgradeState) sdk.UpgradeStep { return sdk.UpgradeStep{} }, nil},
		{"asks for ever", func(sdk.UpgradeState) sdk.UpgradeStep { return sdk.UpgradeStep{AskAfterMillis: 1} }, nil},
		{"pauses on the way", func(s sdk.UpgradeState) sdk.UpgradeStep {
			if s.NewReady == 2 && s.Old == 2 {
				return sdk.UpgradeStep{Outcome: sdk.Pause, Reason: "half way"}
			}
			return one
		}, &deployment.Halt{New: 2, Old: 2, Reason: "half way"}},
		{"rolls back in time, by its memory", func(s sdk.UpgradeState) sdk.UpgradeStep {
			if s.Millis == 5 && string(s.Memory) == "x" {
				return sdk.UpgradeStep{Outcome: sdk.RollBack}
			}
			return sdk.UpgradeStep{AskAfterMillis: 5, Memory: []byte("x")}
		}, &deployment.Halt{Old: 4, RollBack: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := deployment.Forecast(app, 4, func(s sdk.UpgradeState) (sdk.UpgradeStep, error) { return tt.next(s), nil })
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	broken := errors.New("out of fuel")
	if _, err := deployment.Forecast(app, 4, func(sdk.UpgradeState) (sdk.UpgradeStep, error) { return sdk.UpgradeStep{}, broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
