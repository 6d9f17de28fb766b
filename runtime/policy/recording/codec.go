package recording

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/pacer-run/pacer/runtime/policy/remote"
)

// errMalformed is what is wrong with a frame that is no message.
var errMalformed = errors.New("a frame is malformed")

// The wire types of protobuf.
const (
	varint = 0
	fixed8 = 1
	bytes  = 2
	fixed4 = 5
)

func appendUint(b []byte, field int, v uint64) []byte {
	if v == 0 {
		return b
	}
	return binary.AppendUvarint(binary.AppendUvarint(b, uint64(field)<<3|varint), v)
}

func appendBytes[T string | []byte](b []byte, field int, v T) []byte {
	if len(v) == 0 {
		return b
	}
	b = binary.AppendUvarint(b, uint64(field)<<3|bytes)
	return append(binary.AppendUvarint(b, uint64(len(v))), v...)
}

func appendHeader(b []byte, h Header) []byte {
	b = appendUint(b, 1, format)
	b = appendBytes(b, 2, h.Module)
	b = appendBytes(b, 3, h.Digest)
	b = appendBytes(b, 4, h.Description)
	b = appendBytes(b, 5, h.Settings)
	return appendUint(b, 6, uint64(h.BeganMillis))
}

func appendCall(b []byte, c Call) []byte {
	b = appendUint(b, 1, uint64(c.Op))
	b = appendUint(b, 2, uint64(c.Kind))
	b = appendUint(b, 3, c.Prepared)
	b = appendUint(b, 4, uint64(c.Items))
	b = appendBytes(b, 5, c.Input)
	b = appendBytes(b, 6, c.Answer)
	b = appendUint(b, 7, uint64(c.Traits))
	b = appendUint(b, 8, uint64(c.Failure))
	b = appendBytes(b, 9, c.Cause)
	b = appendUint(b, 10, uint64(c.Fuel))
	b = appendUint(b, 11, uint64(c.Nanos))
	return appendUint(b, 12, uint64(c.AtMillis))
}

// each calls f for every field; v is that of a varint, data that of bytes, which
// are part of b.
func each(b []byte, f func(field, v uint64, data []byte)) error {
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 {
			return errMalformed
		}
		b = b[n:]
		switch tag & 7 {
		case varint:
			v, n := binary.Uvarint(b)
			if n <= 0 {
				return errMalformed
			}
			f(tag>>3, v, nil)
			b = b[n:]
		case bytes:
			size, n := binary.Uvarint(b)
			if n <= 0 || size > uint64(len(b)-n) {
				return errMalformed
			}
			f(tag>>3, 0, b[n:n+int(size)])
			b = b[n+int(size):]
		case fixed4, fixed8:
			size := 4
			if tag&7 == fixed8 {
				size = 8
			}
			if len(b) < size {
				return errMalformed
			}
			b = b[size:]
		default:
			return errMalformed
		}
	}
	return nil
}

func decodeHeader(b []byte) (h Header, version uint64, err error) {
	err = each(b, func(field, v uint64, data []byte) {
		switch field {
		case 1:
			version = v
		case 2:
			h.Module = string(data)
		case 3:
			h.Digest = string(data)
		case 4:
			h.Description = data
		case 5:
			h.Settings = string(data)
		case 6:
			h.BeganMillis = int64(v)
		}
	})
	return h, version, err
}

// decodeCall keeps parts of b.
func decodeCall(b []byte) (c Call, err error) {
	var op, kind, failure, items uint64
	err = each(b, func(field, v uint64, data []byte) {
		switch field {
		case 1:
			op = v
		case 2:
			kind = v
		case 3:
			c.Prepared = v
		case 4:
			items = v
		case 5:
			c.Input = data
		case 6:
			c.Answer = data
		case 7:
			c.Traits = uint32(v)
		case 8:
			failure = v
		case 9:
			c.Cause = string(data)
		case 10:
			c.Fuel = int64(v)
		case 11:
			c.Nanos = int64(v)
		case 12:
			c.AtMillis = int64(v)
		}
	})
	if err == nil && (op == 0 || op > uint64(Release) || kind >= uint64(remote.Kinds) || failure > uint64(Fault) || items > math.MaxInt32) {
		err = errMalformed
	}
	c.Op, c.Kind, c.Failure, c.Items = Op(op), remote.Kind(kind), Failure(failure), int(items)
	return c, err
}
