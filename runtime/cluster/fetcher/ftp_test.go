package fetcher

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"goftp.io/server/v2"
	"goftp.io/server/v2/driver/file"
)

// ftpLog hears when a server listens.
type ftpLog struct{ listens chan struct{} }

func (l *ftpLog) Print(string, any)                 {}
func (l *ftpLog) PrintCommand(_, _, _ string)       {}
func (l *ftpLog) PrintResponse(string, int, string) {}
func (l *ftpLog) Printf(_ string, text string, _ ...any) {
	if strings.Contains(text, "listening on") {
		close(l.listens)
	}
}

// accounts are of one user; the lock orders the server's start before its end for the race detector.
type accounts struct {
	server.SimpleAuth
	sync.Mutex
}

func (a *accounts) CheckPasswd(c *server.Context, user, password string) (bool, error) {
	a.Lock()
	defer a.Unlock()
	if user == "anonymous" {
		return true, nil
	}
	return a.SimpleAuth.CheckPasswd(c, user, password)
}

// ftpServer serves a folder and returns host:port.
func ftpServer(t *testing.T, root string, cert *tls.Config) string {
	t.Helper()
	driver, err := file.NewDriver(root)
	must(t, err)
	for range 10 { // somebody may take the port before the server does
		free, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		port := free.Addr().(*net.TCPAddr).Port
		must(t, free.Close())
		log, auth := &ftpLog{make(chan struct{})}, &accounts{SimpleAuth: server.SimpleAuth{Name: "me", Password: "sesame"}}
		s, err := server.NewServer(&server.Options{
			Driver: driver, Auth: auth, Perm: server.NewSimplePerm("me", "me"), Hostname: "127.0.0.1", Port: port,
			TLS: cert != nil, ExplicitFTPS: cert != nil, ForceTLS: cert != nil, TLSConfig: cert, Logger: log,
		})
		must(t, err)
		ended := make(chan error, 1)
		go func() { ended <- s.ListenAndServe() }()
		select {
		case <-log.listens:
			t.Cleanup(func() {
				auth.Lock()
				defer auth.Unlock()
				must(t, s.Shutdown())
				<-ended
			})
			return fmt.Sprintf("127.0.0.1:%d", port)
		case <-ended:
		}
	}
	t.Fatal("no port is free")
	return ""
}

func ftpFolder(t *testing.T) string {
	root := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(root, "d"), 0o755))
	must(t, os.WriteFile(filepath.Join(root, "d/a b"), []byte("from ftp"), 0o644))
	return root
}

func TestFTP(t *testing.T) {
	host := ftpServer(t, ftpFolder(t), nil)
	fetched(t, Config{}, "ftp://"+host+"/d/a%20b", "from ftp")
	fetched(t, Config{}, "FTP://me:sesame@"+host+"/d/a%20b", "from ftp")
	failed(t, Config{}, "ftp://me:wrong@"+host+"/d/a%20b", "log in", "530")
	failed(t, Config{}, "ftp://"+host+"/missing", "retrieve", "the server answered 551")
	failed(t, Config{}, "ftp://"+host+"/a%0d%0aDELE%20b", "CR or LF")
	failed(t, Config{}, "ftp://127.0.0.1:1/x", "connect", "refused")
}

// The URI asks for TLS after the connection is made, on the port where servers expect that.
func TestFTPExplicitTLS(t *testing.T) {
	cert, pool := authority()
	host := ftpServer(t, ftpFolder(t), cert)
	dir, f := sandbox(t), open(t, Config{RootCAs: pool})
	_, f.sources.ftp.explicitPort, _ = net.SplitHostPort(host)
	must(t, f.Fetch(t.Context(), dir, nil, []Item{{URI: "ftps://me:sesame@" + host + "/d/a%20b"}}, nil))
	same(t, map[string]string{"a%20b": "644 from ftp"}, tree(t, dir))
	f.sources.ftp.tls.RootCAs = nil
	refused(t, f.Fetch(t.Context(), dir, nil, []Item{{URI: "ftps://me:sesame@" + host + "/d/a%20b"}}, nil), "certificate")
}

// ftpsServer speaks TLS from the first byte, which the library's server does not for data. It is just enough of a server,
// and can misbehave.
type ftpsServer struct {
	cert *tls.Config
	text string
	cut  int  // bytes that are sent before the transfer is given up; negative = all
	mute bool // sends no byte of data
	size bool
}

func (s *ftpsServer) start(t *testing.T) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", s.cert)
	must(t, err)
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			served.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		served.Wait() // which also shows that clients hang up
	})
	return l.Addr().String()
}

func (s *ftpsServer) serve(conn net.Conn) {
	defer conn.Close()
	say := func(text string) { fmt.Fprintf(conn, "%s\r\n", text) }
	say("220 hello")
	var data net.Listener
	for in := bufio.NewScanner(conn); in.Scan(); {
		switch verb, _, _ := strings.Cut(in.Text(), " "); verb {
		case "USER":
			say("331 password?")
		case "PASS":
			say("230 in")
		case "TYPE", "PBSZ", "PROT", "OPTS":
			say("200 fine")
		case "SIZE":
			if s.size {
				say(fmt.Sprintf("213 %d", len(s.text)))
			} else {
				say("502 no")
			}
		case "EPSV":
			data, _ = tls.Listen("tcp", "127.0.0.1:0", s.cert)
			defer data.Close()
			say(fmt.Sprintf("229 go (|||%d|)", data.Addr().(*net.TCPAddr).Port))
		case "RETR":
			say("150 here it comes")
			s.send(data, conn, say)
		default:
			say("502 no")
		}
	}
}

func (s *ftpsServer) send(data net.Listener, control net.Conn, say func(string)) {
	line, err := data.Accept()
	if err != nil {
		return
	}
	defer line.Close()
	switch {
	case s.mute:
		_ = line.(*tls.Conn).Handshake()
		_, _ = line.Read(make([]byte, 1)) // until the client hangs up
	case s.cut >= 0:
		fmt.Fprint(line, s.text[:s.cut])
		_ = line.Close()
		say("426 the disk broke")
	default:
		fmt.Fprint(line, s.text)
		_ = line.Close()
		say("226 that was all")
	}
}

func TestFTPImplicitTLS(t *testing.T) {
	cert, pool := authority()
	cfg := Config{RootCAs: pool}
	server := func(s ftpsServer) string {
		s.cert, s.text = cert, "from ftps"
		return "ftps://" + s.start(t) + "/x"
	}
	fetched(t, cfg, server(ftpsServer{cut: -1, size: true}), "from ftps")
	fetched(t, cfg, server(ftpsServer{cut: -1}), "from ftps")
	failed(t, cfg, server(ftpsServer{cut: 4}), "broke off", "426 the disk broke")
	failed(t, Config{}, server(ftpsServer{cut: -1}), "certificate")
	failed(t, Config{RootCAs: pool, Stall: 100 * time.Millisecond}, server(ftpsServer{mute: true}), "nothing arrived for 100ms")
}
