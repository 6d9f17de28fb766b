package fetcher

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"net/url"
	"strings"

	"github.com/jlaffaye/ftp"
)

// ftpSource reads ftp and ftps. As in curl, ftps speaks TLS from the first byte; on port 21, where no server expects
// that, it asks for TLS first.
type ftpSource struct {
	tls          *tls.Config
	explicitPort string // 21
}

const (
	ftpPort  = "21"
	ftpsPort = "990"
)

func (s *ftpSource) open(ctx context.Context, req request) (*blob, error) {
	u, err := url.Parse(req.uri)
	if err != nil {
		return nil, withoutURL(err)
	}
	// The path begins in the folder that the login leads to; %2F at its begin makes it absolute.
	path := strings.TrimPrefix(u.Path, "/")
	user, password := "anonymous", "anonymous"
	if u.User != nil {
		user = u.User.Username()
		password, _ = u.User.Password()
	}
	lines := &ftpLines{lines: lines{ctx: ctx}}
	conn, err := s.dial(lines, u)
	if err != nil {
		_ = lines.Close()
		return nil, fmt.Errorf("connect: %w", err)
	}
	fail := func(what string, err error) (*blob, error) {
		_ = lines.Close()
		return nil, fmt.Errorf("%s: %w", what, ftpError(err))
	}
	if err := conn.Login(user, password); err != nil {
		return fail("log in", err)
	}
	size, err := conn.FileSize(path)
	if err != nil {
		size = -1 // not every server can tell
	}
	data, err := conn.Retr(path)
	if err != nil {
		return fail("retrieve", err)
	}
	return &blob{ReadCloser: &ftpBody{data: data, lines: lines}, size: size}, nil
}

// dial connects. The library would dial for data without the context, so both kinds of connections are made here.
func (s *ftpSource) dial(lines *ftpLines, u *url.URL) (*ftp.ServerConn, error) {
	options := []ftp.DialOption{ftp.DialWithDialFunc(lines.connect)}
	port := u.Port()
	if strings.EqualFold(u.Scheme, "ftps") {
		lines.tls = s.tls.Clone()
		lines.tls.ServerName = u.Hostname()
		lines.tls.ClientSessionCache = tls.NewLRUClientSessionCache(1) // servers may ask data to come from the same client
		if lines.explicit = port == s.explicitPort; lines.explicit {
			options = append(options, ftp.DialWithExplicitTLS(lines.tls))
		} else {
			options = append(options, ftp.DialWithTLS(lines.tls))
		}
		if port == "" {
			port = ftpsPort
		}
	}
	if port == "" {
		port = ftpPort
	}
	return ftp.Dial(net.JoinHostPort(u.Hostname(), port), options...)
}

// ftpError drops the code, which says nothing more, and the line's end.
func ftpError(err error) error {
	if e, ok := errors.AsType[*textproto.Error](err); ok {
		return fmt.Errorf("the server answered %d %s", e.Code, strings.TrimSpace(e.Msg))
	}
	return err
}

// ftpLines are the connections of one transfer, control first.
type ftpLines struct {
	lines
	tls      *tls.Config // nil = plain
	explicit bool
}

func (l *ftpLines) connect(network, address string) (net.Conn, error) {
	control := len(l.conns) == 0
	conn, err := l.dial(l.ctx, network, address)
	if err != nil || l.tls == nil || control && l.explicit {
		return conn, err
	}
	return tls.Client(conn, l.tls), nil // shakes hands with the first byte, which some servers wait for
}

// ftpBody is at its end when the server says that it sent all.
type ftpBody struct {
	data  *ftp.Response
	lines *ftpLines
	end   error
}

func (b *ftpBody) Read(p []byte) (int, error) {
	if b.end != nil {
		return 0, b.end
	}
	n, err := b.data.Read(p)
	if errors.Is(err, io.EOF) {
		b.end = io.EOF
		if failed := b.data.Close(); failed != nil {
			b.end = fmt.Errorf("the transfer broke off: %w", ftpError(failed))
		}
		return n, b.end
	}
	return n, err
}

// Close does not say goodbye: the transfer may have been given up in its middle.
func (b *ftpBody) Close() error {
	return b.lines.Close()
}
