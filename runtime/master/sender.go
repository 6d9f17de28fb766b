package master

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/pacer-run/pacer/runtime/scheduler"
)

// Causes of calls that were never sent.
var (
	errNotSubscribed = errors.New("not subscribed to a master")
	errEnded         = errors.New("the subscription ended before the call was sent")
	errFull          = errors.New("too many calls wait to be sent")
)

// Send hands calls over, to be sent in this order, and returns at once. What the
// master does not take, or may not have taken, comes to the Sink as a CallFailed,
// and so does every call while there is no subscription. Calls belong to the
// subscription under which they were handed over: they are not sent under a later
// one, in which the offers they name are void.
func (c *Client) Send(ctx context.Context, calls []scheduler.Call) {
	sub := c.current.Load()
	for _, call := range calls {
		switch {
		case ctx.Err() != nil:
			c.failed(call, ctx.Err())
		case sub == nil:
			c.failed(call, errNotSubscribed)
		case !c.queue.put(queued{sub: sub, call: call}):
			c.failed(call, errFull)
		}
	}
}

func (c *Client) failed(call scheduler.Call, cause error) {
	c.tell(scheduler.CallFailed{Call: call, Cause: cause.Error()})
}

// deliverAll sends what is queued, one call at a time, until ctx ends. One at a time
// is what keeps the order: a master may take up requests of two connections in any.
func (c *Client) deliverAll(ctx context.Context) {
	for {
		q, ok := c.queue.take(ctx)
		if !ok {
			return
		}
		if err := c.deliver(q.sub, q.call); err != nil {
			c.failed(q.call, err)
		}
	}
}

// deliver sends one call; a nil error says that the master took it. A call that
// does no harm twice is repeated once when its outcome is not known.
func (c *Client) deliver(sub *subscription, call scheduler.Call) error {
	if sub.ctx.Err() != nil || sub.lost.Load() {
		return errEnded
	}
	body, err := c.encoder.encode(sub.framework, call)
	if err != nil {
		return err
	}
	answer := c.call(sub, body)
	if answer.unsure && repeatable(call) && sub.ctx.Err() == nil {
		answer = c.call(sub, body)
	}
	if answer.lost {
		sub.lose(answer.err)
	}
	return answer.err
}

// answer is what came of sending a call. The zero value says that it was taken.
type answer struct {
	err    error
	unsure bool // the master may have taken it, or may take it when asked again
	lost   bool // the subscription is no longer good
}

// call sends the bytes of a call once.
func (c *Client) call(sub *subscription, body []byte) answer {
	ctx, cancel := context.WithTimeout(sub.ctx, c.cfg.CallTimeout)
	defer cancel()
	resp, err := c.post(ctx, sub, body)
	if err != nil {
		return answer{err: fmt.Errorf("nobody knows whether the master took the call: %w", err), unsure: true}
	}
	status := resp.StatusCode
	if status == http.StatusAccepted || status == http.StatusOK {
		io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)) //nolint:errcheck // only to use the connection again
		resp.Body.Close()
		return answer{}
	}
	why := refusal(resp)
	return answer{
		err:    fmt.Errorf("the master answered %s", why),
		unsure: status == http.StatusTooManyRequests || (status >= 500 && status != http.StatusServiceUnavailable),
		lost:   redirects(status) || loses(status, why),
	}
}

// loses tells whether a refusal is about the subscription rather than the call:
// the master does not lead, or knows nothing of this stream.
func loses(status int, why string) bool {
	switch status {
	case http.StatusForbidden, http.StatusNotFound, http.StatusServiceUnavailable:
		return true
	case http.StatusBadRequest:
		return strings.Contains(why, "stream ID") || strings.Contains(why, streamHeader) ||
			strings.Contains(why, "Framework cannot be found")
	}
	return false
}

// post sends one request. The caller closes the body of the answer. Before the SUBSCRIBE is answered sub has no stream id.
func (c *Client) post(ctx context.Context, sub *subscription, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, sub.endpoint.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", mediaType)
	req.Header.Set("Accept", mediaType)
	if sub.streamID != "" {
		req.Header[streamHeader] = []string{sub.streamID}
	}
	if c.cfg.Credential != (Credential{}) {
		req.SetBasicAuth(c.cfg.Credential.Principal, c.cfg.Credential.Secret)
	}
	return c.http.RoundTrip(req)
}

// maxAnswer is how much of the body of an answer is read.
const maxAnswer = 1 << 10

// refusal reads status and text of an answer that is no success, and closes it.
func refusal(resp *http.Response) string {
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // what was read is enough
	if said := strings.TrimSpace(string(text)); said != "" {
		return resp.Status + ": " + said
	}
	return resp.Status
}
