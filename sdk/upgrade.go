package sdk

import "context"

// Upgrade is the policy kind "upgrade": it says how an app goes from one version
// to the next, one step at a time.
type Upgrade interface {
	// Strategies lists the strategies this policy answers for, in lower case.
	Strategies() []string
	// Prepare is called once per upgrade, and again after a change of leader. It
	// returns *Invalid for what the user must change and any other error for a
	// fault of its own.
	Prepare(ctx context.Context, u UpgradeSpec) (PreparedUpgrade, error)
}

// UpgradeSpec names the strategy and the app version that is to come. Settings of
// a strategy are labels of the app.
type UpgradeSpec struct {
	Strategy string // canonical, see CanonicalStrategy
	App      AppFacts
	// The fractions of the app that make the envelope, see UpgradeState.
	MinimumHealthCapacity float64
	MaximumOverCapacity   float64
}

// PreparedUpgrade answers for one upgrade. It is used by one goroutine at a time.
type PreparedUpgrade interface {
	// Next says what to do now. It is asked at the start and whenever something
	// changed that UpgradeState shows. Its answer must depend on the state alone.
	// An error is a fault of the module: nothing is started and nothing killed.
	Next(ctx context.Context, s UpgradeState) (UpgradeStep, error)
	// Close releases what Prepare took. It may be called once.
	Close()
}

// UpgradeState is where an upgrade stands. Old instances are those of earlier
// configurations, new ones those of the version that is to come.
type UpgradeState struct {
	Instances             uint32 // wanted in the end
	MinimumHealthCapacity float64
	MaximumOverCapacity   float64

	// MinHealthy and MaxTotal are the envelope, in instances: whatever a step
	// says, no healthy one is killed that leaves fewer than MinHealthy, and none is
	// started that makes more than MaxTotal, or more new ones than Instances.
	// MinHealthy is less than MaxTotal, unless Instances is 0.
	MinHealthy uint32
	MaxTotal   uint32

	Old        uint32 // not known to be dead, those being killed included
	OldDying   uint32 // of Old: being killed
	OldHealthy uint32 // of Old: healthy and not being killed

	New        uint32 // on their way or running
	NewHealthy uint32 // of New: healthy now, whether ready or not
	NewReady   uint32 // of New: have been healthy and ready since they were started

	Millis uint64 // since the upgrade began
	Memory []byte // what the last step left in its Memory; nil at the start

	Promotions uint32 // how often somebody told this upgrade to go on when it was paused
	NowMillis  int64  // since 1970, when this was asked; 0 when that is not known
	Undoes     bool   // it undoes another upgrade: what is to come was there before, and need not prove itself
}

// UpgradeStep is what to do next. Both numbers are cut to the envelope.
type UpgradeStep struct {
	Start uint32 // new instances
	Kill  uint32 // old ones; the host takes unhealthy ones first, then by the app's kill selection
	// AskAfterMillis asks for another look after that time although nothing may
	// have changed; 0 means that none is needed.
	AskAfterMillis uint64
	// Outcome other than Proceed stops the upgrade; nothing is started or killed then.
	Outcome UpgradeOutcome
	Reason  string // for people: why it waits or stops; may be ""
	Memory  []byte // at most MaxUpgradeMemory bytes; kept through a change of leader
}

// UpgradeOutcome says whether an upgrade goes on.
type UpgradeOutcome uint32

const (
	Proceed UpgradeOutcome = iota
	// Pause waits until somebody lets it go on, which shows in Promotions. Until
	// then nothing is asked, unless the step has AskAfterMillis: then the strategy is
	// asked as ever, and its next answer says whether the pause goes on.
	Pause
	RollBack // give up and go back to the version before
)

// MaxUpgradeMemory is how many bytes a step may leave for the next.
const MaxUpgradeMemory = 16 << 10
