package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/mesos/mesos-go/api/v1/lib"

	"github.com/pacer-run/pacer/runtime/cluster/fetcher"
)

// fetchLabel is the label of a task that has, as JSON, one fetchCheck for each URI of its command, in their order. A
// scheduler sets it: Mesos has no field for that, and real agents ignore it.
const fetchLabel = "PACER_FETCH"

// fetchCheck is what one URI is held to; what is left out is as by default.
type fetchCheck struct {
	SHA256  string `json:"sha256"`
	Bytes   uint64 `json:"bytes"`
	Entries uint32 `json:"entries"`
	Depth   uint32 `json:"depth"`
	Ratio   uint32 `json:"ratio"`
}

// itemsOf are the URIs of a task's command. A label that cannot be read is a fault: what it asks for would not be checked.
func itemsOf(t *mesos.TaskInfo) ([]fetcher.Item, *launchFault) {
	c := t.GetCommand()
	uris := c.GetURIs()
	checks, err := checksOf(t, len(uris))
	if err != nil {
		return nil, launchFailure(fmt.Errorf("Could not fetch: the label %s: %w", fetchLabel, err))
	}
	out := make([]fetcher.Item, len(uris))
	for n := range uris {
		u := &uris[n]
		out[n] = fetcher.Item{
			URI: u.GetValue(), Executable: u.GetExecutable(), Extract: u.GetExtract(), Cache: u.GetCache(), OutputFile: u.GetOutputFile(),
			SHA256: checks[n].SHA256,
			Limits: fetcher.ItemLimits{
				Bytes: int64(min(checks[n].Bytes, math.MaxInt64)), Entries: int(checks[n].Entries), Depth: int(checks[n].Depth), Ratio: int64(checks[n].Ratio),
			},
		}
	}
	return out, nil
}

// checksOf reads the label: one item per URI, or none of any.
func checksOf(t *mesos.TaskInfo, uris int) ([]fetchCheck, error) {
	checks := make([]fetchCheck, uris)
	for _, l := range t.GetLabels().GetLabels() {
		if l.Key != fetchLabel {
			continue
		}
		in := json.NewDecoder(strings.NewReader(l.GetValue()))
		in.DisallowUnknownFields() // what is not known would not be checked
		checks = nil
		if err := in.Decode(&checks); err != nil {
			return nil, err
		}
		if len(checks) != uris {
			return nil, fmt.Errorf("it is about %d URIs, and the command has %d", len(checks), uris)
		}
	}
	return checks, nil
}

// checkURIs finds URIs that nothing can be fetched by, before there is a sandbox.
func checkURIs(t *mesos.TaskInfo) *launchFault {
	items, fault := itemsOf(t)
	if fault != nil {
		return fault
	}
	for _, item := range items {
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
