package wire

import "github.com/pacer-run/pacer/sdk"

// AppendFetchSpec appends the message to b. A spec without an app has no app.
func AppendFetchSpec(b []byte, f sdk.FetchSpec) []byte {
	b = appendText(b, 1, f.Policy)
	b = appendText(b, 2, f.Settings)
	if f.App.ID != "" {
		b = appendMessage(b, 3, func(b []byte) []byte { return appendApp(b, f.App) })
	}
	return appendBool(b, 4, f.Enforced)
}

// DecodeFetchSpec reads the message.
func DecodeFetchSpec(b []byte) (sdk.FetchSpec, error) {
	var f sdk.FetchSpec
	err := each(b, func(it item) error {
		switch it.field {
		case 1:
			return it.text(&f.Policy)
		case 2:
			return it.text(&f.Settings)
		case 3:
			return it.app(&f.App)
		case 4:
			return it.flag(&f.Enforced)
		}
		return nil
	})
	return f, err
}

func appendFetchURI(b []byte, u sdk.FetchURI) []byte {
	b = appendText(b, 1, u.URI)
	b = appendBool(b, 2, u.Extract)
	b = appendBool(b, 3, u.Executable)
	b = appendBool(b, 4, u.Cache)
	return appendText(b, 5, u.DestPath)
}

func (it item) fetchURI(into *sdk.FetchURI) error {
	return it.message(func(it item) error {
		switch it.field {
		case 1:
			return it.text(&into.URI)
		case 2:
			return it.flag(&into.Extract)
		case 3:
			return it.flag(&into.Executable)
		case 4:
			return it.flag(&into.Cache)
		case 5:
			return it.text(&into.DestPath)
		}
		return nil
	})
}

// AppendFetchInput appends the message to b.
func AppendFetchInput(b []byte, uris []sdk.FetchURI) []byte {
	for _, u := range uris {
		b = appendMessage(b, 1, func(b []byte) []byte { return appendFetchURI(b, u) })
	}
	return b
}

// DecodeFetchInput reads the message.
func DecodeFetchInput(b []byte) ([]sdk.FetchURI, error) {
	var uris []sdk.FetchURI
	err := each(b, func(it item) error {
		if it.field != 1 {
			return nil
		}
		uris = append(uris, sdk.FetchURI{})
		return it.fetchURI(&uris[len(uris)-1])
	})
	return uris, err
}

// AppendFetchAnswer appends the message to b.
func AppendFetchAnswer(b []byte, decisions []sdk.FetchDecision) []byte {
	for i := range decisions {
		b = appendMessage(b, 1, func(b []byte) []byte { return appendFetchDecision(b, &decisions[i]) })
	}
	return b
}

func appendFetchDecision(b []byte, d *sdk.FetchDecision) []byte {
	if d.FetchURI != (sdk.FetchURI{}) {
		b = appendMessage(b, 1, func(b []byte) []byte { return appendFetchURI(b, d.FetchURI) })
	}
	b = appendBool(b, 2, d.Denied)
	b = appendText(b, 3, d.Reason)
	b = appendText(b, 4, d.SHA256)
	if d.Limits == (sdk.FetchLimits{}) {
		return b
	}
	return appendMessage(b, 5, func(b []byte) []byte {
		b = appendUint64(b, 1, d.Limits.Bytes)
		b = appendUint(b, 2, d.Limits.Entries)
		b = appendUint(b, 3, d.Limits.Depth)
		return appendUint(b, 4, d.Limits.Ratio)
	})
}

// DecodeFetchAnswer reads the decisions on that many URIs, and refuses another
// number of them.
func DecodeFetchAnswer(b []byte, uris int) ([]sdk.FetchDecision, error) {
	decisions := make([]sdk.FetchDecision, 0, uris)
	err := each(b, func(it item) error {
		if it.field != 1 {
			return nil
		}
		var d sdk.FetchDecision
		err := it.message(func(it item) error { return decodeFetchDecision(it, &d) })
		decisions = append(decisions, d)
		return err
	})
	if err == nil && len(decisions) != uris {
		err = Malformed("not one decision for each URI")
	}
	return decisions, err
}

func decodeFetchDecision(it item, d *sdk.FetchDecision) error {
	switch it.field {
	case 1:
		return it.fetchURI(&d.FetchURI)
	case 2:
		return it.flag(&d.Denied)
	case 3:
		return it.text(&d.Reason)
	case 4:
		return it.text(&d.SHA256)
	case 5:
		return it.message(func(it item) error {
			switch it.field {
			case 1:
				return it.uint64(&d.Limits.Bytes)
			case 2:
				return it.uint32(&d.Limits.Entries)
			case 3:
				return it.uint32(&d.Limits.Depth)
			case 4:
				return it.uint32(&d.Limits.Ratio)
			}
			return nil
		})
	}
	return nil
}
