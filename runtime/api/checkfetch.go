package api

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/pacer-run/pacer/runtime/spec"
)

// checkFetch asks the policies about what the app fetches, unless it is what it has
// fetched before with the labels that it had. They decide again when it is launched.
func (s *server) checkFetch(ctx context.Context, app, current *spec.App, faults *spec.Faults) {
	if len(app.Fetch) == 0 || current != nil && slices.Equal(app.Fetch, current.Fetch) && maps.Equal(app.Labels, current.Labels) {
		return
	}
	decisions, err := s.CheckFetch(ctx, app)
	if err != nil {
		faults.Add("/fetch", err.Error())
	}
	for i, d := range decisions {
		if d.Denied {
			faults.Add("/fetch("+strconv.Itoa(i)+")/uri", d.Reason)
		}
	}
}
