package wire

// Question is the input of a call to a process about something that it prepared.
type Question struct {
	Handle uint32
	Input  []byte // the message of the kind; part of what was decoded
}

// AppendQuestion appends the message to b.
func AppendQuestion(b []byte, q Question) []byte {
	return appendBytes(appendUint(b, 1, q.Handle), 2, q.Input)
}

// DecodeQuestion reads the message. Its input is not copied.
func DecodeQuestion(b []byte) (Question, error) {
	var q Question
	err := each(b, func(it item) error {
		switch it.field {
		case 1:
			return it.uint32(&q.Handle)
		case 2:
			return it.part(&q.Input)
		}
		return nil
	})
	return q, err
}

// AppendRelease appends the ReleaseRequest to b.
func AppendRelease(b []byte, handle uint32) []byte { return appendUint(b, 1, handle) }

// DecodeRelease reads the ReleaseRequest.
func DecodeRelease(b []byte) (handle uint32, err error) {
	err = each(b, func(it item) error {
		if it.field == 1 {
			return it.uint32(&handle)
		}
		return nil
	})
	return handle, err
}

// Call is one call of a process on a stream of them.
type Call struct {
	Method        string
	Input         []byte // the message that the method takes; part of what was decoded
	TimeoutMicros uint64 // how long the host waits; 0: it does not say
}

// AppendCall appends the message to b.
func AppendCall(b []byte, c Call) []byte {
	return appendUint64(appendBytes(appendText(b, 1, c.Method), 2, c.Input), 3, c.TimeoutMicros)
}

// DecodeCall reads the message. Its input is not copied.
func DecodeCall(b []byte) (Call, error) {
	var c Call
	err := each(b, func(it item) error {
		switch it.field {
		case 1:
			return it.text(&c.Method)
		case 2:
			return it.part(&c.Input)
		case 3:
			return it.uint64(&c.TimeoutMicros)
		}
		return nil
	})
	return c, err
}

// Reply is the answer to a Call.
type Reply struct {
	Output []byte // the message that the method returns; part of what was decoded
	Code   uint32 // a status of gRPC, 0 for OK
	Reason string // the status' message
}

// AppendReply appends the message to b.
func AppendReply(b []byte, r Reply) []byte {
	return appendText(appendUint(appendBytes(b, 1, r.Output), 2, r.Code), 3, r.Reason)
}

// DecodeReply reads the message. Its output is not copied.
func DecodeReply(b []byte) (Reply, error) {
	var r Reply
	err := each(b, func(it item) error {
		switch it.field {
		case 1:
			return it.part(&r.Output)
		case 2:
			return it.uint32(&r.Code)
		case 3:
			return it.text(&r.Reason)
		}
		return nil
	})
	return r, err
}

// part keeps bytes as what they are, a part of the message.
func (it item) part(into *[]byte) error {
	if it.kind != typeBytes {
		return Malformed("bytes expected")
	}
	*into = it.bytes
	return nil
}
