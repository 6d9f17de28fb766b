package policytest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pacer-run/pacer/sdk"
)

// The methods called Actual ask a policy what a vector asks, and return the vector's
// line with the answer that came in the place of the expected one: it is what a file
// of vectors is updated with, and what the answers of two policies are compared by. An
// error is a fault of the policy; that something is invalid is an answer.

// Actual is the line as the policy answers it.
func (v Vector) Actual(ctx context.Context, prepare Prepare) (string, error) {
	words, err := split(v.Text)
	if err != nil {
		return "", err
	}
	asked := []string{v.Spec.Operator}
	output := false
	for _, w := range words[1:] {
		if w.bare && isPart(w.text) {
			output = w.text == "quota" || w.text == "flags" || w.text == "invalid"
		}
		if !output {
			asked = append(asked, w.source())
		}
	}
	line := strings.Join(asked, " ")
	prepared, err := prepare(ctx, v.Spec)
	if invalid, ok := errors.AsType[*sdk.Invalid](err); ok {
		return line + " invalid " + strconv.Quote(invalid.Message), nil
	}
	if err != nil {
		return "", err
	}
	defer prepared.Close()
	in := v.Input
	if prepared.Traits()&sdk.Stateful == 0 {
		in.Placed, in.First = nil, -1
	}
	answer, err := prepared.Evaluate(ctx, in)
	if err != nil {
		return "", err
	}
	if len(answer.Quota) != len(in.Values) {
		return "", fmt.Errorf("%d quotas for %d values", len(answer.Quota), len(in.Values))
	}
	return line + v.answerText(&answer), nil
}

// answerText lists the values that the vector checks, all if it checks none.
func (v Vector) answerText(a *sdk.ConstraintAnswer) string {
	var text strings.Builder
	text.WriteString(" quota")
	none := len(v.Quota) == 0 && v.Absent == nil
	for slot := 1; slot < len(v.Input.Values); slot++ {
		if _, checked := v.Quota[v.Input.Values[slot]]; checked || none {
			text.WriteString(" " + argument(v.Input.Values[slot]) + "=" + quotaText(a.Quota[slot]))
		}
	}
	if v.Absent != nil || none {
		text.WriteString(" -=" + quotaText(a.Quota[sdk.AbsentSlot]))
	}
	if a.Flags != 0 {
		text.WriteString(" flags " + flagsText(a.Flags))
	}
	return text.String()
}

func quotaText(quota uint32) string {
	if quota == sdk.Unlimited {
		return "*"
	}
	return strconv.FormatUint(uint64(quota), 10)
}

// flagsText are flags as in a vector; none for 0.
func flagsText(flags sdk.AnswerFlags) string {
	var names []string
	for _, f := range []struct {
		flag sdk.AnswerFlags
		name string
	}{{sdk.Exclusive, "exclusive"}, {sdk.Volatile, "volatile"}, {sdk.Refill, "refill"}} {
		if flags&f.flag != 0 {
			names, flags = append(names, f.name), flags&^f.flag
		}
	}
	if flags != 0 {
		names = append(names, strconv.FormatUint(uint64(flags), 10)) // that nobody knows
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, " ")
}

// argument is a text as an argument of a line: quoted where it has to be.
func argument(text string) string {
	plain := text != "" && text != "-" && !isPart(text) && !strings.ContainsAny(text, " =\"\\") && strconv.Quote(text) == `"`+text+`"`
	if plain {
		return text
	}
	return strconv.Quote(text)
}

// source is a word as it was written.
func (w word) source() string {
	text := w.text
	if !w.bare {
		text = strconv.Quote(text)
	}
	if w.tail != "" {
		text += "=" + w.tail
	}
	return text
}

// Actual is the line as the policy decides it.
func (v FetchVector) Actual(ctx context.Context, policy sdk.Fetch) (string, error) {
	line := v.Policy + " " + strconv.Quote(v.Settings)
	if v.Unenforced {
		line = "unenforced " + line
	}
	prepared, err := policy.Prepare(ctx, v.spec())
	if invalid, ok := errors.AsType[*sdk.Invalid](err); ok {
		return line + " invalid " + strconv.Quote(invalid.Message), nil
	}
	if err != nil {
		return "", err
	}
	defer prepared.Close()
	uris := []sdk.FetchURI{{URI: v.URI}, {URI: v.URI, Extract: true, Executable: true, Cache: true}}
	decisions, err := prepared.Decide(ctx, uris)
	if err != nil {
		return "", err
	}
	if len(decisions) != len(uris) {
		return "", fmt.Errorf("%d decisions on %d URIs", len(decisions), len(uris))
	}
	line += " " + argument(v.URI)
	switch d := decisions[0]; {
	case d.Denied:
		return line + " denied " + strconv.Quote(d.Reason), nil
	case d.URI == v.URI && d.DestPath == "":
		line += " allowed"
	default:
		line += " becomes " + argument(d.URI)
		if d.DestPath != "" {
			line += " as " + argument(d.DestPath)
		}
	}
	return line + withText(uris, decisions), nil
}

