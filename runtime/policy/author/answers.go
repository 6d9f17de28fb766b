package author

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/recording"
	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// sound says why bytes are no answer of the kind; nil when they are.
func sound(kind remote.Kind, answer []byte, items int) (err error) {
	switch kind {
	case remote.KindConstraint:
		_, err = wire.DecodeAnswer(answer, items)
	case remote.KindFetch:
		_, err = wire.DecodeFetchAnswer(answer, items)
	case remote.KindUpgrade:
		_, err = wire.DecodeUpgradeStep(answer)
	case remote.KindHealth:
		_, err = wire.DecodeHealthAnswer(answer, items)
	default:
		_, err = wire.DecodeAdmissionReview(answer)
	}
	return err
}

// subject is what a call is about.
type subject struct{ policy, app string }

// subject remembers what was prepared, for the questions about it.
func (p *player) subject(c recording.Call) subject {
	if c.Op == recording.Review {
		r, err := wire.DecodeAdmissionRequest(c.Input)
		if err != nil {
			return subject{}
		}
		return subject{r.Policy, r.ID}
	}
	if c.Op == recording.Prepare {
		p.about[c.Prepared] = subjectOf(c.Kind, c.Input)
	}
	return p.about[c.Prepared]
}

// subjectOf is what a spec is about. One that cannot be read is about nothing.
func subjectOf(kind remote.Kind, spec []byte) (s subject) {
	switch kind {
	case remote.KindConstraint:
		if c, err := wire.DecodeSpec(spec); err == nil {
			s = subject{strings.TrimSpace(c.Field + " " + c.Operator + " " + c.Value), c.App.ID}
		}
	case remote.KindFetch:
		if f, err := wire.DecodeFetchSpec(spec); err == nil {
			s = subject{f.Policy, f.App.ID}
		}
	case remote.KindUpgrade:
		if u, err := wire.DecodeUpgradeSpec(spec); err == nil {
			s = subject{u.Strategy, u.App.ID}
		}
	case remote.KindHealth:
		if h, err := wire.DecodeHealthSpec(spec); err == nil {
			s = subject{h.Rule, h.App.ID}
		}
	default: // admission has no spec
	}
	return s
}

// changes are the differences between two results of a call.
func (s subject) changes(c recording.Call, was, now played) []Change {
	if was.failure == recording.None && now.failure == recording.None && was.traits == now.traits && bytes.Equal(was.answer, now.answer) {
		return nil
	}
	if was.failure != recording.None || now.failure != recording.None || c.Op == recording.Prepare {
		if a, b := was.text(), now.text(); a != b {
			return []Change{{Item: c.Op.String(), Was: a, Now: b}}
		}
		return nil
	}
	items := itemsOf(c.Kind, c.Input)
	a, b := verdicts(c.Kind, was.answer, len(items)), verdicts(c.Kind, now.answer, len(items))
	var changes []Change
	for i := range a {
		if i >= len(b) || a[i] == b[i] {
			continue
		}
		change := Change{Was: a[i], Now: b[i]}
		if i < len(items) {
			change.Item = items[i]
		}
		changes = append(changes, change)
	}
	return changes
}

// text is how a call ended. The words of a refusal do not count: an author may improve
// them.
func (p played) text() string {
	switch p.failure {
	case recording.Invalid:
		return "invalid"
	case recording.Fault:
		return "fault: " + p.cause
	default:
	}
	if p.traits != 0 {
		return "accepted, traits " + strconv.FormatUint(uint64(p.traits), 10)
	}
	return "accepted"
}

// absent is how the slot for agents without the field is shown.
const absent = "(absent)"

// itemsOf are what a question asks about, for people.
func itemsOf(kind remote.Kind, input []byte) []string {
	var items []string
	switch kind {
	case remote.KindConstraint:
		var decoder wire.InputDecoder
		if in, err := decoder.Decode(input); err == nil {
			for slot, value := range in.Values {
				if slot == sdk.AbsentSlot {
					value = absent
				}
				items = append(items, strings.Clone(value))
			}
		}
	case remote.KindFetch:
		if uris, err := wire.DecodeFetchInput(input); err == nil {
			for _, uri := range uris {
				items = append(items, uri.URI)
			}
		}
	case remote.KindHealth:
		if histories, err := wire.DecodeHealthInput(input); err == nil {
			for i := range histories {
				items = append(items, "check "+strconv.FormatUint(uint64(histories[i].Check), 10)+" "+courseText(&histories[i].HealthRecord))
			}
		}
	default:
		items = []string{""}
	}
	return items
}

// courseText is a record as in a vector, the oldest result first.
func courseText(r *sdk.HealthRecord) string {
	var text strings.Builder
	for i := int(r.Results) - 1; i >= 0; i-- {
		text.WriteByte("-+"[r.Recent>>i&1])
	}
	return text.String()
}

// verdicts are the answer item by item, and what it says of all of them, for people.
// The words of reasons do not count.
func verdicts(kind remote.Kind, answer []byte, items int) []string {
	var texts []string
	switch kind {
	case remote.KindConstraint:
		if a, err := wire.DecodeAnswer(answer, items); err == nil {
			for _, quota := range a.Quota {
				texts = append(texts, quotaText(quota))
			}
			texts = append(texts, fmt.Sprintf("flags %d", a.Flags))
		}
	case remote.KindFetch:
		if decisions, err := wire.DecodeFetchAnswer(answer, items); err == nil {
			for i := range decisions {
				texts = append(texts, decisionText(&decisions[i]))
			}
		}
	case remote.KindUpgrade:
		if step, err := wire.DecodeUpgradeStep(answer); err == nil {
			texts = []string{stepText(&step)}
		}
	case remote.KindHealth:
		if verdicts, err := wire.DecodeHealthAnswer(answer, items); err == nil {
			for _, v := range verdicts {
				text := v.State.String()
				if v.Replace {
					text += ", replaced"
				}
				texts = append(texts, text)
			}
		}
	default:
		if r, err := wire.DecodeAdmissionReview(answer); err == nil {
			texts = []string{reviewText(&r)}
		}
	}
	return texts
}

func quotaText(quota uint32) string {
	if quota == sdk.Unlimited {
		return "any"
	}
	return strconv.FormatUint(uint64(quota), 10)
}

func decisionText(d *sdk.FetchDecision) string {
	if d.Denied {
		return "denied"
	}
	text := "fetch " + d.URI
	if d.DestPath != "" {
		text += " as " + d.DestPath
	}
	if d.SHA256 != "" {
		text += " sha256 " + d.SHA256
	}
	if d.Limits != (sdk.FetchLimits{}) {
		text += fmt.Sprintf(" limits %+v", d.Limits)
	}
	return text + fmt.Sprintf(" extract=%t executable=%t cache=%t", d.Extract, d.Executable, d.Cache)
}

func stepText(s *sdk.UpgradeStep) string {
	text := fmt.Sprintf("start %d kill %d", s.Start, s.Kill)
	switch s.Outcome {
	case sdk.Proceed:
	case sdk.Pause:
		text += " pause"
	case sdk.RollBack:
		text += " rollback"
	default:
		text += fmt.Sprintf(" outcome %d", s.Outcome)
	}
	if s.AskAfterMillis > 0 {
		text += " ask " + (time.Duration(s.AskAfterMillis) * time.Millisecond).String()
	}
	return text
}

func reviewText(r *sdk.AdmissionReview) string {
	switch {
	case r.Denied:
		return "denied " + r.Path
	case r.Amended != nil:
		return "amended to " + string(r.Amended)
	}
	return "allowed"
}
