package master_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/master"
)

func TestEndpoints(t *testing.T) {
	cases := []struct{ address, location, want string }{
		{"m:5050", "", "http://m:5050/api/v1/scheduler"},
		{"http://m", "", "http://m/api/v1/scheduler"},
		{"https://m:5050/", "", "https://m:5050/api/v1/scheduler"},
		{"https://m/mesos/", "", "https://m/mesos/api/v1/scheduler"},
		{"http://m:5050/master/api/v1/scheduler", "", "http://m:5050/master/api/v1/scheduler"},
		{"[::1]:5050", "//[::2]:5051", "http://[::2]:5051/api/v1/scheduler"},
		{"https://m", "http://n:1/master/api/v1/scheduler?a=b", "https://n:1/api/v1/scheduler"},
		{"http://m/mesos", "//n:1/master/api/v1/scheduler", "http://n:1/mesos/api/v1/scheduler"},
	}
	for _, c := range cases {
		if got, err := master.EndpointAt(c.address, c.location); got != c.want || err != nil {
			t.Errorf("%s then %q: %s, %v; want %s", c.address, c.location, got, err, c.want)
		}
	}
}

func TestBadEndpoints(t *testing.T) {
	cases := []struct{ address, location, want string }{
		{"zk://m:2181/mesos", "", `master address "zk://m:2181/mesos": expected host:port or an http URL`},
		{"http://", "", `master address "http://": expected host:port or an http URL`},
		{"a b:1", "", `master address "a b:1": expected host:port or an http URL`},
		{"m:1", "/master/api", `redirect to "/master/api": expected a location with host and port`},
		{"m:1", "//", `redirect to "//": expected a location with host and port`},
		{"m:1", "//u@n:1/", `redirect to "//u@n:1/": expected a location with host and port`},
	}
	for _, c := range cases {
		if got, err := master.EndpointAt(c.address, c.location); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s then %q: %s, %v; want %s", c.address, c.location, got, err, c.want)
		}
	}
}

// broken is a detector that gives up.
type broken struct{ err error }

func (d broken) Detect(context.Context, func(string)) error { return d.err }

// TestDetectorFails: without a detector there is nothing left to do.
func TestDetectorFails(t *testing.T) {
	for _, cause := range []error{errors.New("no such host"), nil} {
		r := start(t, "", func(cfg *master.Config) { cfg.Detector = broken{cause} })
		err := await(t, "the end of Run", r.ended)
		if err == nil || (cause != nil && !errors.Is(err, cause)) {
			t.Errorf("Run returned %v after %v", err, cause)
		}
	}
}
