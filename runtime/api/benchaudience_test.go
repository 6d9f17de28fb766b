package api

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const subscribers = 1000

// listenLoopback serves a handler until the benchmark ends. buffer, when it is not
// 0, bounds what the kernel holds for a client that reads nothing.
func listenLoopback(b *testing.B, h http.Handler, buffer int) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: h, ConnState: func(c net.Conn, state http.ConnState) {
		if state == http.StateNew && buffer > 0 {
			c.(*net.TCPConn).SetWriteBuffer(buffer) // the queues are looked at
		}
	}}
	go server.Serve(listener) // it ends with the benchmark
	b.Cleanup(func() { server.Close() })
	return listener.Addr().String()
}

// subscribe opens a stream and reads its head: the client is attached by then.
func subscribe(b *testing.B, address, query string, buffer int) (net.Conn, *bufio.Reader) {
	b.Helper()
	conn, r, err := attach(address, query, buffer)
	if err != nil {
		b.Fatal(err)
	}
	return conn, r
}

// attach is subscribe for any process.
func attach(address, query string, buffer int) (net.Conn, *bufio.Reader, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, nil, err
	}
	if buffer > 0 {
		conn.(*net.TCPConn).SetReadBuffer(buffer) // the queues are looked at
	}
	fmt.Fprintf(conn, "GET /v2/events?%s HTTP/1.1\r\nHost: x\r\n\r\n", query)
	r := bufio.NewReader(conn)
	for line := ""; line != "\r\n"; {
		if line, err = r.ReadString('\n'); err != nil {
			return nil, nil, err
		}
	}
	return conn, r, nil
}

// audience are subscribers of status updates that read as fast as they can.
type audience struct {
	conns   []net.Conn
	readers sync.WaitGroup
	frame   int // bytes of each event
	began   time.Time

	left    atomic.Int64 // bytes until all have what was announced
	arrived chan struct{}
	first   []byte            // all that the first has read
	got     []int             // bytes that each has read
	late    [][]time.Duration // how late each had each event
}

func gather(b *testing.B, address string, frame int) *audience {
	b.Helper()
	a := &audience{
		frame: frame, arrived: make(chan struct{}, 1),
		got: make([]int, subscribers), late: make([][]time.Duration, subscribers),
	}
	for i := range subscribers {
		conn, r := subscribe(b, address, "event_type=status_update_event", 0)
		if r.Buffered() > 0 {
			b.Fatal("an event nobody published")
		}
		a.conns = append(a.conns, conn)
		a.readers.Go(func() { a.read(i, conn) })
	}
	return a
}

func (a *audience) read(i int, conn net.Conn) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		if i == 0 {
			a.first = append(a.first, buffer[:n]...)
		}
		a.got[i] += n
		if a.got[i]%a.frame == 0 {
			a.late[i] = append(a.late[i], time.Since(a.began))
		}
		if a.left.Add(int64(-n)) == 0 {
			a.arrived <- struct{}{}
		}
	}
}

// hear publishes events and waits until every subscriber has each of them.
func (a *audience) hear(b *testing.B, events int, publish func()) time.Duration {
	b.Helper()
	a.left.Store(int64(events * a.frame * len(a.conns)))
	a.began = time.Now()
	for range events {
		publish()
	}
	select {
	case <-a.arrived:
	case <-time.After(time.Minute):
		b.Fatalf("%d bytes did not arrive", a.left.Load())
	}
	return time.Since(a.began)
}

// leave ends all and checks what they have: so many times the same event.
func (a *audience) leave(b *testing.B, frame []byte, events int) {
	b.Helper()
	for _, c := range a.conns {
		c.Close()
	}
	a.readers.Wait()
	for i, n := range a.got {
		if n != events*len(frame) {
			b.Fatalf("subscriber %d has %d bytes, want %d", i, n, events*len(frame))
		}
	}
	if !bytes.Equal(a.first, bytes.Repeat(frame, events)) {
		b.Fatal("the events that arrived are not those that were published")
	}
}
