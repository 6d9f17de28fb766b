package author

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/policytest"
	"github.com/pacer-run/pacer/sdk/wire"
)

// constraintForm is that of the kind constraint.
type constraintForm = form[sdk.Constraint, sdk.PreparedConstraint, sdk.ConstraintSpec, sdk.ConstraintInput, sdk.ConstraintAnswer]

func constraintTools() constraintForm {
	return constraintForm{
		policies: func(b Builtins) []sdk.Constraint { return b.Constraints }, names: sdk.Constraint.Operators,
		take: sdk.Constraint.Prepare, answer: sdk.PreparedConstraint.Evaluate, traits: sdk.PreparedConstraint.Traits,
		decodeSpec: wire.DecodeSpec, encodeSpec: wire.AppendSpec,
		decoder:     func() func([]byte) (sdk.ConstraintInput, error) { return new(wire.InputDecoder).Decode },
		encodeInput: wire.AppendInput, decodeAnswer: wire.DecodeAnswer, encodeAnswer: wire.AppendAnswer,
		name: func(c *sdk.ConstraintSpec) *string { return &c.Operator },
		subject: func(c *sdk.ConstraintSpec) subject {
			return subject{c.Operator, strings.TrimSpace(c.Field + " " + c.Operator + " " + c.Value), c.App.ID}
		},
		itemsOf: constraintItems, verdictsOf: constraintVerdicts,
		cases: constraintCases, make: randomConstraint, text: constraintText, reduced: smallerConstraint,
	}
}

// absent is how the slot for agents without the field is shown.
const absent = "(absent)"

func constraintItems(in sdk.ConstraintInput) []string {
	items := make([]string, len(in.Values))
	for slot, value := range in.Values {
		if items[slot] = strings.Clone(value); slot == sdk.AbsentSlot {
			items[slot] = absent
		}
	}
	return items
}

func constraintVerdicts(a sdk.ConstraintAnswer) []string {
	var texts []string
	for _, quota := range a.Quota {
		text := strconv.FormatUint(uint64(quota), 10)
		if quota == sdk.Unlimited {
			text = "any"
		}
		texts = append(texts, text)
	}
	return append(texts, fmt.Sprintf("flags %d", a.Flags))
}

func constraintCases(text []byte, _ Envelope) ([]Case, error) {
	prepare := func(m remote.Module) policytest.Prepare { return remote.Constraint(m).Prepare }
	return lineCases(text, policytest.Read, func(v policytest.Vector) Case {
		c := Case{Line: v.Line, Name: v.Spec.Operator, Text: v.Text, check: asked(prepare, v.Check), actual: answered(prepare, v.Actual)}
		if v.Invalid == "" {
			c.sample = constraintSample(v)
		}
		return c
	})
}

func constraintSample(v policytest.Vector) *sample {
	return &sample{remote.KindConstraint, v.Spec.Operator, wire.AppendSpec(nil, v.Spec), func(n int) []byte {
		in := sdk.ConstraintInput{Values: []string{""}, Placed: []uint32{0}, First: -1, Instances: uint32(n)}
		for i := range n {
			value := "value-" + strconv.Itoa(i)
			if known := len(v.Input.Values) - 1; known > 0 {
				value = v.Input.Values[1+i%known]
				if i >= known {
					value += "-" + strconv.Itoa(i/known)
				}
			}
			in.Values, in.Placed = append(in.Values, value), append(in.Placed, uint32(i%3))
		}
		if n > 1 {
			in.First = 2
		}
		return wire.AppendInput(nil, in)
	}}
}

func randomConstraint(f *fuzzer, t target) (sdk.ConstraintSpec, sdk.ConstraintInput) {
	spec := sdk.ConstraintSpec{Field: "field", Operator: t.name, App: sdk.AppFacts{ID: "/app"}}
	if known, ok := constraintTools().known(f, t); ok {
		spec.Value, spec.HasValue, spec.App = known.Value, known.HasValue, known.App
	} else if f.rand.IntN(5) > 0 {
		spec.Value, spec.HasValue = f.text(t), true
	}
	var rows []row
	instances := uint32(f.size(50))
	seen := map[string]bool{"": true}
	for range f.size(300) {
		if value := f.text(t); !seen[value] {
			seen[value] = true
			rows = append(rows, row{value, uint32(f.size(20))})
		}
	}
	spec.App.Instances = instances
	return spec, inputOf(rows, instances)
}

