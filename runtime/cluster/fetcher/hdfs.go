package fetcher

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"

	"github.com/colinmarc/hdfs/v2"
	"github.com/colinmarc/hdfs/v2/hadoopconf"
)

// hdfsSource reads HDFS by its own protocol or by WebHDFS.
type hdfsSource struct {
	cfg HDFS
	web *web
}

func (s *hdfsSource) open(ctx context.Context, req request) (*blob, error) {
	authority, path := afterScheme(req.uri)
	if user, host, ok := strings.Cut(authority, "@"); ok {
		authority, req.owner = host, &Owner{User: user}
	}
	user := s.user(req)
	switch name := scheme(req.uri); {
	case name == "webhdfs":
		return s.web.openHDFS(ctx, "http://"+authority, "/"+path, user)
	case name == "swebhdfs":
		return s.web.openHDFS(ctx, "https://"+authority, "/"+path, user)
	case s.cfg.WebHDFS != "":
		return s.web.openHDFS(ctx, s.cfg.WebHDFS, "/"+path, user)
	default:
		return s.native(ctx, authority, "/"+path, user)
	}
}

func (s *hdfsSource) user(req request) string {
	switch {
	case s.cfg.User != "":
		return s.cfg.User
	case req.user() != "":
		return req.user()
	default:
		return currentUser()
	}
}

// namenodePort is where namenodes listen unless they are told otherwise.
const namenodePort = "8020"

// native speaks Hadoop's own protocol.
func (s *hdfsSource) native(ctx context.Context, authority, path, user string) (*blob, error) {
	lines := &lines{ctx: ctx}
	options, err := s.options(authority)
	if err != nil {
		return nil, err
	}
	options.User, options.NamenodeDialFunc = user, lines.dial
	options.DatanodeDialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := lines.dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &bufferedConn{conn, bufio.NewReaderSize(conn, bufferSize)}, nil
	}
	client, err := hdfs.NewClient(options)
	if err != nil {
		_ = lines.Close()
		return nil, fmt.Errorf("connect: %w", err)
	}
	file, err := client.Open(path)
	if err == nil && file.Stat().IsDir() {
		err = errors.New("is a folder, expected a file")
	}
	if err != nil {
		_ = (&hdfsBody{nil, client, lines}).Close()
		return nil, hdfsError(err)
	}
	return &blob{ReadCloser: &hdfsBody{guarded{verified{file}}, client, lines}, size: file.Stat().Size()}, nil
}

// options resolves a namenode: the authority may be the name of a service, or missing.
func (s *hdfsSource) options(authority string) (hdfs.ClientOptions, error) {
	conf := hadoopconf.HadoopConf{}
	if s.cfg.ConfDir != "" {
		var err error
		if conf, err = hadoopconf.Load(s.cfg.ConfDir); err != nil {
			return hdfs.ClientOptions{}, fmt.Errorf("read Hadoop's configuration: %w", err)
		}
	}
	options := hdfs.ClientOptionsFromConf(conf)
	if authority == "" {
		if len(options.Addresses) == 0 {
			return options, errors.New("the URI names no namenode, and neither does a configuration of Hadoop")
		}
		return options, nil
	}
	if nodes := conf["dfs.ha.namenodes."+authority]; nodes != "" {
		options.Addresses = nil
		for node := range strings.SplitSeq(nodes, ",") {
			options.Addresses = append(options.Addresses, conf["dfs.namenode.rpc-address."+authority+"."+strings.TrimSpace(node)])
		}
		return options, nil
	}
	if _, _, err := net.SplitHostPort(authority); err != nil {
		authority = net.JoinHostPort(strings.Trim(authority, "[]"), namenodePort)
	}
	options.Addresses = []string{authority}
	return options, nil
}

// hdfsError has the words of a file system in place of a Java exception where the library knows it.
func hdfsError(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// verified reads in pieces smaller than what a checksum is over, which is 512 bytes unless it is set to something else. For
// larger ones colinmarc/hdfs v2.4.0 returns what it has read together with a checksum that does not match, and drops the
// error when it is passed on.
type verified struct{ io.Reader }

const (
	verifiedPiece = 256
	verifiedRead  = 32 << 10 // what a caller waits for: little enough to see a slow line as alive
)

func (v verified) Read(p []byte) (int, error) {
	p = p[:min(len(p), verifiedRead)]
	n := 0
	for n < len(p) {
		got, err := v.Reader.Read(p[n:min(n+verifiedPiece, len(p))])
		if n += got; err != nil {
			return n, err
		}
	}
	return n, nil
}

// bufferedConn makes up for the small pieces.
type bufferedConn struct {
	net.Conn
	in *bufio.Reader
}

func (c *bufferedConn) Read(p []byte) (int, error) { return c.in.Read(p) }

// hdfsBody ends its client with itself.
type hdfsBody struct {
	io.Reader
	client *hdfs.Client
	lines  *lines
}

func (b *hdfsBody) Close() error {
	_ = b.lines.Close()
	return b.client.Close()
}
