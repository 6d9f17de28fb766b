package api

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// asSubscribers in the environment makes this program the subscribers of a burst:
// "address frame events", where frame is the length of each event.
const asSubscribers = "PACER_BENCH_SUBSCRIBERS"

// TestMain runs the tests, or what they run as a process of its own.
func TestMain(m *testing.M) {
	if task := os.Getenv(asSubscribers); task != "" {
		if err := hearBurst(task); err != nil {
			fmt.Fprintln(os.Stderr, "subscribers:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// hearBurst attaches all, says so, reads a burst to its end and says what came of
// it: the processor time that it took, and the sum of an event.
func hearBurst(task string) error {
	var address string
	var frame, events int
	if _, err := fmt.Sscan(task, &address, &frame, &events); err != nil {
		return err
	}
	var conns []net.Conn
	for range subscribers {
		conn, r, err := attach(address, "event_type=status_update_event", 0)
		if err != nil {
			return err
		}
		defer conn.Close()
		if r.Buffered() > 0 {
			return errors.New("an event nobody published")
		}
		conns = append(conns, conn)
	}
	fmt.Println("attached")
	began, faults := cpu(), make([]error, len(conns))
	var first []byte
	var readers sync.WaitGroup
	for i, conn := range conns {
		readers.Go(func() {
			var text []byte
			if text, faults[i] = readBurst(conn, frame, events); i == 0 {
				first = text
			}
		})
	}
	readers.Wait()
	if err := errors.Join(faults...); err != nil {
		return err
	}
	fmt.Printf("%d %x\n", cpu()-began, sha256.Sum256(first))
	return nil
}

// readBurst reads so many times the same event, which it returns.
func readBurst(conn net.Conn, frame, events int) ([]byte, error) {
	buffer, first, got := make([]byte, 64<<10), make([]byte, 0, frame), 0
	for got < frame*events {
		n, err := conn.Read(buffer)
		if err != nil {
			return nil, fmt.Errorf("after %d of %d bytes: %w", got, frame*events, err)
		}
		for text := buffer[:n]; len(text) > 0; {
			at := got % frame
			part := text[:min(len(text), frame-at)]
			if len(first) < frame {
				first = append(first, part...)
			} else if !bytes.Equal(part, first[at:at+len(part)]) {
				return nil, errors.New("another event")
			}
			text, got = text[len(part):], got+len(part)
		}
	}
	if got != frame*events {
		return nil, fmt.Errorf("%d bytes, want %d", got, frame*events)
	}
	return first, nil
}

// burst has subscribers in a second process hear events, and returns the processor
// time of this process, of both, and how long it took until all had all.
func burst(b *testing.B, address string, frame []byte, events int, publish func()) (own, both, took time.Duration) {
	b.Helper()
	program, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	c := exec.CommandContext(b.Context(), program)
	c.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %d", asSubscribers, address, len(frame), events))
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	said := bufio.NewReader(out)
	if line, err := said.ReadString('\n'); line != "attached\n" {
		b.Fatalf("the subscribers said %q: %v", line, err)
	}
	before, began := cpu(), time.Now()
	for range events {
		publish()
	}
	line, err := said.ReadString('\n')
	own, took = cpu()-before, time.Since(began)
	var theirs time.Duration
	var sum string
	if _, scanned := fmt.Sscan(strings.TrimSpace(line), (*int64)(&theirs), &sum); scanned != nil {
		b.Fatalf("the subscribers said %q: %v", line, err)
	}
	if want := fmt.Sprintf("%x", sha256.Sum256(frame)); sum != want {
		b.Fatal("the events that arrived are not those that were published")
	}
	io.Copy(io.Discard, said) // to its end
	if err := c.Wait(); err != nil {
		b.Fatal(err)
	}
	return own, own + theirs, took
}
