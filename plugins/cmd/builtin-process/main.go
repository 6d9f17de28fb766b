// Command builtin-process is every policy that Pacer has built in, as a module that
// is a process: the same source in another form, for the tests that hold both to
// the same answers. Pacer itself runs them in its own process.
package main

import (
	"flag"
	"strings"

	"github.com/pacer-run/pacer/plugins/constraints"
	"github.com/pacer-run/pacer/plugins/fetchers"
	"github.com/pacer-run/pacer/plugins/health"
	"github.com/pacer-run/pacer/plugins/upgrades"
	"github.com/pacer-run/pacer/sdk/process"
)

func main() {
	prefix := flag.String("prefix", "", "what comes before each name, such as p-, to keep it apart from the one that is built in")
	flag.Parse()
	process.Serve(process.Module{
		Name:       "builtin",
		Version:    "1.0.0",
		Constraint: anyConstraint{newTable(strings.ToUpper(strings.ReplaceAll(*prefix, "-", "_")), constraints.All())},
		Fetch:      anyFetch{newTable(*prefix, fetchers.All())},
		Upgrade:    anyUpgrade{newTable(*prefix, upgrades.All())},
		Health:     anyHealth{newTable(*prefix, health.All())},
	})
}
