package store

import (
	"flag"
	"testing"

	"github.com/pacer-run/pacer/runtime/zookeeper/zktest"
)

var testServer *zktest.Server

// SharedServer is the server that all tests share.
func SharedServer() *zktest.Server { return testServer }

func TestMain(m *testing.M) {
	// Each step of the model test is a few synced writes; the flag still rules.
	if err := flag.Set("rapid.checks", "10"); err != nil {
		panic(err)
	}
	zktest.Main(m, func(s *zktest.Server) { testServer = s })
}
