package docker

import (
	"context"
	"io"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"
)

// Follow copies what a container writes, from its first byte on, until it has ended and everything was copied. Of each
// stream the first bytes are left out that were copied before. tty says that the container has a terminal: then there is
// one stream only.
func (e *Engine) Follow(ctx context.Context, id string, tty bool, skipOut, skipErr int64, stdout, stderr io.Writer) error {
	logs, err := e.api.ContainerLogs(ctx, id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Follow: true})
	if err != nil {
		return err
	}
	defer logs.Close()
	out := &skipper{to: stdout, left: skipOut}
	if tty {
		_, err = io.Copy(out, logs)
		return err
	}
	_, err = stdcopy.StdCopy(out, &skipper{to: stderr, left: skipErr}, logs)
	return err
}

// skipper leaves the first bytes out.
type skipper struct {
	to   io.Writer
	left int64
}

// Write passes on what lies behind the bytes that are left out.
func (s *skipper) Write(p []byte) (int, error) {
	if s.left >= int64(len(p)) {
		s.left -= int64(len(p))
		return len(p), nil
	}
	skipped := int(s.left)
	s.left = 0
	n, err := s.to.Write(p[skipped:])
	return skipped + n, err
}
