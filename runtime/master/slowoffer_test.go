package master_test

import (
	"math"

	"github.com/mesos/mesos-go/api/v1/lib"
	"pgregory.net/rapid"

	"github.com/pacer-run/pacer/runtime/placement"
)

// slowOffer converts an offer the plain way.
func slowOffer(o *mesos.Offer) *placement.Offer {
	p := &placement.Offer{ID: o.ID.Value, Role: o.AllocationInfo.GetRole(), Agent: slowAgent(o)}
	if u := o.Unavailability; u != nil {
		p.Unavailable = &placement.Window{Begin: u.Start.Nanoseconds / 1_000_000}
		if u.Duration != nil && u.Start.Nanoseconds <= math.MaxInt64-u.Duration.Nanoseconds {
			p.Unavailable.End = (u.Start.Nanoseconds + u.Duration.Nanoseconds) / 1_000_000
		}
	}
	ports := map[placement.Reservation]*[1 << 16]bool{}
	for i := range o.Resources {
		r := &o.Resources[i]
		held, ok := slowReservation(r)
		if d := r.Disk; d != nil && (d.Persistence != nil || d.Volume != nil || d.Source != nil) {
			if part, usable := slowDisk(r); usable && ok {
				part.Reservation = held
				p.Disks = append(p.Disks, part)
			}
			continue
		}
		if ok {
			slowResource(p, ports, held, r)
		}
	}
	for i := range p.Shares {
		p.Shares[i].Ports = runs(ports[p.Shares[i].Reservation])
	}
	return p
}

func slowAgent(o *mesos.Offer) *placement.Agent {
	a := &placement.Agent{ID: o.AgentID.Value, Hostname: o.Hostname}
	if o.URL != nil {
		a.IP = o.URL.Address.GetIP()
		if port := o.URL.Address.Port; port >= 0 && port <= math.MaxUint16 {
			a.Port = uint16(port)
		}
	}
	if o.Domain != nil && o.Domain.FaultDomain != nil {
		a.Region, a.Zone = o.Domain.FaultDomain.Region.Name, o.Domain.FaultDomain.Zone.Name
	}
	for _, attr := range o.Attributes {
		text := attr.GetText().GetValue()
		switch attr.Type {
		case mesos.SCALAR:
			text = placement.CanonicalScalar(attr.GetScalar().GetValue())
		case mesos.RANGES:
			var spans []placement.Span
			for _, r := range attr.GetRanges().GetRange() {
				spans = append(spans, placement.Span{Begin: r.Begin, End: r.End})
			}
			text = placement.CanonicalRanges(spans)
		case mesos.SET:
			text = placement.CanonicalSet(attr.GetSet().GetItem())
		}
		a.Attributes = append(a.Attributes, placement.Attribute{Name: attr.Name, Value: text})
	}
	return a
}

// slowReservation is what holds a resource; false for one that is left out.
func slowReservation(r *mesos.Resource) (held placement.Reservation, ok bool) {
	if r.Revocable != nil || r.Shared != nil || r.ProviderID != nil || len(r.Reservations) > 1 {
		return held, false
	}
	if len(r.Reservations) == 1 {
		one := &r.Reservations[0]
		if one.GetType() == mesos.Resource_ReservationInfo_UNKNOWN {
			return held, false
		}
		held = placement.Reservation{
			Role: one.GetRole(), Dynamic: one.GetType() == mesos.Resource_ReservationInfo_DYNAMIC,
			Principal: one.GetPrincipal(), Labels: slowLabels(one.GetLabels()),
		}
		return held, true
	}
	if r.Reservation != nil {
		held = placement.Reservation{
			Dynamic: true, Principal: r.Reservation.GetPrincipal(),
			Labels: slowLabels(r.Reservation.GetLabels()),
		}
	}
	if r.GetRole() != "*" {
		held.Role = r.GetRole()
	}
	return held, true
}

