package cluster

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"net"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"
)

// version is the release of Mesos whose behaviour on the wire this cluster follows.
const version = "1.12.0"

// Registrar announces the master to schedulers that look for it, as Mesos does in ZooKeeper.
type Registrar interface {
	// Register announces masterInfo (MasterInfo as JSON) and returns once it can be found. The announcement stands until
	// ctx ends; it is called again, with a new ctx, for each master that takes over.
	Register(ctx context.Context, masterInfo []byte) error
}

// masterCapabilities are those of a real master of this version.
func masterCapabilities() []string { return []string{"AGENT_UPDATE", "AGENT_DRAINING", "QUOTA_V2"} }

// masterInfo is the master's description in SUBSCRIBED events.
func (c *Cluster) masterInfo(id string) *mesos.MasterInfo {
	addr := c.listener.Addr().(*net.TCPAddr)
	ip, port, host, v := c.ip(), uint32(addr.Port), c.hostname(), version
	pid := "master@" + net.JoinHostPort(ip, itoa(addr.Port))
	info := &mesos.MasterInfo{
		ID: id, IP: packedIP(ip), Port: &port, PID: &pid, Hostname: &host, Version: &v,
		Address: &mesos.Address{Hostname: &host, IP: &ip, Port: int32(addr.Port)},
		Domain:  domain(c.cfg.Region, c.cfg.Zone),
	}
	for _, name := range masterCapabilities() {
		// Names unknown to these bindings cannot be put into the binary form; the announcement has them all.
		if kind, ok := mesos.MasterInfo_Capability_Type_value[name]; ok {
			info.Capabilities = append(info.Capabilities, mesos.MasterInfo_Capability{Type: mesos.MasterInfo_Capability_Type(kind)})
		}
	}
	return info
}

// announcement is the master's description as ZooKeeper holds it: fields that are not set are left out.
func (c *Cluster) announcement(id string) []byte {
	type capability struct {
		Type string `json:"type"`
	}
	type address struct {
		Hostname string `json:"hostname"`
		IP       string `json:"ip"`
		Port     int    `json:"port"`
	}
	addr := c.listener.Addr().(*net.TCPAddr)
	a := struct {
		Address      address           `json:"address"`
		Capabilities []capability      `json:"capabilities"`
		Domain       *mesos.DomainInfo `json:"domain,omitempty"`
		Hostname     string            `json:"hostname"`
		ID           string            `json:"id"`
		IP           uint32            `json:"ip"`
		PID          string            `json:"pid"`
		Port         int               `json:"port"`
		Version      string            `json:"version"`
	}{
		Address: address{c.hostname(), c.ip(), addr.Port}, Domain: domain(c.cfg.Region, c.cfg.Zone),
		Hostname: c.hostname(), ID: id, IP: packedIP(c.ip()), Port: addr.Port, Version: version,
		PID: "master@" + net.JoinHostPort(c.ip(), itoa(addr.Port)),
	}
	for _, name := range masterCapabilities() {
		a.Capabilities = append(a.Capabilities, capability{name})
	}
	text, err := json.Marshal(a)
	if err != nil {
		panic(err) // only strings and numbers
	}
	return text
}

// packedIP is an IPv4 address in network order read as a number: the first octet is the lowest byte. 0 for IPv6.
func packedIP(ip string) uint32 {
	if v4 := net.ParseIP(ip).To4(); v4 != nil {
		return binary.LittleEndian.Uint32(v4)
	}
	return 0
}

// domain is nil for agents and masters without a region: they count as local to each other.
func domain(region, zone string) *mesos.DomainInfo {
	if region == "" {
		return nil
	}
	return &mesos.DomainInfo{FaultDomain: &mesos.DomainInfo_FaultDomain{
		Region: mesos.DomainInfo_FaultDomain_RegionInfo{Name: region},
		Zone:   mesos.DomainInfo_FaultDomain_ZoneInfo{Name: zone},
	}}
}

// announce registers the master of that id, in the background, until the next one is announced or the cluster closes.
func (c *Cluster) announce(id string) {
	if c.cfg.Register == nil {
		return
	}
	if c.withdraw != nil {
		c.withdraw()
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.withdraw = cancel
	info := c.announcement(id)
	c.background.Go(func() {
		for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
			err := c.cfg.Register.Register(ctx, info)
			if err == nil || ctx.Err() != nil {
				return
			}
			c.cfg.Log.Error("cluster: announcing the master failed", "error", err)
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
		}
	})
}
