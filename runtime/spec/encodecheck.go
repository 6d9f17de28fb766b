package spec

import "strconv"

// AppendJSON appends the check in the form of the API.
func (c *HealthCheck) AppendJSON(b []byte) []byte { return appendHealthCheck(b, c) }

// appendHealthCheck shows ignoreHttp1xx for the protocols that have it, whatever
// it is.
func appendHealthCheck(b []byte, c *HealthCheck) []byte {
	b = AppendText(append(b, `{"protocol":`...), c.Protocol.String())
	b = appendOptional(b, `,"path":`, c.Path)
	b = appendInt(b, `,"port":`, c.Port)
	b = appendInt(b, `,"portIndex":`, c.PortIndex)
	if c.Command != "" {
		b = append(AppendText(append(b, `,"command":{"value":`...), c.Command), '}')
	}
	b = appendSeconds(append(b, `,"gracePeriodSeconds":`...), c.GracePeriod)
	b = appendSeconds(append(b, `,"intervalSeconds":`...), c.Interval)
	b = appendSeconds(append(b, `,"timeoutSeconds":`...), c.Timeout)
	b = strconv.AppendInt(append(b, `,"maxConsecutiveFailures":`...), int64(c.MaxConsecutiveFailures), 10)
	b = appendSeconds(append(b, `,"delaySeconds":`...), c.Delay)
	b = AppendText(append(b, `,"ipProtocol":`...), pick(c.IPv6, "IPv6", "IPv4"))
	if c.Protocol == CheckHTTP || c.Protocol == CheckHTTPS || c.IgnoreHTTP1xx {
		b = appendBool(b, `,"ignoreHttp1xx":`, c.IgnoreHTTP1xx)
	}
	return append(b, '}')
}

func appendCheck(b []byte, c *Check) []byte {
	if c == nil {
		return b
	}
	b = appendSeconds(append(b, `,"check":{"intervalSeconds":`...), c.Interval)
	b = appendSeconds(append(b, `,"timeoutSeconds":`...), c.Timeout)
	b = appendSeconds(append(b, `,"delaySeconds":`...), c.Delay)
	if h := c.HTTP; h != nil {
		b = AppendText(append(b, `,"http":{"scheme":`...), h.Scheme)
		b = appendOptional(b, `,"path":`, h.Path)
		b = append(appendCheckPort(b, h.CheckPort, `,`), '}')
	}
	if c.TCP != nil {
		b = append(appendCheckPort(append(b, `,"tcp":{`...), *c.TCP, ``), '}')
	}
	if c.Exec != nil {
		b = append(AppendText(append(b, `,"exec":{"command":{"shell":`...), *c.Exec), `}}`...)
	}
	return append(b, '}')
}

// appendCheckPort appends the port, after comma when there is one.
func appendCheckPort(b []byte, p CheckPort, comma string) []byte {
	if p.Port != nil {
		b = appendInt(b, comma+`"port":`, p.Port)
		comma = `,`
	}
	return appendInt(b, comma+`"portIndex":`, p.PortIndex)
}

func appendReadinessCheck(b []byte, c *ReadinessCheck) []byte {
	b = AppendText(append(b, `{"name":`...), c.Name)
	b = AppendText(append(b, `,"protocol":`...), pick(c.HTTPS, "HTTPS", "HTTP"))
	b = AppendText(append(b, `,"path":`...), c.Path)
	b = AppendText(append(b, `,"portName":`...), c.PortName)
	b = appendSeconds(append(b, `,"intervalSeconds":`...), c.Interval)
	b = appendSeconds(append(b, `,"timeoutSeconds":`...), c.Timeout)
	b = appendItems(append(b, `,"httpStatusCodesForReady":`...), c.StatusCodes, func(b []byte, code *int) []byte {
		return strconv.AppendInt(b, int64(*code), 10)
	})
	return append(appendBool(b, `,"preserveLastResponse":`, c.PreserveLastResponse), '}')
}