// slowDisk is a disk with a source or a volume; false for one that is of no use.
func slowDisk(r *mesos.Resource) (part placement.DiskPart, usable bool) {
	d, v := r.Disk, r.GetScalar().GetValue()
	if r.Name != "disk" || r.GetType() != mesos.SCALAR || !(v > 0 && v < 1e12 && math.Round(v*1000) > 0) {
		return part, false
	}
	part.Size = placement.Milli(math.Round(v * 1000))
	if (d.Persistence == nil) != (d.Volume == nil) || d.Persistence != nil && d.Persistence.ID == "" {
		return part, false
	}
	if d.Volume != nil {
		part.Volume = placement.Persistence{
			ID: d.Persistence.ID, Principal: d.Persistence.GetPrincipal(),
			ContainerPath: d.Volume.ContainerPath, ReadOnly: d.Volume.GetMode() == mesos.RO,
		}
		if d.Volume.HostPath != nil {
			return part, false
		}
	}
	if s := d.Source; s != nil {
		part.Source = placement.DiskSource{ID: s.GetID(), Profile: s.GetProfile()}
		switch {
		case s.Type == mesos.Resource_DiskInfo_Source_PATH && s.Path != nil:
			part.Source.Kind, part.Source.Root = placement.PathDisk, s.Path.GetRoot()
		case s.Type == mesos.Resource_DiskInfo_Source_MOUNT && s.Mount != nil:
			part.Source.Kind, part.Source.Root = placement.MountDisk, s.Mount.GetRoot()
		}
		if part.Source.Root == "" || s.Metadata != nil {
			return part, false
		}
	}
	return part, true
}

// anyDisk draws a DiskInfo with a source, a volume or both.
func anyDisk(t *rapid.T) mesos.Resource_DiskInfo {
	var d mesos.Resource_DiskInfo
	if rapid.Bool().Draw(t, "source") {
		s := &mesos.Resource_DiskInfo_Source{
			Type: rapid.SampledFrom([]mesos.Resource_DiskInfo_Source_Type{
				mesos.Resource_DiskInfo_Source_PATH, mesos.Resource_DiskInfo_Source_MOUNT, mesos.Resource_DiskInfo_Source_RAW,
			}).Draw(t, "source type"),
			ID: maybe(t, "source id", anyText), Profile: maybe(t, "profile", anyText),
		}
		root := maybe(t, "root", anyText)
		if s.Type == mesos.Resource_DiskInfo_Source_PATH {
			s.Path = &mesos.Resource_DiskInfo_Source_Path{Root: root}
		} else {
			s.Mount = &mesos.Resource_DiskInfo_Source_Mount{Root: root}
		}
		if rapid.IntRange(0, 9).Draw(t, "metadata") == 0 {
			s.Metadata = &mesos.Labels{}
		}
		d.Source = s
	}
	if rapid.Bool().Draw(t, "volume") {
		mode := rapid.SampledFrom([]mesos.Volume_Mode{mesos.RW, mesos.RO}).Draw(t, "mode")
		d.Persistence = &mesos.Resource_DiskInfo_Persistence{ID: anyText.Draw(t, "volume id"), Principal: maybe(t, "principal", anyText)}
		d.Volume = &mesos.Volume{Mode: &mode, ContainerPath: anyText.Draw(t, "container path")}
		if rapid.IntRange(0, 9).Draw(t, "host path") == 0 {
			d.Volume.HostPath = new("/host")
		}
	}
	return d
}

func slowLabels(l *mesos.Labels) string {
	var labels []placement.Label
	for _, one := range l.GetLabels() {
		labels = append(labels, placement.Label{Key: one.Key, Value: one.GetValue(), HasValue: one.Value != nil})
	}
	return placement.CanonicalLabels(labels)
}

