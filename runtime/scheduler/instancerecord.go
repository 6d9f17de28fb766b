package scheduler

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"github.com/pacer-run/pacer/runtime/placement"
	"github.com/pacer-run/pacer/runtime/spec"
)

// instanceRecord is what Mesos will not tell again. The agent's facts are in
// every record: constraints need them although the agent may never return.
//
// It is the one record that there are 100,000 of, so it is written and read by
// hand: plain JSON, which encoding/json reads as well, in the order of the
// fields. A leader loads it about five times as fast that way.
type instanceRecord struct {
	App         spec.PathID      `json:"app"`
	Version     spec.Timestamp   `json:"v"`
	Incarnation uint32           `json:"n"`
	Condition   Condition        `json:"c"`
	Goal        Goal             `json:"g,omitempty"`
	Agent       *json.RawMessage `json:"a,omitempty"` // an agentRecord
	Ports       []uint16         `json:"p,omitempty"`
	Role        string           `json:"r"`
	IPs         []string         `json:"ip,omitempty"`
	Healthy     *bool            `json:"h,omitempty"`
	StagedAt    spec.Timestamp   `json:"ts,omitempty"`
	StartedAt   spec.Timestamp   `json:"tr,omitempty"`
	Since       spec.Timestamp   `json:"tc,omitempty"`
	Unreachable spec.Timestamp   `json:"tu,omitempty"`
	Reservation *json.RawMessage `json:"rs,omitempty"` // a reservationRecord
	Found       *json.RawMessage `json:"f,omitempty"`  // a findingsRecord
}

type agentRecord struct {
	ID         string                `json:"id"`
	Hostname   string                `json:"h"`
	IP         string                `json:"ip,omitempty"`
	Port       uint16                `json:"p,omitempty"`
	Region     string                `json:"r,omitempty"`
	Zone       string                `json:"z,omitempty"`
	Attributes []placement.Attribute `json:"a,omitempty"`
}

func encodeAgent(a *placement.Agent) []byte {
	return mustJSON(agentRecord{
		ID: a.ID, Hostname: a.Hostname, IP: a.IP, Port: a.Port, Region: a.Region, Zone: a.Zone, Attributes: a.Attributes,
	})
}

func decodeAgent(b []byte) (*placement.Agent, error) {
	var r agentRecord
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, err
	}
	return &placement.Agent{
		ID: r.ID, Hostname: r.Hostname, IP: r.IP, Port: r.Port, Region: r.Region, Zone: r.Zone, Attributes: r.Attributes,
	}, nil
}

// appendInstance writes the record of an instance; agent is its agent's record.
func appendInstance(b []byte, i *Instance, agent []byte) []byte {
	b = appendString(append(b, `{"app":`...), string(i.App))
	b = appendNumber(b, `,"v":`, int64(i.Version))
	b = appendNumber(b, `,"n":`, int64(i.Incarnation))
	b = appendNumber(b, `,"c":`, int64(i.Condition))
	b = appendUnlessZero(b, `,"g":`, int64(i.Goal))
	if i.Agent != nil {
		b = append(append(b, `,"a":`...), agent...)
	}
	for n, p := range i.Ports {
		b = appendNumber(b, separator(n, `,"p":[`), int64(p))
	}
	b = closeList(b, len(i.Ports))
	b = appendString(append(b, `,"r":`...), i.Role)
	for n, ip := range i.IPs {
		b = appendString(append(b, separator(n, `,"ip":[`)...), ip)
	}
	b = closeList(b, len(i.IPs))
	if i.Healthy != nil {
		b = strconv.AppendBool(append(b, `,"h":`...), *i.Healthy)
	}
	b = appendUnlessZero(b, `,"ts":`, int64(i.StagedAt))
	b = appendUnlessZero(b, `,"tr":`, int64(i.StartedAt))
	b = appendUnlessZero(b, `,"tc":`, int64(i.Since))
	b = appendUnlessZero(b, `,"tu":`, int64(i.UnreachableSince))
	if i.Reservation != nil {
		b = append(append(b, `,"rs":`...), mustJSON(reservationRecordOf(i.Reservation))...)
	}
	if found := encodeFindings(i.Found); found != nil {
		b = append(append(b, `,"f":`...), found...)
	}
	return append(b, '}')
}

// separator opens a list before its first element.
func separator(n int, open string) string {
	if n == 0 {
		return open
	}
	return ","
}

func closeList(b []byte, n int) []byte {
	if n > 0 {
		return append(b, ']')
	}
	return b
}

func appendNumber(b []byte, key string, n int64) []byte {
	return strconv.AppendInt(append(b, key...), n, 10)
}

func appendUnlessZero(b []byte, key string, n int64) []byte {
	if n == 0 {
		return b
	}
	return appendNumber(b, key, n)
}

