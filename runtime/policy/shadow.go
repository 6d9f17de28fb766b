package policy

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pacer-run/pacer/runtime/policy/recording"
	"github.com/pacer-run/pacer/runtime/policy/remote"
)

const (
	// shadowQueue is how many calls may wait for a shadow; more are not compared.
	shadowQueue = 256
	// shadowCases is how many differing inputs are kept.
	shadowCases = 32
	// shadowInputs is how many differing inputs are told apart.
	shadowInputs = 4096
	// shadowPrepared is how many specs a shadow keeps prepared.
	shadowPrepared = 512
	// shadowTime is how long it may take for one answer.
	shadowTime = 5 * time.Second
)

// shadow asks a candidate what another module was asked, and compares the answers.
// It takes nobody's time: what it does not keep up with it leaves out.
type shadow struct {
	candidate *version // pinned
	target    *origin
	queue     chan call
	stop      context.CancelFunc

	dropped atomic.Uint64

	mu     sync.Mutex
	sums   ShadowCounts
	nanos  [2]int64 // of the target's calls and of the candidate's
	fuel   [2]int64
	inputs map[[sha256.Size]byte]bool // those that differ
	cases  []Disagreement

	prepared map[preparedKey]remote.Prepared // the worker's
}

type preparedKey struct {
	kind remote.Kind
	spec string
}

// ShadowCounts are what comparing a candidate has come to.
type ShadowCounts struct {
	Compared      uint64 // answers
	Dropped       uint64 // calls that were not compared, for want of time
	Disagreements uint64 // answers that differ; texts for people do not count
	Distinct      int    // different inputs of these, up to 4,096
	Faults        uint64 // calls in which the candidate failed; they are disagreements too
	// FuelRatio and TimeRatio are what the candidate takes for each unit that the other
	// module takes; 0 while nothing is known.
	FuelRatio, TimeRatio float64
}

// Disagreement is a call that two modules answered differently.
type Disagreement struct {
	At          time.Time
	Call        string // "prepare", "ask" or "review"
	Kind        string
	Items       int
	Spec, Input []byte
	Answer      []byte // of the module in use
	Cause       string // why it gave none
	Candidate   []byte
	// CandidateCause is why the candidate gave none.
	CandidateCause string
}

// beginShadow has the origin's version listen to its target. The caller holds the
// lock.
func (o *origin) beginShadow(v *version) {
	o.endShadow()
	target, err := o.catalog.byIDLocked(o.config.Of)
	if err != nil || !v.acquire() {
		o.notice = "there is no module " + o.config.Of + " to be compared with"
		return
	}
	ctx, stop := context.WithCancel(o.catalog.ctx)
	s := &shadow{
		candidate: v, target: target, queue: make(chan call, shadowQueue), stop: stop,
		inputs: map[[sha256.Size]byte]bool{}, prepared: map[preparedKey]remote.Prepared{},
	}
	o.shadow = s
	o.catalog.listen(target, s)
	o.catalog.workers.Go(func() { s.work(ctx) })
}

// listen adds a listener. What the module prepared is prepared anew, so that the
// listener hears all, also what the host remembers. The caller holds the lock.
func (c *Catalog) listen(o *origin, l listener) {
	o.hear.add(l)
	if o.current != nil {
		o.current.epoch.Add(1)
		c.generation.Add(1)
	}
}

// endShadow is for callers that hold the lock.
func (o *origin) endShadow() {
	if s := o.shadow; s != nil {
		o.shadow = nil
		s.target.hear.remove(s)
		s.stop()
	}
}

// heard implements listener.
func (s *shadow) heard(c call) {
	if c.Failure == recording.Fault || c.Op == recording.Release || c.Op == recording.Prepare && c.Failure == recording.None {
		return // there is nothing to compare
	}
	select {
	case s.queue <- c:
	default:
		s.dropped.Add(1)
	}
}

// work compares until ctx ends.
func (s *shadow) work(ctx context.Context) {
	defer s.candidate.release()
	defer s.forget()
	for {
		select {
		case c := <-s.queue:
			s.compare(ctx, c)
		case <-ctx.Done():
			return
		}
	}
}

