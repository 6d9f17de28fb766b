package wire

import "github.com/pacer-run/pacer/sdk"

// AppendUpgradeSpec appends the message to b.
func AppendUpgradeSpec(b []byte, u sdk.UpgradeSpec) []byte {
	b = appendText(b, 1, u.Strategy)
	b = appendMessage(b, 2, func(b []byte) []byte { return appendApp(b, u.App) })
	b = appendDouble(b, 3, u.MinimumHealthCapacity)
	return appendDouble(b, 4, u.MaximumOverCapacity)
}

// DecodeUpgradeSpec reads the message.
func DecodeUpgradeSpec(b []byte) (sdk.UpgradeSpec, error) {
	var u sdk.UpgradeSpec
	err := each(b, func(it item) error {
		switch it.field {
		case 1:
			return it.text(&u.Strategy)
		case 2:
			return it.app(&u.App)
		case 3:
			return it.double(&u.MinimumHealthCapacity)
		case 4:
			return it.double(&u.MaximumOverCapacity)
		}
		return nil
	})
	return u, err
}

// AppendUpgradeState appends the message to b.
func AppendUpgradeState(b []byte, s sdk.UpgradeState) []byte {
	b = appendUint(b, 1, s.Instances)
	b = appendDouble(b, 2, s.MinimumHealthCapacity)
	b = appendDouble(b, 3, s.MaximumOverCapacity)
	b = appendUint(b, 4, s.MinHealthy)
	b = appendUint(b, 5, s.MaxTotal)
	b = appendUint(b, 6, s.Old)
	b = appendUint(b, 7, s.OldDying)
	b = appendUint(b, 8, s.OldHealthy)
	b = appendUint(b, 9, s.New)
	b = appendUint(b, 10, s.NewHealthy)
	b = appendUint(b, 11, s.NewReady)
	b = appendUint64(b, 12, s.Millis)
	b = appendBytes(b, 13, s.Memory)
	b = appendUint(b, 14, s.Promotions)
	b = appendUint64(b, 15, uint64(max(0, s.NowMillis)))
	return appendBool(b, 16, s.Undoes)
}

// DecodeUpgradeState reads the message.
func DecodeUpgradeState(b []byte) (sdk.UpgradeState, error) {
	var s sdk.UpgradeState
	numbers := map[uint64]*uint32{
		1: &s.Instances, 4: &s.MinHealthy, 5: &s.MaxTotal, 6: &s.Old, 7: &s.OldDying, 8: &s.OldHealthy,
		9: &s.New, 10: &s.NewHealthy, 11: &s.NewReady, 14: &s.Promotions,
	}
	err := each(b, func(it item) error {
		switch it.field {
		case 2:
			return it.double(&s.MinimumHealthCapacity)
		case 3:
			return it.double(&s.MaximumOverCapacity)
		case 12:
			return it.uint64(&s.Millis)
		case 13:
			return it.data(&s.Memory)
		case 15:
			return it.int64(&s.NowMillis)
		case 16:
			return it.flag(&s.Undoes)
		}
		if into := numbers[it.field]; into != nil {
			return it.uint32(into)
		}
		return nil
	})
	return s, err
}

// AppendUpgradeStep appends the message to b.
func AppendUpgradeStep(b []byte, s sdk.UpgradeStep) []byte {
	b = appendUint(b, 1, s.Start)
	b = appendUint(b, 2, s.Kill)
	b = appendUint64(b, 3, s.AskAfterMillis)
	b = appendUint(b, 4, uint32(s.Outcome))
	b = appendText(b, 5, s.Reason)
	return appendBytes(b, 6, s.Memory)
}

// DecodeUpgradeStep reads the message and refuses outcomes that do not exist, and
// more memory than is kept.
func DecodeUpgradeStep(b []byte) (sdk.UpgradeStep, error) {
	var s sdk.UpgradeStep
	err := each(b, func(it item) error {
		switch it.field {
		case 1:
			return it.uint32(&s.Start)
		case 2:
			return it.uint32(&s.Kill)
		case 3:
			return it.uint64(&s.AskAfterMillis)
		case 4:
			return it.uint32((*uint32)(&s.Outcome))
		case 5:
			return it.text(&s.Reason)
		case 6:
			return it.data(&s.Memory)
		}
		return nil
	})
	switch {
	case err != nil:
	case s.Outcome > sdk.RollBack:
		err = Malformed("unknown outcome")
	case len(s.Memory) > sdk.MaxUpgradeMemory:
		err = Malformed("more memory than is kept")
	}
	return s, err
}
