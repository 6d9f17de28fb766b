package metering

import "fmt"

// maxEffort bounds the time that the engine takes to compile a module, in something like
// nanoseconds. It cannot be interrupted and, without this bound, takes hours for some modules
// of 100 KB: the time grows with the square of the pieces into which branches cut a function,
// and with the pieces times the square of the values that there are at once. So does what
// memory it takes. A module made by Go, with JSON, has 1.3
// billion, in 3,800 pieces at most.
const maxEffort = 20_000_000_000

// compiles adds the compilation of a function and refuses it when that comes to too much.
func (p *program) compiles(pieces, values uint64) error {
	p.effort += 10*pieces*pieces + pieces*values*values
	if p.effort > maxEffort {
		return fmt.Errorf("too much to compile: a function with up to %d locals and values on the stack has about %d pieces of code between branches", values, pieces)
	}
	return nil
}

// pieces is how many more an instruction makes of the code that it is in. What is put in
// makes more besides (see put).
func pieces(in instruction) uint64 {
	switch in.op {
	case opBlock, opElse, opBr, opReturn:
		return 1
	case opLoop, opIf, opBrIf:
		return 2
	case opBrTable:
		return uint64(in.index) + 1
	}
	if _, ok := bulk(in); ok {
		return 2
	}
	return 0
}
