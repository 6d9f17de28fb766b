package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

// AdmissionStep is an admission policy that the operator has chosen, and its settings.
type AdmissionStep struct {
	Policy   string // in any spelling
	Settings string // "" for none
}

// WrongAdmission is the error of CheckAdmission for a policy that the operator has
// chosen and that cannot work: there is none of that name, or its settings are wrong.
type WrongAdmission struct {
	Policy string // as it was chosen
	Err    error
}

// Error names the policy and what is wrong.
func (e *WrongAdmission) Error() string { return strconv.Quote(e.Policy) + ": " + e.Err.Error() }

// Unwrap returns what is wrong.
func (e *WrongAdmission) Unwrap() error { return e.Err }

// reviewTime is how long one policy may take for one review unless the
// configuration says otherwise.
const reviewTime = 5 * time.Second

// What of an answer is shown at the most: it ends in headers and on one line.
const (
	maxReason   = 1024 // bytes
	maxPath     = 256  // bytes
	maxWarning  = 256  // bytes
	maxWarnings = 16   // of one policy
)

// AdmissionPolicies lists the admission policies there are now, the built-in ones first.
func (c *Catalog) AdmissionPolicies() []string {
	return slices.Clone(c.table.Load().admission.names)
}

// Admits tells whether the operator has chosen any admission policy.
func (c *Catalog) Admits() bool { return len(c.config.Admitting) > 0 }

// CheckAdmission has every admission policy that the operator has chosen say whether
// it can work with its settings. It waits for modules when a name is not known yet.
// The error is a *WrongAdmission.
func (c *Catalog) CheckAdmission(ctx context.Context) error {
	for _, step := range c.config.Admitting {
		r := sdk.AdmissionRequest{Policy: sdk.CanonicalAdmissionPolicy(step.Policy), Settings: step.Settings}
		if _, err := c.review(ctx, r, nil); err != nil {
			return &WrongAdmission{step.Policy, err}
		}
	}
	return nil
}

// Admit has the operator's policies review a change, one after the other: each sees
// what the one before made of it, and the first that denies it has the last word. The
// request's Policy and Settings are set here. What a policy makes of New is given to
// take, which says in which form it is accepted; an error of take is a fault of the
// policy. A fault of a module whose operator has it fail open is a warning, and the next
// policy is asked. The review has all warnings; what denies names the policy. The error is an
// *sdk.Fault of a policy that failed or answered what cannot be, an *sdk.Invalid of one
// that is not there or cannot work with its settings any more, and otherwise ctx's.
func (c *Catalog) Admit(
	ctx context.Context, r sdk.AdmissionRequest, take func(policy string, amended []byte) ([]byte, error),
) (sdk.AdmissionReview, error) {
	var all sdk.AdmissionReview
	for _, step := range c.config.Admitting {
		r.Policy, r.Settings = sdk.CanonicalAdmissionPolicy(step.Policy), step.Settings
		review, err := c.review(ctx, r, take)
		if passed := (*passedOver)(nil); errors.As(err, &passed) {
			c.config.Log.Warn("change goes through unreviewed", "policy", r.Policy, "verb", r.Verb.String(), "id", r.ID, "user", r.User, "cause", passed.Error())
			all.Warnings = append(all.Warnings, oneLine("admission policy "+r.Policy+" failed and was passed over: "+passed.Error(), maxWarning))
			continue
		}
		if err != nil {
			return all, fmt.Errorf("admission policy %s: %w", r.Policy, err)
		}
		for _, text := range review.Warnings[:min(len(review.Warnings), maxWarnings)] {
			all.Warnings = append(all.Warnings, "admission policy "+r.Policy+": "+oneLine(text, maxWarning))
		}
		if review.Denied {
			all.Denied, all.Path, all.Reason = true, fieldPath(review.Path), "denied by the admission policy "+r.Policy
			if reason := oneLine(review.Reason, maxReason); reason != "" {
				all.Reason += ": " + reason
			}
			return all, nil
		}
		if review.Amended != nil {
			r.New, all.Amended = review.Amended, review.Amended
		}
	}
	return all, nil
}