func slowResource(o *placement.Offer, ports map[placement.Reservation]*[1 << 16]bool, held placement.Reservation, r *mesos.Resource) {
	share := func() *placement.Share {
		for i := range o.Shares {
			if o.Shares[i].Reservation == held {
				return &o.Shares[i]
			}
		}
		o.Shares = append(o.Shares, placement.Share{Reservation: held})
		return &o.Shares[len(o.Shares)-1]
	}
	kinds := map[string]placement.Kind{"cpus": placement.CPUs, "mem": placement.Mem, "disk": placement.Disk, "gpus": placement.GPUs}
	if kind, ok := kinds[r.Name]; ok && r.GetType() == mesos.SCALAR {
		if v := r.GetScalar().GetValue(); v > 0 && v < 1e12 && math.Round(v*1000) > 0 {
			share().Scalars[kind] += placement.Milli(math.Round(v * 1000))
		}
	}
	if r.Name != "ports" || r.GetType() != mesos.RANGES {
		return
	}
	for _, s := range r.GetRanges().GetRange() {
		for port := s.Begin; port <= min(s.End, math.MaxUint16); port++ {
			share()
			if ports[held] == nil {
				ports[held] = new([1 << 16]bool)
			}
			ports[held][port] = true
		}
	}
}

// runs are the ranges of the ports that are set.
func runs(set *[1 << 16]bool) []placement.Range {
	var ranges []placement.Range
	if set == nil {
		return nil
	}
	for port, on := range set {
		switch {
		case !on:
		case port > 0 && set[port-1]:
			ranges[len(ranges)-1].End = uint16(port)
		default:
			ranges = append(ranges, placement.Range{Begin: uint16(port), End: uint16(port)})
		}
	}
	return ranges
}

// maybe draws a value or nil.
func maybe[V any](t *rapid.T, name string, g *rapid.Generator[V]) *V {
	if !rapid.Bool().Draw(t, name+" set") {
		return nil
	}
	v := g.Draw(t, name)
	return &v
}

var (
	anyText  = rapid.SampledFrom([]string{"", "a", "b", "ü", "long enough to be longer than a byte of length would"})
	anyRole  = rapid.SampledFrom([]string{"*", "*", "web", "web/eng"})
	anyValue = rapid.OneOf(
		rapid.Map(rapid.IntRange(-10, 1_000_000), func(n int) float64 { return float64(n) / 1000 }),
		rapid.Float64Range(0, 1e6),
		rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), -1, 1e300, 0.0004, 0.0005}),
	)
	anyRange = rapid.Custom(func(t *rapid.T) mesos.Value_Range {
		begin := rapid.Uint64Range(0, 70_000).Draw(t, "begin")
		return mesos.Value_Range{Begin: begin, End: begin + rapid.Uint64Range(0, 300).Draw(t, "length") - 2}
	})
	anyRanges = rapid.Custom(func(t *rapid.T) mesos.Value_Ranges {
		return mesos.Value_Ranges{Range: rapid.SliceOfN(anyRange, 0, 4).Draw(t, "ranges")}
	})
	anyKind   = rapid.SampledFrom([]mesos.Value_Type{mesos.SCALAR, mesos.RANGES, mesos.SET, mesos.TEXT})
	anyScalar = rapid.Map(anyValue, func(v float64) mesos.Value_Scalar { return mesos.Value_Scalar{Value: v} })
	anySet    = rapid.Map(rapid.SliceOfN(anyText, 0, 3), func(v []string) mesos.Value_Set { return mesos.Value_Set{Item: v} })
	anyString = rapid.Map(anyText, func(v string) mesos.Value_Text { return mesos.Value_Text{Value: v} })
	anyLabels = rapid.Map(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) mesos.Label {
		return mesos.Label{Key: anyText.Draw(t, "key"), Value: maybe(t, "value", anyText)}
	}), 0, 3), func(l []mesos.Label) mesos.Labels { return mesos.Labels{Labels: l} })
)

func anyReservation(t *rapid.T) mesos.Resource_ReservationInfo {
	kinds := rapid.SampledFrom([]mesos.Resource_ReservationInfo_Type{
		mesos.Resource_ReservationInfo_STATIC, mesos.Resource_ReservationInfo_DYNAMIC, mesos.Resource_ReservationInfo_UNKNOWN,
	})
	return mesos.Resource_ReservationInfo{
		Type: maybe(t, "type", kinds), Role: maybe(t, "role", anyRole),
		Principal: maybe(t, "principal", anyText), Labels: maybe(t, "labels", anyLabels),
	}
}

