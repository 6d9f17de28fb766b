package metering

func (p *program) meterCode() error {
	bodies, err := p.bodies()
	if err != nil || bodies == nil {
		return err
	}
	graph, err := p.graph(bodies)
	if err != nil {
		return err
	}
	return p.rewriteBodies(bodies, func(f uint32, code []byte, params uint32) ([]byte, error) {
		b := &body{r: &reader{b: code}, p: p, graph: graph, function: f, locals: params}
		return b.meter(p.types[p.funcs[p.imported+int(f)]])
	})
}

// bodies are the bodies of the functions; nil: there are none.
func (p *program) bodies() ([][]byte, error) {
	src := p.sections.body[sectionCode]
	if src == nil {
		if len(p.funcs) != p.imported {
			return nil, fault("missing")
		}
		return nil, nil
	}
	r := &reader{b: src}
	n := r.count(maxFunctions, "functions")
	if r.err == nil && n != len(p.funcs)-p.imported {
		return nil, fault("not one body for each function")
	}
	bodies := make([][]byte, n)
	for i := range bodies {
		bodies[i] = thread(r.bytes(r.u32()))
		if len(bodies[i]) > maxBody {
			return nil, fault("a function of more bytes than are allowed")
		}
	}
	return bodies, r.end("function")
}

// rewriteBodies puts what rewrite makes of each function in its place.
func (p *program) rewriteBodies(bodies [][]byte, rewrite func(f uint32, code []byte, params uint32) ([]byte, error)) error {
	out := appendU32(make([]byte, 0, 2*len(p.sections.body[sectionCode])), uint32(len(bodies)))
	for f, code := range bodies {
		params := len(p.types[p.funcs[p.imported+f]].Params)
		rewritten, err := rewrite(uint32(f), code, uint32(params))
		if err != nil {
			return err
		}
		out = append(appendU32(out, uint32(len(rewritten))), rewritten...)
	}
	p.sections.body[sectionCode] = out
	return nil
}
