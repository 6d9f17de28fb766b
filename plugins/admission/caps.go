package admission

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/jsonvalue"
)

// Caps is the policy caps: no app may ask for more than its settings say, such as
// cpus=4;mem=8192;instances=20. What it names counts for one instance, but for
// instances. An app that asks for more already is let through, with a warning, as long
// as it asks for no more than before.
type Caps struct{}

// capNames are the fields that can be bounded.
func capNames() []string { return []string{"cpus", "mem", "disk", "gpus", "instances"} }

// asks is how much of it the app asks for.
func asks(app jsonvalue.Value, name string) float64 {
	n, _ := app.Get(name).Float()
	return n
}

// Policies returns caps.
func (Caps) Policies() []string { return []string{"caps"} }

// Review compares an app with the bounds.
func (Caps) Review(_ context.Context, r sdk.AdmissionRequest) (sdk.AdmissionReview, error) {
	review := sdk.AllowAdmission()
	bounds, err := boundsOf(r.Settings)
	if err != nil || r.Subject != sdk.AdmissionApp || r.Verb == sdk.AdmissionDelete {
		return review, err
	}
	old, now, err := appsOf(r)
	if err != nil {
		return review, err
	}
	for _, name := range capNames() {
		bound, bounded := bounds[name]
		asked := asks(now, name)
		if !bounded || asked <= bound {
			continue
		}
		text := name + " " + number(asked) + " is more than " + number(bound)
		if !old.Exists() || asked > asks(old, name) {
			return sdk.DenyAdmission("/"+name, text), nil
		}
		review.Warnings = append(review.Warnings, r.ID+": "+text)
	}
	return review, nil
}

func number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// boundsOf reads the settings.
func boundsOf(settings string) (map[string]float64, error) {
	bounds := map[string]float64{}
	for _, item := range listOf(strings.ToLower(settings)) {
		name, text, _ := strings.Cut(item, "=")
		name = strings.TrimSpace(name)
		bound, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if _, twice := bounds[name]; twice || err != nil || !(bound >= 0) || !slices.Contains(capNames(), name) {
			return nil, &sdk.Invalid{Message: "the admission policy caps takes cpus, mem, disk, gpus and instances, " +
				"each once and with a number, such as cpus=4;mem=8192; got " + strconv.Quote(item)}
		}
		bounds[name] = bound
	}
	if len(bounds) == 0 {
		return nil, &sdk.Invalid{Message: "the admission policy caps needs settings such as cpus=4;mem=8192;instances=20, the most that an app may ask for"}
	}
	return bounds, nil
}
