package cluster

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/cluster/executor"
)

// finding is the result of one probe. An error means that there was none in time.
type finding struct {
	code int // HTTP status or exit status; for TCP 0 if connected, else 1
	err  error
}

// probe looks at a task once. It runs off the loop and is bounded by its context.
type probe func(ctx context.Context) finding

// probeHost is the address under which a task is probed: the container's own where it has one, else loopback.
func (r *run) probeHost(p *mesos.NetworkInfo_Protocol) string {
	if r.inside != nil && r.inside.ip != "" {
		return r.inside.ip
	}
	if p != nil && *p == mesos.IPv6 {
		return "::1"
	}
	return "127.0.0.1"
}

// maxRedirects is how many curl follows.
const maxRedirects = 50

// httpProbe asks for a page as curl does, by which executors of Mesos ask: it follows redirects, takes the whole answer, and
// does not care about certificates.
func httpProbe(scheme, host string, port uint32, path string) probe {
	if scheme == "" {
		scheme = "http"
	}
	url := scheme + "://" + net.JoinHostPort(host, fmt.Sprint(port)) + path
	return func(ctx context.Context) finding {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return finding{err: err}
		}
		req.Header.Set("Accept", "*/*")
		client := &http.Client{
			Transport: &http.Transport{
				DisableKeepAlives: true, DisableCompression: true,
				TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // the task's own certificate, as with curl -k
			},
			CheckRedirect: func(_ *http.Request, via []*http.Request) error {
				if len(via) > maxRedirects {
					return fmt.Errorf("more than %d redirects", maxRedirects)
				}
				return nil
			},
		}
		resp, err := client.Do(req)
		if err != nil {
			return finding{err: err}
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return finding{err: err}
		}
		return finding{code: resp.StatusCode}
	}
}

// tcpProbe connects. A connection that does not come in time is no finding, as with the other probes.
func tcpProbe(host string, port uint32) probe {
	return func(ctx context.Context) finding {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(host, fmt.Sprint(port)))
		switch {
		case err == nil:
			conn.Close()
			return finding{}
		case ctx.Err() != nil:
			return finding{err: ctx.Err()}
		default:
			return finding{code: 1}
		}
	}
}

// commandProbe runs a command where the task is.
func (p *processes) commandProbe(r *run, info *mesos.CommandInfo) probe {
	if isDocker(r.task) {
		return p.containerProbe(r, info)
	}
	return sandboxProbe(r, info)
}

// containerProbe runs a command in the task's container.
func (p *processes) containerProbe(r *run, info *mesos.CommandInfo) probe {
	path, args := command(info)
	argv, env, id := append([]string{path}, args[1:]...), withVariables(nil, info), r.inside.id
	return func(ctx context.Context) finding {
		code, err := p.engine.Exec(ctx, id, argv, env)
		return finding{code: code, err: err}
	}
}

// sandboxProbe runs a command in the task's sandbox, with its environment and as its user. What is still running of it
// when the time is over is killed.
func sandboxProbe(r *run, info *mesos.CommandInfo) probe {
	path, args := command(info)
	env := withVariables(environment(r), info)
	sandbox, account := r.sandbox(), taskUser(r)
	return func(ctx context.Context) finding {
		path, err := executor.LookPath(path, env)
		if err != nil {
			return finding{err: err}
		}
		cmd := exec.CommandContext(ctx, path)
		cmd.Args, cmd.Env, cmd.Dir = args, env, sandbox
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if cmd.SysProcAttr.Credential, err = credential(account); err != nil {
			return finding{err: err}
		}
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
		cmd.WaitDelay = time.Second
		err = cmd.Run()
		if ctx.Err() != nil {
			return finding{err: ctx.Err()}
		}
		if cmd.ProcessState == nil {
			return finding{err: err}
		}
		return finding{code: cmd.ProcessState.ExitCode()}
	}
}

// credential is that of a user's name, nil when it is the one this process has.
func credential(name string) (*syscall.Credential, error) {
	if name == "" || name == "root" {
		return nil, nil
	}
	account, err := lookAccount(name)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: account.UID, Gid: account.GID, Groups: account.Groups}, nil
}

// taskUser is the name of the user a task runs as; "" where this process may not choose.
func taskUser(r *run) string {
	if os.Geteuid() != 0 {
		return ""
	}
	if u := r.task.GetCommand().GetUser(); u != "" {
		return u
	}
	return r.framework.User
}
