package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/cluster/fetcher"
)

// itemsOf are the URIs of a command.
func itemsOf(c *mesos.CommandInfo) []fetcher.Item {
	uris := c.GetURIs()
	out := make([]fetcher.Item, len(uris))
	for n := range uris {
		u := &uris[n]
		out[n] = fetcher.Item{
			URI: u.GetValue(), Executable: u.GetExecutable(), Extract: u.GetExtract(), Cache: u.GetCache(), OutputFile: u.GetOutputFile(),
		}
	}
	return out
}

// checkURIs finds URIs that nothing can be fetched by, before there is a sandbox.
func checkURIs(c *mesos.CommandInfo) *launchFault {
	for _, item := range itemsOf(c) {
		if err := item.Check(); err != nil {
			return launchFailure(fmt.Errorf("Could not fetch: %s: %w", fetcher.Redacted(item.URI), err))
		}
	}
	return nil
}

// fetch puts the command's URIs into the sandbox, off the loop. What it does is also in the sandbox's stderr, where Mesos'
// fetcher leaves its log. Unlike there, the task's status has the cause of a failure as well.
func (p *launchPlan) fetch(ctx context.Context, f *fetcher.Fetcher) *launchFault {
	if len(p.items) == 0 {
		return nil
	}
	stderr, err := os.OpenFile(filepath.Join(p.sandbox, "stderr"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return launchFailure(err)
	}
	defer stderr.Close()
	var owner *fetcher.Owner
	if a := p.launch.User; a != nil {
		owner = &fetcher.Owner{User: p.user, UID: a.UID, GID: a.GID, Groups: a.Groups}
	}
	begun := make([]bool, len(p.items))
	err = f.Fetch(ctx, p.sandbox, owner, p.items, func(at fetcher.Progress) {
		switch {
		case at.Done:
			fmt.Fprintf(stderr, "Fetched '%s', %d bytes\n", at.URI, at.Bytes)
		case !begun[at.Item]:
			fmt.Fprintf(stderr, "Fetching '%s'\n", at.URI)
			begun[at.Item] = true
		}
	})
	if err != nil {
		fmt.Fprintf(stderr, "Failed to fetch: %v\n", err)
		return launchFailure(fmt.Errorf("Failed to fetch all URIs for container '%s': %w", p.container, err))
	}
	return nil
}
