package metering

// addGlobals appends the counter of fuel and that of frames to the globals. As
// the last ones they leave every other index as it is.
func (p *program) addGlobals() error {
	own, rest, err := cutCount(p.sections.body[sectionGlobal], "globals")
	if err != nil {
		return err
	}
	if err := p.checkGlobals(own, rest); err != nil {
		return err
	}
	p.globals += own
	body := append(appendU32(nil, own+2), rest...)
	body = append(body, I64[0], 1, opI64Const) // mutable
	body = append(appendS64(body, 0), opEnd)
	body = append(body, I32[0], 1, opI32Const)
	body = append(appendS64(body, maxDepth), opEnd)
	p.sections.body[sectionGlobal] = body
	return nil
}

// checkGlobals sees to it that the globals end where the counters begin, and that none of
// them starts with what a counter has.
func (p *program) checkGlobals(n uint32, rest []byte) error {
	r := &reader{b: rest}
	for ; n > 0 && r.err == nil; n-- {
		r.valueType()
		r.byte()
		for in := r.next(); in.op != opEnd && r.err == nil; in = r.next() {
			if in.op == opGlobalGet && in.index >= p.globals {
				r.fail("a start value of a global that is not imported")
			}
		}
	}
	return r.end("global")
}

// addTypes appends the types of blocks that give what functions give, where it is
// more than one value. As the last ones they leave every other index as it is.
func (p *program) addTypes() error {
	own, rest, err := cutCount(p.sections.body[sectionType], "types")
	if err != nil {
		return err
	}
	p.blocks = map[string]uint32{}
	var added []byte
	for _, f := range p.funcs[p.imported:] {
		results := p.types[f].Results
		if _, known := p.blocks[results]; known || len(results) < 2 {
			continue
		}
		p.blocks[results] = own
		added = append(appendU32(append(added, 0x60, 0), uint32(len(results))), results...)
		own++
	}
	if added != nil {
		p.sections.body[sectionType] = append(append(appendU32(nil, own), rest...), added...)
	}
	return nil
}

// blockType is the type of a block with these results.
func (p *program) blockType(results string) []byte {
	switch len(results) {
	case 0:
		return []byte{typeEmpty}
	case 1:
		return []byte(results)
	}
	return appendS64(nil, int64(p.blocks[results]))
}

// takeStart removes the start section and remembers the function.
func (p *program) takeStart() error {
	r := p.sections.read(sectionStart)
	if !r.more() {
		return r.err
	}
	p.sections.body[sectionStart] = nil
	index := r.u32()
	if r.err == nil && (int64(index) >= int64(len(p.funcs)) || p.types[p.funcs[index]] != FuncType{}) {
		r.fail("not a function without parameters and results")
	}
	p.start = &index
	return r.end("function")
}

// addExports learns the exports and appends the counters and the start function.
func (p *program) addExports() error {
	p.exports = map[string]Export{}
	own, rest, err := cutCount(p.sections.body[sectionExport], "exports")
	if err != nil {
		return err
	}
	r := &reader{b: rest}
	for n := own; n > 0 && r.err == nil; n-- {
		p.parseExport(r)
	}
	err = r.end("export")
	added := appendExport(nil, FuelGlobal, KindGlobal, p.globals)
	added = appendExport(added, DepthGlobal, KindGlobal, p.globals+1)
	own += 2
	if p.start != nil {
		added = appendExport(added, StartExport, KindFunction, *p.start)
		own++
	}
	p.sections.body[sectionExport] = append(append(appendU32(nil, own), rest...), added...)
	return err
}

func appendExport(b []byte, name string, kind Kind, index uint32) []byte {
	b = append(appendU32(b, uint32(len(name))), name...)
	return appendU32(append(b, byte(kind)), index)
}

func (p *program) parseExport(r *reader) {
	name, kind, index := r.name(), Kind(r.byte()), r.u32()
	if name == FuelGlobal || name == DepthGlobal || name == StartExport {
		r.fail(`the name "` + name + `" is the host's`)
	}
	export := Export{Kind: kind}
	limit := [...]uint32{uint32(len(p.funcs)), uint32(p.tables), uint32(p.memories), p.globals}
	if kind > KindGlobal || index >= limit[kind] {
		r.fail("export " + name + " of what does not exist")
		return
	}
	if kind == KindFunction {
		export.Type = p.types[p.funcs[index]]
	}
	p.exports[name] = export
}

// cutCount takes the length off a vector; a missing section is an empty one.
func cutCount(body []byte, what string) (count uint32, rest []byte, err error) {
	if body == nil {
		return 0, nil, nil
	}
	r := &reader{b: body}
	n := r.count(maxEntries, what)
	return uint32(n), body[r.at:], r.err
}
