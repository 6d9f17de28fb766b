package author

import (
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/wire"
)

// question is a random one, with the vector that asks the same.
type question struct {
	kind        remote.Kind
	name        string
	spec, input []byte
	items       int
	vector      string
}

func (f *fuzzer) question(t target) *question {
	q := &question{kind: t.kind, name: t.name, items: 1}
	switch t.kind {
	case remote.KindConstraint:
		f.constraint(q, t)
	case remote.KindFetch:
		f.fetch(q, t)
	case remote.KindUpgrade:
		f.upgrade(q, t)
	case remote.KindHealth:
		f.health(q, t)
	default:
		f.admission(q, t)
	}
	return q
}

// text is a random one: a word of the vectors, such a word with a change, or nonsense.
func (f *fuzzer) text(t target) string {
	if len(t.seeds) > 0 && f.rand.IntN(4) > 0 {
		word := t.seeds[f.rand.IntN(len(t.seeds))]
		if f.rand.IntN(3) == 0 && word != "" {
			at := f.rand.IntN(len(word))
			word = strings.ToValidUTF8(word[:at]+f.noise()+word[at:], "?")
		}
		return word
	}
	var text strings.Builder
	for range f.rand.IntN(12) {
		text.WriteString(f.noise())
	}
	return text.String()
}

func (f *fuzzer) noise() string {
	const pieces = "a|Z|0|9|-|_|.|/|:|;|=|*|+|(|)|[|]|{|}|\\|\"|'| |,|\t|ü|日|\u202e|%|99999999999|-1|1e9|true|null|aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	list := strings.Split(pieces, "|")
	return list[f.rand.IntN(len(list))]
}

// known is a sample of what the policy takes, for most questions: one that it refuses
// tries no more than its prepare.
func (f *fuzzer) known(t target) *sample {
	if len(t.accepted) == 0 || f.rand.IntN(4) == 0 {
		return nil
	}
	return t.accepted[f.rand.IntN(len(t.accepted))]
}

// size is a random one, mostly small.
func (f *fuzzer) size(most int) int {
	if f.rand.IntN(8) > 0 {
		most = min(most, 5)
	}
	return f.rand.IntN(most + 1)
}

func (f *fuzzer) constraint(q *question, t target) {
	spec := sdk.ConstraintSpec{Field: "field", Operator: q.name, App: sdk.AppFacts{ID: "/app"}}
	in := sdk.ConstraintInput{Values: []string{""}, Placed: []uint32{0}, First: -1, Instances: uint32(f.size(50))}
	vector := q.name
	if s := f.known(t); s != nil {
		known, _ := wire.DecodeSpec(s.spec(q.name)) // it is our own
		spec.Value, spec.HasValue = known.Value, known.HasValue
	} else if f.rand.IntN(5) > 0 {
		spec.Value, spec.HasValue = f.text(t), true
	}
	if spec.HasValue {
		vector += " value " + strconv.Quote(spec.Value)
	}
	placed, known := "", ""
	seen := map[string]bool{"": true}
	for range f.size(300) {
		value := f.text(t)
		if seen[value] {
			continue
		}
		seen[value] = true
		n := f.size(20)
		in.Values, in.Placed = append(in.Values, value), append(in.Placed, uint32(n))
		if n > 0 && in.First < 0 {
			in.First = len(in.Values) - 1
		}
		known += " " + strconv.Quote(value)
		placed += strings.Repeat(" "+strconv.Quote(value), n)
	}
	spec.App.Instances = in.Instances
	q.spec, q.input, q.items = wire.AppendSpec(nil, spec), wire.AppendInput(nil, in), len(in.Values)
	q.vector = vector + " instances " + strconv.FormatUint(uint64(in.Instances), 10)
	if placed != "" {
		q.vector += " placed" + placed
	}
	if known != "" {
		q.vector += " known" + known
	}
}

func (f *fuzzer) fetch(q *question, t target) {
	settings := ""
	if s := f.known(t); s != nil {
		known, _ := wire.DecodeFetchSpec(s.spec(q.name)) // it is our own
		settings = known.Settings
	} else if f.rand.IntN(4) > 0 {
		settings = f.text(t)
	}
	q.spec = wire.AppendFetchSpec(nil, sdk.FetchSpec{Policy: q.name, Settings: settings, App: sdk.AppFacts{ID: "/app", Instances: 1}, Enforced: f.rand.IntN(2) == 0})
	uris := make([]sdk.FetchURI, f.size(50))
	for i := range uris {
		uris[i] = sdk.FetchURI{URI: f.text(t), Extract: f.rand.IntN(2) == 0, Cache: f.rand.IntN(2) == 0, Executable: f.rand.IntN(2) == 0}
	}
	q.input, q.items = wire.AppendFetchInput(nil, uris), len(uris)
	uri := ""
	if len(uris) > 0 {
		uri = uris[0].URI
	}
	q.vector = q.name + " " + strconv.Quote(settings) + " " + strconv.Quote(uri) + " allowed"
}
