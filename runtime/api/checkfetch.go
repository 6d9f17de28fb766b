package api

import (
	"context"
	"slices"
	"strconv"

	"github.com/pacer-run/pacer/runtime/spec"
)

// checkFetch asks the policies about what the app fetches, unless it is what it has
// fetched before. They decide again when it is launched.
func (s *server) checkFetch(ctx context.Context, app, current *spec.App, faults *spec.Faults) {
	if len(app.Fetch) == 0 || current != nil && slices.Equal(app.Fetch, current.Fetch) {
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
