package health

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync/atomic"
	"time"
)

// outcome is what one probe found.
type outcome struct {
	good     bool
	cause    string
	status   int
	response *Response
	late     bool // there was no answer in time
	nothing  bool // it found nothing that counts
}

// errLate ends a probe whose time is over.
var errLate = errors.New("no answer in time")

const (
	// drainTime and drainBytes are what is spent on the rest of an answer so that
	// its connection can be kept.
	drainTime  = time.Second
	drainBytes = 64 << 10
)

// ask makes one probe. reuse says that its connection is to be kept.
func (c *client) ask(ctx context.Context, p *probe, reuse bool) (found outcome) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	began := time.Now()
	timer := time.AfterFunc(p.Timeout, func() { cancel(errLate) })
	defer timer.Stop()
	var err error
	switch {
	case p.fault != "":
		err = errors.New(p.fault)
	case p.url == nil:
		err = c.connect(ctx, p)
		found.good = err == nil
	default:
		err = c.get(ctx, p, reuse, &found, func() { timer.Reset(min(drainTime, max(0, p.Timeout-time.Since(began)))) })
	}
	if err == nil {
		return found
	}
	if found.late = errors.Is(context.Cause(ctx), errLate); found.late {
		err = fmt.Errorf("no answer within %v", p.Timeout)
	}
	found.cause = err.Error()
	if p.Readiness != nil && p.Readiness.PreserveLastResponse {
		found.response = noResponse(p, found.cause)
	}
	return found
}

// connect is all of a TCP check.
func (c *client) connect(ctx context.Context, p *probe) error {
	conn, err := c.dial(ctx, "tcp", p.address)
	if err == nil {
		conn.Close()
	}
	return err
}

// get asks by HTTP. answered is called when only the rest of the answer is to come.
func (c *client) get(ctx context.Context, p *probe, reuse bool, found *outcome, answered func()) error {
	var informed atomic.Bool // there was an informational answer
	if p.IgnoreHTTP1xx {
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			Got1xxResponse: func(int, textproto.MIMEHeader) error { informed.Store(true); return nil },
		})
	}
	request := &http.Request{
		Method: http.MethodGet, URL: p.url, Host: p.url.Host, Header: c.header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Close: !reuse,
	}
	response, err := c.transport.RoundTrip(request.WithContext(context.WithValue(ctx, probeContext{}, ctx)))
	if err != nil {
		found.nothing = informed.Load()
		return err
	}
	defer response.Body.Close()
	found.status, found.good = response.StatusCode, p.good(response.StatusCode)
	found.nothing = p.IgnoreHTTP1xx && response.StatusCode < 200
	if !found.good {
		found.cause = "HTTP status " + cmp.Or(strings.TrimSpace(response.Status), fmt.Sprint(response.StatusCode))
	}
	switch {
	case p.Readiness != nil && p.Readiness.PreserveLastResponse:
		found.response = preserve(response)
	case reuse && found.good:
		// With its rest read, and only then, the connection goes back.
		answered()
		_, _ = io.CopyN(io.Discard, response.Body, drainBytes)
	}
	return nil
}

// preserve keeps what a readiness check shows. What comes of the body in time does.
func preserve(r *http.Response) *Response {
	body, _ := io.ReadAll(io.LimitReader(r.Body, MaxBody))
	return &Response{
		Status: r.StatusCode, ContentType: r.Header.Get("Content-Type"), Body: cut(strings.ToValidUTF8(string(body), "\uFFFD"), MaxBody),
	}
}

// noResponse is the answer where there was none, in the words of the API.
func noResponse(p *probe, cause string) *Response {
	address := p.address
	if p.url != nil {
		address = p.url.String()
	}
	return &Response{
		Status: http.StatusGatewayTimeout, ContentType: "text/plain",
		Body: cut(fmt.Sprintf("Marathon could not query URL: %s: %s", address, cause), MaxBody),
	}
}
