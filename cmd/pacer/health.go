package main

import (
	"time"

	"github.com/pacer-run/pacer/runtime/health"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// How results of probes are put together: one event for many, and not so many that
// what they change would not fit into one transaction of the store.
const (
	gatherTime = 100 * time.Millisecond
	gatherMost = 256
)

// prober is the one who makes checks, in the core's words.
type prober struct{ *health.Prober }

// newProber returns a prober for a term, whose results go to post. flush is for the
// time after its Run.
func newProber(limit int, post func(scheduler.Event)) (p prober, flush func()) {
	gather := health.NewGather(gatherTime, gatherMost, func(results []health.Result) { postResults(results, post) })
	return prober{health.New(health.Config{Sink: gather.Add, Concurrency: limit})}, gather.Flush
}

// postResults makes events of results.
func postResults(results []health.Result, post func(scheduler.Event)) {
	var found scheduler.HealthObserved
	var ready scheduler.ReadinessObserved
	for i := range results {
		r := &results[i]
		if r.Key.Check == health.ReadinessCheck {
			o := scheduler.ReadinessObservation{TaskID: r.Key.Instance, Ready: r.Good}
			if p := r.Response; p != nil {
				o.Response = &scheduler.ReadinessResponse{Status: p.Status, ContentType: p.ContentType, Body: p.Body}
			}
			ready.Results = append(ready.Results, o)
			continue
		}
		o := scheduler.HealthObservation{TaskID: r.Key.Instance, Check: r.Key.Check}
		o.AtMillis, o.Alive, o.Cause = r.Ended.UnixMilli(), r.Good, r.Cause
		found.Results = append(found.Results, o)
	}
	if len(found.Results) > 0 {
		post(found)
	}
	if len(ready.Results) > 0 {
		post(ready)
	}
}

// Change adds and removes targets.
func (p prober) Change(list []scheduler.Probing) {
	wanted := map[health.Key]*health.Target{} // nil: no more; the last word on each counts
	var order []health.Key
	say := func(key health.Key, t *health.Target) {
		if _, ok := wanted[key]; !ok {
			order = append(order, key)
		}
		wanted[key] = t
	}
	for i := range list {
		probing := &list[i]
		id := probing.Instance.TaskID()
		for n := range probing.Version.HealthChecks {
			key := health.Key{Instance: id, Check: n}
			if probing.Health {
				say(key, healthTarget(key, probing))
			} else {
				say(key, nil)
			}
		}
		if key := (health.Key{Instance: id, Check: health.ReadinessCheck}); probing.Readiness {
			say(key, readinessTarget(key, probing))
		} else {
			say(key, nil)
		}
	}
	var put []health.Target
	var remove []health.Key
	for _, key := range order {
		if t := wanted[key]; t != nil {
			put = append(put, *t)
		} else {
			remove = append(remove, key)
		}
	}
	p.Prober.Change(put, remove)
}

// healthTarget is a health check of an instance. Those that Mesos makes are left out
// by the prober.
func healthTarget(key health.Key, p *scheduler.Probing) *health.Target {
	c := &p.Version.HealthChecks[key.Check]
	index := 0
	if c.PortIndex != nil {
		index = *c.PortIndex
	}
	host, port := addressOf(p.Version, p.Instance, index)
	if c.Port != nil {
		port = *c.Port
	}
	return &health.Target{
		Key: key, App: p.Version.ID, Version: p.Version.Version, Protocol: c.Protocol, Host: host, Port: port, Path: c.Path,
		Interval: c.Interval, Timeout: c.Timeout, IgnoreHTTP1xx: c.IgnoreHTTP1xx,
	}
}

func readinessTarget(key health.Key, p *scheduler.Probing) *health.Target {
	c := &p.Version.ReadinessChecks[0]
	protocol := spec.CheckHTTP
	if c.HTTPS {
		protocol = spec.CheckHTTPS
	}
	host, port := addressOf(p.Version, p.Instance, portNamed(p.Version, c.PortName))
	return &health.Target{
		Key: key, App: p.Version.ID, Version: p.Version.Version, Protocol: protocol, Host: host, Port: port, Path: c.Path,
		Interval: c.Interval, Timeout: c.Timeout,
		Readiness: &health.Readiness{StatusCodes: c.StatusCodes, PreserveLastResponse: c.PreserveLastResponse},
	}
}

// portNamed is the place of a port by its name; -1 for none.
func portNamed(app *spec.App, name string) int {
	if app.Container != nil && app.Container.PortMappings != nil {
		for i := range app.Container.PortMappings {
			if app.Container.PortMappings[i].Name == name {
				return i
			}
		}
		return -1
	}
	for i := range app.PortDefinitions {
		if app.PortDefinitions[i].Name == name {
			return i
		}
	}
	return -1
}

// addressOf is where an instance is asked at the n-th of its ports: at its own address
// on a container network, else at its agent. The port is 0 when there is none.
func addressOf(app *spec.App, i *scheduler.Instance, n int) (host string, port int) {
	var mappings []spec.PortMapping
	if app.Container != nil {
		mappings = app.Container.PortMappings
	}
	own := len(app.Networks) > 0 && app.Networks[0].Mode == spec.ContainerNetwork
	if own {
		if len(i.IPs) > 0 {
			host = i.IPs[0]
		}
	} else {
		host = i.Agent.Hostname
	}
	switch {
	case n < 0:
		return host, 0
	case mappings == nil && n < len(i.Ports):
		return host, int(i.Ports[n])
	case n >= len(mappings):
		return host, 0
	case own && mappings[n].ContainerPort != 0:
		return host, mappings[n].ContainerPort
	}
	return host, hostPortOf(mappings, i, n)
}

// hostPortOf is an instance's host port of the n-th mapping; 0 for none. Mappings
// without one may have been left out of its ports.
func hostPortOf(mappings []spec.PortMapping, i *scheduler.Instance, n int) int {
	at := n
	if len(i.Ports) != len(mappings) {
		at = 0
		for _, m := range mappings[:n] {
			if m.HostPort != nil {
				at++
			}
		}
	}
	if mappings[n].HostPort == nil || at >= len(i.Ports) {
		return 0
	}
	return int(i.Ports[at])
}
