package health

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	// addressTime is how long the addresses of a name are remembered. Checks that
	// open a connection for each probe would ask a thousand times a second for the
	// names of a few hundred agents; name servers refuse that.
	addressTime = 30 * time.Second
	lookupTime  = 10 * time.Second // of one lookup
	maxNames    = 8192             // remembered; beyond it those are forgotten that are too old
)

// resolver dials names by addresses that it remembers.
type resolver struct {
	lookup func(name string) ([]string, error) // for several probes: it ends with none of them
	dialIP dialer
	flight singleflight.Group

	mu    sync.Mutex
	known map[string]addresses
}

// addresses are those of a name.
type addresses struct {
	list  []string
	until time.Time
}

// newResolver returns a resolver, and a function that ends its lookups.
func newResolver() (r *resolver, stop func()) {
	all, stop := context.WithCancel(context.Background())
	return &resolver{
		lookup: func(name string) ([]string, error) {
			ctx, cancel := context.WithTimeout(all, lookupTime)
			defer cancel()
			return net.DefaultResolver.LookupHost(ctx, name)
		},
		dialIP: (&net.Dialer{KeepAlive: -1}).DialContext,
		known:  map[string]addresses{},
	}, stop
}

// dial tries the addresses of the name in turn.
func (r *resolver) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return r.dialIP(ctx, network, address)
	}
	list, err := r.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, ip := range list {
		conn, err := r.dialIP(ctx, network, net.JoinHostPort(ip, port))
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// resolve knows the addresses of a name or looks them up, those of IPv4 first.
func (r *resolver) resolve(ctx context.Context, name string) ([]string, error) {
	r.mu.Lock()
	found, ok := r.known[name]
	r.mu.Unlock()
	if ok && time.Now().Before(found.until) {
		return found.list, nil
	}
	answer := r.flight.DoChan(name, func() (any, error) {
		list, err := r.lookup(name)
		if err == nil && len(list) == 0 {
			err = fmt.Errorf("lookup %s: no address", name)
		}
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(list, func(a, b string) int { return family(a) - family(b) })
		r.remember(name, list)
		return list, nil
	})
	select {
	case a := <-answer:
		list, _ := a.Val.([]string)
		return list, a.Err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// family is 4 or 6.
func family(ip string) int {
	if strings.Contains(ip, ":") {
		return 6
	}
	return 4
}

func (r *resolver) remember(name string, list []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if len(r.known) >= maxNames {
		for name, a := range r.known {
			if now.After(a.until) {
				delete(r.known, name)
			}
		}
	}
	if len(r.known) < maxNames {
		r.known[name] = addresses{list, now.Add(addressTime)}
	}
}
