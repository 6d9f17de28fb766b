package author

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

// kindTools is what the tools have to know of a kind of policy: all that differs from
// one kind to another is behind it. Specs, requests, inputs and answers are messages in
// the bytes of package wire. Admission has no spec: its input is the request.
type kindTools interface {
	// read makes cases of the text of a file of vectors.
	read(text []byte, envelope Envelope) ([]Case, error)
	// prepare has the policy that a spec names take it.
	prepare(ctx context.Context, of Builtins, spec []byte) (prepared, error)
	// asker has the policy that is named take a spec, and asks it without messages.
	asker(ctx context.Context, of Builtins, spec, input []byte) (asker, error)
	// renamed is a spec, or a request, with the name of another policy.
	renamed(spec []byte, name string) []byte
	// about is what a spec, or a request, is about. One that cannot be read is about
	// nothing.
	about(spec []byte) subject
	// items are what an input asks about, for people.
	items(input []byte) []string
	// verdicts are an answer item by item, and what it says of all of them, for people.
	// The words of reasons do not count.
	verdicts(answer []byte, items int) []string
	// sound says why bytes are no answer; nil when they are.
	sound(answer []byte, items int) error
	// random makes a question for fuzzing.
	random(f *fuzzer, t target) question
}

// toolsOf are those of a kind.
func toolsOf(k remote.Kind) kindTools {
	switch k {
	case remote.KindConstraint:
		return constraintTools()
	case remote.KindFetch:
		return fetchTools()
	case remote.KindUpgrade:
		return upgradeTools()
	case remote.KindHealth:
		return healthTools()
	default:
		return admissionTools{}
	}
}

// KindNamed is the kind of that name.
func KindNamed(name string) (remote.Kind, error) {
	var names []string
	for kind := range remote.Kinds {
		if kind.String() == name {
			return kind, nil
		}
		names = append(names, kind.String())
	}
	return 0, fmt.Errorf("kind %q: expected one of %s", name, strings.Join(names, ", "))
}

// subject is what a call is about.
type subject struct {
	name   string // of the policy
	policy string // with what belongs to it, as the field and the value of a constraint
	app    string
}

// question is a random one. It can be written as a vector, and made smaller.
type question interface {
	// messages are what a module gets; spec is nil for a review.
	messages() (spec, input []byte)
	items() int
	// vector asks the same, or nearly; what it expects is a guess.
	vector() string
	// smaller are questions like it with less in them, those with the least first.
	smaller() iter.Seq[question]
}

// form is what the four kinds have in common that prepare something.
type form[Policy any, Prepared interface{ Close() }, Spec, In, Out any] struct {
	policies func(Builtins) []Policy
	names    func(Policy) []string
	take     func(Policy, context.Context, Spec) (Prepared, error)
	answer   func(Prepared, context.Context, In) (Out, error)
	traits   func(Prepared) sdk.Traits // nil for a kind without

	decodeSpec   func([]byte) (Spec, error)
	encodeSpec   func([]byte, Spec) []byte
	decoder      func() func([]byte) (In, error) // one for each prepared policy
	encodeInput  func([]byte, In) []byte
	decodeAnswer func(b []byte, items int) (Out, error)
	encodeAnswer func([]byte, Out) []byte

	name       func(*Spec) *string // of the policy
	subject    func(*Spec) subject
	itemsOf    func(In) []string
	verdictsOf func(Out) []string

	cases   func([]byte, Envelope) ([]Case, error)
	make    func(*fuzzer, target) (Spec, In)
	text    func(Spec, In) string // as a vector
	reduced func(Spec, In) iter.Seq2[Spec, In]
}

func (k form[Policy, Prepared, Spec, In, Out]) read(text []byte, envelope Envelope) ([]Case, error) {
	return k.cases(text, envelope)
}

// begin has the policy that the spec names take it.
func (k form[Policy, Prepared, Spec, In, Out]) begin(ctx context.Context, of Builtins, spec []byte) (Prepared, error) {
	var none Prepared
	s, err := k.decodeSpec(spec)
	if err != nil {
		return none, err
	}
	policy, err := named(k.policies(of), k.names, *k.name(&s))
	if err != nil {
		return none, err
	}
	return k.take(policy, ctx, s)
}

