package spec

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// text reads a string of at least minLength bytes.
func (o *object) text(name string, minLength int) *string {
	value, path, ok := o.take(name)
	if !ok {
		return nil
	}
	s, ok := value.(string)
	switch {
	case !ok:
		o.form.Add(path, keyString)
		return nil
	case len(s) < minLength:
		o.form.Add(path, keyMinLen)
		return nil
	case o.hasNUL(s):
		o.rules.Add(path, messageNUL)
	}
	return &s
}

// maxText bounds URIs and paths, in bytes.
const maxText = 1024

// bounded reads a URI or a path, which is not empty.
func (o *object) bounded(name string) *string {
	s := o.text(name, 1)
	if s != nil && len(*s) > maxText {
		o.form.Add(o.path+"/"+name, keyMaxLen)
		return nil
	}
	return s
}

// matching reads a string of which fits holds.
func (o *object) matching(name string, fits func(string) bool) *string {
	s := o.text(name, 0)
	if s != nil && !fits(*s) {
		o.form.Add(o.path+"/"+name, keyPattern)
		return nil
	}
	return s
}

// enum reads one of the literals in any case and returns it as it is spelled there.
func (o *object) enum(name string, literals ...string) *string {
	s := o.text(name, 0)
	if s == nil {
		return nil
	}
	for _, literal := range literals {
		if strings.EqualFold(*s, literal) {
			return &literal
		}
	}
	o.form.Add(o.path+"/"+name, keyEnum)
	return nil
}

// boolean reads true or false.
func (o *object) boolean(name string) *bool {
	value, path, ok := o.take(name)
	if !ok {
		return nil
	}
	b, ok := value.(bool)
	if !ok {
		o.form.Add(path, keyBoolean)
		return nil
	}
	return &b
}

// number reads a number within the bounds, both inclusive.
func (o *object) number(name string, least, most float64) *float64 {
	value, path, ok := o.take(name)
	if !ok {
		return nil
	}
	return o.checkNumber(path, value, least, most)
}

func (r *reading) checkNumber(path string, value any, least, most float64) *float64 {
	n, ok := value.(json.Number)
	if !ok {
		r.form.Add(path, keyNumber)
		return nil
	}
	f, _ := strconv.ParseFloat(n.String(), 64) // too large a number is an infinity, which no bound admits
	switch {
	case f > most:
		r.form.Add(path, keyMax)
	case f < least:
		r.form.Add(path, keyMin)
	case f == 0:
		return new(float64) // JSON has a zero with a sign, the API has not
	default:
		return &f
	}
	return nil
}

// integer reads a whole number from 0 to most. Like the API's own parser it
// takes 3.0 for 3.
func (o *object) integer(name string, most int) *int {
	value, path, ok := o.take(name)
	if !ok {
		return nil
	}
	return o.checkInteger(path, value, 0, most)
}

// checkInteger refuses fractions and what does not fit the API's 32 bits before it
// looks at the bounds.
func (r *reading) checkInteger(path string, value any, least, most int) *int {
	f, ok := r.whole(path, value, math.MaxInt32, keyInt)
	if !ok {
		return nil
	}
	switch i := int(f); {
	case i < least:
		r.form.Add(path, keyMin)
	case i > most:
		r.form.Add(path, keyMax)
	default:
		return &i
	}
	return nil
}

// mebibytes reads a size, which is a whole number that is not negative. The
// API's 64 bits are cut to what is exact in a double.
func (o *object) mebibytes(name string) *int64 {
	value, path, ok := o.take(name)
	if !ok {
		return nil
	}
	f, ok := o.whole(path, value, maxExact, keyLong)
	if !ok {
		return nil
	}
	if f < 0 {
		o.form.Add(path, keyMin)
		return nil
	}
	return new(int64(f))
}

// maxExact is the last of the whole numbers that a double has without gaps.
const maxExact = 1 << 53

// whole reads a whole number between -most and most; key says that it is none.
func (r *reading) whole(path string, value any, most float64, key string) (f float64, ok bool) {
	n, ok := value.(json.Number)
	if !ok {
		r.form.Add(path, keyNumber)
		return 0, false
	}
	f, err := strconv.ParseFloat(n.String(), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > most {
		r.form.Add(path, key)
		return 0, false
	}
	return f, true
}
