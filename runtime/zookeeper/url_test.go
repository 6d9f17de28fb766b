package zookeeper_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pacer-run/pacer/runtime/zookeeper"
)

func TestParseURL(t *testing.T) {
	for _, c := range []struct {
		text    string
		servers []string
		path    string
		printed string
	}{
		{"zk://a:1/mesos", []string{"a:1"}, "/mesos", "zk://a:1/mesos"},
		{"zk://a:1,b:2,c/x/y/", []string{"a:1", "b:2", "c:2181"}, "/x/y", "zk://a:1,b:2,c:2181/x/y"},
		{"zk://a", []string{"a:2181"}, "/", "zk://a:2181/"},
		{"zk://[::1]:7,[::2]/p", []string{"[::1]:7", "[::2]:2181"}, "/p", "zk://[::1]:7,[::2]:2181/p"},
		{"zk://me:se@cr:et@a:1/p", []string{"a:1"}, "/p", "zk://xxxxxxxx:xxxxxxxx@a:1/p"},
		{"zk://me:@a/p@q", []string{"a:2181"}, "/p@q", "zk://xxxxxxxx:xxxxxxxx@a:2181/p@q"},
	} {
		u, err := zookeeper.ParseURL(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		got := []any{u.Servers(), u.Path(), u.String(), fmt.Sprintf("%#v", u)}
		if diff := cmp.Diff([]any{c.servers, c.path, c.printed, c.printed}, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.text, diff)
		}
	}
}

func TestParseURLNamesThePartThatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"a:1/mesos":          "does not begin with zk://",
		"zk:///mesos":        "server",
		"zk://a:1,,b:1/":     "server",
		"zk://a:x/":          "port",
		"zk://a:0/":          "port",
		"zk://a:65536/":      "port",
		"zk://:1/":           "host name",
		"zk://::1/":          "brackets",
		"zk://hidden@a/":     "credentials",
		"zk://:hidden@a/":    "credentials",
		"zk://u:hidden@a//b": "two slashes",
		"zk://u:hidden@a/..": `".."`,
		"zk://a/b\x00":       "character",
	} {
		_, err := zookeeper.ParseURL(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one that says %q", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hidden") {
			t.Errorf("%q: the error prints the credentials: %v", text, err)
		}
	}
}

func TestSeatNumber(t *testing.T) {
	for _, c := range []struct {
		name string
		want int64
		ok   bool
	}{
		{"json.info_0000000012", 12, true},
		{"log_replicas", 0, false},
		{"info_0000000001", 0, false},
		{"json.info_", 0, false},
		{"json.info_-2147483648", 0, false},
		{"0000000001", 0, false},
	} {
		got, ok := zookeeper.SeatNumber(c.name, "json.info_")
		if got != c.want && c.ok || ok != c.ok {
			t.Errorf("%s: %d, %v, want %d, %v", c.name, got, ok, c.want, c.ok)
		}
	}
}
