package master

import (
	"fmt"
	"net/url"
	"strings"
)

// schedulerPath is where a master takes calls.
const schedulerPath = "/api/v1/scheduler"

// endpoint is where one master takes calls.
type endpoint struct{ scheme, host, path string }

// endpointAt reads the address that a detector gave: "host:port", or an http or
// https URL, whose path is put before the API's.
func endpointAt(address string) (endpoint, error) {
	full := address
	if !strings.Contains(full, "://") {
		full = "http://" + full
	}
	u, err := url.Parse(full)
	if err != nil {
		return endpoint{}, fmt.Errorf("master address %q: expected host:port or an http URL: %w", address, err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return endpoint{}, fmt.Errorf("master address %q: expected host:port or an http URL", address)
	}
	path := strings.TrimSuffix(u.Path, "/")
	if !strings.HasSuffix(path, schedulerPath) {
		path += schedulerPath
	}
	return endpoint{scheme: u.Scheme, host: u.Host, path: path}, nil
}

// String returns the URL.
func (e endpoint) String() string { return e.scheme + "://" + e.host + e.path }

// redirected is where a Location header points: masters send "//host:port/path",
// "//host:port" or a full URL, by version. Only host and port are taken from it:
// the path may be that of another API version, and a redirect must not lead
// credentials from https to http.
func (e endpoint) redirected(location string) (endpoint, error) {
	rest := location
	if i := strings.Index(rest, "//"); i >= 0 {
		rest = rest[i+2:]
	}
	host, _, _ := strings.Cut(rest, "/")
	u, err := url.Parse("http://" + host)
	if err != nil || u.Host == "" || u.Host != host {
		return endpoint{}, fmt.Errorf("redirect to %q: expected a location with host and port", location)
	}
	return endpoint{scheme: e.scheme, host: host, path: e.path}, nil
}
