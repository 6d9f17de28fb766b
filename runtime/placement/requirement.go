package placement

import (
	"github.com/pacer-run/pacer/runtime/spec"
	"github.com/pacer-run/pacer/sdk"
)

// unreservedRole is Mesos' role of resources that belong to nobody.
const unreservedRole = "*"

// gpuLabel on an app set to gpuUnrestricted lets it use offers with GPUs that
// it does not want, and set to gpuRestricted keeps it from that.
const (
	gpuLabel        = "GPU_SCHEDULING_BEHAVIOR"
	gpuUnrestricted = "unrestricted"
	gpuRestricted   = "restricted"
)

// demand is what an app asks of an offer apart from its constraints. Apps with
// equal demands share the work of finding offers.
type demand struct {
	role      string // the offer's allocation role
	own, star bool   // takes resources reserved for the role; unreserved ones
	anywhere  bool   // not bound to the home region
	scarce    bool   // may use up an offer with GPUs although it wants none
	need      [kinds]Milli
	ports     int          // how many of the host
	fixed     string       // the numbers among them that have to be offered, two bytes each
	volumes   *volumeNeeds // on disks of their own; nil for none
}

// requirement is a demand and what is known of it in the running match.
type requirement struct {
	demand
	impossible bool // its ports can never be offered
	turn       uint32
	lane       *lane
	// floor is the first offer that may still host it. Offers only get smaller
	// during a match, so those before it are refused for good.
	floor int
	// tally counts the offers by verdict, at the end of the match.
	tally   tally
	counted bool
}

// demandOf reads the demand of an app. impossible is set when no offer can ever
// hold its ports, such as one number twice.
func demandOf(app *spec.App, terms *Terms) (d demand, impossible bool) {
	d = demand{
		role:   app.Role,
		scarce: terms.scarce(app),
		need:   bareNeed(app),
	}
	d.own, d.star = terms.accepted(app)
	var root Milli
	root, d.volumes = needsOf(app)
	d.need[Disk] += root
	for _, c := range app.Constraints {
		field := sdk.CanonicalField(c.Field)
		d.anywhere = d.anywhere || field == sdk.FieldRegion || field == sdk.FieldZone
	}
	d.ports, d.fixed, impossible = portsOf(app)
	return d, impossible
}

// ExecutorNeed is what the app's own executor takes beside its task; nothing for
// Mesos' command executor, which the agent pays for.
func ExecutorNeed(app *spec.App) (need [kinds]Milli) {
	if r := app.ExecutorResources; r != nil && app.ExecutorPath() != "" {
		need[CPUs], need[Mem], need[Disk] = MilliOf(r.CPUs), MilliOf(r.Mem), MilliOf(r.Disk)
	}
	return need
}

// acceptedRoles tells whose resources the app names: those reserved for its own
// role, unreserved ones.
func acceptedRoles(app *spec.App) (own, star bool) {
	for _, role := range app.AcceptedResourceRoles {
		if role == unreservedRole {
			star = true
		} else if role == app.Role {
			own = true
		}
	}
	return own, star
}

// portsOf counts the ports of the host that the app needs and packs the numbers
// of those that have to be these; 0 stands for any port and is not one. On the
// host's network nothing can listen twice on a number; the mappings of a container
// may share one, for one protocol each, and take it once.
func portsOf(app *spec.App) (count int, packed string, impossible bool) {
	var d demand
	for i := range app.Ports() {
		number, wanted := app.HostPort(i)
		switch {
		case !wanted:
			continue
		case number < 0 || number > maxPort:
			return app.Ports(), "", true
		case number != 0 && d.isFixed(uint16(number)):
			if app.OnHost() {
				return app.Ports(), "", true
			}
			continue
		case number != 0:
			d.fixed += string([]byte{byte(number >> 8), byte(number)})
		}
		count++
	}
	return count, d.fixed, false
}

// maxPort is the highest port number.
const maxPort = 1<<16 - 1

// fixedPort is the i-th of the required numbers.
func (d *demand) fixedPort(i int) uint16 {
	return uint16(d.fixed[2*i])<<8 | uint16(d.fixed[2*i+1])
}

// isFixed tells whether the number is one of the required ones.
func (d *demand) isFixed(port uint16) bool {
	for i := 0; i < len(d.fixed)/2; i++ {
		if d.fixedPort(i) == port {
			return true
		}
	}
	return false
}
