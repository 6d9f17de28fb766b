package protocol

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// Message is a message as it is on the wire: package wire has written it, or is to
// read it.
type Message []byte

// Codec carries a *Message as it is, and everything else, such as go-plugin's own
// messages, as protobuf does. Its name is protobuf's, since its bytes are: the other
// side may well use what protoc generated.
type Codec struct{}

var _ encoding.CodecV2 = Codec{}

// Name is that of protobuf's codec.
func (Codec) Name() string { return proto.Name }

// Marshal implements encoding.CodecV2. The bytes of a *Message are not copied: they
// must not change before the call is over.
func (Codec) Marshal(v any) (mem.BufferSlice, error) {
	if m, ok := v.(*Message); ok {
		return mem.BufferSlice{mem.SliceBuffer(*m)}, nil
	}
	return encoding.GetCodecV2(proto.Name).Marshal(v)
}

// Unmarshal implements encoding.CodecV2. The bytes of a *Message are its own.
func (Codec) Unmarshal(data mem.BufferSlice, v any) error {
	if m, ok := v.(*Message); ok {
		*m = data.Materialize()
		return nil
	}
	return encoding.GetCodecV2(proto.Name).Unmarshal(data, v)
}
