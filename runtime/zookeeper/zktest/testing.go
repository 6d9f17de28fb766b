package zktest

import (
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"
)

// Main is the TestMain of a package whose tests share one server: it starts one,
// gives it to use, runs the tests and ends it.
func Main(m *testing.M, use func(*Server)) {
	os.Exit(run(m, use))
}

func run(m *testing.M, use func(*Server)) int {
	dir, err := os.MkdirTemp("", "zktest")
	if err != nil {
		fmt.Fprintln(os.Stderr, "zktest:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	s, err := Start(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "zktest:", err)
		return 1
	}
	defer s.Stop()
	use(s)
	return m.Run()
}

// New runs a server for one test and ends it with the test.
func New(tb testing.TB) *Server {
	tb.Helper()
	s, err := Start(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Stop)
	return s
}

// Up makes sure that a shared server runs and is not paused, before a test and
// after it: a test that failed in between leaves nothing behind.
func (s *Server) Up(tb testing.TB) {
	tb.Helper()
	up := func() {
		if s.process == nil {
			if err := s.Restart(); err != nil {
				tb.Fatal(err)
			}
		}
		_ = s.Resume()
	}
	up()
	tb.Cleanup(up)
}

// Path is a path that only this run of the test uses.
func Path(tb testing.TB) string {
	return "/" + strings.NewReplacer("/", "-", "#", "-").Replace(tb.Name()) + "-" + rand.Text()[:8]
}
