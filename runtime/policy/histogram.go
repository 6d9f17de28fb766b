package policy

import (
	"math/bits"
	"sync/atomic"
)

// histogram counts numbers by their size: four classes to each doubling, so that a
// quantile is right within a fifth. Its methods may be called by many goroutines
// and allocate nothing.
type histogram struct {
	classes [64 * classesPerOctave]atomic.Uint64
}

const classesPerOctave = 4

func (h *histogram) observe(v int64) { h.classes[classOf(uint64(max(0, v)))].Add(1) }

// classOf is the number of the class; those below 4 have one of their own.
func classOf(v uint64) int {
	if v < classesPerOctave {
		return int(v)
	}
	octave := bits.Len64(v) - 1
	return octave*classesPerOctave + int(v>>(octave-2)&3) - classesPerOctave
}

// smallest is the smallest number of a class.
func smallest(class int) int64 {
	if class < classesPerOctave {
		return int64(class)
	}
	octave := class/classesPerOctave + 1
	return int64(classesPerOctave+class%classesPerOctave) << (octave - 2)
}

// quantile is about the number that so much of what was counted does not exceed;
// 0 when nothing was counted.
func (h *histogram) quantile(q float64) int64 {
	var counts [len(h.classes)]uint64
	total := uint64(0)
	for i := range h.classes {
		counts[i] = h.classes[i].Load()
		total += counts[i]
	}
	if total == 0 {
		return 0
	}
	rank := uint64(q * float64(total-1))
	for i, n := range counts {
		if rank < n {
			low := smallest(i)
			return low + (smallest(i+1)-low)/2
		}
		rank -= n
	}
	return 0 // not reached: rank is below the total
}
