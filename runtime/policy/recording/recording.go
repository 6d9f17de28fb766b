// Package recording reads and writes what passed between Pacer and one policy
// module: the exact messages, so that they can be put to another version of it.
//
// A recording is 8 bytes, "PACERREC", and then frames. A frame is its length as a
// varint of protobuf, and so many bytes: one message in protobuf's wire format. The
// first frame is a Header, all others are Calls:
//
//	message Header {
//	  uint32 format = 1;       // 1
//	  string module = 2;       // as it is configured
//	  string digest = 3;       // sha256 of its file, hexadecimal
//	  bytes description = 4;   // the Description of policy.proto
//	  string settings = 5;     // JSON that it was configured with
//	  uint64 began_millis = 6; // since 1970
//	}
//	message Call {
//	  uint32 op = 1;        // 1 prepare, 2 ask, 3 review, 4 release
//	  uint32 kind = 2;      // 0 constraint, 1 fetch, 2 upgrade, 3 health, 4 admission
//	  uint64 prepared = 3;  // which of the prepared: the recording's own number, from 1
//	  uint32 items = 4;     // of an ask: values, URIs, histories
//	  bytes input = 5;      // the spec, the input, or the request
//	  bytes answer = 6;     // left out after a failure, and for a prepare
//	  uint32 traits = 7;    // of a prepared constraint
//	  uint32 failure = 8;   // 0 none, 1 invalid, 2 fault
//	  string cause = 9;     // of the failure
//	  uint64 fuel = 10;     // used by the call
//	  uint64 nanos = 11;    // that it took
//	  uint64 at_millis = 12; // since 1970, when it began
//	}
//
// Fields that are not known are skipped. What was prepared before the recording
// began has its prepare in front of its first ask, with neither fuel nor time. A
// recording may end at any frame, and one that was cut off in the middle of a frame
// is good up to it.
package recording

import "github.com/pacer-run/pacer/runtime/policy/remote"

// magic is how a recording begins.
const magic = "PACERREC"

// format is the version of the form, which changes only if old readers would be
// wrong.
const format = 1

// MaxFrame is how long a frame may be, in bytes.
const MaxFrame = 64 << 20

// Header says whose calls follow.
type Header struct {
	Module      string // as it is configured
	Digest      string // sha256 of its file, hexadecimal
	Description []byte // wire.AppendDescription
	Settings    string // JSON; "" for none
	BeganMillis int64  // since 1970
}

// Op is what was called.
type Op uint8

// The calls.
const (
	Prepare Op = iota + 1
	Ask
	Review
	Release
)

// String returns the call in lower case.
func (o Op) String() string {
	if o < Prepare || o > Release {
		return "unknown"
	}
	return [...]string{"prepare", "ask", "review", "release"}[o-1]
}

// Failure is how a call failed.
type Failure uint8

// The failures. Invalid is what the user has to change, a Fault the module's own.
const (
	None Failure = iota
	Invalid
	Fault
)

// Call is one call and its answer.
type Call struct {
	Op       Op
	Kind     remote.Kind
	Prepared uint64 // which of the prepared, from 1; 0 for a Review
	Items    int    // of an Ask
	Input    []byte
	Answer   []byte
	Traits   uint32
	Failure  Failure
	Cause    string
	Fuel     int64
	Nanos    int64
	AtMillis int64 // since 1970
}
