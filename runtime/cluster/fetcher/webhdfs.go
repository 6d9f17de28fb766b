package fetcher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/user"
	"strings"
)

// maxAnswer bounds what a namenode may say about a file.
const maxAnswer = 1 << 20

// openHDFS reads a file by WebHDFS. The namenode is asked for the size first: what a datanode sends need not have one.
func (w *web) openHDFS(ctx context.Context, base, path, user string) (*blob, error) {
	address, err := url.Parse(strings.TrimSuffix(base, "/"))
	if err != nil || address.Host == "" {
		return nil, fmt.Errorf("WebHDFS at %q, expected http:// or https:// and a host", Redacted(base))
	}
	size, err := w.statusHDFS(ctx, operation(address, path, user, "GETFILESTATUS"))
	if err != nil {
		return nil, err
	}
	resp, err := w.get(ctx, operation(address, path, user, "OPEN"))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, remoteException(resp)
	}
	return &blob{ReadCloser: resp.Body, size: size}, nil
}

// operation is the URL of one. In the path every character is the file's.
func operation(base *url.URL, path, user, op string) *url.URL {
	out := *base
	out.Path = base.Path + "/webhdfs/v1" + path
	out.RawPath = ""
	out.RawQuery = url.Values{"op": {op}, "user.name": {user}}.Encode()
	return &out
}

// statusHDFS is the size of a file.
func (w *web) statusHDFS(ctx context.Context, u *url.URL) (int64, error) {
	resp, err := w.get(ctx, u)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, remoteException(resp)
	}
	var answer struct {
		FileStatus *struct {
			Type   string
			Length int64
		}
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&answer)
	switch {
	case err != nil:
		return 0, fmt.Errorf("read the status of the file: %w", err)
	case answer.FileStatus == nil:
		return 0, errors.New("the answer has no status of the file, expected one of WebHDFS")
	case answer.FileStatus.Type != "FILE":
		return 0, errors.New("is a folder, expected a file")
	}
	return answer.FileStatus.Length, nil
}

// remoteException is a refusal in the namenode's own words.
func remoteException(resp *http.Response) error {
	var answer struct {
		RemoteException struct{ Exception, Message string }
	}
	_ = json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&answer) // without it the status has to do
	if e := answer.RemoteException; e.Exception != "" {
		return fmt.Errorf("the server answered %d %s: %s", resp.StatusCode, e.Exception, e.Message)
	}
	return statusError(resp)
}

// currentUser is the name of this process' account.
func currentUser() string {
	u, err := user.Current()
	if err != nil {
		return "root" // of systems without a list of accounts, which run nothing else
	}
	return u.Username
}
