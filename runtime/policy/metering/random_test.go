package metering

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero"
)

// Locals of random functions: the parameter, some numbers, the turns that are left of
// the loops at each depth, and what a table goes by.
const (
	randomNumbers = 4
	randomDepth   = 2
	randomTurns   = randomNumbers
	randomState   = randomTurns + randomDepth
	randomLocals  = randomState + 1
)

// randomCode writes functions that end, from every kind of control.
type randomCode struct {
	*rand.Rand
	out      []byte
	function uint32
	// loops tells which of the open blocks, outermost first, are loops: these are
	// branched to by their own turns alone, so that they end.
	loops []bool
}

func (c *randomCode) put(b ...byte) { c.out = append(c.out, b...) }

func (c *randomCode) constant(v int) { c.out = appendS64(append(c.out, opI32Const), int64(v)) }

func (c *randomCode) number() byte { return byte(c.IntN(randomNumbers)) }

// value puts a number on the stack.
func (c *randomCode) value() {
	switch c.IntN(4) {
	case 0:
		c.constant(c.IntN(100))
	case 1:
		c.put(opLocalGet, c.number(), opLocalGet, c.number(), 0x6a+byte(c.IntN(3))) // add, sub, mul
	case 2:
		c.put(opLocalGet, c.number())
		c.constant(0xfffc)
		c.put(0x71, 0x28, 2, 0) // and, load
	default:
		c.put(opLocalGet, c.number())
	}
}

func (c *randomCode) condition() {
	c.value()
	c.constant(1 + c.IntN(3))
	c.put(0x71) // and
}

func (c *randomCode) open(op byte) {
	c.put(op, typeEmpty)
	c.loops = append(c.loops, op == opLoop)
}

func (c *randomCode) close() {
	c.put(opEnd)
	c.loops = c.loops[:len(c.loops)-1]
}

func (c *randomCode) statements(depth int) {
	for range 1 + c.IntN(5) {
		c.statement(depth)
	}
}

func (c *randomCode) statement(depth int) {
	kind := c.IntN(12)
	if len(c.loops) >= 12 || depth == randomDepth {
		kind = c.IntN(6)
	}
	switch kind {
	case 0, 1:
		c.value()
		c.put(opLocalSet, c.number())
	case 2:
		c.put(opLocalGet, c.number())
		c.constant(0xfffc)
		c.put(0x71)
		c.value()
		c.put(0x36, 2, 0) // store
	case 3:
		c.leave()
	case 4:
		c.callOrFill()
	case 5:
		c.condition()
		c.put(opIf, typeEmpty)
		c.value()
		c.put(opReturn, opEnd)
	case 6, 7:
		c.condition()
		c.open(opIf)
		c.statements(depth)
		if c.IntN(2) == 0 {
			c.put(opElse)
			c.statements(depth)
		}
		c.close()
	case 8, 9:
		c.loop(depth)
	case 10:
		c.dispatch(depth)
	default:
		c.open(opBlock)
		c.statements(depth)
		c.close()
	}
}

// leave branches to a block that is open, in one of the ways.
func (c *randomCode) leave() {
	var out []byte
	for i, loop := range c.loops {
		if !loop {
			out = append(out, byte(len(c.loops)-1-i))
		}
	}
	if len(out) == 0 {
		return
	}
	to := func() byte { return out[c.IntN(len(out))] }
	switch c.IntN(4) {
	case 0:
		c.condition()
		c.put(opIf, typeEmpty, opBr, to()+1, opEnd)
	case 1:
		c.condition()
		c.put(opBrTable, 2, to(), to(), to())
	default:
		c.condition()
		c.put(opBrIf, to())
	}
}

// callOrFill calls a function that comes later, so that calls end, or fills memory.
func (c *randomCode) callOrFill() {
	next := c.function + 1
	switch {
	case c.IntN(4) == 0:
		c.constant(c.IntN(1000))
		c.value()
		c.constant(c.IntN(300))
		c.put(prefixMisc, 11, 0)
	case next >= randomFunctions:
	case c.IntN(3) == 0:
		c.value()
		c.constant(int(next))
		c.put(opCallIndirect, 0, 0, opLocalSet, c.number())
	default:
		c.value()
		c.put(opCall, byte(next), opLocalSet, c.number())
	}
}

