package api

import (
	"bytes"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// networksOf reads the names of the container networks whose addresses the lists
// of tasks shall have: repeated or with commas; "*" is all of them.
func networksOf(r *http.Request) []string {
	return strings.Split(strings.Join(r.URL.Query()["containerNetworks"], ","), ",")
}

// taskLines has a line per app and service port: the app, the port, and where
// the running instances listen, each followed by a tab.
func taskLines(views []*scheduler.AppView, networks []string) []byte {
	var b bytes.Buffer
	for _, v := range views {
		id, ports := v.App.ID.Safe(), v.App.ServicePorts()
		if len(ports) == 0 {
			b.WriteString(id + "\t \t")
			for i := range running(v) {
				b.WriteString(i.Agent.Hostname + "\t")
			}
			b.WriteByte('\n')
		}
		for n, port := range ports {
			b.WriteString(id + "\t" + strconv.Itoa(port) + "\t")
			for i := range running(v) {
				if where := endpoint(v.App, i, n, networks); where != "" {
					b.WriteString(where + "\t")
				}
			}
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

// running yields the instances of an app that run.
func running(v *scheduler.AppView) func(func(*scheduler.Instance) bool) {
	return func(yield func(*scheduler.Instance) bool) {
		for _, i := range v.Instances {
			if i.Condition == scheduler.Running && i.Agent != nil && !yield(i) {
				return
			}
		}
	}
}

// endpoint is where an instance listens for the n-th service port: a port of its
// host, or one of its container's own address on one of the networks; "" for
// neither.
func endpoint(app *spec.App, i *scheduler.Instance, n int, networks []string) string {
	if n < len(i.Ports) && i.Ports[n] != 0 {
		return i.Agent.Hostname + ":" + strconv.Itoa(int(i.Ports[n]))
	}
	if app.Container == nil || n >= len(app.Container.PortMappings) {
		return ""
	}
	m := app.Container.PortMappings[n]
	if len(i.IPs) == 0 || m.HostPort != nil || m.ContainerPort == 0 || !onNetwork(app, m, networks) {
		return ""
	}
	return net.JoinHostPort(i.IPs[0], strconv.Itoa(m.ContainerPort))
}

// onNetwork tells whether a port is on one of the container networks of that name.
// A mapping that names none is on all of its app's.
func onNetwork(app *spec.App, m spec.PortMapping, networks []string) bool {
	return slices.ContainsFunc(app.Networks, func(n spec.Network) bool {
		mapped := len(m.NetworkNames) == 0 || slices.Contains(m.NetworkNames, n.Name)
		return n.Mode == spec.ContainerNetwork && mapped && (slices.Contains(networks, "*") || slices.Contains(networks, n.Name))
	})
}