// review asks one policy. What it amended is in the form that take gave it.
func (c *Catalog) review(
	ctx context.Context, r sdk.AdmissionRequest, take func(string, []byte) ([]byte, error),
) (sdk.AdmissionReview, error) {
	found, err := lookup(ctx, view{catalog: c}, admissionOf, r.Policy)
	if err != nil {
		return sdk.AdmissionReview{}, c.passAbsent(r, err)
	}
	probe, err := found.pass(ctx)
	if err != nil {
		found.release()
		return sdk.AdmissionReview{}, found.passOver(r, err)
	}
	review, err := c.await(ctx, found.source, func(ctx context.Context) (sdk.AdmissionReview, error) { return found.policy.Review(ctx, r) })
	switch {
	case err != nil || review.Denied || review.Amended == nil || r.Verb == sdk.AdmissionCheck:
	case r.New == nil:
		err = found.fault("it amended what is to be deleted")
	default:
		if review.Amended, err = take(r.Policy, review.Amended); err != nil {
			err = found.fault("its amendment cannot be accepted: " + err.Error())
		}
	}
	err = found.count(ctx, r.ID, err)
	found.judge(ctx, probe, err)
	return review, found.passOver(r, err)
}

// passedOver is a fault in spite of which a change goes through.
type passedOver struct{ *sdk.Fault }

// passOver makes a fault one that does not keep the change from going through, where
// the operator wants it so.
func (s source) passOver(r sdk.AdmissionRequest, err error) error {
	if r.Verb == sdk.AdmissionCheck || !s.opens(err) {
		return err
	}
	fault, _ := errors.AsType[*sdk.Fault](err)
	return &passedOver{fault}
}

// passAbsent is passOver of a policy whose module is not asked now, since it is off or
// could not be loaded again.
func (c *Catalog) passAbsent(r sdk.AdmissionRequest, err error) error {
	if _, ok := errors.AsType[*absent](err); !ok || r.Verb == sdk.AdmissionCheck {
		return err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, o := range c.origins {
		why, config := o.whyNotServing(), o.asked()
		if why == "" || !slices.Contains(o.had[remote.KindAdmission], r.Policy) || config.wayOf(remote.KindAdmission) != LetPass {
			continue
		}
		if _, ok := c.listed(o); !ok {
			continue // nobody wants anything of it any more
		}
		o.passedOver.Add(1)
		return &passedOver{&sdk.Fault{Module: o.lastLabel(), Kind: remote.KindAdmission.String(), Cause: "it is " + why}}
	}
	return err
}

// reviewed is what came back from a policy.
type reviewed struct {
	review sdk.AdmissionReview
	err    error
}

// await has a policy asked and waits for its answer as long as it may take. One that
// heeds no context keeps nobody waiting either. It lets go of the source when the policy
// has answered.
func (c *Catalog) await(ctx context.Context, o source, ask func(context.Context) (sdk.AdmissionReview, error)) (sdk.AdmissionReview, error) {
	limit := c.config.AdmissionTime
	if limit == 0 {
		limit = reviewTime
	}
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	answers := make(chan reviewed, 1)
	go func() {
		defer o.release()
		var a reviewed
		a.err = o.guard(func() (err error) {
			a.review, err = ask(bounded)
			return err
		})
		answers <- a
	}()
	var a reviewed
	select {
	case a = <-answers:
	case <-bounded.Done():
		a.err = bounded.Err()
	}
	if a.err != nil && bounded.Err() != nil && ctx.Err() == nil {
		fault := o.fault("it did not answer within " + limit.String())
		fault.Trap = true
		a.err = fault
	}
	return a.review, a.err
}

// fieldPath is the path of a field in the form of the API; "" for none.
func fieldPath(path string) string {
	path = oneLine(path, maxPath)
	if path == "" || strings.HasPrefix(path, "/") {
		return path
	}
	return "/" + path
}

// oneLine is a module's text for people, cut to so many bytes.
func oneLine(text string, most int) string {
	text = strings.Join(strings.Fields(text), " ")
	return strings.ToValidUTF8(text[:min(len(text), most)], "")
}
