package zookeeper

import (
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// hosts hands the client its servers in turn. It leaves names unresolved, so that
// a server that comes back under another address is found: the library's own
// provider resolves once, and fails for good when it cannot.
type hosts struct {
	mu      sync.Mutex
	servers []string
	next    int
	tried   int // since the last successful connection
}

// Init is called by the library, once, with at least one server.
func (h *hosts) Init(servers []string) error {
	h.servers = append([]string(nil), servers...)
	h.next = rand.IntN(len(servers))
	return nil
}

// Len is the number of servers.
func (h *hosts) Len() int { return len(h.servers) }

// Next is the server to try. The library pauses for a second when the second
// answer is true: each server has been tried in vain since the last success.
func (h *hosts) Next() (string, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	server := h.servers[h.next]
	h.next = (h.next + 1) % len(h.servers)
	pause := h.tried > 0 && h.tried%len(h.servers) == 0
	h.tried++
	return server, pause
}

// Connected is called by the library once a session exists. The next loss of
// connection begins with the following server; with a single one it is tried
// again after a pause, since it has most likely just stopped.
func (h *hosts) Connected() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tried = 0
	if len(h.servers) == 1 {
		h.tried = 1
	}
}

// impatient bounds how long a read may wait. The library waits ten times longer
// for the first answer of a server that accepted the connection but hangs, and
// would not try the others meanwhile.
type impatient struct {
	net.Conn
	longest time.Duration
}

// SetReadDeadline sets the deadline asked for, or the bound if that is earlier.
func (c impatient) SetReadDeadline(t time.Time) error {
	if bound := time.Now().Add(c.longest); !t.IsZero() && t.After(bound) {
		t = bound
	}
	return c.Conn.SetReadDeadline(t)
}

func dialer(longest time.Duration) func(network, address string, timeout time.Duration) (net.Conn, error) {
	return func(network, address string, timeout time.Duration) (net.Conn, error) {
		c, err := net.DialTimeout(network, address, timeout)
		if err != nil {
			return nil, err
		}
		return impatient{c, longest}, nil
	}
}
