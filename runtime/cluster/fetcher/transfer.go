package fetcher

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"time"
)

// request is one file as one user may read it.
type request struct {
	uri   string
	owner *Owner // nil = the account of this process

	sha256 string // of the bytes; empty = any
	limit  int64  // bytes
}

// user is the name of the owner, empty for the account of this process.
func (r request) user() string {
	if r.owner == nil {
		return ""
	}
	return r.owner.User
}

// blob is an opened source. Its Read returns io.EOF only when the source says that this was all.
type blob struct {
	io.ReadCloser
	size int64       // -1 = unknown
	perm fs.FileMode // 0 = 0644
}

// writeError is a fault on our own side.
type writeError struct{ error }

func (e writeError) Unwrap() error { return e.error }

var errStalled = errors.New("nothing arrived")

const (
	bufferSize = 256 << 10
	reportStep = 1 << 20 // bytes between two reports of progress
)

// transfer copies what is requested to where create says, once it is known how much it is. After an error the target is
// closed and incomplete.
func (f *Fetcher) transfer(ctx context.Context, req request, create func(*blob) (io.WriteCloser, error), report func(bytes, total int64)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(f.cfg.Stall, func() { cancel(fmt.Errorf("%w for %v", errStalled, f.cfg.Stall)) })
	defer watchdog.Stop()
	source, err := f.sources.of(req.uri)
	if err != nil {
		return err
	}
	body, err := source.open(ctx, req)
	if err != nil {
		return interrupted(ctx, err)
	}
	defer body.Close()
	if body.size > req.limit {
		return tooLong(req.limit)
	}
	file, err := create(body)
	if err != nil {
		return err
	}
	report(0, body.size)
	digest := sha256.New()
	var dst io.Writer = file
	if req.sha256 != "" {
		dst = digesting{file, digest}
	}
	n, err := copyTo(ctx, dst, body, req.limit, func(n int64) { report(n, body.size) }, func() { watchdog.Reset(f.cfg.Stall) })
	if shut := file.Close(); err == nil && shut != nil {
		err = writeError{shut}
	}
	if err == nil && body.size >= 0 && n != body.size {
		err = fmt.Errorf("%d bytes arrived, expected %d", n, body.size)
	}
	if err == nil && req.sha256 != "" {
		err = checkDigest(digest, req.sha256)
	}
	return interrupted(ctx, err)
}

// digesting writes, and digests what it wrote.
type digesting struct {
	io.Writer
	digest hash.Hash
}

func (d digesting) Write(p []byte) (int, error) {
	n, err := d.Writer.Write(p)
	d.digest.Write(p[:n]) // it never fails
	return n, err
}

func checkDigest(digest hash.Hash, expected string) error {
	if got := hex.EncodeToString(digest.Sum(nil)); got != expected {
		return fmt.Errorf("its SHA-256 is %s, expected %s", got, expected)
	}
	return nil
}

// copyTo reports every now and then and at the end, and calls alive for whatever arrives.
func copyTo(ctx context.Context, dst io.Writer, src io.Reader, limit int64, report func(int64), alive func()) (int64, error) {
	buffer := make([]byte, bufferSize)
	var n, reported int64
	for {
		got, err := src.Read(buffer)
		if got > 0 {
			alive()
			if n += int64(got); n > limit {
				return n, tooLong(limit)
			}
			if _, err := dst.Write(buffer[:got]); err != nil {
				return n, writeError{err}
			}
			if n-reported >= reportStep {
				report(n)
				reported = n
			}
		}
		switch {
		case errors.Is(err, io.EOF) && ctx.Err() == nil:
			report(n)
			return n, nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			return n, fmt.Errorf("the transfer broke off after %d bytes: %w", n, err)
		case err != nil:
			return n, err
		case ctx.Err() != nil:
			return n, ctx.Err()
		}
	}
}

func tooLong(limit int64) error { return fmt.Errorf("the file has more than %d bytes", limit) }

// interrupted prefers the reason for which ctx ended to what broke because of that.
func interrupted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
