package zookeeper

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

const (
	scheme      = "zk://"
	defaultPort = "2181"
	// masked stands for credentials wherever a URL is printed; it has the form of
	// credentials so that what is printed parses again.
	masked = "xxxxxxxx:xxxxxxxx@"
)

// URL says where a ZooKeeper ensemble and a path in it are:
// zk://[user:password@]host1:port1,host2:port2/path. The zero URL is of nothing;
// URLs come from ParseURL.
type URL struct {
	servers     []string
	path        string
	credentials string
}

// ParseURL reads a URL. The path begins at the first slash after the scheme and
// is / when there is none; credentials end at the last @ before it. A port that
// is left out is 2181. Errors name the part that is wrong and never contain the
// credentials.
func ParseURL(text string) (URL, error) {
	rest, ok := strings.CutPrefix(text, scheme)
	if !ok {
		return URL{}, errors.New("zookeeper URL: expected zk://[user:password@]host:port[,host:port…]/path: it does not begin with zk://")
	}
	u := URL{path: "/"}
	authority := rest
	if slash := strings.IndexByte(rest, '/'); slash >= 0 {
		authority, u.path = rest[:slash], rest[slash:]
	}
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		u.credentials, authority = authority[:at], authority[at+1:]
		if user, _, ok := strings.Cut(u.credentials, ":"); !ok || user == "" {
			return URL{}, errors.New("zookeeper URL: credentials: expected user:password before the @")
		}
	}
	for host := range strings.SplitSeq(authority, ",") {
		server, err := parseServer(host)
		if err != nil {
			return URL{}, fmt.Errorf("zookeeper URL: %w", err)
		}
		u.servers = append(u.servers, server)
	}
	path, err := cleanPath(u.path)
	if err != nil {
		return URL{}, fmt.Errorf("zookeeper URL: %w", err)
	}
	u.path = path
	return u, nil
}

func parseServer(text string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", errors.New("server: expected host:port, found nothing")
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		// Without a port, or an IPv6 address in brackets without one.
		host, port = strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"), defaultPort
		if strings.Contains(host, ":") && !strings.HasPrefix(text, "[") {
			return "", fmt.Errorf("server %q: expected host:port (an IPv6 address in brackets)", text)
		}
	}
	if host == "" || strings.ContainsAny(host, " @?#[]") {
		return "", fmt.Errorf("server %q: expected a host name or address before the port", text)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("server %q: port: expected a number from 1 to 65535", text)
	}
	return net.JoinHostPort(host, port), nil
}

// cleanPath drops trailing slashes and refuses what ZooKeeper would refuse.
func cleanPath(path string) (string, error) {
	path = strings.TrimRight(path, "/")
	if path == "" {
		return "/", nil
	}
	for name := range strings.SplitSeq(path[1:], "/") {
		switch {
		case name == "":
			return "", fmt.Errorf("path %q: two slashes in a row", path)
		case name == "." || name == "..":
			return "", fmt.Errorf("path %q: the name %q is not allowed", path, name)
		case strings.ContainsFunc(name, unprintable):
			return "", fmt.Errorf("path %q: it contains a character that ZooKeeper does not allow", path)
		}
	}
	return path, nil
}

func unprintable(r rune) bool {
	return r <= 0x1f || r >= 0x7f && r <= 0x9f || r >= 0xd800 && r <= 0xf8ff || r >= 0xfff0 && r <= 0xffff
}

// Path is the path in ZooKeeper, without a trailing slash unless it is the root.
func (u URL) Path() string { return u.path }

// Servers are the ensemble's addresses as host:port.
func (u URL) Servers() []string { return append([]string(nil), u.servers...) }

// Secured says whether the URL carries credentials.
func (u URL) Secured() bool { return u.credentials != "" }

// String is the URL with its credentials replaced by xxxxxxxx.
func (u URL) String() string {
	mask := ""
	if u.Secured() {
		mask = masked
	}
	return scheme + mask + strings.Join(u.servers, ",") + u.path
}

// GoString keeps the credentials out of %#v as well.
func (u URL) GoString() string { return u.String() }

// Join is the path of a node below parent; parent may be the root.
func Join(parent string, names ...string) string {
	parent = strings.TrimRight(parent, "/")
	for _, name := range names {
		parent += "/" + name
	}
	return parent
}
