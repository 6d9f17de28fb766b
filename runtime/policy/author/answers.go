package author

import (
	"bytes"
	"strconv"

	"github.com/pacer-run/pacer/runtime/policy/recording"
	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

// subject remembers what was prepared, for the questions about it.
func (p *player) subject(c recording.Call) subject {
	if c.Op == recording.Review {
		return toolsOf(remote.KindAdmission).about(c.Input)
	}
	if c.Op == recording.Prepare {
		p.about[c.Prepared] = toolsOf(c.Kind).about(c.Input)
	}
	return p.about[c.Prepared]
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
	tools := toolsOf(c.Kind)
	items := tools.items(c.Input)
	a, b := tools.verdicts(was.answer, len(items)), tools.verdicts(now.answer, len(items))
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
	switch sdk.Traits(p.traits) {
	case 0:
		return "accepted"
	case sdk.PurePerValue:
		return "accepted, pure per value"
	case sdk.Stateful:
		return "accepted, stateful"
	default:
		return "accepted, traits " + strconv.FormatUint(uint64(p.traits), 10)
	}
}
