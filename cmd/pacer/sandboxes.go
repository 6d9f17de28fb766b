package main

import (
	"context"
	"errors"

	"github.com/pacer-run/pacer/runtime/api"
	"github.com/pacer-run/pacer/runtime/master"
)

// sandboxes are the agents' files in the API's words.
type sandboxes struct{ agents *master.AgentFiles }

// List returns what a folder on an agent holds.
func (s sandboxes) List(ctx context.Context, endpoint, folder string) ([]api.SandboxFile, error) {
	files, err := s.agents.List(ctx, endpoint, folder)
	out := make([]api.SandboxFile, len(files))
	for i, f := range files {
		out[i] = api.SandboxFile(f)
	}
	return out, absent(err)
}

// Read returns a part of a file on an agent.
func (s sandboxes) Read(ctx context.Context, endpoint, file string, offset, length int64) ([]byte, int64, error) {
	data, size, err := s.agents.Read(ctx, endpoint, file, offset, length)
	return data, size, absent(err)
}

// absent is the API's word for a file that is not there.
func absent(err error) error {
	if errors.Is(err, master.ErrNoAgentFile) {
		return api.ErrNoFile
	}
	return err
}