func anyResource(t *rapid.T) mesos.Resource {
	kind := anyKind.Draw(t, "kind")
	r := mesos.Resource{
		Name: rapid.SampledFrom([]string{"cpus", "cpus", "mem", "disk", "gpus", "ports", "ports", "bandwidth"}).Draw(t, "name"),
		Type: &kind, Scalar: maybe(t, "scalar", anyScalar), Ranges: maybe(t, "ranges", anyRanges),
		Role: maybe(t, "role", anyRole), AllocationInfo: &mesos.Resource_AllocationInfo{Role: maybe(t, "allocated", anyRole)},
	}
	if rapid.Bool().Draw(t, "usual") {
		usual := map[string]mesos.Value_Type{"ports": mesos.RANGES}[r.Name] // else SCALAR
		r.Type = &usual
	}
	switch rapid.IntRange(0, 12).Draw(t, "special") {
	case 0:
		r.Disk = &mesos.Resource_DiskInfo{}
	case 1:
		r.Disk = &mesos.Resource_DiskInfo{Source: &mesos.Resource_DiskInfo_Source{Type: mesos.Resource_DiskInfo_Source_PATH}}
	case 2:
		r.Disk = &mesos.Resource_DiskInfo{Persistence: &mesos.Resource_DiskInfo_Persistence{ID: "p"}}
	case 10, 11, 12:
		d := anyDisk(t)
		r.Disk, r.Reservation = &d, maybe(t, "reservation", rapid.Custom(anyReservation))
	case 3:
		r.Revocable = &mesos.Resource_RevocableInfo{}
	case 4:
		r.Shared = &mesos.Resource_SharedInfo{}
	case 5:
		r.ProviderID = &mesos.ResourceProviderID{Value: "rp"}
	case 6, 7:
		r.Reservation = maybe(t, "reservation", rapid.Custom(anyReservation))
	case 8, 9:
		r.Reservations = rapid.SliceOfN(rapid.Custom(anyReservation), 0, 2).Draw(t, "reservations")
	}
	return r
}

func anyAttribute(t *rapid.T) mesos.Attribute {
	return mesos.Attribute{
		Name: anyText.Draw(t, "attribute"), Type: anyKind.Draw(t, "kind"),
		Scalar: maybe(t, "scalar", anyScalar), Ranges: maybe(t, "ranges", anyRanges),
		Set: maybe(t, "set", anySet), Text: maybe(t, "text", anyString),
	}
}

func anyOffer(t *rapid.T) mesos.Offer {
	o := mesos.Offer{
		ID:             mesos.OfferID{Value: "o" + anyText.Draw(t, "id")},
		FrameworkID:    mesos.FrameworkID{Value: "f"},
		AgentID:        mesos.AgentID{Value: "a" + anyText.Draw(t, "agent")},
		Hostname:       anyText.Draw(t, "host"),
		Resources:      rapid.SliceOfN(rapid.Custom(anyResource), 0, 6).Draw(t, "resources"),
		Attributes:     rapid.SliceOfN(rapid.Custom(anyAttribute), 0, 4).Draw(t, "attributes"),
		AllocationInfo: &mesos.Resource_AllocationInfo{Role: maybe(t, "allocated", anyRole)},
	}
	if rapid.Bool().Draw(t, "more") {
		port := rapid.Int32().Draw(t, "port")
		o.URL = &mesos.URL{Scheme: "http", Address: mesos.Address{IP: maybe(t, "ip", anyText), Port: port}}
		o.Domain = domainOf(anyText.Draw(t, "region"), anyText.Draw(t, "zone"))
		o.Unavailability = &mesos.Unavailability{
			Start: mesos.TimeInfo{Nanoseconds: rapid.Int64().Draw(t, "start")},
			Duration: maybe(t, "duration", rapid.Map(rapid.Int64Min(0),
				func(n int64) mesos.DurationInfo { return mesos.DurationInfo{Nanoseconds: n} })),
		}
	}
	return o
}
