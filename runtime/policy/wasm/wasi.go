package wasm

import (
	"encoding/binary"
	"strconv"

	"github.com/pacer-run/pacer/runtime/policy/metering"
)

// Error numbers of WASI.
const (
	errnoBadF  = 8
	errnoFault = 21
	errnoInval = 28
	errnoNoSys = 52
)

// exited is the panic that ends a guest which called proc_exit.
type exited struct{ code uint32 }

func (e exited) Error() string { return "exited with code " + strconv.FormatUint(uint64(e.code), 10) }

// wasiFunctions is what a Go or C runtime needs to start. There is nothing
// behind it: no arguments, environment or files; the clock stands still, random
// bytes are the same in every instance, waiting is over at once. So an answer
// depends on nothing but the question. All other functions of WASI are linked,
// too, and answer that they do not exist.
func wasiFunctions() map[string]hostFunction {
	const i32, i64 = metering.I32, metering.I64
	type kind = metering.FuncType
	noFile := func(*call, []uint64) uint64 { return errnoBadF }
	nothing := func(*call, []uint64) uint64 { return 0 }
	return map[string]hostFunction{
		"args_get":          {kind{Params: i32 + i32, Results: i32}, nothing, ""},
		"args_sizes_get":    {kind{Params: i32 + i32, Results: i32}, twoZeros, ""},
		"environ_get":       {kind{Params: i32 + i32, Results: i32}, nothing, ""},
		"environ_sizes_get": {kind{Params: i32 + i32, Results: i32}, twoZeros, ""},
		"clock_time_get":    {kind{Params: i32 + i64 + i32, Results: i32}, clockTimeGet, ""},
		"fd_fdstat_get":     {kind{Params: i32 + i32, Results: i32}, noFile, ""},
		"fd_prestat_get":    {kind{Params: i32 + i32, Results: i32}, noFile, ""},
		"fd_write":          {kind{Params: i32 + i32 + i32 + i32, Results: i32}, fdWrite, ""},
		"poll_oneoff":       {kind{Params: i32 + i32 + i32 + i32, Results: i32}, pollOneoff, ""},
		"proc_exit":         {kind{Params: i32}, func(_ *call, args []uint64) uint64 { panic(exited{uint32(args[0])}) }, ""},
		"random_get":        {kind{Params: i32 + i32, Results: i32}, randomGet, ""},
		"sched_yield":       {kind{Results: i32}, nothing, ""},
	}
}

// status is the errno for a write to the guest's memory.
func status(ok bool) uint64 {
	if !ok {
		return errnoFault
	}
	return 0
}

func twoZeros(c *call, args []uint64) uint64 {
	m := c.mod.Memory()
	return status(m.WriteUint32Le(uint32(args[0]), 0) && m.WriteUint32Le(uint32(args[1]), 0))
}

// stillTime is what every clock shows, in nanoseconds: Go's runtime does not
// start at 0.
const stillTime = 1_000_000_000

func clockTimeGet(c *call, args []uint64) uint64 {
	return status(c.mod.Memory().WriteUint64Le(uint32(args[2]), stillTime))
}

// randomGet fills memory from a generator that starts anew in each
// instance.
func randomGet(c *call, args []uint64) uint64 {
	at, size := uint32(args[0]), uint32(args[1])
	c.pay(uint64(size) * 8)
	memory, ok := c.mod.Memory().Read(at, size)
	if !ok || c.in == nil {
		return errnoFault
	}
	for len(memory) > 0 {
		var word [8]byte
		binary.LittleEndian.PutUint64(word[:], splitMix(&c.in.random))
		memory = memory[copy(memory, word[:]):]
	}
	return 0
}

// fdWrite takes what is written to the standard output and error as log lines.
func fdWrite(c *call, args []uint64) uint64 {
	const maxVectors, vectorSize = 64, 8
	fd, at, n, out := uint32(args[0]), uint32(args[1]), uint32(args[2]), uint32(args[3])
	if fd != 1 && fd != 2 {
		return errnoBadF
	}
	if n > maxVectors {
		return errnoInval
	}
	memory, written := c.mod.Memory(), uint32(0)
	for ; n > 0; n, at = n-1, at+vectorSize {
		head, ok := memory.Read(at, vectorSize)
		if !ok {
			return errnoFault
		}
		from, size := binary.LittleEndian.Uint32(head), binary.LittleEndian.Uint32(head[4:])
		text, ok := memory.Read(from, size)
		if !ok {
			return errnoFault
		}
		written += size
		c.print(text)
	}
	return status(memory.WriteUint32Le(out, written))
}

// pollOneoff says that everything that is waited for has happened.
func pollOneoff(c *call, args []uint64) uint64 {
	const maxEvents, subscriptionSize, eventSize = 64, 48, 32
	in, out, n, count := uint32(args[0]), uint32(args[1]), uint32(args[2]), uint32(args[3])
	if n == 0 || n > maxEvents {
		return errnoInval
	}
	c.pay(uint64(n) * eventSize)
	memory := c.mod.Memory()
	for i := range n {
		subscription, ok := memory.Read(in+i*subscriptionSize, subscriptionSize)
		if !ok {
			return errnoFault
		}
		var event [eventSize]byte
		copy(event[:8], subscription[:8]) // the guest's name for it
		event[10] = subscription[8]       // what kind of event
		if !memory.Write(out+i*eventSize, event[:]) {
			return errnoFault
		}
	}
	return status(memory.WriteUint32Le(count, n))
}
