package master

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/scheduler"
)

// Framework is how the framework introduces itself. The master takes changes over
// at the next subscription, but never those of User, Principal and Checkpoint.
type Framework struct {
	Name            string        // required
	User            string        // runs tasks that name no user; required
	Hostname        string        // for people; may be ""
	WebUIURL        string        // may be ""
	Principal       string        // must be that of Credential if both are set; may be ""
	Roles           []string      // those it is offered resources for; nil means "*"
	Checkpoint      bool          // tasks survive the agent process
	FailoverTimeout time.Duration // after it a framework that does not return is removed with its tasks
	KillingState    bool          // asks for TASK_KILLING
	GPUs            bool          // asks for offers of agents that have GPUs
}

// Credential is for HTTP basic authentication. The zero value is none.
type Credential struct{ Principal, Secret string }

// Config is what a Client works with.
type Config struct {
	Framework  Framework
	Detector   Detector // required
	Credential Credential
	TLS        *tls.Config // for masters behind https; nil means Go's defaults

	// Sink takes the events. It is called by several goroutines: one brings what the
	// master says, in its order, and may be made to wait, which holds the stream up;
	// the others bring CallFailed, for which Sink must not wait for the caller of
	// Send. When Run is to end, Sink must return. Required.
	Sink func(scheduler.Event)
	// FrameworkID is asked at each subscription for the id under which the framework
	// is known; "" or nil for none, then the master mints one.
	FrameworkID func() string
	// Roles is asked at each subscription for the roles that it is for. nil means
	// those of Framework.
	Roles func() []string
	// SuppressedRoles is asked at each subscription for the roles that begin without
	// offers. Roles the framework does not have are left out. nil means none.
	SuppressedRoles func() []string

	CallTimeout time.Duration  // for the answer to one call; 0 means 30 s
	Backoff     Backoff        // between attempts to subscribe
	Random      func() float64 // jitter, in [0,1); nil means a random source
	Log         *slog.Logger   // nil means no log
}

// Backoff is the wait between attempts: it doubles from First to Most, and each
// wait is drawn from its upper half. Zero values mean 0.5 s and 15 s.
type Backoff struct{ First, Most time.Duration }

// withDefaults checks cfg and fills in what was left out.
func (cfg Config) withDefaults() (Config, error) {
	var faults []error
	require := func(ok bool, field, expected string) {
		if !ok {
			faults = append(faults, fmt.Errorf("master: %s: expected %s", field, expected))
		}
	}
	f := &cfg.Framework
	require(f.Name != "", "framework name", "a name")
	require(f.User != "", "framework user", "the name of a user")
	require(f.FailoverTimeout >= 0, "framework failover timeout", "no negative time")
	require(cfg.Credential.Principal == "" || f.Principal == "" || f.Principal == cfg.Credential.Principal,
		"framework principal", "that of the credential")
	require(cfg.Detector != nil, "detector", "a detector")
	require(cfg.Sink != nil, "sink", "a function")
	if f.Principal == "" {
		f.Principal = cfg.Credential.Principal
	}
	if len(f.Roles) == 0 {
		f.Roles = []string{"*"}
	}
	cfg.fillFunctions()
	setDefault(&cfg.CallTimeout, 30*time.Second)
	setDefault(&cfg.Backoff.First, 500*time.Millisecond)
	setDefault(&cfg.Backoff.Most, 15*time.Second)
	return cfg, errors.Join(faults...)
}

func (cfg *Config) fillFunctions() {
	if cfg.FrameworkID == nil {
		cfg.FrameworkID = func() string { return "" }
	}
	if own := cfg.Framework.Roles; cfg.Roles == nil {
		cfg.Roles = func() []string { return own }
	}
	if cfg.SuppressedRoles == nil {
		cfg.SuppressedRoles = func() []string { return nil }
	}
	if cfg.Random == nil {
		cfg.Random = rand.Float64
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
}

func setDefault(d *time.Duration, value time.Duration) {
	if *d == 0 {
		*d = value
	}
}

// info is the FrameworkInfo of a subscription under id; "" for a new framework.
// Role stays unset: a master refuses it beside MULTI_ROLE.
func (f *Framework) info(id string) *mesos.FrameworkInfo {
	timeout := f.FailoverTimeout.Seconds()
	info := &mesos.FrameworkInfo{
		User:            f.User,
		Name:            f.Name,
		FailoverTimeout: &timeout,
		Checkpoint:      &f.Checkpoint,
		Roles:           f.Roles,
		Hostname:        optional(f.Hostname),
		Principal:       optional(f.Principal),
		WebUiURL:        optional(f.WebUIURL),
		Capabilities:    f.capabilities(),
	}
	if id != "" {
		info.ID = &mesos.FrameworkID{Value: id}
	}
	return info
}

// capabilities are those that Marathon asks for. RESERVATION_REFINEMENT is not among
// them: resources then come, and are named in launches, with the role on each. No
// capability may be left out that an earlier release asked for, since masters need
// not take one back.
func (f *Framework) capabilities() []mesos.FrameworkInfo_Capability {
	types := []mesos.FrameworkInfo_Capability_Type{
		mesos.FrameworkInfo_Capability_PARTITION_AWARE,
		mesos.FrameworkInfo_Capability_MULTI_ROLE,
		mesos.FrameworkInfo_Capability_REGION_AWARE,
	}
	if f.KillingState {
		types = append(types, mesos.FrameworkInfo_Capability_TASK_KILLING_STATE)
	}
	if f.GPUs {
		types = append(types, mesos.FrameworkInfo_Capability_GPU_RESOURCES)
	}
	capabilities := make([]mesos.FrameworkInfo_Capability, len(types))
	for i, t := range types {
		capabilities[i].Type = t
	}
	return capabilities
}

// in is the framework with other roles.
func (f *Framework) in(roles []string) *Framework {
	other := *f
	other.Roles = roles
	return &other
}

// suppressed keeps of roles those that the framework has: one role too many and
// the master refuses the subscription.
func (f *Framework) suppressed(roles []string) []string {
	return slices.DeleteFunc(slices.Clone(roles), func(r string) bool { return !slices.Contains(f.Roles, r) })
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