// row is a value, and how many placed instances have it.
type row struct {
	value  string
	placed uint32
}

func inputOf(rows []row, instances uint32) sdk.ConstraintInput {
	in := sdk.ConstraintInput{Values: []string{""}, Placed: []uint32{0}, First: -1, Instances: instances}
	for i, r := range rows {
		in.Values, in.Placed = append(in.Values, r.value), append(in.Placed, r.placed)
		if r.placed > 0 && in.First < 0 {
			in.First = 1 + i
		}
	}
	return in
}

func rowsOf(in sdk.ConstraintInput) []row {
	var rows []row
	for slot, value := range in.Values[1:] {
		rows = append(rows, row{value, in.Placed[1+slot]})
	}
	return rows
}

func constraintText(spec sdk.ConstraintSpec, in sdk.ConstraintInput) string {
	var text, placed, known strings.Builder
	text.WriteString(spec.Operator)
	if spec.App.ID != "/app" {
		text.WriteString(" app " + strconv.Quote(spec.App.ID))
	}
	text.WriteString(labelsText(spec.App.Labels))
	if spec.HasValue {
		text.WriteString(" value " + strconv.Quote(spec.Value))
	}
	if in.Instances > 0 {
		text.WriteString(" instances " + strconv.FormatUint(uint64(in.Instances), 10))
	}
	for _, r := range rowsOf(in) {
		known.WriteString(" " + strconv.Quote(r.value))
		placed.WriteString(strings.Repeat(" "+strconv.Quote(r.value), int(r.placed)))
	}
	if placed.Len() > 0 {
		text.WriteString(" placed" + placed.String())
	}
	if known.Len() > 0 {
		text.WriteString(" known" + known.String())
	}
	return text.String()
}

func smallerConstraint(spec sdk.ConstraintSpec, in sdk.ConstraintInput) iter.Seq2[sdk.ConstraintSpec, sdk.ConstraintInput] {
	return func(yield func(sdk.ConstraintSpec, sdk.ConstraintInput) bool) {
		rows := rowsOf(in)
		for fewer := range without(rows) {
			if !yield(spec, inputOf(fewer, in.Instances)) {
				return
			}
		}
		for n := range below(uint64(in.Instances)) {
			less := spec
			less.App.Instances = uint32(n)
			if !yield(less, inputOf(rows, uint32(n))) {
				return
			}
		}
		for less := range smallerConstraintSpec(spec) {
			if !yield(less, in) {
				return
			}
		}
		for i, r := range rows {
			for other := range smallerRow(r) {
				changed := slices.Clone(rows)
				changed[i] = other
				clash := other.value == "" || other.value != r.value && slices.Contains(in.Values, other.value)
				if !clash && !yield(spec, inputOf(changed, in.Instances)) {
					return
				}
			}
		}
	}
}

func smallerRow(r row) iter.Seq[row] {
	return func(yield func(row) bool) {
		for n := range below(uint64(r.placed)) {
			if !yield(row{r.value, uint32(n)}) {
				return
			}
		}
		for value := range shorter(r.value) {
			if !yield(row{value, r.placed}) {
				return
			}
		}
	}
}

func smallerConstraintSpec(spec sdk.ConstraintSpec) iter.Seq[sdk.ConstraintSpec] {
	return func(yield func(sdk.ConstraintSpec) bool) {
		less := spec
		if less.Value, less.HasValue = "", false; spec.HasValue && !yield(less) {
			return
		}
		for less.App = range smallerApp(spec.App) {
			if less.Value, less.HasValue = spec.Value, spec.HasValue; !yield(less) {
				return
			}
		}
		for value := range shorter(spec.Value) {
			less := spec
			if less.Value = value; !yield(less) {
				return
			}
		}
	}
}
