package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

const (
	// version is Pacer's own.
	version = "0.1.0"
	// marathonVersion is the level of the API that is followed; clients read it.
	marathonVersion = "1.11.24"
)

// revision is the commit that the binary was built from, "" when the build did
// not note it.
func revision() string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	revision, dirty := "", ""
	for _, s := range build.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "-dirty"
		}
	}
	if revision == "" {
		return ""
	}
	return revision + dirty
}

func versionCommand(sh shell) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			rev := revision()
			if rev == "" {
				rev = "unknown"
			}
			_, err := fmt.Fprintf(sh.stdout, "pacer %s (revision %s, API of Marathon %s, %s %s/%s)\n",
				version, rev, marathonVersion, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
