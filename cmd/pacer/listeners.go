package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/api"
)

// listeners are where a server can be reached.
type listeners struct {
	advertised net.Listener // the one that others are told: HTTP where there is it
	scheme     string       // of advertised
	all        []net.Listener
	identity   *identity // nil without HTTPS
}

// listenAll takes the ports of the options. The identity that they name is read
// first, so that a mistake in it is one of the command line.
func listenAll(v *values) (*listeners, error) {
	l := &listeners{}
	if path := v.text("ssl_keystore_path"); path != "" {
		var err error
		if l.identity, err = readKeystore(path, v.text("ssl_keystore_password")); err != nil {
			return nil, badFlag("--ssl_keystore_path: %w", err)
		}
	}
	if v.on("http") {
		if err := l.add("http", v.text("http_address"), v.number("http_port", 0, 65535)); err != nil {
			return nil, err
		}
	}
	if l.identity != nil {
		if err := l.add("https", v.text("https_address"), v.number("https_port", 0, 65535)); err != nil {
			l.close()
			return nil, err
		}
	}
	return l, nil
}

// add takes a port. The first one is advertised.
func (l *listeners) add(scheme, address string, port int) error {
	on, err := listen("--"+scheme+"_port", address, port)
	if err != nil {
		return err
	}
	if scheme == "https" {
		on = tls.NewListener(on, l.identity.serverTLS())
	}
	if l.advertised == nil {
		l.advertised, l.scheme = on, scheme
	}
	l.all = append(l.all, on)
	return nil
}

func (l *listeners) close() {
	for _, on := range l.all {
		on.Close()
	}
}

// listen takes a port. flag is what it was named by.
func listen(flag, address string, port int) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(address, fmt.Sprint(port)))
	if err != nil {
		return nil, exit(exitBind, fmt.Errorf("%s: %w", flag, err))
	}
	return l, nil
}

// proxyTransport reaches the leader with the limits of the flags.
func proxyTransport(v *values, id *identity) *http.Transport {
	t := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: v.millis("leader_proxy_connection_timeout")}).DialContext,
		TLSHandshakeTimeout:   v.millis("leader_proxy_connection_timeout"),
		ResponseHeaderTimeout: v.millis("leader_proxy_read_timeout"),
		MaxConnsPerHost:       v.number("leader_proxy_max_open_connections", 1, 1<<20),
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       time.Minute,
		DisableCompression:    true,
	}
	if id != nil {
		t.TLSClientConfig = id.clientTLS(v.on("leader_proxy_ssl_ignore_hostname"))
	}
	return t
}

// httpOptionsOf reads what goes for all requests, and checks what the listeners
// need. Credentials that make no sense leave the server open, as in Marathon: the
// warning says so.
func httpOptionsOf(v *values) (o api.HTTPOptions, warnings []string) {
	o = api.HTTPOptions{
		Realm: v.text("http_realm"), AllowOrigin: lastOf(originsOf(v)), Compress: v.on("http_compression"),
	}
	if text := v.text("http_credentials"); text != "" {
		var err error
		if o.User, o.Password, err = api.ParseCredentials(text); err != nil {
			warnings = append(warnings, "--http_credentials: "+err.Error()+"; anybody may use the API")
		}
	}
	if v.text("http_max_concurrent_requests") != "" {
		o.MaxRequests = v.number("http_max_concurrent_requests", 1, 1<<30)
	}
	v.number("http_port", 0, 65535)
	v.number("https_port", 0, 65535)
	v.number("leader_proxy_max_open_connections", 1, 1<<20)
	switch path, password := v.text("ssl_keystore_path"), v.text("ssl_keystore_password"); {
	case path == "" && password != "":
		v.fail("--ssl_keystore_password needs --ssl_keystore_path")
	case path == "" && !v.on("http"):
		v.fail("--disable_http needs HTTPS: --ssl_keystore_path and --ssl_keystore_password")
	}
	return o, warnings
}

// metricsPrefixOf is the first word of the metrics that Marathon has as well.
func metricsPrefixOf(v *values) string {
	prefix := v.text("metrics_name_prefix")
	if !regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`).MatchString(prefix) {
		v.fail("--metrics_name_prefix: %q: expected letters, digits and _, not beginning with a digit", prefix)
	}
	return prefix
}

// originsOf are the origins of --access_control_allow_origin.
func originsOf(v *values) []string { return listOf(v.text("access_control_allow_origin")) }

// listOf splits a list at its commas. Empty items are left out.
func listOf(text string) []string {
	list := []string{}
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}

// lastOf is the last item, "" for none.
func lastOf(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1]
}
