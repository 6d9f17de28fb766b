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
			if it.kind != typeBytes {
				return Malformed("bytes expected")
			}
			q.Input = it.bytes
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
