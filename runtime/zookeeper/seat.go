package zookeeper

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/go-zookeeper/zk"
)

// Seat is an ephemeral node with a number given by the servers, in a queue of
// such nodes under one parent: whoever has the lowest number leads.
type Seat struct {
	Parent string
	Name   string // prefix and ten digits
	Number int64
	// Session owns the node: it stays as long as that session, Suspended or not.
	Session *Session
}

// Path is the node's.
func (s Seat) Path() string { return Join(s.Parent, s.Name) }

// SeatNumber is the number behind the last underscore of a name with the prefix;
// false for every other name.
func SeatNumber(name, prefix string) (int64, bool) {
	if !strings.HasPrefix(name, prefix) {
		return 0, false
	}
	digits := name[strings.LastIndexByte(name, '_')+1:]
	n, err := strconv.ParseInt(digits, 10, 64)
	// Past 2^31 the servers count on from the lowest negative number; a queue
	// that old is not to be read in the wrong order.
	return n, err == nil && n >= 0
}

// TakeSeat makes a node for data at the end of parent's queue; prefix ends in an
// underscore. parent must exist. A broken connection does not leave a second node
// behind: the queue is searched for one that this session owns and that has the
// same prefix and data. Two seats of one Conn in one queue must differ in data.
func (c *Conn) TakeSeat(ctx context.Context, parent, prefix string, data []byte) (Seat, error) {
	for {
		session, err := c.Session(ctx)
		if err != nil {
			return Seat{}, err
		}
		seat, err := c.findSeat(ctx, session, parent, prefix, data)
		if errors.Is(err, ErrNoNode) {
			seat, err = c.createSeat(ctx, session, parent, prefix, data)
		}
		if err == nil && c.still(session) {
			return seat, nil
		}
		// Answers of a session that ended meanwhile are of no use, nor is it known
		// then in which session the node was made: look again.
		if err != nil && !errors.Is(err, ErrLost) && !errors.Is(err, ErrExpired) || ctx.Err() != nil {
			return Seat{}, err
		}
	}
}

// still says whether the session is the current one, without a break.
func (c *Conn) still(s *Session) bool {
	select {
	case <-s.suspended:
		return false
	default:
		return true
	}
}

// createSeat leaves no node behind when ctx ends while the servers make it: either
// the seat is returned all the same, or it is given up as soon as it is there.
func (c *Conn) createSeat(ctx context.Context, s *Session, parent, prefix string, data []byte) (Seat, error) {
	var settled atomic.Bool // by whoever is first: the seat's coming or the caller's going
	made := make(chan string, 1)
	_, err := call(ctx, c, "create", Join(parent, prefix), func(z *zk.Conn) (struct{}, error) {
		path, err := z.Create(Join(parent, prefix), data, zk.FlagEphemeral|zk.FlagSequence, c.acl())
		switch {
		case err != nil:
		case settled.CompareAndSwap(false, true):
			made <- path
		default:
			err = z.Delete(path, AnyVersion)
		}
		return struct{}{}, err
	})
	if err != nil && (ctx.Err() == nil || settled.CompareAndSwap(false, true)) {
		return Seat{}, err
	}
	path := <-made
	name := path[strings.LastIndexByte(path, '/')+1:]
	number, _ := SeatNumber(name, prefix)
	return Seat{Parent: parent, Name: name, Number: number, Session: s}, nil
}

// findSeat is ErrNoNode when the session has no such node.
func (c *Conn) findSeat(ctx context.Context, s *Session, parent, prefix string, data []byte) (Seat, error) {
	names, err := c.Children(ctx, parent)
	if err != nil {
		return Seat{}, err
	}
	for _, name := range names {
		number, ok := SeatNumber(name, prefix)
		if !ok {
			continue
		}
		there, stat, err := c.Data(ctx, Join(parent, name))
		if errors.Is(err, ErrNoNode) {
			continue
		}
		if err != nil {
			return Seat{}, err
		}
		if stat.Owner == s.id && bytes.Equal(there, data) {
			return Seat{Parent: parent, Name: name, Number: number, Session: s}, nil
		}
	}
	return Seat{}, ErrNoNode
}

// Ahead is the name of the seat that is next before the given one, and whether
// the given one is still there at all. Nobody ahead gives "".
func (s Seat) Ahead(names []string, prefix string) (ahead string, seated bool) {
	best := int64(-1)
	for _, name := range names {
		number, ok := SeatNumber(name, prefix)
		switch {
		case !ok:
		case name == s.Name:
			seated = true
		case number < s.Number && number > best:
			ahead, best = name, number
		}
	}
	return ahead, seated
}
