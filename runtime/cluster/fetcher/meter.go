package fetcher

import (
	"context"
	"fmt"
	"io"
)

// meter counts what comes out of an archive.
type meter struct {
	limit, ratio, from int64
	packed             int64 // bytes of the archive
	n                  int64
}

// bombError is a small file that becomes a large one.
type bombError string

func (e bombError) Error() string { return "archive bomb: " + string(e) }

func (m *meter) add(n int) error {
	m.n += int64(n)
	switch {
	case m.n > m.limit:
		return bombError(fmt.Sprintf("more than %d bytes", m.limit))
	case m.n > m.from && m.n/m.ratio > m.packed:
		return bombError(fmt.Sprintf("more than %d bytes of an archive of %d, expected up to %d times as many", m.n-int64(n), m.packed, m.ratio))
	}
	return nil
}

// metered counts what is read.
type metered struct {
	io.Reader
	m *meter
}

func (r metered) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if over := r.m.add(n); over != nil {
		return 0, over
	}
	return n, err
}

// reading ends with its context.
type reading struct {
	ctx context.Context //nolint:containedctx // it lives as long as one call
	io.Reader
}

func (r reading) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

// onlyWriter hides ReadFrom, which would read in pieces of 32 KiB all the same but past the meter's error.
type onlyWriter struct{ io.Writer }
