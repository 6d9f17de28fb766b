package spec

import (
	"fmt"
	"strconv"
	"time"
)

// Validate checks a complete, normalised app against the rules, all of them: the
// error is *Faults. A rule that other apps or groups take part in is not among
// them; see Tree.Validate.
func (a *App) Validate(r Rules) error {
	f := &Faults{Message: MessageInvalidObject}
	if r.Sent != nil && r.Sent.broken != nil {
		f.Merge("", r.Sent.broken)
	}
	a.checkCommand(f)
	a.checkLabels(f)
	a.checkEnv(f, r)
	a.checkLaunch(f)
	a.checkFetch(f)
	a.checkResources(f, r)
	a.checkNetworks(f)
	a.checkPorts(f)
	a.checkContainer(f, r)
	a.checkHealth(f)
	a.checkReadiness(f)
	a.checkStrategies(f)
	a.checkRole(f, r)
	return f.Err()
}

// checkCommand asks for one of the two, or for an image that has its own; with
// both nobody could tell which is meant.
func (a *App) checkCommand(f *Faults) {
	image := a.Container != nil && a.Container.Docker != nil
	if a.Cmd != "" && len(a.Args) > 0 || a.Cmd == "" && len(a.Args) == 0 && !image {
		f.Add("/", "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.")
	}
}

// checkLabels keeps the promises that labels make.
func (a *App) checkLabels(f *Faults) {
	if a.Labels["MARATHON_SINGLE_INSTANCE_APP"] == "true" {
		if a.Instances > 1 {
			f.Add("/", "Single instance app may only have one instance")
		}
		f.expectZero("/upgradeStrategy/minimumHealthCapacity", a.UpgradeStrategy.MinimumHealthCapacity)
		f.expectZero("/upgradeStrategy/maximumOverCapacity", a.UpgradeStrategy.MaximumOverCapacity)
	}
	version := a.Labels["DCOS_MIGRATION_API_VERSION"]
	if version == "" {
		return
	}
	if version != "v1" || a.Labels["DCOS_PACKAGE_FRAMEWORK_NAME"] == "" || a.Labels["DCOS_MIGRATION_API_PATH"] == "" {
		f.Add("/", "DCOS_PACKAGE_FRAMEWORK_NAME and DCOS_MIGRATION_API_PATH must be defined when using DCOS_MIGRATION_API_VERSION")
	}
}

func (f *Faults) expectZero(path string, value float64) {
	if value != 0 {
		f.Add(path, "got "+decimal(value)+", expected 0.0")
	}
}

// checkEnv checks names, and that every secret that is referred to is there.
func (a *App) checkEnv(f *Faults, r Rules) {
	_, value := a.Env[""]
	_, secret := a.EnvSecrets[""]
	if value || secret {
		f.Add("/env/keys(0)", "must not be empty") // it sorts first
	}
	if _, ok := a.Secrets[""]; ok {
		f.Add("/secrets/keys(0)", "must not be empty")
	}
	if !r.enabled(FeatureSecrets) {
		if len(a.EnvSecrets) > 0 {
			f.Add("/env", "use of secret-references in the environment requires the secrets feature to be enabled")
		}
		if len(a.Secrets) > 0 {
			f.Add("/secrets", featureOff(FeatureSecrets))
		}
	}
	for _, name := range sortedKeys(a.EnvSecrets) {
		if _, ok := a.Secrets[a.EnvSecrets[name]]; !ok {
			f.Add("/env/"+name+"/secret", "references an undefined secret")
		}
	}
}

func (a *App) checkFetch(f *Faults) {
	for i := range a.Fetch {
		if !validURI(a.Fetch[i].URI) {
			f.Add(at("/fetch", i)+"/uri", messageURI)
		}
	}
}

func (a *App) checkResources(f *Faults, r Rules) {
	if a.GPUs > 0 {
		if a.Container != nil && a.Container.Type == DockerContainer {
			f.Add("/", "GPU resources only work with the Mesos containerizer")
		}
		if !r.enabled(FeatureGPUs) {
			f.Add("/", featureOff(FeatureGPUs))
		}
	}
	if l := a.ResourceLimits; l != nil {
		f.checkLimit("/resourceLimits/cpus", l.CPUs, a.CPUs)
		f.checkLimit("/resourceLimits/mem", l.Mem, a.Mem)
	}
}

func (f *Faults) checkLimit(path string, limit *Limit, asked float64) {
	if limit != nil && !limit.Unlimited && limit.Value < asked {
		f.Add(path, "resource limit must be greater than or equal to requested resource ("+decimal(asked)+")")
	}
}

// checkStrategies checks the delays, and that apps which hold on to storage are
// never there twice and never replaced elsewhere.
func (a *App) checkStrategies(f *Faults) {
	s := a.UnreachableStrategy
	if s.InactiveAfter > s.ExpungeAfter {
		f.Add("/unreachableStrategy/inactiveAfterSeconds", fmt.Sprintf(
			"inactiveAfterSeconds (%d) must be less or equal to expungeAfterSeconds, which is %d",
			s.InactiveAfter/time.Second, s.ExpungeAfter/time.Second))
	}
	if a.Resident() && !s.Disabled {
		f.Add("/", "unreachableStrategy must be disabled for resident tasks")
	}
	if a.BoundToVolumes() {
		f.expectZero("/upgradeStrategy/maximumOverCapacity", a.UpgradeStrategy.MaximumOverCapacity)
	}
}

// got words a count that is too high.
func got(n, most int) string {
	return "got " + strconv.Itoa(n) + ", expected " + strconv.Itoa(most) + " or less"
}
