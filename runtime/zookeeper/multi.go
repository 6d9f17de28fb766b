package zookeeper

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-zookeeper/zk"
)

// Op is one operation of a Multi: CreateOp, SetOp, DeleteOp or CheckOp.
type Op interface {
	request(*Conn) any
	target() string
}

// CreateOp makes a persistent node.
type CreateOp struct {
	Path string
	Data []byte
}

// SetOp replaces the data of a node that has the version, or AnyVersion.
type SetOp struct {
	Path    string
	Data    []byte
	Version int32
}

// DeleteOp removes a node of any version.
type DeleteOp struct{ Path string }

// CheckOp changes nothing; it fails unless the node has the version.
type CheckOp struct {
	Path    string
	Version int32
}

func (o CreateOp) request(c *Conn) any {
	return &zk.CreateRequest{Path: o.Path, Data: o.Data, Acl: c.acl(), Flags: zk.FlagPersistent}
}

func (o SetOp) request(*Conn) any {
	return &zk.SetDataRequest{Path: o.Path, Data: o.Data, Version: o.Version}
}
func (o DeleteOp) request(*Conn) any { return &zk.DeleteRequest{Path: o.Path, Version: -1} }
func (o CheckOp) request(*Conn) any {
	return &zk.CheckVersionRequest{Path: o.Path, Version: o.Version}
}

func (o CreateOp) target() string { return o.Path }
func (o SetOp) target() string    { return o.Path }
func (o DeleteOp) target() string { return o.Path }
func (o CheckOp) target() string  { return o.Path }

// MultiError says which operation of a Multi failed; it wraps why.
type MultiError struct {
	Index int // of the operation
	Path  string
	Err   error
}

// Error names the operation's path.
func (e *MultiError) Error() string {
	return fmt.Sprintf("operation %d on %s: %v", e.Index, e.Path, e.Err)
}

// Unwrap is the cause, such as ErrBadVersion.
func (e *MultiError) Unwrap() error { return e.Err }

// Multi does all the operations, in their order, or none. When the servers refuse
// one, the error wraps a *MultiError. A request near 1 MiB (the servers' default
// jute.maxbuffer) makes them drop the connection: callers stay below it.
func (c *Conn) Multi(ctx context.Context, ops ...Op) error {
	requests := make([]any, len(ops))
	for i, op := range ops {
		requests[i] = op.request(c)
	}
	_, err := call(ctx, c, "multi", ops[0].target(), func(z *zk.Conn) (struct{}, error) {
		results, err := z.Multi(requests...)
		return struct{}{}, refusal(ops, results, err)
	})
	return err
}

// refusal finds the operation at fault: the servers answer every other one with
// success, if it came before, or with "runtime inconsistency".
func refusal(ops []Op, results []zk.MultiResponse, err error) error {
	if err != nil && len(results) == 0 {
		return err
	}
	for i, r := range results {
		cause := translate(r.Error)
		for _, known := range []error{ErrBadVersion, ErrNoNode, ErrNodeExists, ErrNotEmpty, ErrNoAuth} {
			if errors.Is(cause, known) && i < len(ops) {
				return &MultiError{Index: i, Path: ops[i].target(), Err: cause}
			}
		}
	}
	return err
}
