package metering

import (
	"cmp"
	"slices"
)

// maxGap is how many bytes of zeros are put between two data segments to make one of
// them. So few bring in no page that was not touched anyway.
const maxGap = 64

// dataSegment is what goes where in memory.
type dataSegment struct {
	at   uint64
	data []byte
}

func (s dataSegment) end() uint64 { return s.at + uint64(len(s.data)) }

// joinData makes one data segment of those that lie closely together. Go's linker leaves
// out runs of zeros and writes tens of thousands, each of which takes the engine longer
// than its bytes do. What memory holds in the end is the same: it is the module's own, so
// it holds zeros in between. Sections in which anything is unusual stay as they are: code
// that names segments, other memories, segments that overlap, and whatever is not valid.
func (p *program) joinData() {
	const dataCount = 12 // of modules whose code may name segments
	imported := slices.ContainsFunc(p.imports, func(im Import) bool { return im.Kind == KindMemory })
	if imported || p.memories != 1 || p.sections.body[dataCount] != nil {
		return
	}
	segments, ok := readData(p.sections.read(sectionData))
	if !ok || len(segments) == 0 {
		return
	}
	slices.SortStableFunc(segments, func(a, b dataSegment) int { return cmp.Compare(a.at, b.at) })
	var groups [][]dataSegment
	size := 0
	for from, i := 0, 1; i <= len(segments); i++ {
		if i < len(segments) && segments[i].at < segments[i-1].end() {
			return
		}
		if i == len(segments) || segments[i].at-segments[i-1].end() > maxGap {
			groups = append(groups, segments[from:i])
			size += headSize + int(segments[i-1].end()-segments[from].at)
			from = i
		}
	}
	out := appendU32(make([]byte, 0, headSize+size), uint32(len(groups)))
	for _, g := range groups {
		out = appendGroup(out, g)
	}
	p.sections.body[sectionData] = out
}

// headSize is enough for what comes in front of a segment's data.
const headSize = 16

// appendGroup appends segments as one.
func appendGroup(out []byte, g []dataSegment) []byte {
	at := g[0].at
	out = append(appendS64(append(out, 0, opI32Const), int64(int32(uint32(at)))), opEnd)
	out = appendU32(out, uint32(g[len(g)-1].end()-at))
	var zeros [maxGap]byte
	for _, s := range g {
		out = append(append(out, zeros[:s.at-at]...), s.data...)
		at = s.end()
	}
	return out
}

// readData reads data segments; ok is false for those that are not all as usual.
func readData(r *reader) (list []dataSegment, ok bool) {
	if !r.more() {
		return nil, false
	}
	n := r.count(maxEntries, "data segments")
	list = make([]dataSegment, 0, n)
	for ; n > 0; n-- {
		at, ok := r.place()
		s := dataSegment{at, r.bytes(r.u32())}
		if !ok || r.err != nil {
			return nil, false
		}
		list = append(list, s)
	}
	return list, r.at == len(r.b) && r.err == nil
}

// place reads where a data segment goes; ok is false when that is not a constant, or is
// written in a way that might not be valid.
func (r *reader) place() (at uint64, ok bool) {
	active := r.byte() == 0 && r.byte() == opI32Const
	from := r.at
	address := r.s32()
	if text := r.b[from:r.at]; len(text) == 5 {
		// What is beyond 32 bits has to repeat the sign.
		beyond := text[4] & 0x78
		active = active && (beyond == 0 || beyond == 0x78)
	}
	return uint64(uint32(address)), active && r.byte() == opEnd && r.err == nil
}
