package placement

import "math"

// Milli is a scalar resource in thousandths, the resolution of Mesos' own
// arithmetic: 1.5 cpus are 1500.
type Milli int64

// MilliOf rounds v to thousandths.
func MilliOf(v float64) Milli { return Milli(math.Round(v * 1000)) }

// Float returns the amount in whole units.
func (m Milli) Float() float64 { return float64(m) / 1000 }

// Kind is the resource a scalar measures.
type Kind uint8

const (
	CPUs Kind = iota // cores
	Mem              // MiB
	Disk             // MiB
	GPUs             // whole
	kinds
)

// String returns Mesos' name of the resource.
func (k Kind) String() string { return [...]string{"cpus", "mem", "disk", "gpus"}[k] }

// Range is a span of ports, both ends inclusive.
type Range struct {
	Begin, End uint16
}

// Reservation tells reserved resources apart. The zero value is unreserved.
type Reservation struct {
	Role      string // "" or "*": unreserved
	Dynamic   bool   // made by an operation, not by the agent's flags
	Principal string // of a dynamic reservation; may be ""
	Labels    string // canonical text of a dynamic reservation's labels; "" for none
}

// Share is what an offer holds under one reservation. Disks with a source or a
// volume are not part of it, see DiskPart.
type Share struct {
	Reservation Reservation
	Scalars     [kinds]Milli
	Ports       []Range // sorted, disjoint
}

// Offer is one Mesos offer in the core's own terms, or a pool of several. It is
// never changed after it was made; Agent is shared by all offers of an agent.
type Offer struct {
	ID     string // of a pool: that of its last part
	Agent  *Agent
	Role   string // the role it is allocated to
	Shares []Share
	Disks  []DiskPart // those that are in no share
	// Unavailable is the maintenance window in Unix milliseconds; nil for none.
	Unavailable *Window
	// Parts are the offers that Pool put together, of which there are at least two;
	// nil for one that came from Mesos.
	Parts []*Offer
}

// Window is a span of time in Unix milliseconds; End 0 means open.
type Window struct {
	Begin, End int64
}

// Agent is what is known of a Mesos agent. It is immutable: a change of its
// facts makes a new value.
type Agent struct {
	ID         string
	Hostname   string
	IP         string // address of the agent's endpoint; "" when unknown
	Port       uint16
	Region     string // "" for none
	Zone       string
	Attributes []Attribute // in Mesos' order; names may repeat
}

// Attribute is one agent attribute; Value is its canonical text, see CanonicalScalar.
type Attribute struct {
	Name, Value string
}

// Value returns the text of a field on this agent and whether the agent has it.
// Field is in the canonical form of sdk.CanonicalField.
func (a *Agent) Value(field string) (string, bool) {
	switch field {
	case "@hostname":
		return a.Hostname, true
	case "@region":
		return a.Region, a.Region != ""
	case "@zone":
		return a.Zone, a.Zone != ""
	}
	for i := range a.Attributes {
		if a.Attributes[i].Name == field {
			return a.Attributes[i].Value, true
		}
	}
	return "", false
}
