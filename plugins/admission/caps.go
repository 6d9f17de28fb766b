package admission

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/sdk"
)

// Caps is the policy caps: no app may ask for more than its settings say, such as
// cpus=4;mem=8192;instances=20. What it names counts for one instance, but for
// instances. An app that asks for more already is let through, with a warning, as long
// as it asks for no more than before.
type Caps struct{}

// capNames are the fields that can be bounded.
func capNames() []string { return []string{"cpus", "mem", "disk", "gpus", "instances"} }

func (a *appNow) field(name string) float64 {
	return map[string]float64{"cpus": a.CPUs, "mem": a.Mem, "disk": a.Disk, "gpus": a.GPUs, "instances": a.Instances}[name]
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
		asked := now.field(name)
		if !bounded || asked <= bound {
			continue
		}
		text := fmt.Sprintf("%s %v is more than %v", name, asked, bound)
		if old == nil || asked > old.field(name) {
			return sdk.DenyAdmission("/"+name, text), nil
		}
		review.Warnings = append(review.Warnings, r.ID+": "+text)
	}
	return review, nil
}

// boundsOf reads the settings.
func boundsOf(settings string) (map[string]float64, error) {
	bounds := map[string]float64{}
	for _, item := range listOf(strings.ToLower(settings)) {
		name, text, _ := strings.Cut(item, "=")
		name = strings.TrimSpace(name)
		bound, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if _, twice := bounds[name]; twice || err != nil || !(bound >= 0) || !slices.Contains(capNames(), name) {
			return nil, &sdk.Invalid{Message: fmt.Sprintf(
				"the admission policy caps takes cpus, mem, disk, gpus and instances, each once and with a number, such as cpus=4;mem=8192; got %q", item)}
		}
		bounds[name] = bound
	}
	if len(bounds) == 0 {
		return nil, &sdk.Invalid{Message: "the admission policy caps needs settings such as cpus=4;mem=8192;instances=20, the most that an app may ask for"}
	}
	return bounds, nil
}
