package wire

import "github.com/pacer-run/pacer/sdk"

// AppendAdmissionRequest appends the message to b.
func AppendAdmissionRequest(b []byte, r sdk.AdmissionRequest) []byte {
	b = appendText(b, 1, r.Policy)
	b = appendText(b, 2, r.Settings)
	b = appendUint(b, 3, uint32(r.Verb))
	b = appendUint(b, 4, uint32(r.Subject))
	b = appendText(b, 5, r.ID)
	b = appendBytes(b, 6, r.Old)
	b = appendBytes(b, 7, r.New)
	b = appendText(b, 8, r.User)
	b = appendBool(b, 9, r.Force)
	b = appendUint64(b, 10, uint64(max(0, r.NowMillis)))
	for i := range r.Above {
		b = appendMessage(b, 11, func(b []byte) []byte { return appendGroupUse(b, &r.Above[i]) })
	}
	return b
}

func appendGroupUse(b []byte, g *sdk.GroupUse) []byte {
	b = appendText(b, 1, g.ID)
	b = appendUint(b, 2, g.Apps)
	b = appendUint(b, 3, g.Instances)
	b = appendDouble(b, 4, g.CPUs)
	b = appendDouble(b, 5, g.Mem)
	b = appendDouble(b, 6, g.Disk)
	return appendUint(b, 7, g.GPUs)
}

// DecodeAdmissionRequest reads the message.
func DecodeAdmissionRequest(b []byte) (sdk.AdmissionRequest, error) {
	var r sdk.AdmissionRequest
	err := each(b, func(it item) error {
		switch it.field {
		case 1:
			return it.text(&r.Policy)
		case 2:
			return it.text(&r.Settings)
		case 3:
			return it.uint32((*uint32)(&r.Verb))
		case 4:
			return it.uint32((*uint32)(&r.Subject))
		case 5:
			return it.text(&r.ID)
		case 6:
			return it.data(&r.Old)
		case 7:
			return it.data(&r.New)
		case 8:
			return it.text(&r.User)
		case 9:
			return it.flag(&r.Force)
		case 10:
			return it.int64(&r.NowMillis)
		case 11:
			r.Above = append(r.Above, sdk.GroupUse{})
			g := &r.Above[len(r.Above)-1]
			return it.message(func(it item) error { return decodeGroupUse(it, g) })
		}
		return nil
	})
	return r, err
}

func decodeGroupUse(it item, g *sdk.GroupUse) error {
	switch it.field {
	case 1:
		return it.text(&g.ID)
	case 2:
		return it.uint32(&g.Apps)
	case 3:
		return it.uint32(&g.Instances)
	case 4:
		return it.double(&g.CPUs)
	case 5:
		return it.double(&g.Mem)
	case 6:
		return it.double(&g.Disk)
	case 7:
		return it.uint32(&g.GPUs)
	}
	return nil
}

// AppendAdmissionReview appends the message to b.
func AppendAdmissionReview(b []byte, r sdk.AdmissionReview) []byte {
	b = appendBool(b, 1, r.Denied)
	b = appendText(b, 2, r.Reason)
	b = appendText(b, 3, r.Path)
	b = appendBytes(b, 4, r.Amended)
	return appendTexts(b, 5, r.Warnings)
}

// DecodeAdmissionReview reads the message.
func DecodeAdmissionReview(b []byte) (sdk.AdmissionReview, error) {
	var r sdk.AdmissionReview
	err := each(b, func(it item) error {
		switch it.field {
		case 1:
			return it.flag(&r.Denied)
		case 2:
			return it.text(&r.Reason)
		case 3:
			return it.text(&r.Path)
		case 4:
			return it.data(&r.Amended)
		case 5:
			return it.texts(&r.Warnings)
		}
		return nil
	})
	return r, err
}
