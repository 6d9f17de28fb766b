package spec

import (
	"math"
	"time"
)

func (u *Update) readChecks(o *object) {
	var health []HealthCheck
	if o.objects("healthChecks", func(c *object) { health = append(health, c.healthCheck()) }) {
		u.HealthChecks = new(uniqueFunc(health, appendHealthCheck))
	}
	o.inner("check", func(c *object) { u.Check = c.check() })
	var readiness []ReadinessCheck
	if o.objects("readinessChecks", func(c *object) { readiness = append(readiness, c.readinessCheck()) }) {
		u.ReadinessChecks = &readiness
	}
}

func (o *object) healthCheck() HealthCheck {
	c := HealthCheck{
		Protocol:               o.checkProtocol(),
		Path:                   orElse(o.text("path", 0), ""),
		Port:                   o.integer("port", maxPort),
		PortIndex:              o.integer("portIndex", maxPort),
		GracePeriod:            orElse(o.seconds("gracePeriodSeconds"), 300*time.Second),
		Interval:               orElse(o.seconds("intervalSeconds"), 60*time.Second),
		Timeout:                20 * time.Second,
		MaxConsecutiveFailures: orElse(o.integer("maxConsecutiveFailures", math.MaxInt32), 3),
		Delay:                  orElse(o.seconds("delaySeconds"), 15*time.Second),
		IgnoreHTTP1xx:          orElse(o.boolean("ignoreHttp1xx"), false),
		IPv6:                   orElse(o.enum("ipProtocol", "IPv4", "IPv6"), "IPv4") == "IPv6",
	}
	if value, path, ok := o.take("timeoutSeconds"); ok {
		if n := o.checkInteger(path, value, -math.MaxInt32, math.MaxInt32); n != nil {
			c.Timeout = time.Duration(*n) * time.Second
		}
	}
	o.inner("command", func(v *object) { c.Command = orElse(v.simple("value"), "") })
	return c
}

func (o *object) checkProtocol() CheckProtocol {
	var literals []string
	for p := CheckHTTP; p <= CheckMesosTCP; p++ {
		literals = append(literals, p.String())
	}
	s := o.enum("protocol", literals...)
	for p := CheckHTTP; p <= CheckMesosTCP; p++ {
		if s != nil && *s == p.String() {
			return p
		}
	}
	return CheckHTTP
}

func (o *object) check() *Check {
	c := &Check{
		Interval: orElse(o.seconds("intervalSeconds"), 60*time.Second),
		Timeout:  orElse(o.seconds("timeoutSeconds"), 20*time.Second),
		Delay:    orElse(o.seconds("delaySeconds"), 15*time.Second),
	}
	o.inner("http", func(h *object) {
		c.HTTP = &CheckHTTPRequest{
			CheckPort: h.checkPort(),
			Path:      orElse(h.bounded("path"), ""),
			Scheme:    orElse(h.enum("scheme", "HTTP", "HTTPS"), "HTTP"),
		}
	})
	o.inner("tcp", func(t *object) { c.TCP = new(t.checkPort()) })
	o.inner("exec", func(e *object) {
		e.need("command")
		c.Exec = new("")
		e.inner("command", func(s *object) { c.Exec = new(orElse(s.simple("shell"), "")) })
	})
	return c
}

func (o *object) checkPort() CheckPort {
	return CheckPort{Port: o.integer("port", maxPort), PortIndex: o.integer("portIndex", maxPort)}
}

func (o *object) readinessCheck() ReadinessCheck {
	c := ReadinessCheck{
		Name:                 orElse(o.text("name", 1), "readinessCheck"),
		HTTPS:                orElse(o.enum("protocol", "HTTP", "HTTPS"), "HTTP") == "HTTPS",
		Path:                 orElse(o.bounded("path"), "/"),
		PortName:             orElse(o.text("portName", 1), "http-api"),
		Interval:             orElse(o.seconds("intervalSeconds"), 30*time.Second),
		Timeout:              10 * time.Second,
		PreserveLastResponse: orElse(o.boolean("preserveLastResponse"), false),
	}
	if value, path, ok := o.take("timeoutSeconds"); ok {
		if n := o.checkInteger(path, value, 1, math.MaxInt32); n != nil {
			c.Timeout = time.Duration(*n) * time.Second
		}
	}
	items, path, _ := o.list("httpStatusCodesForReady")
	for i, item := range items {
		if code := o.checkInteger(at(path, i), item, 100, 999); code != nil {
			c.StatusCodes = append(c.StatusCodes, *code)
		}
	}
	if c.StatusCodes = unique(c.StatusCodes); len(c.StatusCodes) == 0 {
		c.StatusCodes = []int{200}
	}
	return c
}