// appendString writes a JSON string; what needs escapes goes the long way.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return append(b, mustJSON(s)...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// decodeInstance reads a record: quickly when it is in the form of
// appendInstance, with encoding/json when it is not.
func decodeInstance(b []byte) (r instanceRecord, err error) {
	c := cursor{b: b}
	if r = c.instance(); !c.bad && c.i == len(b) {
		return r, nil
	}
	r = instanceRecord{}
	err = json.Unmarshal(b, &r)
	return r, err
}

// cursor reads the form of appendInstance; anything else makes it bad.
type cursor struct {
	b   []byte
	i   int
	bad bool
}

func (c *cursor) instance() (r instanceRecord) {
	r.App = spec.PathID(c.text(`{"app":`))
	r.Version = spec.Timestamp(c.number(`,"v":`))
	r.Incarnation = uint32(c.bounded(`,"n":`, 1<<32))
	r.Condition = Condition(c.bounded(`,"c":`, 1<<8))
	r.Goal = Goal(c.optional(`,"g":`, 1<<8))
	r.Agent = c.part(`,"a":`)
	if c.skip(`,"p":[`) {
		r.Ports = append(r.Ports, uint16(c.bounded("", 1<<16)))
		for c.skip(",") {
			r.Ports = append(r.Ports, uint16(c.bounded("", 1<<16)))
		}
		c.must("]")
	}
	r.Role = c.text(`,"r":`)
	if c.skip(`,"ip":[`) {
		r.IPs = append(r.IPs, c.text(""))
		for c.skip(",") {
			r.IPs = append(r.IPs, c.text(""))
		}
		c.must("]")
	}
	if c.skip(`,"h":`) {
		healthy := c.skip("true")
		if !healthy {
			c.must("false")
		}
		r.Healthy = &healthy
	}
	r.StagedAt = spec.Timestamp(c.optional(`,"ts":`, 1<<62))
	r.StartedAt = spec.Timestamp(c.optional(`,"tr":`, 1<<62))
	r.Since = spec.Timestamp(c.optional(`,"tc":`, 1<<62))
	r.Unreachable = spec.Timestamp(c.optional(`,"tu":`, 1<<62))
	r.Reservation = c.part(`,"rs":`)
	r.Found = c.part(`,"f":`)
	c.must("}")
	return r
}

func (c *cursor) skip(s string) bool {
	if len(c.b)-c.i >= len(s) && string(c.b[c.i:c.i+len(s)]) == s {
		c.i += len(s)
		return true
	}
	return false
}

func (c *cursor) must(s string) {
	if !c.skip(s) {
		c.bad = true
	}
}

// text reads a string without escapes.
func (c *cursor) text(key string) string {
	c.must(key + `"`)
	end := bytes.IndexAny(c.b[c.i:], `"\`)
	if c.bad || end < 0 || c.b[c.i+end] != '"' || !plain(c.b[c.i:c.i+end]) {
		c.bad = true
		return ""
	}
	s := string(c.b[c.i : c.i+end])
	c.i += end + 1
	return s
}

// plain tells whether encoding/json would read the bytes as they are.
func plain(b []byte) bool {
	for _, x := range b {
		if x < 0x20 || x >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (c *cursor) number(key string) int64 { return c.bounded(key, 1<<62) }

// optional reads a number that is left out when it is 0.
func (c *cursor) optional(key string, limit int64) int64 {
	if c.skip(key) {
		return c.bounded("", limit)
	}
	return 0
}

// bounded reads a number from 0 up to below limit, without leading zeros.
func (c *cursor) bounded(key string, limit int64) int64 {
	c.must(key)
	start, n := c.i, int64(0)
	for c.i < len(c.b) && c.i-start < 18 && c.b[c.i] >= '0' && c.b[c.i] <= '9' {
		n = n*10 + int64(c.b[c.i]-'0')
		c.i++
	}
	if c.i == start || n >= limit || c.b[start] == '0' && c.i-start > 1 {
		c.bad = true
		return 0
	}
	return n
}

// part reads an object that is left out when there is none.
func (c *cursor) part(key string) *json.RawMessage {
	if !c.skip(key) {
		return nil
	}
	part := json.RawMessage(c.object())
	return &part
}

// object returns the bytes of a JSON object without reading it.
func (c *cursor) object() []byte {
	start, depth, quoted := c.i, 0, false
	for ; c.i < len(c.b); c.i++ {
		switch x := c.b[c.i]; {
		case quoted && x == '\\':
			c.i++
		case x == '"':
			quoted = !quoted
		case quoted:
		case x == '{':
			depth++
		case x == '}':
			if depth--; depth == 0 {
				c.i++
				return c.b[start:c.i]
			}
		}
	}
	c.i, c.bad = start, true // an escape at the very end leaves c.i behind it
	return nil
}
