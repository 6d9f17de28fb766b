package wire

// Minor is the minor version of the ABI that this package speaks; the major one
// is in the name of the export policy_abi_v1.
const Minor = 1

// HostInfo is what the host says of itself when it configures a module.
type HostInfo struct {
	Minor    uint32
	Settings string // JSON; "" for none
}

// AppendHostInfo appends the message to b.
func AppendHostInfo(b []byte, h HostInfo) []byte {
	return appendText(appendUint(b, 1, h.Minor), 2, h.Settings)
}

// DecodeHostInfo reads the message.
func DecodeHostInfo(b []byte) (HostInfo, error) {
	var h HostInfo
	err := each(b, func(it item) error {
		switch it.field {
		case 1:
			return it.uint32(&h.Minor)
		case 2:
			return it.text(&h.Settings)
		}
		return nil
	})
	return h, err
}

// Description is what a module says of itself.
type Description struct {
	Minor      uint32 // of the ABI, that it needs
	Name       string
	Version    string
	Operators  []string // of constraints
	Fetchers   []string // fetch policies
	Strategies []string // of upgrades
	Rules      []string // of health
	Admission  []string // admission policies
}

// AppendDescription appends the message to b.
func AppendDescription(b []byte, d Description) []byte {
	b = appendUint(b, 1, d.Minor)
	b = appendText(b, 2, d.Name)
	b = appendText(b, 3, d.Version)
	b = appendTexts(b, 4, d.Operators)
	b = appendTexts(b, 5, d.Fetchers)
	b = appendTexts(b, 6, d.Strategies)
	b = appendTexts(b, 7, d.Rules)
	return appendTexts(b, 8, d.Admission)
}

// DecodeDescription reads the message.
func DecodeDescription(b []byte) (Description, error) {
	var d Description
	err := each(b, func(it item) error {
		switch it.field {
		case 1:
			return it.uint32(&d.Minor)
		case 2:
			return it.text(&d.Name)
		case 3:
			return it.text(&d.Version)
		case 4:
			return it.texts(&d.Operators)
		case 5:
			return it.texts(&d.Fetchers)
		case 6:
			return it.texts(&d.Strategies)
		case 7:
			return it.texts(&d.Rules)
		case 8:
			return it.texts(&d.Admission)
		}
		return nil
	})
	return d, err
}

// Code tells whose fault an Error is.
type Code uint32

// Unspecified counts as Fault.
const (
	Unspecified Code = iota
	Invalid          // the user's: the reason is shown to them
	Fault            // the module's own
)

// String returns the name that the IDL has.
func (c Code) String() string {
	if c == Invalid {
		return "INVALID"
	}
	return "FAULT"
}

// Error is the answer of a call that failed.
type Error struct {
	Code   Code
	Reason string
}

// AppendError appends the message to b.
func AppendError(b []byte, e Error) []byte {
	return appendText(appendUint(b, 1, uint32(e.Code)), 2, e.Reason)
}

// DecodeError reads the message.
func DecodeError(b []byte) (Error, error) {
	var e Error
	err := each(b, func(it item) error {
		switch it.field {
		case 1:
			return it.uint32((*uint32)(&e.Code))
		case 2:
			return it.text(&e.Reason)
		}
		return nil
	})
	return e, err
}
