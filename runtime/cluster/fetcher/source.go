package fetcher

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
)

// source opens files of one or more schemes. When ctx ends, so do open and the reading of what it returned.
type source interface {
	open(ctx context.Context, req request) (*blob, error)
}

// sources are all there are.
type sources struct {
	local *local
	http  *web
	ftp   *ftpSource
	s3    *s3Source
	hdfs  *hdfsSource
}

func newSources(cfg Config) (*sources, error) {
	trust := &tls.Config{RootCAs: cfg.RootCAs, MinVersion: tls.VersionTLS12}
	out := &sources{local: &local{deny: cfg.DenyLocal}, http: newWeb(trust), ftp: &ftpSource{tls: trust.Clone(), explicitPort: ftpPort}}
	out.hdfs = &hdfsSource{cfg: cfg.HDFS, web: out.http}
	var err error
	out.s3, err = newS3(cfg.S3, trust)
	return out, err
}

// of finds the source of a URI.
func (s *sources) of(uri string) (source, error) {
	switch name := scheme(uri); name {
	case "", "file":
		return s.local, nil
	case "http", "https":
		return s.http, nil
	case "ftp", "ftps":
		return s.ftp, nil
	case "s3", "s3a", "s3n":
		return s.s3, nil
	case "hdfs", "webhdfs", "swebhdfs":
		return s.hdfs, nil
	default:
		return nil, fmt.Errorf("scheme %q is unknown, expected file, http, https, ftp, ftps, s3, s3a, s3n, hdfs, webhdfs or swebhdfs", name)
	}
}

// close ends connections that are kept for the next file.
func (s *sources) close() {
	s.http.client.CloseIdleConnections()
	s.s3.transport.CloseIdleConnections()
}

// newTransport is for bodies as the server has them: unpacked on the way they would have no known size.
func newTransport(trust *tls.Config) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig, t.ForceAttemptHTTP2, t.DisableCompression = trust.Clone(), true, true
	return t
}

// afterScheme splits the text of a URI into authority and path without a leading slash. Nothing in it is decoded: keys of
// objects and names in HDFS may have any character.
func afterScheme(uri string) (authority, path string) {
	_, rest, _ := strings.Cut(uri, "://")
	authority, path, _ = strings.Cut(rest, "/")
	return authority, path
}
