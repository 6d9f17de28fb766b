package sdk

import (
	"context"
	"strings"
)

// Fetch is the policy kind "fetch": it says of every URI that an app wants fetched
// before its tasks start whether it is, from where, and what becomes of it. It
// fetches nothing itself: the agent does.
type Fetch interface {
	// Policies lists the names this policy answers for, in lower case.
	Policies() []string
	// Prepare is called once per app version, and again after a change of leader.
	// Before that, when the host starts, it is called with no app at all, to learn
	// whether the settings are right. It returns *Invalid for settings that the
	// operator must change and any other error for a fault of its own.
	Prepare(ctx context.Context, f FetchSpec) (PreparedFetch, error)
}

// FetchSpec names the policy, what the operator has set for it, and the app
// version whose URIs are decided. Which policies there are, and in which order
// they decide, is the operator's choice alone.
type FetchSpec struct {
	Policy   string // canonical, see CanonicalFetchPolicy
	Settings string // meaning is the policy's; "" for none
	App      AppFacts
	// Enforced: the agents check digests and limits, as those of the embedded cluster
	// do. Mesos cannot; without it a decision with either is one that nobody carries
	// out, and a policy that relies on them denies.
	Enforced bool
}

// PreparedFetch answers for one app version. It is used by one goroutine at a time.
type PreparedFetch interface {
	// Decide answers one decision for each URI. It must depend on the settings, the
	// app and that URI alone: it is asked once, and its answer holds for all tasks
	// of the app version. An error is a fault of the module: nothing is launched. It
	// must not keep uris; the answer is the caller's.
	Decide(ctx context.Context, uris []FetchURI) ([]FetchDecision, error)
	// Close releases what Prepare took. It may be called once.
	Close()
}

// FetchURI is something to be fetched into the sandbox of a task: all that Mesos
// can be told about it.
type FetchURI struct {
	URI        string
	Extract    bool   // unpack it, if its name ends as that of an archive
	Executable bool   // let the task's user execute it
	Cache      bool   // keep it in the agent's cache
	DestPath   string // below the sandbox; "" means the last part of the URI
}

// FetchDecision is what a policy makes of one URI.
type FetchDecision struct {
	FetchURI        // how it is fetched; it says nothing when denied
	Denied   bool   // it is not fetched, and so the app is not launched
	Reason   string // for people: why it is denied
	// SHA256 is the digest of what is fetched, in lower-case hexadecimal; "" for any.
	SHA256 string
	Limits FetchLimits
}

// FetchLimits bound what one URI may become; 0 is the agent's own limit, and no
// limit raises that.
type FetchLimits struct {
	Bytes   uint64 // fetched, and again all that is unpacked of it
	Entries uint32 // of an archive
	Depth   uint32 // of folders in an archive
	Ratio   uint32 // of bytes unpacked to bytes fetched
}

// AllowFetch is the decision to fetch the URI as it is asked for.
func AllowFetch(uri FetchURI) FetchDecision { return FetchDecision{FetchURI: uri} }

// DenyFetch is the decision not to, and why.
func DenyFetch(reason string) FetchDecision { return FetchDecision{Denied: true, Reason: reason} }

// CanonicalFetchPolicy is the form in which names of fetch policies are compared.
func CanonicalFetchPolicy(name string) string { return strings.ToLower(strings.TrimSpace(name)) }
