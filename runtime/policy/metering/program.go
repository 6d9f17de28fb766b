package metering

import (
	"strconv"
	"strings"
)

// Kind is what an import or export is.
type Kind uint8

// The kinds of the binary format.
const (
	KindFunction Kind = iota
	KindTable
	KindMemory
	KindGlobal
)

// String returns the name in the text format.
func (k Kind) String() string {
	return [...]string{"func", "table", "memory", "global"}[k&3]
}

// FuncType is a function's type; the bytes are those of the binary format.
type FuncType struct {
	Params, Results string
}

// Value types that interfaces between host and guest use.
const (
	I32 = "\x7f"
	I64 = "\x7e"
	F64 = "\x7c"
)

// String returns a form such as "(i32, i64) -> (i32)".
func (f FuncType) String() string { return "(" + list(f.Params) + ") -> (" + list(f.Results) + ")" }

func list(types string) string {
	names := make([]string, len(types))
	for i := range len(types) {
		switch types[i] {
		case 0x7f:
			names[i] = "i32"
		case 0x7e:
			names[i] = "i64"
		case 0x7d:
			names[i] = "f32"
		case 0x7c:
			names[i] = "f64"
		default:
			names[i] = "0x" + strconv.FormatUint(uint64(types[i]), 16)
		}
	}
	return strings.Join(names, ", ")
}

// program is what has been learnt of the module under work.
type program struct {
	sections *sections
	types    []FuncType
	funcs    []uint32 // type of each function, the imported ones first
	imported int      // functions
	globals  uint32   // in the original module; also the index of the counter
	tables   int
	memories int
	minPages uint32
	start    *uint32 // the start function; nil: none
	imports  []Import
	exports  map[string]Export
	blocks   map[string]uint32 // types of blocks with so many results, by these
	effort   uint64            // of compiling what was rewritten
}

func (p *program) parseTypes() error {
	r := p.sections.read(sectionType)
	if !r.more() {
		return r.err
	}
	for n := r.count(maxEntries, "types"); n > 0 && r.err == nil; n-- {
		if r.byte() != 0x60 {
			r.fail("not a function type")
		}
		params := r.valueTypes()
		results := r.valueTypes()
		if len(params)+len(results) > maxValues {
			r.fail("a function type of more values than are allowed")
		}
		p.types = append(p.types, FuncType{Params: params, Results: results})
	}
	return r.end("type")
}

func (p *program) parseImports() error {
	r := p.sections.read(sectionImport)
	if !r.more() {
		return r.err
	}
	for n := r.count(maxEntries, "imports"); n > 0 && r.err == nil; n-- {
		im := Import{Module: r.name(), Name: r.name()}
		im.Kind = Kind(r.byte())
		switch im.Kind {
		case KindFunction:
			im.Type = p.addFunction(r)
			p.imported++
		case KindTable:
			r.referenceType()
			skipLimits(r)
			p.tables++
		case KindMemory:
			skipLimits(r)
			p.memories++
		case KindGlobal:
			r.valueType()
			r.byte()
			p.globals++
		default:
			r.fail("unknown kind of import")
		}
		p.imports = append(p.imports, im)
	}
	return r.end("import")
}

// addFunction reads the type of the next function.
func (p *program) addFunction(r *reader) FuncType {
	index := r.u32()
	if int64(index) >= int64(len(p.types)) {
		r.fail("function of a type that does not exist")
		return FuncType{}
	}
	p.funcs = append(p.funcs, index)
	return p.types[index]
}

func skipLimits(r *reader) (low uint32) {
	bounded := r.byte()
	if bounded > 1 {
		r.fail("unknown kind of limits")
	}
	low = r.u32()
	if bounded == 1 {
		r.u32()
	}
	return low
}

func (p *program) parseFunctions() error {
	r := p.sections.read(sectionFunction)
	if !r.more() {
		return r.err
	}
	for n := r.count(maxFunctions, "functions"); n > 0 && r.err == nil; n-- {
		p.addFunction(r)
	}
	return r.end("function")
}

func (p *program) parseMemory() error {
	r := p.sections.read(sectionMemory)
	if !r.more() {
		return r.err
	}
	if n := r.count(1, "memories"); n == 1 {
		p.minPages = skipLimits(r)
		p.memories++
	}
	return r.end("memory")
}

// capTables bounds the tables, which the engine's memory limit does not cover.
func (p *program) capTables() error {
	r := p.sections.read(sectionTable)
	if !r.more() {
		return r.err
	}
	n := r.count(maxTables, "tables")
	out := appendU32(nil, uint32(n))
	for ; n > 0 && r.err == nil; n-- {
		out = append(out, r.referenceType())
		bounded, low, high := r.byte(), r.u32(), uint32(maxTable)
		if bounded > 1 {
			r.fail("unknown kind of table")
		}
		if bounded == 1 {
			high = r.u32()
		}
		if low > maxTable || high < low {
			r.fail("a table of more elements than are allowed")
		}
		out = appendU32(appendU32(append(out, 1), low), min(high, maxTable))
		p.tables++
	}
	p.sections.body[sectionTable] = out
	return r.end("table")
}
