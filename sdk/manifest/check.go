package manifest

import (
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Forms of names, as sdk/policy.proto has them.
const (
	nameForm     = `\A[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\z`
	versionForm  = `\A[0-9A-Za-z.+-]{1,64}\z`
	abiForm      = `\A[1-9][0-9]{0,2}\.(0|[1-9][0-9]{0,3})\z`
	operatorForm = `\A[A-Z][A-Z0-9_]{0,63}\z`
	policyForm   = `\A[a-z][a-z0-9-]{0,63}\z`
	metricForm   = `\A[a-z][a-z0-9_]{0,63}\z`
)

// Bounds on the lists and texts.
const (
	maxNames       = 64 // of a kind
	maxMetrics     = 64
	maxDescription = 4096 // bytes
	maxLine        = 1024 // bytes
	maxPages       = 65536
)

// check finds what is wrong with the values.
func (p *parser) check(m *Manifest) {
	p.form("/name", m.Name, nameForm, "lower-case letters, digits and dashes, 63 at most")
	p.form("/version", m.Version, versionForm, "a semantic version, up to 64 letters, digits and . + -")
	p.form("/abi", m.ABI, abiForm, "a version such as 1.1")
	p.checkKinds(m.Kinds)
	p.checkNames("/imports", m.Imports, func(field, name string) {
		if !slices.Contains(Imports(), name) {
			p.fail(field, "%q: expected one of %s", name, strings.Join(Imports(), ", "))
		}
	})
	p.checkLimits(m.Limits)
	p.checkMetrics(m)
	p.checkText("/description", m.Description, maxDescription, "\n\t")
	p.checkText("/license", m.License, maxLine, "")
	p.checkText("/source", m.Source, maxLine, "")
}

func (p *parser) form(field, text, form, expected string) {
	if !regexp.MustCompile(form).MatchString(text) {
		p.fail(field, "%q: expected %s", text, expected)
	}
}

func (p *parser) checkKinds(kinds map[string][]string) {
	count := 0
	for _, kind := range Kinds() {
		names := kinds[kind]
		count += len(names)
		field := "/kinds/" + kind
		if len(names) > maxNames {
			p.fail(field, "%d names; at most %d are allowed", len(names), maxNames)
		}
		p.checkNames(field, names, func(field, name string) {
			if kind == "constraint" {
				p.form(field, name, operatorForm, "an upper-case letter and up to 63 upper-case letters, digits and underscores")
			} else {
				p.form(field, name, policyForm, "a lower-case letter and up to 63 lower-case letters, digits and dashes")
			}
		})
	}
	if count == 0 {
		p.fail("/kinds", "expected one name at least, of any kind")
	}
}

// checkNames checks each name of a list and finds those that are there twice.
func (p *parser) checkNames(field string, names []string, check func(field, name string)) {
	for i, name := range names {
		field := field + "/" + strconv.Itoa(i)
		if check(field, name); slices.Contains(names[:i], name) {
			p.fail(field, "%q is there twice", name)
		}
	}
}

func (p *parser) checkLimits(l Limits) {
	if l.MemoryPages > maxPages {
		p.fail("/limits/memoryPages", "%d: at most %d pages can be", l.MemoryPages, maxPages)
	}
	numbers := map[string]int64{
		"startFuel": l.StartFuel, "prepareFuel": l.PrepareFuel, "baseFuel": l.BaseFuel,
		"itemFuel": l.ItemFuel, "callFuel": l.CallFuel, "replyBytes": int64(l.ReplyBytes),
	}
	for _, name := range slices.Sorted(maps.Keys(numbers)) {
		if numbers[name] < 0 {
			p.fail("/limits/"+name, "%d: expected a whole number from 0 on", numbers[name])
		}
	}
	if int64(l.ReplyBytes) > math.MaxInt32 {
		p.fail("/limits/replyBytes", "%d: at most %d bytes can be", l.ReplyBytes, math.MaxInt32)
	}
}

func (p *parser) checkMetrics(m *Manifest) {
	if len(m.Metrics) > maxMetrics {
		p.fail("/metrics", "%d metrics; at most %d are allowed", len(m.Metrics), maxMetrics)
	}
	ids, names := map[uint32]bool{}, map[string]bool{}
	for i, metric := range m.Metrics {
		field := "/metrics/" + strconv.Itoa(i)
		if metric.ID == 0 || ids[metric.ID] {
			p.fail(field+"/id", "%d: expected a number from 1 on that no other metric has", metric.ID)
		}
		if p.form(field+"/name", metric.Name, metricForm, "lower-case letters, digits and underscores, 64 at most"); names[metric.Name] {
			p.fail(field+"/name", "%q is there twice", metric.Name)
		}
		if !slices.Contains([]string{"counter", "gauge", "histogram"}, metric.Type) {
			p.fail(field+"/type", "%q: expected counter, gauge or histogram", metric.Type)
		}
		p.checkText(field+"/help", metric.Help, maxLine, "")
		ids[metric.ID], names[metric.Name] = true, true
	}
	if len(m.Metrics) > 0 && !slices.Contains(m.Imports, "metric") {
		p.fail("/metrics", `they need "metric" among the imports`)
	}
}

// checkText refuses control characters other than those allowed: the texts are
// shown in terminals.
func (p *parser) checkText(field, text string, most int, allowed string) {
	if len(text) > most {
		p.fail(field, "%d bytes; at most %d are allowed", len(text), most)
	}
	bad := func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune(allowed, r) }
	if strings.ContainsFunc(text, bad) {
		p.fail(field, "it has control characters")
	}
}
