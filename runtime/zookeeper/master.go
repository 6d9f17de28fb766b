package zookeeper

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Names below a Mesos path: masters since 0.24 write MasterInfo as JSON; older
// ones wrote it as protobuf under the bare prefix.
const (
	masterPrefix = "json.info_"
	legacyPrefix = "info_"
)

// Master is a Mesos master as it announces itself in ZooKeeper. The zero value
// stands for "no leader".
type Master struct {
	// ID is another one for each start of a master process.
	ID string
	// Address is where the master answers, host:port.
	Address string
	// Hostname is what the master wants to be shown as; may be empty.
	Hostname string
	Version  string
}

// Known is false when there is no leader.
func (m Master) Known() bool { return m.Address != "" }

// parseMaster reads MasterInfo JSON. Where to connect is, in this order, the
// address, the pid and the deprecated pair of ip and port.
func parseMaster(data []byte) (Master, error) {
	var info struct {
		ID       string
		IP       *uint32
		Port     *int
		PID      string
		Hostname string
		Version  string
		Address  *struct {
			Hostname, IP string
			Port         int
		}
	}
	if err := json.Unmarshal(data, &info); err != nil {
		return Master{}, fmt.Errorf("master info: %w", err)
	}
	m := Master{ID: info.ID, Hostname: info.Hostname, Version: info.Version}
	_, fromPID, _ := strings.Cut(info.PID, "@")
	switch a := info.Address; {
	case a != nil && a.Port > 0 && a.IP != "":
		m.Address = net.JoinHostPort(a.IP, strconv.Itoa(a.Port))
	case a != nil && a.Port > 0 && a.Hostname != "":
		m.Address = net.JoinHostPort(a.Hostname, strconv.Itoa(a.Port))
	case fromPID != "":
		m.Address = fromPID
	case info.IP != nil && info.Port != nil:
		m.Address = net.JoinHostPort(unpackIP(*info.IP), strconv.Itoa(*info.Port))
	default:
		return Master{}, errors.New("master info: it has neither address nor pid nor ip and port")
	}
	if _, port, err := net.SplitHostPort(m.Address); err != nil || port == "" {
		return Master{}, fmt.Errorf("master info: address %q: expected host:port", m.Address)
	}
	return m, nil
}

// unpackIP reads Mesos' packed form, in which the first octet is the low byte.
func unpackIP(ip uint32) string {
	return netip.AddrFrom4([4]byte{byte(ip), byte(ip >> 8), byte(ip >> 16), byte(ip >> 24)}).String()
}
