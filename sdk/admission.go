package sdk

import (
	"context"
	"strings"
)

// Admission is the policy kind "admission": it says of every app and group that
// users want created, changed or deleted whether they may, before it is accepted,
// and may amend it.
type Admission interface {
	// Policies lists the names this policy answers for, in lower case.
	Policies() []string
	// Review answers about one app or group. Its answer must depend on r alone: the
	// same change may be reviewed more than once, as when it is planned first. It
	// returns *Invalid for settings that the operator must change and any other
	// error for a fault of its own; nothing is accepted then. Asked with
	// AdmissionCheck it looks at the settings and at nothing else, which is not there.
	// It must neither keep r nor change what it points to.
	Review(ctx context.Context, r AdmissionRequest) (AdmissionReview, error)
}

// AdmissionRequest is one change that somebody wants.
type AdmissionRequest struct {
	Policy   string // canonical, see CanonicalAdmissionPolicy
	Settings string // meaning is the policy's; "" for none
	Verb     AdmissionVerb
	Subject  AdmissionSubject
	ID       string // absolute path
	Old      []byte // the app or group as the API shows it, JSON; nil for Create
	New      []byte // as it is to become, normalised, JSON; nil for Delete
	User     string // who asks; "" when the API asks for no credentials
	Force    bool
	// NowMillis is when it is asked, in milliseconds since 1970.
	NowMillis int64
	// Above are the groups above the subject, the root first: with all else of the
	// same change as it is to become, and without the subject itself. What New asks
	// for may be added to see what they come to.
	Above []GroupUse
}

// AdmissionVerb is what is to happen to the subject.
type AdmissionVerb uint32

// The verbs. Scaling and restarting are updates.
const (
	// AdmissionCheck asks whether the settings are right, as at the start: there is no
	// subject, and of the answer only the error counts.
	AdmissionCheck AdmissionVerb = iota
	AdmissionCreate
	AdmissionUpdate
	AdmissionDelete
)

// String returns the verb in lower case.
func (v AdmissionVerb) String() string {
	switch v {
	case AdmissionCheck:
		return "check"
	case AdmissionCreate:
		return "create"
	case AdmissionUpdate:
		return "update"
	case AdmissionDelete:
		return "delete"
	default:
		return "unspecified"
	}
}

// AdmissionSubject is what a change is about.
type AdmissionSubject uint32

// The subjects. A change of a group is reviewed as one of the group and as one of
// each app in it that changes.
const (
	AdmissionApp AdmissionSubject = iota + 1
	AdmissionGroup
)

// String returns the subject in lower case.
func (s AdmissionSubject) String() string {
	switch s {
	case AdmissionApp:
		return "app"
	case AdmissionGroup:
		return "group"
	default:
		return "unspecified"
	}
}

// GroupUse is what all instances of the apps of a group, and of the groups in it, ask
// for in all; executors aside.
type GroupUse struct {
	ID        string
	Apps      uint32
	Instances uint32
	CPUs      float64
	Mem       float64 // MiB
	Disk      float64 // MiB
	GPUs      uint32
}

// AdmissionReview is what a policy makes of a change.
type AdmissionReview struct {
	Denied bool
	Reason string // for the user: why it is denied
	Path   string // of the field that has to change, such as /cpus; may be ""
	// Amended is what New is to be instead, whole; nil: as it is. Its id stays. It is
	// read as if the user had sent it; what cannot be accepted is the policy's fault.
	Amended  []byte
	Warnings []string // for the user, beside the answer
}

// AllowAdmission is the review that lets a change through as it is.
func AllowAdmission() AdmissionReview { return AdmissionReview{} }

// DenyAdmission is the review that refuses a change, and why.
func DenyAdmission(path, reason string) AdmissionReview {
	return AdmissionReview{Denied: true, Path: path, Reason: reason}
}

// CanonicalAdmissionPolicy is the form in which names of admission policies are compared.
func CanonicalAdmissionPolicy(name string) string { return strings.ToLower(strings.TrimSpace(name)) }
