package wire

import "github.com/pacer-run/pacer/sdk"

// AppendHealthSpec appends the message to b.
func AppendHealthSpec(b []byte, h sdk.HealthSpec) []byte {
	b = appendText(b, 1, h.Rule)
	b = appendMessage(b, 2, func(b []byte) []byte { return appendApp(b, h.App) })
	for i := range h.Checks {
		b = appendMessage(b, 3, func(b []byte) []byte { return appendHealthCheck(b, &h.Checks[i]) })
	}
	return b
}

func appendHealthCheck(b []byte, c *sdk.HealthCheck) []byte {
	b = appendText(b, 1, c.Protocol)
	b = appendUint64(b, 2, c.IntervalMillis)
	b = appendUint64(b, 3, c.TimeoutMillis)
	b = appendUint64(b, 4, c.GraceMillis)
	b = appendUint(b, 5, c.MaxConsecutiveFailures)
	return appendBool(b, 6, c.ByMesos)
}

// DecodeHealthSpec reads the message.
func DecodeHealthSpec(b []byte) (sdk.HealthSpec, error) {
	var h sdk.HealthSpec
	err := each(b, func(it item) error {
		switch it.field {
		case 1:
			return it.text(&h.Rule)
		case 2:
			return it.app(&h.App)
		case 3:
			h.Checks = append(h.Checks, sdk.HealthCheck{})
			check := &h.Checks[len(h.Checks)-1]
			return it.message(func(it item) error { return decodeHealthCheck(it, check) })
		}
		return nil
	})
	return h, err
}

func decodeHealthCheck(it item, c *sdk.HealthCheck) error {
	switch it.field {
	case 1:
		return it.text(&c.Protocol)
	case 2:
		return it.uint64(&c.IntervalMillis)
	case 3:
		return it.uint64(&c.TimeoutMillis)
	case 4:
		return it.uint64(&c.GraceMillis)
	case 5:
		return it.uint32(&c.MaxConsecutiveFailures)
	case 6:
		return it.flag(&c.ByMesos)
	}
	return nil
}

// AppendHealthInput appends the message to b.
func AppendHealthInput(b []byte, histories []sdk.HealthHistory) []byte {
	for i := range histories {
		b = appendMessage(b, 1, func(b []byte) []byte { return appendHistory(b, &histories[i]) })
	}
	return b
}

func appendHistory(b []byte, h *sdk.HealthHistory) []byte {
	b = appendUint(b, 1, h.Check)
	b = appendUint64(b, 2, h.AgeMillis)
	b = appendUint64(b, 3, uint64(max(0, h.FirstSuccess)))
	b = appendUint64(b, 4, uint64(max(0, h.LastSuccess)))
	b = appendUint64(b, 5, uint64(max(0, h.LastFailure)))
	b = appendText(b, 6, h.LastFailureCause)
	b = appendUint(b, 7, h.ConsecutiveFailures)
	b = appendFixed64(b, 8, h.Recent)
	return appendUint(b, 9, h.Results)
}

// DecodeHealthInput reads the message and refuses more results than a record tells
// apart.
func DecodeHealthInput(b []byte) ([]sdk.HealthHistory, error) {
	var histories []sdk.HealthHistory
	err := each(b, func(it item) error {
		if it.field != 1 {
			return nil
		}
		histories = append(histories, sdk.HealthHistory{})
		h := &histories[len(histories)-1]
		err := it.message(func(it item) error { return decodeHistory(it, h) })
		if err == nil && h.Results > sdk.MaxRecentResults {
			err = Malformed("more results than a record tells apart")
		}
		return err
	})
	return histories, err
}

func decodeHistory(it item, h *sdk.HealthHistory) error {
	switch it.field {
	case 1:
		return it.uint32(&h.Check)
	case 2:
		return it.uint64(&h.AgeMillis)
	case 3:
		return it.int64(&h.FirstSuccess)
	case 4:
		return it.int64(&h.LastSuccess)
	case 5:
		return it.int64(&h.LastFailure)
	case 6:
		return it.text(&h.LastFailureCause)
	case 7:
		return it.uint32(&h.ConsecutiveFailures)
	case 8:
		return it.fixed64(&h.Recent)
	case 9:
		return it.uint32(&h.Results)
	}
	return nil
}

// AppendHealthAnswer appends the message to b.
func AppendHealthAnswer(b []byte, verdicts []sdk.HealthVerdict) []byte {
	for _, v := range verdicts {
		b = appendMessage(b, 1, func(b []byte) []byte {
			b = appendUint(b, 1, uint32(v.State))
			b = appendBool(b, 2, v.Replace)
			return appendText(b, 3, v.Reason)
		})
	}
	return b
}

// DecodeHealthAnswer reads the verdicts on that many histories, and refuses those
// that cannot be: another number of them, unknown states, a healthy instance to be
// replaced.
func DecodeHealthAnswer(b []byte, histories int) ([]sdk.HealthVerdict, error) {
	verdicts := make([]sdk.HealthVerdict, 0, histories)
	err := each(b, func(it item) error {
		if it.field != 1 {
			return nil
		}
		var v sdk.HealthVerdict
		err := it.message(func(it item) error { return decodeVerdict(it, &v) })
		verdicts = append(verdicts, v)
		switch {
		case err != nil:
			return err
		case v.State > sdk.Unhealthy:
			return Malformed("unknown state")
		case v.Replace && v.State != sdk.Unhealthy:
			return Malformed("an instance that is not unhealthy is to be replaced")
		}
		return nil
	})
	if err == nil && len(verdicts) != histories {
		err = Malformed("not one verdict for each history")
	}
	return verdicts, err
}

func decodeVerdict(it item, v *sdk.HealthVerdict) error {
	switch it.field {
	case 1:
		return it.uint32((*uint32)(&v.State))
	case 2:
		return it.flag(&v.Replace)
	case 3:
		return it.text(&v.Reason)
	}
	return nil
}
