package master

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// AgentFiles reads the files of tasks over the agents' operator API. The zero
// value works, without credentials. Its methods may be called by any goroutine.
type AgentFiles struct {
	HTTP       *http.Client // nil means one of its own without a timeout: contexts bound the calls
	Credential Credential   // used when its Principal is set
}

// ErrNoAgentFile says that the agent has no such file.
var ErrNoAgentFile = errors.New("no such file on the agent")

// AgentFile is one entry of a folder.
type AgentFile struct {
	Path     string
	Size     int64  // bytes
	Mode     uint32 // st_mode
	Modified time.Time
	User     string
	Group    string
}

// maxAgentAnswer bounds an agent's answer in bytes: sixteen pages of a file in
// base64, or a long folder.
const maxAgentAnswer = 16 << 20

// List returns what a folder holds, by name; nothing for a file. Endpoint is the
// agent's "address:port".
func (a *AgentFiles) List(ctx context.Context, endpoint, folder string) ([]AgentFile, error) {
	var answer struct {
		ListFiles struct {
			FileInfos []struct {
				Path  string `json:"path"`
				Size  int64  `json:"size"`
				Mode  uint32 `json:"mode"`
				MTime struct {
					Nanoseconds int64 `json:"nanoseconds"`
				} `json:"mtime"`
				UID string `json:"uid"`
				GID string `json:"gid"`
			} `json:"file_infos"`
		} `json:"list_files"`
	}
	call := map[string]any{"type": "LIST_FILES", "list_files": map[string]any{"path": folder}}
	if err := a.call(ctx, endpoint, call, &answer); err != nil {
		return nil, err
	}
	var out []AgentFile
	for _, f := range answer.ListFiles.FileInfos {
		out = append(out, AgentFile{
			Path: f.Path, Size: f.Size, Mode: f.Mode, Modified: time.Unix(0, f.MTime.Nanoseconds), User: f.UID, Group: f.GID,
		})
	}
	return out, nil
}

// Read returns bytes from offset on, length at the most and fewer where the agent
// likes, and the file's size.
func (a *AgentFiles) Read(ctx context.Context, endpoint, file string, offset, length int64) (data []byte, size int64, err error) {
	var answer struct {
		ReadFile struct {
			Size int64  `json:"size"`
			Data []byte `json:"data"`
		} `json:"read_file"`
	}
	call := map[string]any{"type": "READ_FILE", "read_file": map[string]any{"path": file, "offset": offset, "length": length}}
	if err := a.call(ctx, endpoint, call, &answer); err != nil {
		return nil, 0, err
	}
	return answer.ReadFile.Data, answer.ReadFile.Size, nil
}

// call makes one call of the operator API.
func (a *AgentFiles) call(ctx context.Context, endpoint string, call, answer any) error {
	body, err := json.Marshal(call)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+endpoint+"/api/v1", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("agent %s: %w", endpoint, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	if a.Credential.Principal != "" {
		req.SetBasicAuth(a.Credential.Principal, a.Credential.Secret)
	}
	client := a.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("agent %s: %w", endpoint, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAgentAnswer))
	switch {
	case err != nil:
		return fmt.Errorf("agent %s: %w", endpoint, err)
	case res.StatusCode == http.StatusNotFound:
		return ErrNoAgentFile
	case res.StatusCode != http.StatusOK:
		return fmt.Errorf("agent %s: status %d: %s", endpoint, res.StatusCode, strings.TrimSpace(firstBytes(text, 200)))
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("agent %s: its answer is not what was expected: %w", endpoint, err)
	}
	return nil
}

// firstBytes is the start of a text that may be long.
func firstBytes(text []byte, n int) string { return string(text[:min(n, len(text))]) }
