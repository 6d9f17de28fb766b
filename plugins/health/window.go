package health

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/sdk"
)

// WindowLabel is the label that sets the rule window: "3/5" means three of the
// last five results.
const WindowLabel = "PACER_HEALTH_WINDOW"

// defaultWindow is for apps without the label.
const defaultWindow = "3/5"

// Window is the rule window: an instance that has been healthy stays so until k of
// its last n results are failures, and is then replaced. A failure now and then
// changes nothing, and one that flaps does not get by because a success comes
// between its failures.
type Window struct{}

// Rules returns window.
func (Window) Rules() []string { return []string{"window"} }

// Prepare reads the label.
func (Window) Prepare(_ context.Context, h sdk.HealthSpec) (sdk.PreparedHealth, error) {
	text, ok := h.App.Labels[WindowLabel]
	if !ok {
		text = defaultWindow
	}
	k, n, err := parseWindow(text)
	if err != nil {
		return nil, err
	}
	return &prepared{slices.Clone(h.Checks), func(check *sdk.HealthCheck, record *sdk.HealthRecord) sdk.HealthVerdict {
		return window(check, record, k, n)
	}}, nil
}

func parseWindow(text string) (k, n uint32, err error) {
	head, tail, _ := strings.Cut(text, "/")
	failures, err1 := strconv.ParseUint(strings.TrimSpace(head), 10, 32)
	results, err2 := strconv.ParseUint(strings.TrimSpace(tail), 10, 32)
	if err1 != nil || err2 != nil || failures < 1 || failures > results || results > sdk.MaxRecentResults {
		return 0, 0, &sdk.Invalid{Message: fmt.Sprintf(
			"%s must be two numbers such as %s, failures of results, with 1 <= failures <= results <= %d; got %q",
			WindowLabel, defaultWindow, sdk.MaxRecentResults, text)}
	}
	return uint32(failures), uint32(results), nil
}

func window(check *sdk.HealthCheck, record *sdk.HealthRecord, k, n uint32) sdk.HealthVerdict {
	failures := record.Failures(n)
	switch {
	case record.Results == 0:
		return sdk.HealthVerdict{}
	case failures < k && record.FirstSuccess != 0:
		return sdk.HealthVerdict{State: sdk.Healthy}
	case failures < k:
		return sdk.HealthVerdict{State: sdk.Unhealthy, Reason: record.LastFailureCause}
	}
	return sdk.HealthVerdict{
		State: sdk.Unhealthy,
		// A success is a sign that it gets better: it is not what ends an instance.
		Replace: check.MaxConsecutiveFailures > 0 && !record.Alive(),
		Reason:  fmt.Sprintf("%d of the last %d results are failures: %s", failures, min(n, record.Results), record.LastFailureCause),
	}
}
