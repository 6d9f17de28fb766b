package master

import (
	"io"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/scheduler"
)

// Decoder is the decoder of a stream, for tests.
type Decoder struct{ inner *decoder }

func NewDecoder() Decoder { return Decoder{newDecoder()} }

// Record returns the event of a record, nil for none, or the text of an ERROR.
func (d Decoder) Record(record []byte) (scheduler.Event, string, error) {
	said, err := d.inner.record(record)
	return said.event, said.fault, err
}

// Offers decodes an OFFERS event.
func (d Decoder) Offers(record []byte) ([]*placement.Offer, error) {
	return OfferDecoder(d).Offers(record)
}

// Encode returns the bytes of a call.
func Encode(framework string, call scheduler.Call) ([]byte, error) {
	e := encoder{about: &Framework{Name: "n", User: "u", Roles: []string{"*"}, FailoverTimeout: time.Minute}}
	return e.encode(framework, call)
}

// StatusOf converts a status.
func StatusOf(s *mesos.TaskStatus) scheduler.Status { return statusOf(s) }

// NewRecords returns what reads the records of a stream one by one.
func NewRecords(in io.Reader, limit int) func() ([]byte, error) { return newRecords(in, limit).next }

// MaxMessage is the limit of a status message, in characters.
const MaxMessage = maxMessage

// EndpointAt returns the URL for calls at an address, after following a Location
// unless that is "".
func EndpointAt(address, location string) (string, error) {
	e, err := endpointAt(address)
	if err == nil && location != "" {
		e, err = e.redirected(location)
	}
	return e.String(), err
}