func (c *randomCode) turns(depth int) byte { return byte(randomTurns + depth) }

func (c *randomCode) loop(depth int) {
	c.constant(c.IntN(5))
	c.put(opLocalSet, c.turns(depth))
	c.open(opLoop)
	c.statements(depth + 1)
	c.put(opLocalGet, c.turns(depth))
	c.constant(1)
	c.put(opI32Sub, opLocalTee, c.turns(depth))
	c.constant(0)
	c.put(0x4a, opBrIf, 0) // greater
	c.close()
}

// dispatch is a loop in the manner of Go's compiler.
func (c *randomCode) dispatch(depth int) {
	blocks := 2 + c.IntN(5)
	c.constant(10)
	c.put(opLocalSet, c.turns(depth))
	c.constant(0)
	c.put(opLocalSet, randomState)
	c.open(opBlock)
	out := len(c.loops)
	c.open(opLoop)
	c.put(opLocalGet, c.turns(depth))
	c.constant(0)
	c.put(0x4c, opBrIf, 1) // less or equal
	c.open(opLoop)         // the turns are counted outside of the loop that has the table
	loop := len(c.loops)
	for range blocks {
		c.open(opBlock)
	}
	c.put(opLocalGet, randomState, opBrTable, byte(blocks-1))
	for i := range blocks {
		c.put(byte(i))
	}
	for i := range blocks {
		c.close()
		c.put(opLocalGet, c.turns(depth))
		c.constant(1)
		c.put(opI32Sub, opLocalTee, c.turns(depth))
		c.constant(0)
		c.put(0x4c, opBrIf, byte(len(c.loops)-out)) // out of it all
		c.simple()
		c.condition()
		c.put(opIf, typeEmpty)
		c.constant(c.IntN(blocks))
		c.put(opLocalSet, randomState, opBr, byte(len(c.loops)-loop+1), opEnd)
		if i == blocks/2 {
			c.simple()
		}
	}
	c.close()
	c.close()
	c.close()
}

// simple is a statement without control.
func (c *randomCode) simple() {
	c.value()
	c.put(opLocalSet, c.number())
}

const randomFunctions = 3

// randomModule is the same for the same seed.
func randomModule(seed uint64) []byte {
	bodies := make([][]byte, randomFunctions)
	for f := range bodies {
		bodies[f] = randomBody(seed, uint32(f))
	}
	return assembled(randomLocals-1, bodies...)
}

func randomBody(seed uint64, f uint32) []byte {
	c := &randomCode{Rand: rand.New(rand.NewPCG(seed, uint64(f))), function: f}
	c.open(opBlock)
	c.statements(0)
	c.close()
	c.value()
	return c.out
}

// done is what a call did, as far as the caller can see.
type done struct {
	Result uint64
	Failed bool
	Memory string
}

func runRandom(g guest) (all []done, fuel []int64) {
	for arg := range uint64(4) {
		result, used, err := g.call(math.MaxInt64, "f0", arg)
		memory, _ := g.code.Memory().Read(0, 1<<16)
		all, fuel = append(all, done{result, err != nil, string(memory)}), append(fuel, used)
	}
	return all, fuel
}

// A random program does what it did, metered, pays for what it executes before it is
// executed, and for little else.
func TestRandomPrograms(t *testing.T) {
	for seed := range uint64(40) {
		code := randomModule(seed)
		metered, err := Rewrite(code)
		if err != nil {
			t.Fatal(seed, err)
		}
		config := wazero.NewRuntimeConfig()
		want, _ := runRandom(start(t, code, config))
		got, charged := runRandom(start(t, metered.Code, config))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("program %d: %s", seed, diff)
		}
		_, executed := runRandom(start(t, exact(t, code), config))
		for i := range charged {
			if charged[i] < executed[i] || want[i].Failed {
				t.Errorf("program %d, call %d: executed %d units and paid %d, failed: %t", seed, i, executed[i], charged[i], want[i].Failed)
			}
		}
	}
}
