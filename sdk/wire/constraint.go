package wire

import (
	"sort"

	"github.com/pacer-run/pacer/sdk"
)

// AppendSpec appends the ConstraintSpec to b. Labels are sorted, so that equal
// specs have equal bytes.
func AppendSpec(b []byte, c sdk.ConstraintSpec) []byte {
	b = appendText(b, 1, c.Field)
	b = appendText(b, 2, c.Operator)
	b = appendText(b, 3, c.Value)
	if c.HasValue {
		b = appendUint(b, 4, 1)
	}
	return appendMessage(b, 5, func(b []byte) []byte { return appendApp(b, c.App) })
}

func appendApp(b []byte, a sdk.AppFacts) []byte {
	b = appendText(b, 1, a.ID)
	b = appendText(b, 2, a.Version)
	b = appendUint(b, 3, a.Instances)
	b = appendText(b, 4, a.Role)
	keys := make([]string, 0, len(a.Labels))
	for key := range a.Labels {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		// Unlike other fields, those of a map's entry are there even when they are empty.
		entry := appendTexts(appendTexts(nil, 1, []string{key}), 2, []string{a.Labels[key]})
		b = append(appendSize(b, 5, len(entry)), entry...)
	}
	return b
}

// DecodeSpec reads a ConstraintSpec.
func DecodeSpec(b []byte) (sdk.ConstraintSpec, error) {
	var c sdk.ConstraintSpec
	err := each(b, func(it item) error {
		switch it.field {
		case 1:
			return it.text(&c.Field)
		case 2:
			return it.text(&c.Operator)
		case 3:
			return it.text(&c.Value)
		case 4:
			var flag uint32
			err := it.uint32(&flag)
			c.HasValue = flag != 0
			return err
		case 5:
			return it.app(&c.App)
		}
		return nil
	})
	return c, err
}

func (it item) app(into *sdk.AppFacts) error {
	return it.message(func(it item) error { return decodeApp(it, into) })
}

func decodeApp(it item, a *sdk.AppFacts) error {
	switch it.field {
	case 1:
		return it.text(&a.ID)
	case 2:
		return it.text(&a.Version)
	case 3:
		return it.uint32(&a.Instances)
	case 4:
		return it.text(&a.Role)
	case 5:
		var key, value string
		err := it.message(func(it item) error {
			switch it.field {
			case 1:
				return it.text(&key)
			case 2:
				return it.text(&value)
			}
			return nil
		})
		if a.Labels == nil {
			a.Labels = map[string]string{}
		}
		a.Labels[key] = value
		return err
	}
	return nil
}

// Prepared is a module's name for a constraint that it has prepared.
type Prepared struct {
	Handle uint32
	Traits sdk.Traits
}

// AppendPrepared appends the message to b.
func AppendPrepared(b []byte, p Prepared) []byte {
	return appendUint(appendUint(b, 1, p.Handle), 2, uint32(p.Traits))
}

// DecodePrepared reads the message and refuses traits that do not exist.
func DecodePrepared(b []byte) (Prepared, error) {
	var p Prepared
	err := each(b, func(it item) error {
		switch it.field {
		case 1:
			return it.uint32(&p.Handle)
		case 2:
			return it.uint32((*uint32)(&p.Traits))
		}
		return nil
	})
	if err == nil && p.Traits&^(sdk.PurePerValue|sdk.Stateful) != 0 {
		err = Malformed("unknown traits")
	}
	if err == nil && p.Traits == sdk.PurePerValue|sdk.Stateful {
		err = Malformed("pure per value and stateful at once")
	}
	return p, err
}
