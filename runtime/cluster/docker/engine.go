// Package docker runs containers through the Docker Engine API, for the agents of the embedded cluster.
package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// Engine is a Docker daemon. Its methods may be called by any goroutine.
type Engine struct{ api *client.Client }

// Open does not connect. host is the daemon's address, as in DOCKER_HOST; empty means the one of the environment, or
// the daemon's default.
func Open(host string) (*Engine, error) {
	options := []client.Opt{client.FromEnv}
	if host != "" {
		options = append(options, client.WithHost(host))
	}
	api, err := client.New(options...)
	if err != nil {
		return nil, fmt.Errorf("docker: %w", err)
	}
	return &Engine{api: api}, nil
}

// Close gives up the connections that are not in use.
func (e *Engine) Close() { _ = e.api.Close() }

// Ping tells whether the daemon answers.
func (e *Engine) Ping(ctx context.Context) error {
	_, err := e.api.Ping(ctx, client.PingOptions{})
	return err
}

// Container is what is known of a container at one moment.
type Container struct {
	ID       string
	Running  bool
	Started  bool // it has run, or runs
	ExitCode int
	OOM      bool                  // the kernel ended it for its memory
	Error    string                // why it could not be started
	IPs      map[string]netip.Addr // by the network's name; without those that have none
	Raw      json.RawMessage       // as the daemon tells it
	Labels   map[string]string
}

// ErrNoContainer says that there is no container of that name.
var ErrNoContainer = errors.New("no such container")

// Create makes a container and returns its id. It does not start it.
func (e *Engine) Create(ctx context.Context, s Spec) (string, error) {
	config, host, networking, err := s.options()
	if err != nil {
		return "", err
	}
	created, err := e.api.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config: config, HostConfig: host, NetworkingConfig: networking, Name: s.Name,
	})
	return created.ID, err
}

// Start starts a container that was made.
func (e *Engine) Start(ctx context.Context, id string) error {
	_, err := e.api.ContainerStart(ctx, id, client.ContainerStartOptions{})
	return err
}

// Inspect looks at a container by its id or name; ErrNoContainer when there is none.
func (e *Engine) Inspect(ctx context.Context, name string) (Container, error) {
	result, err := e.api.ContainerInspect(ctx, name, client.ContainerInspectOptions{})
	if errdefs.IsNotFound(err) {
		return Container{}, ErrNoContainer
	}
	if err != nil {
		return Container{}, err
	}
	c := Container{ID: result.Container.ID, Raw: result.Raw, IPs: map[string]netip.Addr{}}
	if s := result.Container.State; s != nil {
		c.Running, c.ExitCode, c.OOM, c.Error = s.Running, s.ExitCode, s.OOMKilled, s.Error
		started, err := time.Parse(time.RFC3339Nano, s.StartedAt)
		c.Started = err == nil && started.Year() > 1
	}
	if result.Container.Config != nil {
		c.Labels = result.Container.Config.Labels
	}
	if n := result.Container.NetworkSettings; n != nil {
		for name, end := range n.Networks {
			if end != nil && end.IPAddress.IsValid() {
				c.IPs[name] = end.IPAddress
			}
		}
	}
	return c, nil
}

// Wait returns the exit status once the container does not run any more.
func (e *Engine) Wait(ctx context.Context, id string) (int, error) {
	wait := e.api.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case end := <-wait.Result:
		if end.Error != nil {
			return 0, errors.New(end.Error.Message)
		}
		return int(end.StatusCode), nil
	case err := <-wait.Error:
		if errdefs.IsNotFound(err) {
			return 0, ErrNoContainer
		}
		return 0, err
	}
}

// Stop sends the image's stop signal, and SIGKILL after grace, which counts whole seconds, rounded up. It returns when
// the container has ended.
func (e *Engine) Stop(ctx context.Context, id string, grace time.Duration) error {
	seconds := int((grace + time.Second - 1) / time.Second)
	_, err := e.api.ContainerStop(ctx, id, client.ContainerStopOptions{Timeout: &seconds})
	return err
}

// Remove ends a container if it runs, and removes it with its unnamed volumes. One that is not there is no error.
func (e *Engine) Remove(ctx context.Context, id string) error {
	_, err := e.api.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}

// List returns the names of the containers, running or not, that have a label of the given value.
func (e *Engine) List(ctx context.Context, label, value string) ([]string, error) {
	filters := make(client.Filters).Add("label", label+"="+value)
	found, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, c := range found.Items {
		for _, name := range c.Names {
			if len(name) > 1 && name[0] == '/' {
				out = append(out, name[1:])
				break
			}
		}
	}
	return out, nil
}

// Exec runs a command in a container and returns its exit status. Ending ctx gives up waiting; the command goes on until
// the container ends, as the API cannot end it.
func (e *Engine) Exec(ctx context.Context, id string, argv, env []string) (int, error) {
	made, err := e.api.ExecCreate(ctx, id, client.ExecCreateOptions{Cmd: argv, Env: env, AttachStdout: true, AttachStderr: true})
	if err != nil {
		return 0, err
	}
	attached, err := e.api.ExecAttach(ctx, made.ID, client.ExecAttachOptions{})
	if err != nil {
		return 0, err
	}
	defer attached.Close()
	stop := context.AfterFunc(ctx, attached.Close)
	defer stop()
	_, err = io.Copy(io.Discard, attached.Reader) // until it has ended
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if err != nil {
		return 0, err
	}
	end, err := e.api.ExecInspect(ctx, made.ID, client.ExecInspectOptions{})
	return end.ExitCode, err
}
