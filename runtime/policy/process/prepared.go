package process

import (
	"context"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/process/protocol"
	"github.com/pacer-run/pacer/sdk/wire"
)

// methodsOf are the calls of a kind; the one without preparation has no prepare.
func methodsOf(kind remote.Kind) (prepare, ask string) {
	names := [remote.Kinds][2]string{
		remote.KindConstraint: {protocol.ConstraintPrepare, protocol.ConstraintEvaluate},
		remote.KindFetch:      {protocol.FetchPrepare, protocol.FetchDecide},
		remote.KindUpgrade:    {protocol.UpgradePrepare, protocol.UpgradeNext},
		remote.KindHealth:     {protocol.HealthPrepare, protocol.HealthJudge},
		remote.KindAdmission:  {"", protocol.AdmissionReview},
	}[kind]
	return names[0], names[1]
}

// prepared is what the module has taken. A process that has not met it is told when
// it is needed.
type prepared struct {
	module *Module
	kind   remote.Kind
	spec   []byte
	traits sdk.Traits
	on     *run // that knows it; nil for none
	handle uint32
	input  []byte // kept to spare the allocation
}

var _ remote.Prepared = (*prepared)(nil)

// Traits implements remote.Prepared.
func (p *prepared) Traits() sdk.Traits { return p.traits }

// Close implements remote.Prepared. The process forgets it in its own time.
func (p *prepared) Close() {
	if p.on != nil {
		p.on.retire(p.handle)
		p.on = nil
	}
}

// introduce has the process prepare it and keeps the handle.
func (p *prepared) introduce(q *question) (sdk.Traits, error) {
	method, _ := methodsOf(p.kind)
	b, err := q.call(method, p.spec, p.module.limits.ReplyBytes)
	if err != nil {
		return 0, err
	}
	got, err := wire.DecodePrepared(b)
	if err != nil {
		return 0, p.module.trap(method + ": " + err.Error())
	}
	p.on, p.handle = q.run, got.Handle
	return got.Traits, nil
}

// again has a process prepare it that was started since.
func (p *prepared) again(q *question) error {
	if p.on == q.run {
		return nil
	}
	p.on = nil
	traits, err := p.introduce(q)
	if err == nil && traits != p.traits {
		method, _ := methodsOf(p.kind)
		err = p.module.fault(method + ": other traits than before for the same " + p.kind.String())
	}
	return err
}

// Ask implements remote.Prepared.
func (p *prepared) Ask(ctx context.Context, input []byte, items int, take func(answer []byte) error) error {
	m := p.module
	q, err := m.enter(ctx, p.kind)
	if err != nil {
		return err
	}
	defer q.leave()
	if err := p.again(q); err != nil {
		return m.refused(err)
	}
	_, method := methodsOf(p.kind)
	p.input = wire.AppendQuestion(p.input[:0], wire.Question{Handle: p.handle, Input: input})
	b, err := q.call(method, p.input, m.limits.reply(len(input), items))
	if err != nil {
		p.input = nil // the connection may still be reading it
		return m.refused(err)
	}
	if err := take(b); err != nil {
		return m.trap(method + ": " + err.Error())
	}
	return nil
}
