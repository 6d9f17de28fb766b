package main

import (
	"strings"

	"github.com/pacer-run/pacer/runtime/cluster/fetcher"
)

// fetching configures how the embedded cluster fetches URIs, by the variables that clients of S3 and HDFS read anyway.
func fetching(environ []string) fetcher.Config {
	env := func(name string) string {
		for _, entry := range environ {
			if value, ok := strings.CutPrefix(entry, name+"="); ok {
				return value
			}
		}
		return ""
	}
	return fetcher.Config{S3: fetcher.S3FromEnv(env), HDFS: fetcher.HDFSFromEnv(env)}
}
