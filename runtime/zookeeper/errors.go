package zookeeper

import (
	"errors"

	"github.com/go-zookeeper/zk"
)

// Errors that callers decide on. They are found with errors.Is; what is returned
// also names the operation and the path.
var (
	ErrNoNode     = errors.New("no such node")
	ErrNodeExists = errors.New("node exists")
	ErrBadVersion = errors.New("node has another version")
	ErrNotEmpty   = errors.New("node has children")
	ErrNoAuth     = errors.New("access denied: wrong or missing credentials in the zk:// URL")
	// ErrLost: the connection broke before an answer came. Whether a write was
	// done is unknown.
	ErrLost = errors.New("connection lost before the answer")
	// ErrExpired: the session is over, and its ephemeral nodes are gone or going.
	ErrExpired = errors.New("session expired")
	// ErrClosed: Close was called on the connection.
	ErrClosed = errors.New("connection closed")
)

// translate turns the library's errors into this package's.
func translate(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, zk.ErrNoNode):
		return ErrNoNode
	case errors.Is(err, zk.ErrNodeExists):
		return ErrNodeExists
	case errors.Is(err, zk.ErrBadVersion):
		return ErrBadVersion
	case errors.Is(err, zk.ErrNotEmpty):
		return ErrNotEmpty
	case errors.Is(err, zk.ErrNoAuth), errors.Is(err, zk.ErrAuthFailed), errors.Is(err, zk.ErrInvalidACL):
		return ErrNoAuth
	case errors.Is(err, zk.ErrConnectionClosed), errors.Is(err, zk.ErrNoServer), errors.Is(err, zk.ErrSessionMoved):
		return ErrLost
	case errors.Is(err, zk.ErrSessionExpired):
		return ErrExpired
	case errors.Is(err, zk.ErrClosing):
		return ErrClosed
	}
	return err
}