func (s *shadow) forget() {
	for _, p := range s.prepared {
		p.Close()
	}
	clear(s.prepared)
}

// compare asks the candidate and notes how it answers.
func (s *shadow) compare(ctx context.Context, c call) {
	bounded, cancel := context.WithTimeout(ctx, shadowTime)
	defer cancel()
	var mine recording.Call
	err := s.ask(bounded, c, &mine)
	if ctx.Err() != nil {
		return // the shadow is over
	}
	mine.Failure, mine.Cause = failureOf(err)
	s.note(c, mine)
}

// ask puts a call to the candidate.
func (s *shadow) ask(ctx context.Context, c call, mine *recording.Call) error {
	keep := copying(&mine.Answer, func([]byte) error { return nil })
	if c.Op == recording.Review {
		return s.timed(mine, func() error { return s.candidate.tap.Review(ctx, c.Input, keep) })
	}
	key := preparedKey{c.Kind, string(c.spec)}
	p := s.prepared[key]
	if p == nil {
		if len(s.prepared) >= shadowPrepared {
			s.forget()
		}
		if len(s.candidate.names[c.Kind]) == 0 {
			return errors.New("it has no policy of the kind " + c.Kind.String())
		}
		var err error
		if p, err = s.candidate.tap.Prepare(ctx, c.Kind, c.spec); err != nil {
			return err
		}
		s.prepared[key] = p
	}
	if c.Op == recording.Prepare {
		return nil
	}
	return s.timed(mine, func() error { return p.Ask(ctx, c.Input, c.Items, keep) })
}

// timed measures what is compared, and so without the prepare that may come before.
func (s *shadow) timed(mine *recording.Call, f func() error) error {
	before, begin := s.candidate.tap.FuelUsed(), time.Now()
	err := f()
	mine.Nanos, mine.Fuel = int64(time.Since(begin)), max(0, s.candidate.tap.FuelUsed()-before)
	return err
}

// note counts a comparison and keeps those that differ, each input once.
func (s *shadow) note(theirs call, mine recording.Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sums.Compared++
	s.nanos[0], s.nanos[1] = s.nanos[0]+theirs.Nanos, s.nanos[1]+mine.Nanos
	s.fuel[0], s.fuel[1] = s.fuel[0]+theirs.Fuel, s.fuel[1]+mine.Fuel
	if mine.Failure == recording.Fault {
		s.sums.Faults++
	}
	if agree(theirs.Call, mine) {
		return
	}
	s.sums.Disagreements++
	key := sha256.Sum256([]byte(theirs.Op.String() + theirs.Kind.String() + string(theirs.spec) + "\x00" + string(theirs.Input)))
	if s.inputs[key] || len(s.inputs) >= shadowInputs {
		return
	}
	s.inputs[key] = true
	if len(s.cases) < shadowCases {
		s.cases = append(s.cases, Disagreement{
			At: time.UnixMilli(theirs.AtMillis), Call: theirs.Op.String(), Kind: theirs.Kind.String(), Items: theirs.Items,
			Spec: theirs.spec, Input: theirs.Input, Answer: theirs.Answer, Cause: theirs.Cause,
			Candidate: mine.Answer, CandidateCause: mine.Cause,
		})
	}
}

func (s *shadow) counts() ShadowCounts {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := s.sums
	counts.Dropped, counts.Distinct = s.dropped.Load(), len(s.inputs)
	if s.fuel[0] > 0 {
		counts.FuelRatio = float64(s.fuel[1]) / float64(s.fuel[0])
	}
	if s.nanos[0] > 0 {
		counts.TimeRatio = float64(s.nanos[1]) / float64(s.nanos[0])
	}
	return counts
}

// Disagreements are the inputs that a shadow and its module answered differently, 32
// at most. The error is an *Unknown or, for a module that is no shadow, a
// *WrongState.
func (c *Catalog) Disagreements(name string) ([]Disagreement, error) {
	o, err := c.named(name)
	if err != nil {
		return nil, err
	}
	c.mu.RLock()
	s := o.shadow
	c.mu.RUnlock()
	if s == nil {
		return nil, wrongState("the policy module %s is not a shadow", name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Disagreement{}, s.cases...), nil
}
