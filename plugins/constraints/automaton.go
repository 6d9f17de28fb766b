package constraints

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
)

// An expression of more instructions, or one that needs more states, such as .*a.{9}, is
// left to package regexp.
const (
	mostInstructions = 512
	mostStates       = 256
)

// How states are numbered; all others follow.
const (
	unknown = iota // a step that was not taken before
	dead           // nothing matches any more
	start
)

// automaton decides whether an expression matches a whole value, with one step in a table
// for each byte. The table is filled as values need it: filling all of it in advance may
// take exponential time. It decides as package regexp does, some times faster, and more
// than ten times faster in a WASM guest.
type automaton struct {
	prog    *syntax.Prog
	class   [128]uint8 // of each byte: the expression does not tell those of a class apart
	classes int
	steps   []uint16          // by state and class: the next state
	states  []state           // by their number
	numbers map[string]uint16 // of states, by their instructions
	pending []uint32          // instructions of the state that is being made
	seen    []bool            // by instruction: it is among the pending
}

// state is a set of instructions to go on with: those that take a byte, and those that
// wait for the end.
type state struct {
	instructions []uint32
	accepts      bool // when the value ends here
}

// newAutomaton is nil for an expression that is left to package regexp; besides large ones
// these are the ones that ask for the boundaries of words and lines.
func newAutomaton(prog *syntax.Prog) *automaton {
	if len(prog.Inst) > mostInstructions {
		return nil
	}
	for i := range prog.Inst {
		in := &prog.Inst[i]
		if in.Op == syntax.InstEmptyWidth && syntax.EmptyOp(in.Arg)&^(syntax.EmptyBeginText|syntax.EmptyEndText) != 0 {
			return nil
		}
	}
	a := &automaton{prog: prog, numbers: map[string]uint16{}, seen: make([]bool, len(prog.Inst))}
	a.classify()
	a.states = make([]state, start, 8)
	a.steps = make([]uint16, start*a.classes, 8*a.classes)
	a.follow(uint32(prog.Start), syntax.EmptyBeginText)
	a.settle(syntax.EmptyBeginText)
	clear(a.numbers) // in the middle of a value those instructions are another state
	return a
}

// classify puts bytes apart that an instruction tells apart.
func (a *automaton) classify() {
	a.classes = 1
	for i := range a.prog.Inst {
		if a.prog.Inst[i].Op < syntax.InstRune {
			continue // takes no byte
		}
		var renamed [2 * 128]uint8 // 0: not yet
		count := uint8(0)
		for c := range a.class {
			old := 2 * int(a.class[c])
			if takes(&a.prog.Inst[i], rune(c)) {
				old++
			}
			if renamed[old] == 0 {
				count++
				renamed[old] = count
			}
			a.class[c] = renamed[old] - 1
		}
		a.classes = int(count)
	}
}

// takes tells whether the instruction goes on with that byte.
func takes(in *syntax.Inst, c rune) bool {
	switch in.Op {
	case syntax.InstRune, syntax.InstRune1:
		return in.MatchRune(c)
	case syntax.InstRuneAny:
		return true
	case syntax.InstRuneAnyNotNL:
		return c != '\n'
	default:
		return false
	}
}

// match decides about the value. sure is false for a value that it cannot decide.
func (a *automaton) match(value string) (matches, sure bool) {
	at := uint16(start)
	for i := range len(value) {
		c := value[i]
		if c >= 128 {
			return false, false
		}
		class := a.class[c]
		next := a.steps[int(at)*a.classes+int(class)]
		if next == unknown {
			if next = a.step(at, c); next == unknown {
				return false, false
			}
		}
		if next == dead {
			// Bytes beyond ASCII that follow change nothing.
			return false, true
		}
		at = next
	}
	return a.states[at].accepts, true
}

// step finds out where a byte leads, and notes it. It is unknown when there would be too
// many states.
func (a *automaton) step(from uint16, c byte) uint16 {
	for _, i := range a.states[from].instructions {
		if in := &a.prog.Inst[i]; takes(in, rune(c)) {
			a.follow(in.Out, 0)
		}
	}
	next := a.settle(0)
	a.steps[int(from)*a.classes+int(a.class[c])] = next
	return next
}

// follow makes pending what is reached from the instruction without a byte, where these
// assertions hold.
func (a *automaton) follow(i uint32, holds syntax.EmptyOp) {
	if a.seen[i] {
		return
	}
	a.seen[i] = true
	a.pending = append(a.pending, i)
	switch in := &a.prog.Inst[i]; in.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		a.follow(in.Out, holds)
		a.follow(in.Arg, holds)
	case syntax.InstCapture, syntax.InstNop:
		a.follow(in.Out, holds)
	case syntax.InstEmptyWidth:
		if syntax.EmptyOp(in.Arg)&^holds == 0 {
			a.follow(in.Out, holds)
		}
	default: // it takes a byte, or is an end
	}
}

// settle makes the pending instructions a state and returns its number, that of an equal
// one if there is one; unknown when there are too many. holds is as where they were followed.
func (a *automaton) settle(holds syntax.EmptyOp) uint16 {
	reached := a.pending
	a.forget()
	kept := slices.DeleteFunc(slices.Clone(reached), func(i uint32) bool { return !a.matters(i) })
	if len(kept) == 0 {
		return dead
	}
	slices.Sort(kept)
	key := make([]byte, 0, 4*len(kept))
	for _, i := range kept {
		key = binary.LittleEndian.AppendUint32(key, i)
	}
	if number, ok := a.numbers[string(key)]; ok {
		return number
	}
	if len(a.states) == mostStates {
		return unknown
	}
	// At the end of the value, more assertions hold.
	for _, i := range kept {
		a.follow(i, holds|syntax.EmptyEndText)
	}
	accepts := slices.ContainsFunc(a.pending, func(i uint32) bool { return a.prog.Inst[i].Op == syntax.InstMatch })
	a.forget()
	number := uint16(len(a.states))
	a.states = append(a.states, state{kept, accepts})
	a.steps = append(a.steps, make([]uint16, a.classes)...)
	a.numbers[string(key)] = number
	return number
}

// matters tells whether a state has to remember the instruction: whether it takes a byte,
// waits for the end, or is the end.
func (a *automaton) matters(i uint32) bool {
	switch a.prog.Inst[i].Op {
	case syntax.InstAlt, syntax.InstAltMatch, syntax.InstCapture, syntax.InstNop, syntax.InstFail:
		return false
	default:
		return true
	}
}

// forget leaves nothing pending.
func (a *automaton) forget() {
	for _, i := range a.pending {
		a.seen[i] = false
	}
	a.pending = a.pending[:0]
}
