package author

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/recording"
	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

// Change is a difference between two answers to the same question.
type Change struct {
	Kind   string `json:"kind"`
	Policy string `json:"policy"` // the operator, strategy …
	App    string `json:"app"`
	Item   string `json:"item"` // the value, URI, or check; "" for the answer as a whole
	Was    string `json:"was"`
	Now    string `json:"now"`
	Count  int    `json:"count"` // how often
}

// Side is what one of the two did in all.
type Side struct {
	Label  string `json:"label"`
	Faults int    `json:"faults"`
	Fuel   int64  `json:"fuel"`
	Micros int64  `json:"micros"`
}

// ReplayReport is the outcome of a replay.
type ReplayReport struct {
	Recording string   `json:"recording"`
	Calls     int      `json:"calls"`   // that were put again
	Changed   int      `json:"changed"` // of these: with another answer
	CutOff    bool     `json:"cutOff"`  // the recording ends in the middle of a call
	Was       Side     `json:"was"`
	Now       Side     `json:"now"`
	Changes   []Change `json:"changes"` // the same ones together, the most frequent first
}

// Summary is the outcome in a line.
func (r *ReplayReport) Summary() string {
	text := counted(r.Calls, "call") + ", " + counted(r.Changed, "answer") + " changed"
	if r.CutOff {
		text += "; the recording ends in the middle of a call"
	}
	return text
}

// counted is a number with its noun.
func counted(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + one + "s"
}

// Replay puts the calls of a recording to the module and compares its answers with the
// recorded ones.
func Replay(ctx context.Context, m remote.Module, path string) (*ReplayReport, error) {
	return compareOn(ctx, path, nil, m)
}

// Diff puts the calls of a recording to two modules and compares their answers.
func Diff(ctx context.Context, was, now remote.Module, path string) (*ReplayReport, error) {
	return compareOn(ctx, path, was, now)
}

// compareOn replays; was is nil for the recorded answers.
func compareOn(ctx context.Context, path string, was, now remote.Module) (*ReplayReport, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	r, err := recording.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	report := &ReplayReport{Recording: path, Now: Side{Label: label(now)}, Was: Side{Label: "recorded"}, Changes: []Change{}}
	first, second := newPlayer(nil), newPlayer(now)
	if was != nil {
		first, report.Was.Label = newPlayer(was), label(was)
	}
	defer first.close()
	defer second.close()
	counts := map[Change]int{}
	for ctx.Err() == nil {
		call, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if report.CutOff = errors.Is(err, io.ErrUnexpectedEOF); report.CutOff {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		report.add(first.play(ctx, call), second.play(ctx, call), call, second.subject(call), counts)
	}
	for change, count := range counts {
		change.Count = count
		report.Changes = append(report.Changes, change)
	}
	slices.SortFunc(report.Changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Policy, b.Policy),
			cmp.Compare(a.Item, b.Item), cmp.Compare(a.App, b.App), cmp.Compare(a.Was, b.Was), cmp.Compare(a.Now, b.Now))
	})
	return report, ctx.Err()
}

func (r *ReplayReport) add(was, now played, call recording.Call, about subject, counts map[Change]int) {
	if call.Op == recording.Release {
		return
	}
	r.Calls++
	r.Was.add(was)
	r.Now.add(now)
	changes := about.changes(call, was, now)
	if len(changes) > 0 {
		r.Changed++
	}
	for _, c := range changes {
		c.Kind, c.Policy, c.App = call.Kind.String(), about.policy, about.app
		counts[c]++
	}
}

func (s *Side) add(p played) {
	s.Fuel += p.fuel
	s.Micros += p.took.Microseconds()
	if p.failure == recording.Fault {
		s.Faults++
	}
}

// played is what came of one call.
type played struct {
	answer  []byte
	traits  uint32
	failure recording.Failure
	cause   string
	fuel    int64
	took    time.Duration
}

// player puts calls to a module; without one it answers as it was recorded.
type player struct {
	module   remote.Module
	prepared map[uint64]remote.Prepared
	failed   map[uint64]played // those that were not taken
	about    map[uint64]subject
}

func newPlayer(m remote.Module) *player {
	return &player{m, map[uint64]remote.Prepared{}, map[uint64]played{}, map[uint64]subject{}}
}

func (p *player) close() {
	for _, prepared := range p.prepared {
		prepared.Close()
	}
}

func (p *player) play(ctx context.Context, c recording.Call) played {
	if p.module == nil {
		return played{c.Answer, c.Traits, c.Failure, c.Cause, c.Fuel, time.Duration(c.Nanos)}
	}
	fuel, begun := p.module.FuelUsed(), time.Now()
	result := p.put(ctx, c)
	result.fuel, result.took = p.module.FuelUsed()-fuel, time.Since(begun)
	return result
}

func (p *player) put(ctx context.Context, c recording.Call) (result played) {
	take := func(answer []byte) error {
		result.answer = slices.Clone(answer)
		return toolsOf(c.Kind).sound(answer, c.Items)
	}
	err := p.lacks(c)
	switch {
	case err != nil:
	case c.Op == recording.Prepare:
		var prepared remote.Prepared
		if prepared, err = p.module.Prepare(ctx, c.Kind, slices.Clone(c.Input)); err == nil {
			p.release(c.Prepared)
			p.prepared[c.Prepared], result.traits = prepared, uint32(prepared.Traits())
		}
	case c.Op == recording.Ask:
		if prepared := p.prepared[c.Prepared]; prepared != nil {
			err = prepared.Ask(ctx, c.Input, c.Items, take)
		} else {
			return p.failed[c.Prepared]
		}
	case c.Op == recording.Review:
		err = p.module.Review(ctx, c.Input, take)
	case c.Op == recording.Release:
		p.release(c.Prepared)
	}
	if err != nil {
		result.answer = nil
		result.failure, result.cause = recording.Fault, err.Error()
		if invalid, ok := errors.AsType[*sdk.Invalid](err); ok {
			result.failure, result.cause = recording.Invalid, invalid.Message
		}
	}
	if c.Op == recording.Prepare && err != nil {
		p.failed[c.Prepared] = result
	}
	return result
}

// lacks is why the module cannot answer a call: it offers no such policy, whatever its
// code may make of it; nil when it offers it.
func (p *player) lacks(c recording.Call) error {
	if c.Op != recording.Prepare && c.Op != recording.Review {
		return nil
	}
	name := toolsOf(c.Kind).about(c.Input).name
	if offers(p.module, c.Kind, name) {
		return nil
	}
	return fmt.Errorf("the module has no %s called %s; it has %s", c.Kind, name, orNone(remote.Names(p.module, c.Kind)))
}

func (p *player) release(id uint64) {
	if prepared := p.prepared[id]; prepared != nil {
		prepared.Close()
		delete(p.prepared, id)
	}
}