func (k form[Policy, Prepared, Spec, In, Out]) prepare(ctx context.Context, of Builtins, spec []byte) (prepared, error) {
	p, err := k.begin(ctx, of, spec)
	if err != nil {
		return prepared{}, err
	}
	traits := sdk.Traits(0)
	if k.traits != nil {
		traits = k.traits(p)
	}
	decode := k.decoder()
	return prepared{traits, func(ctx context.Context, input []byte) ([]byte, error) {
		in, err := decode(input)
		if err != nil {
			return nil, err
		}
		out, err := k.answer(p, ctx, in)
		if err != nil {
			return nil, err
		}
		return k.encodeAnswer(nil, out), nil
	}, p.Close}, nil
}

func (k form[Policy, Prepared, Spec, In, Out]) asker(ctx context.Context, of Builtins, spec, input []byte) (asker, error) {
	in, err := k.decoder()(input)
	if err != nil {
		return asker{}, err
	}
	p, err := k.begin(ctx, of, spec)
	if err != nil {
		return asker{}, err
	}
	return asker{func() error {
		_, err := k.answer(p, ctx, in)
		return err
	}, p.Close}, nil
}

func (k form[Policy, Prepared, Spec, In, Out]) renamed(spec []byte, name string) []byte {
	s, err := k.decodeSpec(spec)
	if err != nil {
		return spec // whoever gets it will say so
	}
	*k.name(&s) = name
	return k.encodeSpec(nil, s)
}

func (k form[Policy, Prepared, Spec, In, Out]) about(spec []byte) subject {
	s, err := k.decodeSpec(spec)
	if err != nil {
		return subject{}
	}
	return k.subject(&s)
}

func (k form[Policy, Prepared, Spec, In, Out]) items(input []byte) []string {
	in, err := k.decoder()(input)
	if err != nil {
		return nil
	}
	return k.itemsOf(in)
}

func (k form[Policy, Prepared, Spec, In, Out]) verdicts(answer []byte, items int) []string {
	out, err := k.decodeAnswer(answer, items)
	if err != nil {
		return nil
	}
	return k.verdictsOf(out)
}

func (k form[Policy, Prepared, Spec, In, Out]) sound(answer []byte, items int) error {
	_, err := k.decodeAnswer(answer, items)
	return err
}

func (k form[Policy, Prepared, Spec, In, Out]) random(f *fuzzer, t target) question {
	spec, in := k.make(f, t)
	return formed[Policy, Prepared, Spec, In, Out]{k, spec, in}
}

// known is the spec of a sample, for most questions: of what is taken.
func (k form[Policy, Prepared, Spec, In, Out]) known(f *fuzzer, t target) (spec Spec, ok bool) {
	s := f.known(t)
	if s == nil {
		return spec, false
	}
	spec, err := k.decodeSpec(s.spec)
	return spec, err == nil
}

// formed is a question of such a kind.
type formed[Policy any, Prepared interface{ Close() }, Spec, In, Out any] struct {
	kind form[Policy, Prepared, Spec, In, Out]
	spec Spec
	in   In
}

func (q formed[Policy, Prepared, Spec, In, Out]) messages() (spec, input []byte) {
	return q.kind.encodeSpec(nil, q.spec), q.kind.encodeInput(nil, q.in)
}

func (q formed[Policy, Prepared, Spec, In, Out]) items() int { return len(q.kind.itemsOf(q.in)) }

func (q formed[Policy, Prepared, Spec, In, Out]) vector() string { return q.kind.text(q.spec, q.in) }

func (q formed[Policy, Prepared, Spec, In, Out]) smaller() iter.Seq[question] {
	return func(yield func(question) bool) {
		for spec, in := range q.kind.reduced(q.spec, q.in) {
			if !yield(formed[Policy, Prepared, Spec, In, Out]{q.kind, spec, in}) {
				return
			}
		}
	}
}

// always is a decoder that remembers nothing.
func always[In any](decode func([]byte) (In, error)) func() func([]byte) (In, error) {
	return func() func([]byte) (In, error) { return decode }
}
