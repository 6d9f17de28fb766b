package health

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// names is a name server, and a network on which some addresses answer.
type names struct {
	mu      sync.Mutex
	answers map[string][]string
	delay   time.Duration
	lookups int
	dead    string // an address that refuses
	dials   []string
}

func (n *names) resolver() *resolver {
	return &resolver{known: map[string]addresses{}, lookup: func(name string) ([]string, error) {
		time.Sleep(n.delay)
		n.mu.Lock()
		defer n.mu.Unlock()
		n.lookups++
		list, ok := n.answers[name]
		if !ok {
			return nil, fmt.Errorf("lookup %s: no such host", name)
		}
		return append([]string(nil), list...), nil
	}, dialIP: func(_ context.Context, network, address string) (net.Conn, error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.dials = append(n.dials, address)
		if strings.HasPrefix(address, n.dead) && n.dead != "" {
			return nil, errors.New("dial " + address + ": refused")
		}
		here, there := net.Pipe()
		there.Close()
		return here, nil
	}}
}

// try dials and says what came of it.
func try(t *testing.T, r *resolver, address string) string {
	t.Helper()
	conn, err := r.dial(t.Context(), "tcp", address)
	if err != nil {
		return err.Error()
	}
	conn.Close()
	return ""
}

func TestResolver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &names{answers: map[string][]string{"two": {"fd00::2", "10.0.0.2"}, "one": {"10.0.0.1"}, "none": {}}}
		r := n.resolver()
		for _, tt := range []struct{ address, dials, err string }{
			{"10.9.9.9:80", "10.9.9.9:80", ""},
			{"[fd00::9]:80", "[fd00::9]:80", ""},
			{"one:80", "10.0.0.1:80", ""},
			{"two:80", "10.0.0.2:80", ""}, // IPv4 first
			{"nobody:80", "", "no such host"},
			{"none:80", "", "no address"},
			{"nonsense", "", "missing port"},
		} {
			n.dials = nil
			if err := try(t, r, tt.address); !strings.Contains(err, tt.err) || tt.err == "" && err != "" || strings.Join(n.dials, " ") != tt.dials {
				t.Errorf("%s: %q, dialled %v", tt.address, err, n.dials)
			}
		}
		n.dead, n.dials = "10.0.0.2", nil
		if err := try(t, r, "two:81"); err != "" || strings.Join(n.dials, " ") != "10.0.0.2:81 [fd00::2]:81" {
			t.Errorf("one of two addresses is dead: %q, dialled %v", err, n.dials)
		}
	})
}

func TestNamesAreRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &names{answers: map[string][]string{"one": {"10.0.0.1"}}}
		r := n.resolver()
		for range 60 { // of ten seconds
			if err := try(t, r, "one:80"); err != "" {
				t.Error(err)
			}
			time.Sleep(10 * time.Second)
		}
		if n.lookups != 20 {
			t.Errorf("%d lookups in ten minutes", n.lookups)
		}
		n.answers["one"] = []string{"10.0.0.7"}
		time.Sleep(addressTime)
		n.dials = nil
		if err := try(t, r, "one:80"); err != "" || n.dials[0] != "10.0.0.7:80" {
			t.Errorf("after it moved: %q, dialled %v", err, n.dials)
		}
		// No more are remembered than the limit says, and old ones make room.
		for i := range maxNames {
			r.remember(fmt.Sprint("agent-", i), []string{"10.0.0.1"})
		}
		r.remember("last", []string{"10.0.0.1"})
		if _, ok := r.known["last"]; ok || len(r.known) != maxNames {
			t.Errorf("%d names, the last one too: %v", len(r.known), ok)
		}
		time.Sleep(addressTime + 1)
		r.remember("last", []string{"10.0.0.1"})
		if len(r.known) != 1 {
			t.Errorf("%d names when they are too old", len(r.known))
		}
	})
}

// Probes that want the same name at the same time share one lookup. One that is
// given up does not take it from the others.
func TestLookupsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &names{answers: map[string][]string{"one": {"10.0.0.1"}}, delay: 3 * time.Second}
		r := n.resolver()
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var first error
		var wait sync.WaitGroup
		wait.Go(func() { _, first = r.dial(short, "tcp", "one:80") })
		for range 9 {
			wait.Go(func() {
				if err := try(t, r, "one:80"); err != "" {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if !errors.Is(first, context.DeadlineExceeded) || n.lookups != 1 || len(n.dials) != 9 {
			t.Errorf("the first: %v; %d lookups, %d dials", first, n.lookups, len(n.dials))
		}
	})
}