// withText names the flags that came out the same whatever they were before, and what
// is to be checked.
func withText(uris []sdk.FetchURI, decisions []sdk.FetchDecision) string {
	var text strings.Builder
	add := func(name string, flag func(*sdk.FetchURI) bool) {
		if a, b := flag(&decisions[0].FetchURI), flag(&decisions[1].FetchURI); a != flag(&uris[0]) || b != flag(&uris[1]) {
			text.WriteString(" " + name + "=" + strconv.FormatBool(a))
		}
	}
	add("extract", func(u *sdk.FetchURI) bool { return u.Extract })
	add("executable", func(u *sdk.FetchURI) bool { return u.Executable })
	add("cache", func(u *sdk.FetchURI) bool { return u.Cache })
	if digest := decisions[0].SHA256; digest != "" {
		text.WriteString(" sha256=" + digest)
	}
	limits := decisions[0].Limits
	for _, limit := range []struct {
		name string
		of   uint64
	}{{"bytes", limits.Bytes}, {"entries", uint64(limits.Entries)}, {"depth", uint64(limits.Depth)}, {"ratio", uint64(limits.Ratio)}} {
		if limit.of != 0 {
			text.WriteString(" " + limit.name + "=" + strconv.FormatUint(limit.of, 10))
		}
	}
	if text.Len() == 0 {
		return ""
	}
	return " with" + text.String()
}

// Actual is the line as the strategy answers it. What the vector does not check of the
// step is left out.
func (v UpgradeVector) Actual(ctx context.Context, policy sdk.Upgrade) (string, error) {
	line := before(v.Text, "says", "invalid")
	prepared, err := policy.Prepare(ctx, v.Spec)
	if invalid, ok := errors.AsType[*sdk.Invalid](err); ok {
		return line + " invalid " + strconv.Quote(invalid.Message), nil
	}
	if err != nil {
		return "", err
	}
	defer prepared.Close()
	step, err := prepared.Next(ctx, v.State)
	if err != nil {
		return "", err
	}
	line += " says " + moves(&step)
	if v.Asks {
		line += " ask " + (time.Duration(step.AskAfterMillis) * time.Millisecond).String()
	}
	if v.Step.Reason != "" || step.Outcome != sdk.Proceed {
		line += " reason " + strconv.Quote(step.Reason)
	}
	if v.Leaves {
		line += " memory " + strconv.Quote(string(step.Memory))
	}
	return line, nil
}

// Actual is the line as the rule judges it. A reason is there when the vector has one.
func (v HealthVector) Actual(ctx context.Context, policy sdk.Health) (string, error) {
	line := before(v.Text, "is", "invalid")
	prepared, err := policy.Prepare(ctx, v.Spec)
	if invalid, ok := errors.AsType[*sdk.Invalid](err); ok {
		return line + " invalid " + strconv.Quote(invalid.Message), nil
	}
	if err != nil {
		return "", err
	}
	defer prepared.Close()
	verdicts, err := prepared.Judge(ctx, []sdk.HealthHistory{v.history()})
	if err != nil {
		return "", err
	}
	if len(verdicts) != 1 {
		return "", fmt.Errorf("%d verdicts on one history", len(verdicts))
	}
	line += " is " + verdicts[0].State.String()
	if verdicts[0].Replace {
		line += " replace"
	}
	if v.Reason != "" {
		line += " reason " + strconv.Quote(verdicts[0].Reason)
	}
	return line, nil
}

// before is the line up to the first of the words, unquoted.
func before(line string, ends ...string) string {
	words, err := split(line)
	if err != nil {
		return line
	}
	var kept []string
	for _, w := range words {
		if w.bare && w.tail == "" && slices.Contains(ends, w.text) {
			break
		}
		kept = append(kept, w.source())
	}
	return strings.Join(kept, " ")
}
