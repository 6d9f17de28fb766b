package fetcher

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// web reads http and https.
type web struct{ client *http.Client }

const maxRedirects = 20

func newWeb(trust *tls.Config) *web {
	return &web{&http.Client{Transport: newTransport(trust), CheckRedirect: redirected}}
}

// redirected lets the password of the first URL go to its own host only, and there only by the scheme that it had.
func redirected(next *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	from := via[0].URL
	if next.URL.User == nil && from.User != nil && next.URL.Host == from.Host && next.URL.Scheme == from.Scheme {
		next.URL.User = from.User
	}
	next.Header.Del("Referer") // it may have a signature in its query
	return nil
}

func (w *web) open(ctx context.Context, req request) (*blob, error) {
	u, err := url.Parse(req.uri)
	if err != nil {
		return nil, withoutURL(err)
	}
	if u.Host == "" {
		return nil, errors.New("the URI has no host")
	}
	resp, err := w.get(ctx, u)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		return nil, statusError(resp)
	}
	return &blob{ReadCloser: resp.Body, size: resp.ContentLength}, nil
}

func (w *web) get(ctx context.Context, u *url.URL) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, withoutURL(err)
	}
	r.Header.Set("Accept", "*/*")
	r.Header.Set("User-Agent", "Pacer")
	resp, err := w.client.Do(r)
	return resp, withoutURL(err)
}

func statusError(resp *http.Response) error {
	return fmt.Errorf("the server answered %d %s, expected 200", resp.StatusCode, http.StatusText(resp.StatusCode))
}

// withoutURL drops the URL from an error: who reads it knows which, and it may have secrets, in redirects too.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}
